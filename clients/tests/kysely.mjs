// Kysely: a query builder over pg.

import assert from 'node:assert/strict'
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import Cursor from 'pg-cursor'
import { busyProject, projects } from '../shared/data.mjs'
import { qualified, tables } from '../shared/tables.mjs'
import { task } from '../shared/task.mjs'

class Database {
  constructor(kysely, root = kysely) {
    this.kysely = kysely
    this.root = root
  }

  async query(text, values) {
    return (await this.kysely.executeQuery(CompiledQuery.raw(text, values))).rows
  }

  insert(table, rows) {
    return this.kysely.insertInto(qualified(table)).values(rows).execute()
  }

  upsertTrace(row) {
    const { key } = tables.ai_traces
    return this.kysely
      .insertInto('hanzo.ai_traces')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(key)
          .doUpdateSet((eb) => Object.fromEntries(Object.keys(row).filter((column) => !key.includes(column)).map((column) => [column, eb.ref(`excluded.${column}`)])))
          .whereRef('excluded.event_ts', '>', 'ai_traces.event_ts'),
      )
      .execute()
  }

  find(table, where, order) {
    return this.kysely.selectFrom(qualified(table)).selectAll().where((eb) => eb.and(where)).orderBy(order.map((column) => sql.ref(column))).execute()
  }

  async update(table, where, set) {
    return Number((await this.kysely.updateTable(qualified(table)).set(set).where((eb) => eb.and(where)).executeTakeFirst()).numUpdatedRows)
  }

  async remove(table, where) {
    return Number((await this.kysely.deleteFrom(qualified(table)).where((eb) => eb.and(where)).executeTakeFirst()).numDeletedRows)
  }

  transaction(isolation, run) {
    const transaction = this.root.transaction()
    return (isolation ? transaction.setIsolationLevel(isolation.toLowerCase()) : transaction).execute((trx) => run(new Database(trx, this.root)))
  }

  async *stream(text, values) {
    // Streams belong to statements of the builder: the text stands in one as a subquery.
    const parts = text.split(/\$\d+/)
    const statement = sql.join(parts.flatMap((part, i) => [sql.raw(part), ...(i < values.length ? [sql`${values[i]}`] : [])]), sql.raw(''))
    yield* this.kysely.selectFrom(sql`(${statement})`.as('rows')).selectAll().stream(5000)
  }

  close() {
    return this.root.destroy()
  }
}

const { both } = task({
  name: 'kysely',
  encode: { jsonb: JSON.stringify, bytea: (hex) => Buffer.from(hex, 'hex'), timestamptz: (text) => new Date(text) },
  connect({ url, ...settings }) {
    const pool = new pg.Pool({ ...(url ? { connectionString: url } : settings), max: 4 })
    return new Database(new Kysely({ dialect: new PostgresDialect({ pool, cursor: Cursor }) }))
  },
  sqlstate: (error) => error.code,
})

both('a dashboard by the builder', async (_, { kysely }) => {
  const rows = await kysely
    .selectFrom('hanzo.website_events as e')
    .innerJoin('hanzo.projects as p', 'p.id', 'e.project_id')
    .select(['p.name', 'e.url_path', (eb) => eb.fn.countAll().as('views'), (eb) => eb.fn.count('e.session_id').distinct().as('visitors')])
    .select((eb) => eb.fn.countAll().filterWhere('e.event_name', '<>', '').as('clicks'))
    .where('e.project_id', 'in', [busyProject, projects[1].id])
    .where('e.created_at', '>=', new Date('2025-10-20T00:00:00Z'))
    .groupBy(['p.name', 'e.url_path'])
    .orderBy('views', 'desc')
    .orderBy('e.url_path')
    .limit(15)
    .execute()
  assert.equal(rows.length, 15)
  return rows
})

both('RETURNING, CTEs with writes', async (_, { kysely }) => {
  const inserted = await kysely
    .insertInto('hanzo.ai_scores')
    .values([1, 2].map((n) => ({ id: `score-${n}`, project_id: projects[2].id, trace_id: 'trace-001', name: 'quality', value: n / 3, source: 'API', created_at: new Date('2025-10-01') })))
    .returning(['id', 'value', 'is_deleted', 'data_type'])
    .execute()
  const moved = await kysely
    .with('gone', (db) => db.deleteFrom('hanzo.ai_scores').where('trace_id', '=', 'trace-001').returningAll())
    .selectFrom('gone')
    .select((eb) => [eb.fn.countAll().as('n'), eb.fn.sum('value').as('sum')])
    .execute()
  return { inserted, moved }
})
