// node report.mjs --engines LIST --queries REGEX [--docs DIR]: compares answers, prints tables and ratios, and with --docs
// writes the section of benchmarks.md between its markers, and benchmarks.svg.
//
// Environment: BENCH_WORK, BENCH_COLD (whether cold times mean something), and what describes the run (BENCH_ROWS,
// BENCH_AI_ROWS, BENCH_RUNS, BENCH_MACHINE, BENCH_COMMIT, BENCH_DATE). Status 1 where answers differ or a query failed.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { difference } from './answers.mjs'
import { chart } from './chart.mjs'
import { median } from './median.mjs'
import { readQueries } from './queries.mjs'

const { values: options } = parseArgs({
  options: { engines: { type: 'string' }, queries: { type: 'string' }, docs: { type: 'string' } },
})
const env = process.env
const engines = options.engines.split(',')
const wanted = new RegExp(options.queries)
const titles = { hanzo: 'hanzo', heap: 'heap', scan: 'heap scan', duckdb: 'DuckDB', clickhouse: 'ClickHouse' }
const readJson = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null)

const lines = readQueries()
  .filter(({ name }) => wanted.test(name))
  .map((query) => {
    const results = {}
    for (const engine of engines) {
      const result = readJson(`${env.BENCH_WORK}/results/${engine}.${query.name}.json`)
      if (result) results[engine] = result
    }
    const hot = (engine) => results[engine]?.hot
    const least = (engine) => (results[engine]?.times ? Math.min(...results[engine].times) : undefined)
    const others = [hot('duckdb'), hot('clickhouse')].filter((ms) => ms > 0)
    const best = others.length ? Math.min(...others) : undefined
    const ratio = (a, b) => (a > 0 && b > 0 && b < Infinity ? a / b : undefined)
    return {
      ...query,
      results,
      hot,
      best,
      ratio: ratio(hot('hanzo'), best),
      heapRatio: ratio(hot('heap'), best),
      toHeap: ratio(hot('hanzo'), hot('heap')),
      toScan: ratio(hot('hanzo'), hot('scan')),
      cold: env.BENCH_COLD ? ratio(results.hanzo?.cold, Math.min(...['duckdb', 'clickhouse'].map((engine) => results[engine]?.cold).filter((ms) => ms > 0))) : undefined,
      fastest: ratio(least('hanzo'), Math.min(...['duckdb', 'clickhouse'].map(least).filter((ms) => ms > 0))),
    }
  })

// ---- Answers

const problems = []
const oddities = []
for (const { name, results } of lines) {
  for (const [engine, { error }] of Object.entries(results)) if (error) problems.push(`${name}: ${engine} failed: ${error}`)
  const answered = engines.filter((engine) => results[engine] && !results[engine].error)
  // The heap is the plain reading of PostgreSQL's SQL, so where it was asked the others are held against it.
  const reference = answered.includes('heap') ? 'heap' : answered[0]
  for (const engine of answered) {
    const found = engine === reference ? null : difference(results[reference].rows, results[engine].rows)
    if (found) problems.push(`${name}: ${engine} differs from ${reference} (${found.what})\n  ${reference}: ${found.left}\n  ${engine}: ${found.right}`)
  }
  if (reference && results[reference].rows.length === 0) oddities.push(name)
}

// ---- Figures

const format = (ms) => (ms === undefined ? '' : ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0))
const times = (ratio) => (ratio === undefined ? '' : ratio < 10 ? ratio.toFixed(2) : ratio.toFixed(1))
const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
const having = (key) => lines.filter((line) => line[key] !== undefined)
const extreme = (key) => having(key).reduce((worst, line) => (line[key] > worst[key] ? line : worst))
const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const summary = []
const figure = (what, key, limit) => {
  const all = having(key)
  if (all.length === 0) return
  const worst = extreme(key)
  const over = all.filter((line) => line[key] > limit).length
  summary.push([what, String(all.length), times(mean(all.map((line) => line[key]))), `${times(worst[key])} (${worst.name})`, String(limit), String(over)])
}
figure('ours / better of DuckDB and ClickHouse', 'ratio', 1)
figure('the same, of each the fastest run instead of the median', 'fastest', 1)
figure('first runs (cold), ours / better of the two', 'cold', 1)
figure('ours / heap with its indexes', 'toHeap', 1.5)
figure('ours / parallel heap scan, where no index serves the heap', 'toScan', 1)
figure('heap with its indexes / better of DuckDB and ClickHouse', 'heapRatio', 1)

const queryTable = table(
  ['query', ...engines.map((engine) => `${titles[engine]}, ms`), 'ours / best', 'ours / heap', 'ours / scan', ...(env.BENCH_COLD ? ['cold ours', 'cold best'] : [])],
  lines.map((line) => {
    const cold = [line.results.duckdb?.cold, line.results.clickhouse?.cold].filter((ms) => ms > 0)
    return [
      line.name,
      ...engines.map((engine) => (line.results[engine]?.error ? 'failed' : format(line.hot(engine)))),
      times(line.ratio),
      times(line.toHeap),
      times(line.toScan),
      ...(env.BENCH_COLD ? [format(line.results.hanzo?.cold), cold.length ? format(Math.min(...cold)) : ''] : []),
    ]
  }),
)
const summaryTable = table(['what', 'queries', 'geometric mean', 'worst', 'wanted at most', 'queries above'], summary)

const stored = engines
  .filter((engine) => engine !== 'scan')
  .map((engine) => {
    const load = readJson(`${env.BENCH_WORK}/loaded/${engine}`)
    const sum = lines.reduce((total, line) => total + (line.hot(engine) ?? 0), 0)
    const empties = lines.map((line) => line.results[engine]?.empty).filter((ms) => ms > 0)
    const version = lines.map((line) => line.results[engine]?.version).find(Boolean) ?? ''
    return [
      titles[engine],
      version,
      load ? (load.copy_ms / 1000).toFixed(0) : '',
      load ? (load.load_ms / 1000).toFixed(0) : '',
      load ? (load.bytes / 1e6).toFixed(0) : '',
      (sum / 1000).toFixed(2),
      empties.length ? format(median(empties)) : '',
    ]
  })
const storedTable = table(['engine', 'version', 'load, s', 'load and settle, s', 'MB on disk', 'hot sum, s', 'SELECT 1, ms'], stored)

const description = `${env.BENCH_ROWS} website_events and api_metrics each, ${env.BENCH_AI_ROWS} ai_observations; ${env.BENCH_MACHINE}`
console.log(`\n${description}; commit ${env.BENCH_COMMIT}, ${env.BENCH_DATE}\n\n${queryTable}\n\n${summaryTable}\n\n${storedTable}`)
const slowest = having('ratio').filter((line) => line.ratio > 1).sort((a, b) => b.ratio - a.ratio).slice(0, 10)
if (slowest.length) console.log(`\nSlowest against the best engine: ${slowest.map((line) => `${line.name} ${times(line.ratio)}`).join(', ')}`)
const aboveHeap = having('toHeap').filter((line) => line.toHeap > 1.5).sort((a, b) => b.toHeap - a.toHeap)
if (aboveHeap.length) console.log(`\nMore than 1.5 times the heap: ${aboveHeap.map((line) => `${line.name} ${times(line.toHeap)}`).join(', ')}`)
if (oddities.length) console.log(`\nNo rows in the answer: ${oddities.join(', ')}`)

if (problems.length) {
  console.error(`\n${problems.length} answers are missing or differ:\n${problems.join('\n')}`)
  process.exit(1)
}
console.log(`\nAll answers agree.`)

// ---- Documentation

if (options.docs) {
  const file = `${options.docs}/benchmarks.md`
  const begin = '<!-- bench/run writes from here -->'
  const end = '<!-- to here -->'
  const text = readFileSync(file, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`${file} has no markers ${begin} and ${end}`)
  const section = [
    `Run of ${env.BENCH_DATE} at commit ${env.BENCH_COMMIT}: ${description}. Hot: median of ${env.BENCH_RUNS}. All answers agreed.`,
    summaryTable,
    '![Ratios of all queries](benchmarks.svg)',
    storedTable,
    queryTable,
  ]
  writeFileSync(file, `${text.slice(0, from + begin.length)}\n\n${section.join('\n\n')}\n\n${text.slice(to)}`)
  writeFileSync(`${options.docs}/benchmarks.svg`, chart(lines, `${description}; ${env.BENCH_DATE}`))
  console.log(`Wrote ${file} and ${options.docs}/benchmarks.svg`)
}
