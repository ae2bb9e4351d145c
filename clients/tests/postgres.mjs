// postgres (postgres.js): tagged templates, dynamic inserts, cursors, its own cancel(), COPY.

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import postgres from 'postgres'
import { busyProject, projects, singleTraces, uuid } from '../shared/data.mjs'
import { failure } from '../shared/stores.mjs'
import { qualified, tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

class Database {
  constructor(root, sql = root) {
    this.root = root
    this.sql = sql
  }

  where(conditions) {
    const { sql } = this
    return Object.entries(conditions).reduce((before, [column, value]) => sql`${before} AND ${sql(column)} = ${value}`, sql`true`)
  }

  query(text, values) {
    return this.sql.unsafe(text, values)
  }

  insert(table, rows) {
    return this.sql`INSERT INTO ${this.sql(qualified(table))} ${this.sql(rows)}`
  }

  upsertTrace(row) {
    const { sql } = this
    const { key } = tables.ai_traces
    const set = Object.keys(row)
      .filter((column) => !key.includes(column))
      .map((column) => sql`${sql(column)} = excluded.${sql(column)}`)
      .reduce((before, assignment) => sql`${before}, ${assignment}`)
    return sql`INSERT INTO hanzo.ai_traces ${sql(row)} ON CONFLICT (project_id, id, timestamp) DO UPDATE SET ${set} WHERE excluded.event_ts > ai_traces.event_ts`
  }

  find(table, where, order) {
    return this.sql`SELECT * FROM ${this.sql(qualified(table))} WHERE ${this.where(where)} ORDER BY ${this.sql(order)}`
  }

  async update(table, where, set) {
    return (await this.sql`UPDATE ${this.sql(qualified(table))} SET ${this.sql(set)} WHERE ${this.where(where)}`).count
  }

  async remove(table, where) {
    return (await this.sql`DELETE FROM ${this.sql(qualified(table))} WHERE ${this.where(where)}`).count
  }

  transaction(isolation, run) {
    return this.root.begin(isolation ? `ISOLATION LEVEL ${isolation}` : '', (sql) => run(new Database(this.root, sql)))
  }

  async *stream(text, values) {
    for await (const rows of this.sql.unsafe(text, values).cursor(5000)) yield* rows
  }

  close() {
    return this.root.end()
  }
}

const options = { max: 4, onnotice: () => {} }

const { both } = task({
  name: 'postgres',
  encode: { bytea: (hex) => Buffer.from(hex, 'hex') },
  // Through a Unix socket it finds the file by host and port.
  connect: ({ url, ...settings }) => new Database(url ? postgres(url, options) : postgres({ ...settings, ...options })),
  sqlstate: (error) => error.code,
  async cancel(db, store, text, start) {
    const query = start()
    const failed = failure(query)
    await store.waitFor(text, failed)
    query.cancel()
    return failed
  },
})

both('tagged templates with dates, decimals, bigint, uuid, JSON and arrays', async (_, { sql }) => {
  const rows = await sql`
    SELECT id, timestamp, total_cost, latency_ms, metadata, tags FROM hanzo.ai_traces
    WHERE project_id = ${projects[2].id}::uuid AND timestamp >= ${new Date('2025-09-20T00:00:00Z')} AND total_cost > ${'0.001'}::numeric
      AND latency_ms <> ${9007199254740993n} AND metadata @> ${sql.json({ region: 'us' })} AND tags && ${['a,b', 'a']} AND id = ANY(${singleTraces.map((t) => t.id)})
    ORDER BY id`
  assert.ok(rows.length > 0)
  return rows
})

both('a cursor in portions, and forEach', async (_, { sql }) => {
  const portions = []
  for await (const rows of sql`SELECT event_id, created_at FROM hanzo.website_events WHERE project_id = ${busyProject} ORDER BY created_at, event_id LIMIT 250`.cursor(100)) {
    portions.push(rows.length)
  }
  assert.deepEqual(portions, [100, 100, 50])
  const ids = []
  await sql`SELECT id FROM hanzo.ai_traces ORDER BY id`.forEach((row) => ids.push(row.id))
  return ids
})

both('savepoints', async (_, { sql }) => {
  const row = (n) => ({ id: `savepoint-${n}`, project_id: projects[3].id, timestamp: singleTraces[0].timestamp })
  await sql.begin(async (outer) => {
    await outer`INSERT INTO hanzo.ai_traces ${outer(row(1))}`
    const error = await failure(
      outer.savepoint(async (inner) => {
        await inner`INSERT INTO hanzo.ai_traces ${inner(row(2))}`
        await inner`INSERT INTO hanzo.ai_traces ${inner(row(1))}`
      }),
    )
    assert.equal(error.code, '23505')
    await outer`INSERT INTO hanzo.ai_traces ${outer(row(3))}`
  })
  const rows = await sql`DELETE FROM hanzo.ai_traces WHERE project_id = ${projects[3].id} RETURNING id`
  assert.deepEqual(rows.map((found) => found.id).sort(), ['savepoint-1', 'savepoint-3'])
})

both('COPY in and out', async (store, { sql }) => {
  const project = uuid('copied')
  const lines = Array.from({ length: 3000 }, (_, n) => `trace ${n}\t${project}\t2025-10-0${1 + (n % 9)} 00:00:00+00\tname ${n % 7}\n`)
  const target = await sql`COPY hanzo.ai_traces (id, project_id, timestamp, name) FROM STDIN`.writable()
  await pipeline(Readable.from(lines), target)
  await store.compact()
  const source = await sql`COPY (SELECT id, project_id, to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS+00'), name FROM hanzo.ai_traces
    WHERE project_id = '${sql.unsafe(project)}') TO STDOUT`.readable()
  let text = ''
  for await (const chunk of source) text += chunk
  assert.deepEqual(text.split('\n').slice(0, -1).sort(), lines.map((line) => line.trimEnd()).sort())
  return (await sql`DELETE FROM hanzo.ai_traces WHERE project_id = ${project}`).count
})
