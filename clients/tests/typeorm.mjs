// TypeORM: entities, repositories, query builder, upsert(), streams.

import assert from 'node:assert/strict'
import 'reflect-metadata'
import typeorm from 'typeorm'
import { busyProject, projects, singleTraces } from '../shared/data.mjs'
import { failure } from '../shared/stores.mjs'
import { tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

const { DataSource, EntitySchema, In, Like, MoreThanOrEqual } = typeorm

function columnOptions(type) {
  if (type.endsWith('[]')) return { type: type.slice(0, -2), array: true }
  if (type === 'app.mood') return { type: 'enum', enum: ['calm', 'happy', 'cross'], enumName: 'mood' }
  return { type }
}

const models = {}
for (const [table, { schema, key, columns }] of Object.entries(tables)) {
  models[table] = new EntitySchema({
    name: table,
    schema,
    tableName: table,
    columns: Object.fromEntries(
      Object.entries(columns).map(([name, type]) => [name, { ...columnOptions(type), primary: key.includes(name), nullable: !key.includes(name) }]),
    ),
    relations: {
      projects: { organization: { type: 'many-to-one', target: 'organizations', joinColumn: { name: 'organization_id' }, inverseSide: 'projects', createForeignKeyConstraints: false } },
      organizations: { projects: { type: 'one-to-many', target: 'projects', inverseSide: 'organization' } },
      reviews: { comments: { type: 'one-to-many', target: 'comments', inverseSide: 'review', cascade: true } },
      comments: { review: { type: 'many-to-one', target: 'reviews', joinColumn: { name: 'review_id' }, inverseSide: 'comments' } },
    }[table],
  })
}

class Database {
  constructor(source, manager = source.manager) {
    this.source = source
    this.manager = manager
  }

  query(text, values) {
    return this.manager.query(text, values)
  }

  insert(table, rows) {
    return this.manager.insert(models[table], rows)
  }

  upsertTrace(row) {
    const { key } = tables.ai_traces
    return this.manager
      .createQueryBuilder()
      .insert()
      .into(models.ai_traces)
      .values(row)
      .orUpdate(Object.keys(row).filter((column) => !key.includes(column)), key, { overwriteCondition: { where: 'excluded.event_ts > ai_traces.event_ts' } })
      .execute()
  }

  find(table, where, order) {
    return this.manager.find(models[table], { where, order: Object.fromEntries(order.map((column) => [column, 'ASC'])) })
  }

  async update(table, where, set) {
    return (await this.manager.update(models[table], where, set)).affected
  }

  async remove(table, where) {
    return (await this.manager.delete(models[table], where)).affected
  }

  transaction(isolation, run) {
    const work = (manager) => run(new Database(this.source, manager))
    return isolation ? this.source.transaction(isolation, work) : this.source.transaction(work)
  }

  async *stream(text, values) {
    const runner = this.source.createQueryRunner()
    try {
      yield* await runner.stream(text, values)
    } finally {
      await runner.release()
    }
  }

  close() {
    return this.source.destroy()
  }
}

const { both } = task({
  name: 'typeorm',
  encode: { bytea: (hex) => Buffer.from(hex, 'hex'), timestamptz: (text) => new Date(text), timestamp: (text) => new Date(text) },
  async connect({ url, user, ...settings }) {
    const source = new DataSource({ type: 'postgres', ...(url ? { url } : { ...settings, username: user }), entities: Object.values(models), poolSize: 4, installExtensions: false, logging: false })
    return new Database(await source.initialize())
  },
  sqlstate: (error) => error.driverError?.code ?? error.code,
})

both('a dashboard by the query builder', async (_, { source }) => {
  const rows = await source
    .createQueryBuilder(models.website_events, 'e')
    .innerJoin('projects', 'p', 'p.id = e.project_id')
    .select(['p.name AS name', 'e.url_path AS url_path', 'count(*) AS views', 'count(DISTINCT e.session_id) AS visitors'])
    .where('e.project_id IN (:...ids)', { ids: [busyProject, projects[1].id] })
    .andWhere('e.created_at >= :from', { from: new Date('2025-10-20T00:00:00Z') })
    .groupBy('p.name')
    .addGroupBy('e.url_path')
    .orderBy('views', 'DESC')
    .addOrderBy('url_path')
    .limit(15)
    .getRawMany()
  assert.equal(rows.length, 15)
  return rows
})

both('repositories: save() twice, findAndCount, count, relations with cascades', async (_, { source }) => {
  const traces = source.getRepository(models.ai_traces)
  // A time in the key must be a Date, or save() does not know its own row again and inserts another.
  const saved = await traces.save({ ...singleTraces[1], id: 'saved', project_id: projects[3].id, timestamp: new Date(singleTraces[1].timestamp) })
  saved.name = 'saved again'
  saved.metadata = { ...saved.metadata, tier: 99 }
  await traces.save(saved)
  const [found, total] = await traces.findAndCount({ where: { name: Like('s%'), timestamp: MoreThanOrEqual(new Date('2025-09-20')) }, order: { id: 'ASC' }, skip: 2, take: 5 })
  const again = await traces.findOneByOrFail({ id: 'saved' })
  assert.deepEqual([again.name, again.metadata.tier], ['saved again', 99])
  await traces.remove(again)
  assert.equal(await traces.countBy({ id: 'saved' }), 0)

  const reviews = source.getRepository(models.reviews)
  const bare = { organization_id: projects[1].organization_id, stars: 3, mood: 'cross', public: true, labels: ['n'], counts: [], friends: [], created_at: new Date('2025-10-03') }
  const id = '7b1f2d40-0000-4000-8000-000000000001'
  await reviews.save({ ...bare, id, slug: 'cascade', comments: [1, 2].map((n) => ({ id: String(100 + n), author: `a${n}`, body: 'x' })) })
  const withComments = await reviews.findOne({ where: { id }, relations: { comments: true }, order: { comments: { id: 'ASC' } } })
  assert.equal(withComments.comments.length, 2)
  const organizations = await source.getRepository(models.organizations).find({ relations: { projects: true }, order: { slug: 'ASC', projects: { slug: 'ASC' } } })
  await source.getRepository(models.comments).delete({ review_id: id })
  await reviews.delete({ id })
  return { found, total, withComments, organizations }
})

both('upsert() of a batch, and query runners with savepoints', async (_, { source }) => {
  const traces = source.getRepository(models.ai_traces)
  const batch = singleTraces.slice(0, 4).map((trace, n) => ({ ...trace, id: `batch-${n}`, project_id: projects[3].id }))
  await traces.upsert(batch, ['project_id', 'id', 'timestamp'])
  await traces.upsert(batch.map((trace) => ({ ...trace, name: 'upserted' })), { conflictPaths: ['project_id', 'id', 'timestamp'], skipUpdateIfNoValuesChanged: true })
  const runner = source.createQueryRunner()
  await runner.startTransaction('REPEATABLE READ')
  await runner.startTransaction()
  await runner.manager.delete(models.ai_traces, { project_id: projects[3].id, id: In(['batch-0', 'batch-1']) })
  const error = await failure(runner.manager.insert(models.ai_traces, batch[3]))
  assert.equal(error.driverError.code, '23505')
  await runner.rollbackTransaction()
  await runner.manager.delete(models.ai_traces, { project_id: projects[3].id, id: 'batch-2' })
  await runner.commitTransaction()
  await runner.release()
  const rows = await traces.find({ where: { project_id: projects[3].id }, order: { id: 'ASC' } })
  assert.deepEqual(rows.map((row) => [row.id, row.name]), ['batch-0', 'batch-1', 'batch-3'].map((id) => [id, 'upserted']))
  await traces.delete({ project_id: projects[3].id })
  return rows
})
