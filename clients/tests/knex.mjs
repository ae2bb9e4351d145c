// Knex: a query builder over pg.

import assert from 'node:assert/strict'
import knex from 'knex'
import { busyProject, projects } from '../shared/data.mjs'
import { qualified, tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

// $1, $2 … become Knex's question marks, in the order of the text; question marks themselves are escaped.
function raw(db, text, values) {
  const bindings = []
  const sql = text.replaceAll('?', '\\?').replace(/\$(\d+)/g, (_, n) => {
    bindings.push(values[n - 1])
    return '?'
  })
  return db.raw(sql, bindings)
}

class Database {
  constructor(knex, root = knex) {
    this.knex = knex
    this.root = root
  }

  async query(text, values) {
    return (await raw(this.knex, text, values)).rows
  }

  insert(table, rows) {
    return this.knex(qualified(table)).insert(rows)
  }

  upsertTrace(row) {
    const { key } = tables.ai_traces
    return this.knex('hanzo.ai_traces')
      .insert(row)
      .onConflict(key)
      .merge(Object.keys(row).filter((column) => !key.includes(column)))
      .whereRaw('excluded.event_ts > ai_traces.event_ts')
  }

  find(table, where, order) {
    return this.knex(qualified(table)).where(where).orderBy(order)
  }

  update(table, where, set) {
    return this.knex(qualified(table)).where(where).update(set)
  }

  remove(table, where) {
    return this.knex(qualified(table)).where(where).del()
  }

  transaction(isolation, run) {
    return this.root.transaction((trx) => run(new Database(trx, this.root)), isolation ? { isolationLevel: isolation.toLowerCase() } : undefined)
  }

  async *stream(text, values) {
    yield* raw(this.knex, text, values).stream({ highWaterMark: 5000 })
  }

  close() {
    return this.root.destroy()
  }
}

const { both } = task({
  name: 'knex',
  encode: { jsonb: JSON.stringify, bytea: (hex) => Buffer.from(hex, 'hex'), timestamptz: (text) => new Date(text) },
  connect: ({ url, ...settings }) => new Database(knex({ client: 'pg', connection: url ?? settings, pool: { min: 0, max: 4 } })),
  sqlstate: (error) => error.code,
})

both('a dashboard by the builder', async (_, { knex }) => {
  const rows = await knex('hanzo.website_events as e')
    .join('hanzo.projects as p', 'p.id', 'e.project_id')
    .select('p.name', 'e.url_path')
    .count({ views: '*' })
    .countDistinct({ visitors: 'e.session_id' })
    .whereIn('e.project_id', [busyProject, projects[1].id])
    .andWhere('e.created_at', '>=', new Date('2025-10-20T00:00:00Z'))
    .groupBy('p.name', 'e.url_path')
    .having(knex.raw('count(*) > ?', [3]))
    .orderBy([{ column: 'views', order: 'desc' }, 'e.url_path'])
    .limit(15)
  assert.equal(rows.length, 15)
  return rows
})

both('batchInsert in chunks, increment, RETURNING', async (_, { knex }) => {
  const rows = Array.from({ length: 1000 }, (__, n) => ({
    project_id: projects[3].id, organization_id: projects[3].organization_id, endpoint: `/v1/${n % 5}`, method: 'GET', status_code: n % 50 ? 200 : 500,
    latency_ms: n, cost: `0.0000${n}`, timestamp: new Date(Date.UTC(2025, 9, 1, 0, n)),
  }))
  const returned = await knex.batchInsert('hanzo.api_metrics', rows, 300).returning('latency_ms')
  assert.equal(returned.length, rows.length)
  const updated = await knex('hanzo.api_metrics').where({ project_id: projects[3].id, status_code: 500 }).increment('latency_ms', 5).returning(['endpoint', 'latency_ms'])
  const summary = await knex('hanzo.api_metrics').where({ project_id: projects[3].id }).sum('cost as cost').max('latency_ms as slowest').avg('latency_ms as mean')
  const deleted = await knex('hanzo.api_metrics').where({ project_id: projects[3].id }).del()
  assert.equal(deleted, rows.length)
  return { updated: updated.map((row) => row.latency_ms).sort(), summary }
})
