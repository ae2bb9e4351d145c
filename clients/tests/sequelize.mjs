// Sequelize: models, bulkCreate, upsert, managed transactions. It has no streams: its pool's connection takes pg-query-stream.

import assert from 'node:assert/strict'
import pg from 'pg'
import QueryStream from 'pg-query-stream'
import { DataTypes, Op, QueryTypes, Sequelize, UniqueConstraintError, ForeignKeyConstraintError } from 'sequelize'
import { busyProject, projects, reviews, singleTraces, uuid } from '../shared/data.mjs'
import { failure } from '../shared/stores.mjs'
import { tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

const columnTypes = {
  uuid: DataTypes.UUID,
  text: DataTypes.TEXT,
  integer: DataTypes.INTEGER,
  bigint: DataTypes.BIGINT,
  numeric: DataTypes.DECIMAL,
  float8: DataTypes.DOUBLE,
  boolean: DataTypes.BOOLEAN,
  date: DataTypes.DATEONLY,
  timestamp: DataTypes.DATE,
  timestamptz: DataTypes.DATE,
  jsonb: DataTypes.JSONB,
  bytea: DataTypes.BLOB,
  'app.mood': DataTypes.TEXT,
  'text[]': DataTypes.ARRAY(DataTypes.TEXT),
  'integer[]': DataTypes.ARRAY(DataTypes.INTEGER),
  'uuid[]': DataTypes.ARRAY(DataTypes.UUID),
}

class Database {
  constructor(sequelize, transaction = undefined) {
    this.sequelize = sequelize
    this.options = { transaction }
  }

  define() {
    const { sequelize } = this
    for (const [table, { schema, key, columns }] of Object.entries(tables)) {
      const attributes = Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, { type: columnTypes[type], primaryKey: key.includes(name) }]))
      sequelize.define(table, attributes, { schema, tableName: table, timestamps: false })
    }
    const { organizations, projects: project, reviews: review, comments } = sequelize.models
    organizations.hasMany(project, { foreignKey: 'organization_id' })
    project.belongsTo(organizations, { foreignKey: 'organization_id' })
    review.hasMany(comments, { foreignKey: 'review_id' })
    comments.belongsTo(review, { foreignKey: 'review_id' })
    return this
  }

  query(text, values) {
    return this.sequelize.query(text, { bind: values, type: QueryTypes.SELECT, ...this.options })
  }

  insert(table, rows) {
    const model = this.sequelize.models[table]
    return rows.length === 1 ? model.create(rows[0], this.options) : model.bulkCreate(rows, this.options)
  }

  // Sequelize's upsert() knows no condition for the update: an upsert that must not go back in time is one of SQL.
  upsertTrace(row) {
    const { key } = tables.ai_traces
    const columns = Object.keys(row)
    const set = columns.filter((column) => !key.includes(column)).map((column) => `${column} = excluded.${column}`)
    return this.sequelize.query(
      `INSERT INTO hanzo.ai_traces (${columns.join(', ')}) VALUES (${columns.map((_, i) => `$${i + 1}`).join(', ')})
       ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set.join(', ')} WHERE excluded.event_ts > ai_traces.event_ts`,
      { bind: columns.map((column) => (column === 'metadata' ? JSON.stringify(row[column]) : row[column])), ...this.options },
    )
  }

  find(table, where, order) {
    return this.sequelize.models[table].findAll({ where, order, raw: true, ...this.options })
  }

  async update(table, where, set) {
    return (await this.sequelize.models[table].update(set, { where, ...this.options }))[0]
  }

  remove(table, where) {
    return this.sequelize.models[table].destroy({ where, ...this.options })
  }

  transaction(isolation, run) {
    return this.sequelize.transaction({ isolationLevel: isolation }, (transaction) => run(new Database(this.sequelize, transaction)))
  }

  async *stream(text, values) {
    const connection = await this.sequelize.connectionManager.getConnection()
    try {
      yield* connection.query(new QueryStream(text, values, { batchSize: 5000 }))
    } finally {
      this.sequelize.connectionManager.releaseConnection(connection)
    }
  }

  close() {
    return this.sequelize.close()
  }
}

const { both } = task({
  name: 'sequelize',
  encode: { bytea: (hex) => Buffer.from(hex, 'hex'), timestamptz: (text) => new Date(text), timestamp: (text) => new Date(text) },
  connect({ url, ...settings }) {
    const options = { dialect: 'postgres', dialectModule: pg, logging: false, pool: { max: 4 } }
    return new Database(url ? new Sequelize(url, options) : new Sequelize({ ...settings, username: settings.user, ...options })).define()
  },
  sqlstate: (error) => error.parent?.code ?? error.code,
})

both('a dashboard by models', async (_, { sequelize }) => {
  const { website_events: events } = sequelize.models
  const { fn, col, literal } = sequelize.constructor
  const rows = await events.findAll({
    attributes: ['url_path', [fn('count', literal('*')), 'views'], [fn('count', fn('distinct', col('session_id'))), 'visitors']],
    where: { project_id: { [Op.in]: [busyProject, projects[1].id] }, created_at: { [Op.gte]: new Date('2025-10-20T00:00:00Z') }, url_path: { [Op.iLike]: '%PAGE%' } },
    group: ['url_path'],
    order: [[literal('views'), 'DESC'], 'url_path'],
    limit: 15,
    raw: true,
  })
  assert.equal(rows.length, 15)
  return rows
})

both('upsert(), bulkCreate with updateOnDuplicate, findOrCreate, increment', async (_, { sequelize }) => {
  const { ai_traces: traces } = sequelize.models
  const batch = singleTraces.slice(0, 4).map((trace, n) => ({ ...trace, id: `batch-${n}`, project_id: projects[3].id, latency_ms: 5 }))
  await traces.upsert(batch[0])
  await traces.upsert({ ...batch[0], name: 'upserted' }, { conflictFields: ['project_id', 'id', 'timestamp'] })
  await traces.bulkCreate(batch, { updateOnDuplicate: ['release', 'tags'] })
  const [, created] = await traces.findOrCreate({ where: { project_id: projects[3].id, id: 'batch-1', timestamp: batch[1].timestamp }, defaults: batch[1] })
  const [, createdNew] = await traces.findOrCreate({ where: { project_id: projects[3].id, id: 'batch-9', timestamp: batch[1].timestamp }, defaults: { ...batch[1], id: 'batch-9' } })
  assert.deepEqual([created, createdNew], [false, true])
  await traces.increment('latency_ms', { by: 3, where: { project_id: projects[3].id, id: { [Op.ne]: 'batch-2' } } })
  const rows = await traces.findAll({ where: { project_id: projects[3].id, tags: { [Op.contains]: [] }, metadata: { region: 'us' } }, order: ['id'], raw: true })
  const all = await traces.findAll({ attributes: ['id', 'name', 'latency_ms'], where: { project_id: projects[3].id }, order: ['id'], raw: true })
  assert.deepEqual(all.map((row) => row.latency_ms), ['8', '8', '5', '8', '8'])
  assert.equal(all[0].name, 'upserted')
  assert.equal(await traces.destroy({ where: { project_id: projects[3].id } }), 5)
  return { rows, all }
})

both('associations: nested create and include', async (_, { sequelize }) => {
  const { organizations, projects: project, reviews: model, comments } = sequelize.models
  const id = uuid('nested')
  await model.create({ ...reviews[1], id, slug: 'nested', comments: [1, 2].map((n) => ({ id: String(100 + n), author: `a${n}`, body: 'x' })) }, { include: [comments] })
  const found = (await model.findByPk(id, { include: [comments], order: [[comments, 'id', 'ASC']] })).toJSON()
  assert.equal(found.comments.length, 2)
  await comments.destroy({ where: { review_id: id } })
  await model.destroy({ where: { id } })
  const all = await organizations.findAll({ include: [project], order: ['slug', [project, 'slug', 'ASC']] })
  return { found, all: all.map((organization) => organization.toJSON()) }
})

both('errors are those of its own classes', async (_, { sequelize }) => {
  const { reviews: model } = sequelize.models
  const unique = await failure(model.create({ ...reviews[0], id: uuid('x'), slug: 'second' }))
  const foreign = await failure(model.create({ ...reviews[0], id: uuid('x'), slug: 'x', organization_id: uuid('nobody') }))
  assert.ok(unique instanceof UniqueConstraintError)
  assert.ok(foreign instanceof ForeignKeyConstraintError)
  assert.deepEqual([unique.fields, foreign.index], [{ slug: 'second' }, 'reviews_organization_id_fkey'])
  return [unique.message, foreign.message, foreign.table]
})
