// The queries of bench/queries/*.sql, and the values that stand in them.
//
// A file is a list of
//   -- query NAME: what it answers
//   SQL of PostgreSQL, which the other engines run as well unless there is
//   -- dialect ENGINE[, ENGINE]
//   SQL of these engines
// {name} in the SQL is a parameter.

import { readdirSync, readFileSync } from 'node:fs'

const directory = new URL('../queries/', import.meta.url)

export function readQueries() {
  const queries = []
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.sql')).sort()) {
    let query
    let dialects
    for (const line of readFileSync(new URL(file, directory), 'utf8').split('\n')) {
      const head = line.match(/^-- query (\w+): (.*)$/)
      const variant = line.match(/^-- dialect ([\w, ]+)$/)
      if (head) {
        if (queries.some((other) => other.name === head[1])) throw new Error(`${file}: two queries ${head[1]}`)
        query = { name: head[1], title: head[2], group: file.replace(/^\d*_?|\.sql$/g, ''), sql: {} }
        dialects = ['default']
        queries.push(query)
      } else if (variant) {
        dialects = variant[1].split(',').map((name) => name.trim())
        for (const name of dialects)
          if (!['duckdb', 'clickhouse'].includes(name)) throw new Error(`${file}: there is no dialect ${name}`)
      } else if (query && !line.startsWith('--')) {
        for (const name of dialects) query.sql[name] = `${query.sql[name] ?? ''}${line}\n`
      }
    }
  }
  return queries
}

export function sqlFor(query, engine, parameters) {
  const sql = (query.sql[engine] ?? query.sql.default).trim().replace(/;$/, '')
  return sql.replace(/\{(\w+)\}/g, (_, name) => {
    if (!(name in parameters)) throw new Error(`query ${query.name}: there is no parameter ${name}`)
    return parameters[name]
  })
}

const text = (time) => new Date(time).toISOString().replace('T', ' ').replace('Z', '')
const milliseconds = (value) => Date.parse(`${value.match(/^[-0-9]+ [:.0-9]+/)[0].replace(' ', 'T')}Z`)
const minute = 60_000
const day = 1440 * minute

// "Now" of each table is its newest row's time; the projects are the busiest ones; ids are of theirs. Ties are broken
// by text, so that every engine chooses the same.
export async function chooseParameters(db) {
  const one = async (sql) => (await db.run(sql)).rows[0].map(String)
  const busiest = async (table) =>
    (await one(`SELECT CAST(project_id AS text) AS p, count(*) AS n FROM ${table} GROUP BY project_id
                ORDER BY n DESC, p LIMIT 1`))[0]
  const newest = async (table, column) => milliseconds((await one(`SELECT max(${column}) FROM ${table}`))[0])
  const parameters = {}
  const times = (prefix, now) => {
    Object.assign(parameters, {
      [`${prefix}_now`]: text(now),
      [`${prefix}_5_minutes`]: text(now - 5 * minute),
      [`${prefix}_30_minutes`]: text(now - 30 * minute),
      [`${prefix}_day`]: text(now - day),
      [`${prefix}_week`]: text(now - 7 * day),
      [`${prefix}_month`]: text(now - 30 * day),
    })
  }
  times('web', await newest('website_events', 'created_at'))
  times('ai', await newest('ai_observations', 'start_time'))
  times('api', await newest('api_metrics', '"timestamp"'))
  const web = await busiest('website_events')
  const ai = await busiest('ai_observations')
  Object.assign(parameters, { web_project: web, ai_project: ai, api_project: await busiest('api_metrics') })
  parameters.session = (await one(`SELECT CAST(session_id AS text) AS s, count(*) AS n FROM website_events
    WHERE project_id = '${web}' GROUP BY session_id ORDER BY n DESC, s LIMIT 1`))[0]
  parameters.event = (await one(`SELECT min(CAST(event_id AS text)) FROM website_events WHERE project_id = '${web}'`))[0]
  parameters.trace = (await one(`SELECT trace_id, count(*) AS n FROM ai_observations
    WHERE project_id = '${ai}' GROUP BY trace_id ORDER BY n DESC, trace_id LIMIT 1`))[0]
  parameters.observation = (await one(`SELECT min(id) FROM ai_observations
    WHERE project_id = '${ai}' AND type = 'generation'`))[0]
  parameters.user = (await one(`SELECT user_id, count(*) AS n FROM ai_traces
    WHERE project_id = '${ai}' AND user_id IS NOT NULL GROUP BY user_id ORDER BY n DESC, user_id LIMIT 1`))[0]
  parameters.visitor = (await one(`SELECT distinct_id, count(*) AS n FROM website_events
    WHERE project_id = '${web}' AND distinct_id <> '' GROUP BY distinct_id ORDER BY n DESC, distinct_id LIMIT 1`))[0]
  return parameters
}
