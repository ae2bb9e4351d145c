// Drizzle ORM over pg. Drizzle has no streams of its own: its SQL goes to pg-query-stream.

import assert from 'node:assert/strict'
import { and, asc, countDistinct, count, desc, eq, gte, inArray, relations, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import * as types from 'drizzle-orm/pg-core'
import pg from 'pg'
import QueryStream from 'pg-query-stream'
import { busyProject, projects } from '../shared/data.mjs'
import { tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

const bytea = types.customType({ dataType: () => 'bytea' })
const time = { withTimezone: true, precision: 3 }
const columnTypes = {
  uuid: types.uuid,
  text: types.text,
  integer: types.integer,
  bigint: (name) => types.bigint(name, { mode: 'bigint' }),
  numeric: types.numeric,
  float8: types.doublePrecision,
  boolean: types.boolean,
  date: types.date,
  timestamp: (name) => types.timestamp(name, { precision: 3 }),
  timestamptz: (name) => types.timestamp(name, time),
  jsonb: types.jsonb,
  bytea,
  'app.mood': types.pgSchema('app').enum('mood', ['calm', 'happy', 'cross']),
  'text[]': (name) => types.text(name).array(),
  'integer[]': (name) => types.integer(name).array(),
  'uuid[]': (name) => types.uuid(name).array(),
}

const models = {}
for (const [table, { schema, columns }] of Object.entries(tables)) {
  const model = Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, columnTypes[type](name)]))
  models[table] = types.pgSchema(schema).table(table, model)
}
const { organizations, projects: projectModel, website_events: events, ai_traces: traces, reviews, comments } = models
const schema = {
  ...models,
  organizationRelations: relations(organizations, ({ many }) => ({ projects: many(projectModel) })),
  projectRelations: relations(projectModel, ({ one }) => ({
    organization: one(organizations, { fields: [projectModel.organization_id], references: [organizations.id] }),
  })),
  reviewRelations: relations(reviews, ({ many }) => ({ comments: many(comments) })),
  commentRelations: relations(comments, ({ one }) => ({ review: one(reviews, { fields: [comments.review_id], references: [reviews.id] }) })),
}

class Database {
  constructor(pool, drizzle) {
    this.pool = pool
    this.drizzle = drizzle
  }

  where(table, where) {
    return and(...Object.entries(where).map(([column, value]) => eq(models[table][column], value)))
  }

  async query(text, values) {
    const parts = text.split(/\$(\d+)/)
    const chunks = parts.map((part, i) => (i % 2 ? sql.param(values[part - 1]) : sql.raw(part)))
    return (await this.drizzle.execute(sql.join(chunks))).rows
  }

  insert(table, rows) {
    return this.drizzle.insert(models[table]).values(rows)
  }

  upsertTrace(row) {
    const { key } = tables.ai_traces
    const set = Object.keys(row).filter((column) => !key.includes(column))
    return this.drizzle
      .insert(traces)
      .values(row)
      .onConflictDoUpdate({
        target: key.map((column) => traces[column]),
        set: Object.fromEntries(set.map((column) => [column, sql.raw(`excluded.${column}`)])),
        setWhere: sql`excluded.event_ts > ${traces.event_ts}`,
      })
  }

  find(table, where, order) {
    return this.drizzle.select().from(models[table]).where(this.where(table, where)).orderBy(...order.map((column) => asc(models[table][column])))
  }

  async update(table, where, set) {
    return (await this.drizzle.update(models[table]).set(set).where(this.where(table, where))).rowCount
  }

  async remove(table, where) {
    return (await this.drizzle.delete(models[table]).where(this.where(table, where))).rowCount
  }

  transaction(isolation, run) {
    return drizzle(this.pool, { schema }).transaction((tx) => run(new Database(this.pool, tx)), isolation && { isolationLevel: isolation.toLowerCase() })
  }

  async *stream(text, values) {
    const client = await this.pool.connect()
    try {
      yield* client.query(new QueryStream(text, values, { batchSize: 5000 }))
    } finally {
      client.release()
    }
  }

  close() {
    return this.pool.end()
  }
}

const { both } = task({
  name: 'drizzle',
  encode: {
    bytea: (hex) => Buffer.from(hex, 'hex'),
    bigint: BigInt,
    timestamptz: (text) => new Date(text),
    timestamp: (text) => new Date(text),
  },
  connect({ url, ...settings }) {
    const pool = new pg.Pool({ ...(url ? { connectionString: url } : settings), max: 4 })
    return new Database(pool, drizzle(pool, { schema }))
  },
  // Drizzle wraps what the driver throws.
  sqlstate: (error) => error.cause?.code ?? error.code,
})

both('a dashboard by the builder', async (_, { drizzle }) => {
  const views = count().as('views')
  const rows = await drizzle
    .select({ name: projectModel.name, url_path: events.url_path, views, visitors: countDistinct(events.session_id) })
    .from(events)
    .innerJoin(projectModel, eq(projectModel.id, events.project_id))
    .where(and(inArray(events.project_id, [busyProject, projects[1].id]), gte(events.created_at, new Date('2025-10-20T00:00:00Z'))))
    .groupBy(projectModel.name, events.url_path)
    .orderBy(desc(views), events.url_path)
    .limit(15)
  assert.equal(rows.length, 15)
  return rows
})

both('relational queries: organizations with projects, reviews with comments', async (_, { drizzle }) => {
  const found = await drizzle.query.organizations.findMany({
    orderBy: asc(organizations.slug),
    with: { projects: { columns: { id: true, slug: true, created_at: true }, orderBy: asc(projectModel.slug) } },
  })
  assert.deepEqual(found.map((organization) => organization.projects.length), [2, 2])
  const withComments = await drizzle.query.reviews.findMany({
    columns: { slug: true, visits: true, amount: true, details: true, labels: true },
    orderBy: asc(reviews.slug),
    with: { comments: { orderBy: asc(comments.id) } },
  })
  assert.deepEqual(withComments.map((review) => review.comments.length), [1, 2])
  return { found, withComments }
})

both('prepared statements with placeholders, nested transactions', async (_, { drizzle }) => {
  const byId = drizzle.select().from(traces).where(and(eq(traces.project_id, projects[2].id), eq(traces.id, sql.placeholder('id')))).prepare('by_id')
  const answers = []
  for (let n = 10; n < 18; n++) answers.push(await byId.execute({ id: `trace-0${n}` }))
  assert.ok(answers.every((rows) => rows.length === 1))
  await drizzle.transaction(async (outer) => {
    await outer.update(traces).set({ bookmarked: sql`NOT bookmarked` }).where(eq(traces.id, 'trace-010'))
    await outer
      .transaction(async (inner) => {
        await inner.delete(traces).where(eq(traces.project_id, projects[2].id))
        assert.equal(await inner.$count(traces, eq(traces.project_id, projects[2].id)), 0)
        inner.rollback()
      })
      .catch((error) => assert.equal(error.constructor.name, 'TransactionRollbackError'))
  })
  answers.push(await byId.execute({ id: 'trace-010' }), await drizzle.$count(traces))
  return answers
})
