// The tables that bench/run loads, as DuckDB and ClickHouse get them. PostgreSQL's come from create_hanzo_schema().
//
// Columns stand in the order of bench/generate. Types: lc is text of few different values (ClickHouse's
// LowCardinality), zstd3 is text that ClickHouse compresses so, ts is milliseconds in UTC, numN is numeric(18,N);
// ? may be NULL. json and arrays are text in ClickHouse: no query of the benchmark changes them.

const tables = {
  organizations: {
    columns: 'id uuid, name text, slug text, created_at ts, updated_at ts, settings json',
    key: ['id'],
  },
  projects: {
    columns: 'id uuid, organization_id uuid, name text, slug text, type lc, created_at ts, updated_at ts, settings json',
    key: ['id'],
  },
  model_catalog: {
    columns: `id text, provider text, model_name text, display_name text, input_price num12, output_price num12,
      context_window int, max_output int, supports_vision bool, supports_function_calling bool, updated_at ts`,
    key: ['provider', 'id'],
  },
  website_events: {
    columns: `project_id uuid, session_id uuid, visit_id uuid, event_id uuid, hostname lc, browser lc, os lc,
      device lc, screen lc, language lc, country lc, region lc, city text, url_path text, url_query text,
      page_title text, referrer_path text, referrer_query text, referrer_domain text, utm_source text,
      utm_medium text, utm_campaign text, utm_content text, utm_term text, gclid text, fbclid text, msclkid text,
      ttclid text, li_fat_id text, twclid text, event_type int, event_name text, tag text, distinct_id text,
      created_at ts`,
    month: 'created_at',
    key: ['project_id', 'hour created_at', 'session_id', 'created_at'],
    bloom: ['event_id'],
  },
  ai_traces: {
    columns: `id text, project_id uuid, timestamp ts, name text, user_id text?, session_id text?, metadata json,
      release text?, version text?, public bool, bookmarked bool, tags text, input zstd3?, output zstd3?,
      total_cost num12?, latency_ms bigint?, created_at ts, updated_at ts, event_ts ts, is_deleted bool`,
    month: 'timestamp',
    key: ['project_id', 'day timestamp', 'id'],
    bloom: ['id', 'user_id', 'session_id'],
  },
  ai_observations: {
    columns: `id text, trace_id text, project_id uuid, type lc, parent_observation_id text?, start_time ts,
      end_time ts?, name text, metadata json, level lc, status_message text?, version text?, input zstd3?,
      output zstd3?, model_name text?, model_id text?, model_parameters text?, prompt_tokens bigint?,
      completion_tokens bigint?, total_tokens bigint?, usage_details json, cost_details json, total_cost num12?,
      completion_start_time ts?, latency_ms bigint?, time_to_first_token_ms bigint?, prompt_id text?,
      prompt_name text?, prompt_version int?, created_at ts, updated_at ts, event_ts ts, is_deleted bool`,
    month: 'start_time',
    key: ['project_id', 'type', 'day start_time', 'id'],
    bloom: ['id', 'trace_id'],
  },
  api_metrics: {
    columns: `id uuid, project_id uuid, organization_id uuid, timestamp ts, endpoint text, method lc,
      status_code int, latency_ms int, user_id text?, api_key_id text?, ip_address text?, user_agent text?,
      tokens_used bigint?, compute_units num4?, cost num12?, error_type text?, error_message text?`,
    month: 'timestamp',
    key: ['project_id', 'endpoint', 'hour timestamp', 'timestamp'],
  },
}

const duckdbTypes = {
  uuid: 'UUID', text: 'VARCHAR', lc: 'VARCHAR', zstd3: 'VARCHAR', json: 'JSON', ts: 'TIMESTAMP', int: 'INTEGER',
  bigint: 'BIGINT', bool: 'BOOLEAN', num4: 'DECIMAL(18,4)', num12: 'DECIMAL(18,12)',
}
const clickhouseTypes = {
  uuid: 'UUID', text: 'String', lc: 'LowCardinality(String)', zstd3: 'String', json: 'String',
  ts: "DateTime64(3, 'UTC')", int: 'Int32', bigint: 'Int64', bool: 'Bool', num4: 'Decimal(18, 4)',
  num12: 'Decimal(18, 12)',
}

export const tableNames = Object.keys(tables)

export function columnsOf(table) {
  return tables[table].columns.split(',').map((column) => {
    const [name, type] = column.trim().split(/\s+/)
    return { name, type: type.replace('?', ''), nullable: type.endsWith('?') }
  })
}

// DuckDB has no sort key; rows go in sorted as the others sort theirs, so that its zone maps serve the same queries.
export function duckdbTable(table, file) {
  const { key, month } = tables[table]
  const columns = columnsOf(table)
  const order = key.map((part) => part.replace(/^(hour|day) (.*)$/, `date_trunc('$1', "$2")`))
  if (month) order.unshift(`date_trunc('month', "${month}")`)
  return [
    `CREATE TABLE ${table} (${columns
      .map((c) => `"${c.name}" ${duckdbTypes[c.type]}${c.nullable ? '' : ' NOT NULL'}`)
      .join(', ')})`,
    `INSERT INTO ${table} SELECT * FROM read_csv('${file}', header = false, delim = ',', quote = '"', escape = '"',
       auto_detect = false, allow_quoted_nulls = false, max_line_size = 16777216, columns = {${columns
         .map((c) => `'${c.name}': '${duckdbTypes[c.type]}'`)
         .join(', ')}}) ORDER BY ${order.join(', ')}`,
  ]
}

export function clickhouseTable(table, file) {
  const { key, month, bloom = [] } = tables[table]
  const lines = columnsOf(table).map(({ name, type, nullable }) => {
    const base = clickhouseTypes[type]
    return `\`${name}\` ${nullable ? `Nullable(${base})` : base}${type === 'zstd3' ? ' CODEC(ZSTD(3))' : ''}`
  })
  for (const column of bloom) lines.push(`INDEX ${column}_bloom ${column} TYPE bloom_filter(0.01) GRANULARITY 1`)
  const order = key.map((part) => part.replace(/^hour (.*)$/, 'toStartOfHour(`$1`)').replace(/^day (.*)$/, 'toDate(`$1`)'))
  return [
    `CREATE TABLE ${table} (${lines.join(', ')}) ENGINE = MergeTree ${
      month ? `PARTITION BY toYYYYMM(\`${month}\`)` : ''
    } ORDER BY (${order.join(', ')})`,
    `INSERT INTO ${table} SELECT * FROM file('${file}', 'TabSeparated', '${columnsOf(table)
      .map(({ name, type, nullable }) => {
        const base = clickhouseTypes[type].replace('LowCardinality(String)', 'String').replaceAll("'", "\\'")
        return `\`${name}\` ${nullable ? `Nullable(${base})` : base}`
      })
      .join(', ')}') SETTINGS date_time_input_format = 'best_effort'`,
    `OPTIMIZE TABLE ${table} FINAL`,
  ]
}
