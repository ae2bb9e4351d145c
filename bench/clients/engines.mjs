// The engines behind one interface: open(engine, work, threads) gives { version, run, plan, close }.
//
//   run(sql)   the milliseconds until the client has the whole answer, and the answer as arrays of strings, numbers
//              and nulls. Turning the engine's own result into these happens after the clock has stopped.
//   plan(sql)  PostgreSQL only: names of the plan's nodes and indexes
//
// PostgreSQL is reached through PGHOST, PGPORT, PGUSER and PGDATABASE; the others live in this process.

import { createRequire } from 'node:module'

// Each engine's package is loaded only where that engine is asked for.
const require = createRequire(import.meta.url)

// hanzo: this extension; heap: the same rows with indexes; scan: the heap read by parallel workers, without indexes.
const searchPaths = { hanzo: 'hanzo', heap: 'hanzo_heap', scan: 'hanzo_heap' }
const scanSettings = `
  SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
  SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0`

export const engineNames = ['hanzo', 'heap', 'scan', 'duckdb', 'clickhouse']
export const isPostgres = (engine) => engine in searchPaths

async function openPostgres(engine) {
  const { Client } = require('pg')
  const client = new Client()
  client.on('error', () => {}) // a server that crashes fails the query too, which is where it is reported
  await client.connect()
  await client.query(`SET search_path = ${searchPaths[engine]}`)
  if (engine === 'scan') await client.query(scanSettings)
  const types = { getTypeParser: () => (value) => value }
  const { rows } = await client.query('SELECT version()')
  return {
    version: rows[0].version.split(' (')[0],
    async run(sql) {
      const start = performance.now()
      const result = await client.query({ text: sql, rowMode: 'array', types })
      return { ms: performance.now() - start, rows: result.rows }
    },
    async plan(sql) {
      const result = await client.query(`EXPLAIN (FORMAT JSON) ${sql}`)
      const nodes = new Set()
      const indexes = new Set()
      const walk = (node) => {
        nodes.add(node['Custom Plan Provider'] ?? node['Node Type'])
        if (node['Index Name']) indexes.add(node['Index Name'])
        for (const child of node.Plans ?? []) walk(child)
      }
      walk(result.rows[0]['QUERY PLAN'][0].Plan)
      return { nodes: [...nodes], indexes: [...indexes] }
    },
    close: () => client.end(),
  }
}

async function openDuckdb(work, threads) {
  const duckdb = require('@duckdb/node-api')
  const instance = await duckdb.DuckDBInstance.create(`${work}/duckdb/bench.db`, { threads: String(threads) })
  const connection = await instance.connect()
  await connection.run(`SET temp_directory = '${work}/duckdb/tmp'`)
  return {
    version: `DuckDB ${duckdb.version()}`,
    async run(sql) {
      const start = performance.now()
      const reader = await connection.runAndReadAll(sql)
      return { ms: performance.now() - start, rows: reader.getRowsJson() }
    },
    async close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

async function openClickhouse(work, threads) {
  const { Session } = require('chdb')
  const session = new Session(`${work}/clickhouse`)
  session.query('CREATE DATABASE IF NOT EXISTS bench ENGINE = Atomic')
  session.query('USE bench')
  const settings = {
    max_threads: threads,
    max_insert_threads: threads,
    join_use_nulls: 1, // outer joins as in the standard
    prefer_column_name_to_alias: 1, // names in WHERE as in the standard
    output_format_json_quote_64bit_integers: 1, // every digit
    output_format_json_quote_decimals: 1,
    use_query_cache: 0,
  }
  for (const [name, value] of Object.entries(settings)) session.query(`SET ${name} = ${value}`)
  return {
    version: `ClickHouse ${session.query('SELECT version()', 'TSV').trim()} (chdb)`,
    async run(sql) {
      const start = performance.now()
      const text = session.query(sql, 'JSONCompactEachRow')
      const ms = performance.now() - start
      const rows = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line))
      return { ms, rows }
    },
    async close() {
      session.close()
    },
  }
}

export function open(engine, work, threads) {
  if (isPostgres(engine)) return openPostgres(engine)
  if (engine === 'duckdb') return openDuckdb(work, threads)
  if (engine === 'clickhouse') return openClickhouse(work, threads)
  throw new Error(`there is no engine ${engine}: ${engineNames.join(', ')}`)
}
