// pg (node-postgres): prepared statements, binary results, cursors, COPY.

import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { busyProject, observations, projects, uuid } from '../shared/data.mjs'
import { failure } from '../shared/stores.mjs'
import { qualified, tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

const quote = pg.escapeIdentifier

// SQL of a condition: column = $n and so on.
const conditions = (where, from = 0) =>
  Object.keys(where).map((column, i) => `${quote(column)} = $${from + i + 1}`).join(' AND ') || 'true'

class Database {
  constructor(pool, queryable = pool) {
    this.pool = pool
    this.queryable = queryable
  }

  async query(text, values) {
    return (await this.queryable.query(text, values)).rows
  }

  insertStatement(table, rows) {
    const columns = Object.keys(rows[0])
    const places = rows.map((_, i) => `(${columns.map((__, j) => `$${i * columns.length + j + 1}`).join(', ')})`)
    return {
      text: `INSERT INTO ${qualified(table)} (${columns.map(quote).join(', ')}) VALUES ${places.join(', ')}`,
      values: rows.flatMap((row) => columns.map((column) => row[column])),
    }
  }

  insert(table, rows) {
    return this.queryable.query(this.insertStatement(table, rows))
  }

  upsertTrace(row) {
    const { text, values } = this.insertStatement('ai_traces', [row])
    const { key } = tables.ai_traces
    const set = Object.keys(row).filter((column) => !key.includes(column)).map((column) => `${quote(column)} = excluded.${quote(column)}`)
    return this.queryable.query(
      `${text} ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${set.join(', ')} WHERE excluded.event_ts > ai_traces.event_ts`,
      values,
    )
  }

  find(table, where, order) {
    return this.query(`SELECT * FROM ${qualified(table)} WHERE ${conditions(where)} ORDER BY ${order.join(', ')}`, Object.values(where))
  }

  async update(table, where, set) {
    const assignments = Object.keys(set).map((column, i) => `${quote(column)} = $${i + 1}`)
    const result = await this.queryable.query(
      `UPDATE ${qualified(table)} SET ${assignments.join(', ')} WHERE ${conditions(where, assignments.length)}`,
      [...Object.values(set), ...Object.values(where)],
    )
    return result.rowCount
  }

  async remove(table, where) {
    return (await this.queryable.query(`DELETE FROM ${qualified(table)} WHERE ${conditions(where)}`, Object.values(where))).rowCount
  }

  async transaction(isolation, run) {
    const client = await this.pool.connect()
    try {
      await client.query(isolation ? `BEGIN ISOLATION LEVEL ${isolation}` : 'BEGIN')
      const result = await run(new Database(this.pool, client))
      await client.query('COMMIT')
      return result
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
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
  name: 'pg',
  // A jsonb parameter that is an array would become a PostgreSQL array, so pg wants JSON as text.
  encode: { jsonb: JSON.stringify, bytea: (hex) => Buffer.from(hex, 'hex'), timestamptz: (text) => new Date(text) },
  connect: (settings) => new Database(new pg.Pool({ ...(settings.url ? { connectionString: settings.url } : settings), max: 4 })),
  sqlstate: (error) => error.code,
})

both('prepared statements, many times and after the plan became generic', async (store, db) => {
  const client = await db.pool.connect()
  try {
    const answers = []
    for (let i = 0; i < 8; i++) {
      const { rows } = await client.query({
        name: 'pages',
        text: 'SELECT url_path, count(*)::int AS views FROM hanzo.website_events WHERE project_id = $1 AND created_at >= $2 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 3',
        values: [busyProject, new Date(Date.UTC(2025, 9, 1 + 3 * i))],
      })
      answers.push(rows)
    }
    const { rows } = await client.query("SELECT name, (generic_plans + custom_plans)::int AS plans FROM pg_prepared_statements WHERE name = 'pages'")
    assert.deepEqual(rows, [{ name: 'pages', plans: 8 }])
    return answers
  } finally {
    client.release()
  }
})

both('a prepared statement lives on while compaction moves its rows', async (store, db) => {
  const client = await db.pool.connect()
  try {
    const ask = async () => (await client.query({
      name: 'trace',
      text: 'SELECT id, name, tags, latency_ms FROM hanzo.ai_traces WHERE project_id = $1 AND id = $2',
      values: [projects[2].id, 'trace-020'],
    })).rows
    const before = await ask()
    await store.compact()
    assert.deepEqual(await ask(), before)
    return before
  } finally {
    client.release()
  }
})

// pg 8 reads binary values by way of UTF-8 text, which spoils bytes above 127 (node-postgres issue 3495), whatever the table.
both('binary results, of bytes that pg can read', async (_, db) => {
  const client = new pg.Client({ ...db.pool.options, binary: true })
  await client.connect()
  try {
    const { rows, fields } = await client.query({
      text: `SELECT id, name, public, (length(coalesce(output, '')) % 100)::int AS length, right(latency_ms::text, 2)::bigint % 100 AS latency
             FROM hanzo.ai_traces WHERE project_id = $1 AND name = 'search' ORDER BY id`,
      values: [projects[2].id],
    })
    assert.deepEqual(new Set(fields.map((field) => field.format)), new Set(['binary']))
    assert.ok(rows.length > 10 && rows.every((row) => row.name === 'search' && typeof row.public === 'boolean'))
    return rows
  } finally {
    await client.end()
  }
})

both('a cursor reads in portions, forwards, and can be closed early', async (_, db) => {
  const client = await db.pool.connect()
  try {
    const cursor = client.query(new Cursor('SELECT event_id FROM hanzo.website_events WHERE project_id = $1 ORDER BY created_at, event_id', [busyProject]))
    const portions = [await cursor.read(10), await cursor.read(1000), await cursor.read(1)]
    await cursor.close()
    return portions
  } finally {
    client.release()
  }
})

both('COPY out and in again', async (store, db) => {
  const client = await db.pool.connect()
  const columns = Object.keys(tables.ai_observations.columns).join(', ')
  const compare = `SELECT ${columns} FROM hanzo.ai_observations WHERE project_id = $1 ORDER BY id`
  const copy = async (format, project) => {
    const chunks = []
    const source = client.query(copyTo(`COPY (SELECT ${columns} FROM hanzo.ai_observations WHERE project_id = '${projects[2].id}' ORDER BY id) TO STDOUT (FORMAT ${format})`))
    for await (const chunk of source) chunks.push(chunk)
    const file = Buffer.concat(chunks)
    await client.query('CREATE TEMP TABLE loaded (LIKE hanzo.ai_observations) ON COMMIT PRESERVE ROWS')
    await pipeline(Readable.from([file.subarray(0, 1000), file.subarray(1000)]), client.query(copyFrom(`COPY loaded (${columns}) FROM STDIN (FORMAT ${format})`)))
    await client.query('UPDATE loaded SET project_id = $1', [project])
    // Once more through COPY into the table itself.
    const rows = []
    for await (const chunk of client.query(copyTo(`COPY loaded (${columns}) TO STDOUT (FORMAT ${format})`))) rows.push(chunk)
    await pipeline(Readable.from(rows), client.query(copyFrom(`COPY hanzo.ai_observations (${columns}) FROM STDIN (FORMAT ${format})`)))
    await client.query('DROP TABLE loaded')
  }
  try {
    const original = (await client.query(compare, [projects[2].id])).rows
    assert.equal(original.length, observations.length)
    for (const format of ['text', 'csv', 'binary']) {
      const project = uuid(`copy ${format}`)
      await copy(format, project)
      const loaded = (await client.query(compare, [project])).rows
      assert.deepEqual(loaded.map((row) => ({ ...row, project_id: projects[2].id })), original, format)
      await store.compact()
      assert.deepEqual((await client.query(compare, [project])).rows, loaded, `${format}, compacted`)
      await client.query('DELETE FROM hanzo.ai_observations WHERE project_id = $1', [project])
    }
    return original
  } finally {
    client.release()
  }
})

both('a COPY that meets a duplicate leaves nothing', async (_, db) => {
  const client = await db.pool.connect()
  try {
    const rows = ['new', 'new'].map((id) => `${id}\t${projects[3].id}\t2025-10-01 00:00:00+00\n`)
    const error = await failure(pipeline(Readable.from(rows), client.query(copyFrom('COPY hanzo.ai_traces (id, project_id, timestamp) FROM STDIN'))))
    assert.equal(error.code, '23505')
    return (await client.query('SELECT count(*)::int AS n FROM hanzo.ai_traces WHERE project_id = $1', [projects[3].id])).rows
  } finally {
    client.release()
  }
})

both('an error names constraint, table and column', async (_, db) => {
  const error = await failure(db.query("INSERT INTO app.reviews (id, organization_id, slug, stars) VALUES ($1, (SELECT min(id::text)::uuid FROM hanzo.organizations), 'first', 1)", [uuid('again')]))
  const missing = await failure(db.query('INSERT INTO app.comments (review_id, author, body) VALUES ($1, $2, NULL)', [uuid('x'), 'a']))
  return [error, missing].map(({ code, message, detail, schema, table, column, constraint }) => ({ code, message, detail, schema, table, column, constraint }))
})
