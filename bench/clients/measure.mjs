// node measure.mjs parameters ENGINE        chooses the parameters of the queries
// node measure.mjs names REGEX              prints the names of the queries that match
// node measure.mjs query ENGINE NAME RUNS   measures one query: cold, then a warm-up, then RUNS times
//
// Environment: BENCH_WORK, BENCH_THREADS, BENCH_SECONDS (hot runs of a query end after so many seconds, but not
// before the first is done). A process measures one query: what it does first is cold, and a crash costs one query.

import { readFileSync, writeFileSync } from 'node:fs'
import { isPostgres, open } from './engines.mjs'
import { median } from './median.mjs'
import { chooseParameters, readQueries, sqlFor } from './queries.mjs'

const work = process.env.BENCH_WORK
const threads = Number(process.env.BENCH_THREADS)
const parametersFile = `${work}/parameters.json`
const round = (ms) => Math.round(ms * 1000) / 1000

async function measure(engine, name, runs) {
  const query = readQueries().find((candidate) => candidate.name === name)
  const result = { engine, query: name }
  let db
  try {
    const sql = sqlFor(query, engine, JSON.parse(readFileSync(parametersFile, 'utf8')))
    db = await open(engine, work, threads)
    result.version = db.version
    const first = await db.run(sql)
    result.cold = round(first.ms)
    const times = []
    const until = performance.now() + Number(process.env.BENCH_SECONDS) * 1000
    await db.run(sql)
    for (let i = 0; i < runs && (i === 0 || performance.now() < until); i++) times.push((await db.run(sql)).ms)
    result.times = times.map(round)
    result.hot = round(median(times))
    result.rows = first.rows
    const empty = []
    for (let i = 0; i < 5; i++) empty.push((await db.run('SELECT 1')).ms)
    result.empty = round(median(empty)) // what the way to the engine and back costs
    if (isPostgres(engine)) result.plan = await db.plan(sql)
  } catch (error) {
    result.error = String(error.message ?? error)
  }
  writeFileSync(`${work}/results/${engine}.${name}.json`, JSON.stringify(result))
  console.log(result.error ? `failed: ${result.error}` : `${result.hot} ms (cold ${result.cold} ms)`)
  await db?.close().catch(() => {}) // after a crash of the server there is nothing to close
}

const [action, ...rest] = process.argv.slice(2)
if (action === 'parameters') {
  const db = await open(rest[0], work, threads)
  writeFileSync(parametersFile, `${JSON.stringify(await chooseParameters(db), null, 2)}\n`)
  await db.close()
} else if (action === 'names') {
  const wanted = new RegExp(rest[0])
  for (const { name } of readQueries()) if (wanted.test(name)) console.log(name)
} else {
  await measure(rest[0], rest[1], Number(rest[2]))
}
