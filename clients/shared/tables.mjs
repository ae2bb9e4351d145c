// Columns of the tables that the tests write, with their types. Clients make their models of these lists.
//
// Rows are passed around in a plain form that JSON can hold: bigint and numeric as strings, times as ISO strings. What a
// client wants instead (Date, BigInt, …) it says by `encode`, and what it gives is made plain again by plainRow().

const columns = (text) => Object.fromEntries(text.trim().split(/\s*,\s*/).map((column) => column.trim().split(/\s+/)))

export const tables = {
  organizations: {
    schema: 'hanzo',
    key: ['id'],
    columns: columns('id uuid, name text, slug text, created_at timestamptz, updated_at timestamptz, settings jsonb'),
  },
  projects: {
    schema: 'hanzo',
    key: ['id'],
    columns: columns('id uuid, organization_id uuid, name text, slug text, type text, created_at timestamptz, updated_at timestamptz, settings jsonb'),
  },
  // No key in the database; clients that need one take event_id.
  website_events: {
    schema: 'hanzo',
    key: ['event_id'],
    columns: columns(`project_id uuid, session_id uuid, visit_id uuid, event_id uuid, hostname text, browser text, os text, device text,
      screen text, language text, country text, region text, city text, url_path text, url_query text, page_title text,
      referrer_path text, referrer_query text, referrer_domain text, utm_source text, utm_medium text, utm_campaign text,
      utm_content text, utm_term text, gclid text, fbclid text, msclkid text, ttclid text, li_fat_id text, twclid text,
      event_type integer, event_name text, tag text, distinct_id text, created_at timestamptz`),
  },
  ai_traces: {
    schema: 'hanzo',
    key: ['project_id', 'id', 'timestamp'],
    columns: columns(`id text, project_id uuid, timestamp timestamptz, name text, user_id text, session_id text, metadata jsonb,
      release text, version text, public boolean, bookmarked boolean, tags text[], input text, output text, total_cost numeric,
      latency_ms bigint, created_at timestamptz, updated_at timestamptz, event_ts timestamptz, is_deleted boolean`),
  },
  ai_observations: {
    schema: 'hanzo',
    key: ['project_id', 'id', 'start_time'],
    columns: columns(`id text, trace_id text, project_id uuid, type text, parent_observation_id text, start_time timestamptz,
      end_time timestamptz, name text, metadata jsonb, level text, status_message text, version text, input text, output text,
      model_name text, model_id text, model_parameters text, prompt_tokens bigint, completion_tokens bigint,
      total_tokens bigint, usage_details jsonb, cost_details jsonb, total_cost numeric, completion_start_time timestamptz,
      latency_ms bigint, time_to_first_token_ms bigint, prompt_id text, prompt_name text, prompt_version integer,
      created_at timestamptz, updated_at timestamptz, event_ts timestamptz, is_deleted boolean`),
  },
  reviews: {
    schema: 'app',
    key: ['id'],
    columns: columns(`id uuid, organization_id uuid, slug text, stars integer, mood app.mood, day date, at timestamp,
      created_at timestamptz, amount numeric, visits bigint, ratio float8, public boolean, picture bytea, details jsonb,
      labels text[], counts integer[], friends uuid[]`),
  },
  comments: {
    schema: 'app',
    key: ['id'],
    columns: columns('id bigint, review_id uuid, author text, body text'),
  },
}

export const qualified = (table) => `${tables[table].schema}.${table}`

// A row in the client's own values. NULL and columns that the row leaves out stay what they are.
export function encodeRow(table, row, encode = {}) {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      const encoder = value === null ? undefined : encode[tables[table].columns[column]]
      return [column, encoder ? encoder(value) : value]
    }),
  )
}

const bytes = (value) => (typeof value === 'string' ? value : Buffer.from(value).toString('hex'))

// 1.50 and 1.5 are one number. Decimal objects of clients have toFixed(), which never writes an exponent.
export function plainNumeric(value) {
  const text = typeof value === 'object' ? value.toFixed() : String(value)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

const plainTypes = {
  integer: Number,
  bigint: String,
  numeric: plainNumeric,
  float8: Number,
  boolean: Boolean,
  date: (value) => (value instanceof Date ? value.toISOString() : value).slice(0, 10),
  timestamp: (value) => new Date(value).toISOString(),
  timestamptz: (value) => new Date(value).toISOString(),
  bytea: bytes,
  jsonb: sortKeys,
  'text[]': (value) => [...value],
  'integer[]': (value) => [...value],
  'uuid[]': (value) => [...value],
}

export function plainRow(table, row) {
  const { columns } = tables[table]
  return Object.fromEntries(
    Object.keys(columns)
      .filter((column) => row[column] !== undefined)
      .map((column) => [column, row[column] === null ? null : (plainTypes[columns[column]] ?? String)(row[column])]),
  )
}

function sortKeys(value) {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sortKeys(value[key])]))
}

// Any answer of any client as something that compares and prints well.
export function plain(value) {
  if (typeof value === 'bigint') return String(value)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value.toFixed === 'function') return value.toFixed()
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, plain(value[key])]))
}
