// node load.mjs ENGINE TABLE FILE: loads a file of bench/generate into DuckDB (csv) or ClickHouse (copy).
// Environment: BENCH_WORK, BENCH_THREADS. Prints the rows the table has then.

import { open } from './engines.mjs'
import { clickhouseTable, duckdbTable } from './schema.mjs'

const [engine, table, file] = process.argv.slice(2)
const db = await open(engine, process.env.BENCH_WORK, Number(process.env.BENCH_THREADS))
const statements = (engine === 'duckdb' ? duckdbTable : clickhouseTable)(table, file)
await db.run(`DROP TABLE IF EXISTS ${table}`)
for (const statement of statements) await db.run(statement)
if (engine === 'duckdb') await db.run('CHECKPOINT')
const { rows } = await db.run(`SELECT count(*) FROM ${table}`)
console.log(String(rows[0][0]))
await db.close()
