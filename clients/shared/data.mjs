// The rows that every client writes, in plain form (see tables.mjs). The same whenever and wherever they are made.
//
// They lie in two months and, a few, outside of all months, and hold what clients stumble over: quotes, backslashes, emoji,
// line ends, long texts that are stored out of line, integers that a double cannot hold, decimals with twelve places, NULLs,
// arrays with commas in their elements, nested JSON.

import { createHash } from 'node:crypto'

export function uuid(name) {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

const minutes = (base, n) => new Date(Date.parse(base) + n * 60_000).toISOString()
const pick = (list, n) => list[n % list.length]
const awkward = ["it's", 'say "hi"', 'back\\slash', 'tab\tand\nline', 'naïve ☕ 🦊', '$1 %s ? :name {x}', '', 'plain']

// 100,000 events of this project are there before a client writes anything.
export const busyProject = '00000000-0000-4000-8000-00000000beef'
export const busyEvents = 100_000

export const organizations = [1, 2].map((n) => ({
  id: uuid(`organization ${n}`),
  name: pick(['Müller & Söhne', "O'Neill"], n),
  slug: `organization-${n}`,
  created_at: '2025-09-01T08:00:00.125Z',
  updated_at: minutes('2025-09-01T08:00:00.000Z', n),
  settings: { plan: pick(['free', 'team'], n), limits: { events: n * 1000, seats: null }, tags: ['a,b', '{"c"}'] },
}))

export const projects = [0, 1, 2, 3].map((n) => ({
  id: n === 0 ? busyProject : uuid(`project ${n}`),
  organization_id: organizations[n % 2].id,
  name: `Project ${n}`,
  slug: `project-${n}`,
  type: pick(['website', 'api', 'app', 'base'], n),
  created_at: minutes('2025-09-01T09:00:00.000Z', n),
  updated_at: minutes('2025-09-01T10:00:00.000Z', n),
  settings: {},
}))

const [, website, api] = projects

const event = (n) => ({
  project_id: website.id,
  session_id: uuid(`session ${n >> 3}`),
  visit_id: uuid(`visit ${n >> 2}`),
  event_id: uuid(`event ${n}`),
  hostname: 'shop.example.com',
  browser: pick(['Firefox', 'Chrome', 'Safari'], n),
  os: pick(['Linux', 'Windows', 'iOS', ''], n),
  device: pick(['desktop', 'mobile'], n),
  screen: pick(['1920x1080', '390x844'], n),
  language: pick(['de-DE', 'en-US', 'ja-JP'], n),
  country: pick(['DE', 'US', 'JP', 'FR', ''], n),
  region: '',
  city: pick(['Köln', 'New York', '東京', ''], n),
  url_path: pick(['/', '/pricing', '/docs/start', '/blog/été'], n * 7 + (n >> 2)),
  url_query: n % 5 ? '' : `q=${pick(awkward, n)}`,
  page_title: pick(awkward, n),
  referrer_path: '',
  referrer_query: '',
  referrer_domain: n % 3 ? '' : pick(['news.example.net', 'search.example.com'], n),
  utm_source: n % 6 ? '' : 'newsletter',
  utm_medium: n % 6 ? '' : 'email',
  utm_campaign: n % 6 ? '' : `autumn ${n % 4}`,
  utm_content: '',
  utm_term: '',
  gclid: '',
  fbclid: '',
  msclkid: '',
  ttclid: '',
  li_fat_id: '',
  twclid: '',
  event_type: n % 9 ? 1 : 2,
  event_name: n % 9 ? '' : pick(['signup', 'purchase'], n),
  tag: '',
  distinct_id: n % 4 ? '' : `visitor ${n >> 4}`,
  // Every twelve minutes; the last few lie before all months.
  created_at: n >= 600 ? minutes('2019-02-28T23:59:00.999Z', n) : minutes('2025-09-28T00:00:00.007Z', n * 12),
})

const numbers = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)
export const singleEvents = numbers(0, 24).map(event)
export const eventBatches = [numbers(24, 324), numbers(324, 620)].map((batch) => batch.map(event))

const trace = (n) => ({
  id: `trace-${String(n).padStart(3, '0')}`,
  project_id: api.id,
  timestamp: n === 39 ? '2018-01-01T00:00:00.000Z' : minutes('2025-09-20T12:00:00.250Z', n * 600),
  name: pick(['chat', 'search', "it's"], n),
  user_id: n % 5 ? `user-${n % 7}` : null,
  session_id: n % 2 ? `session-${n >> 2}` : null,
  metadata: { region: pick(['eu', 'us'], n), tier: n, nested: { list: [1, 2.5, null, 'x'], text: pick(awkward, n) } },
  release: n % 3 ? null : 'v1.2.3',
  version: null,
  public: n % 4 === 0,
  bookmarked: n % 6 === 0,
  tags: pick([[], ['a'], ['a,b', 'c "d"', 'e\\f', ''], ['ünï', '{x}']], n),
  input: n % 8 ? `question ${n}: ${pick(awkward, n)}` : 'long prompt '.repeat(20_000),
  output: n % 10 ? `answer ${n}` : null,
  total_cost: n % 10 ? `0.00${n}0000001` : null,
  latency_ms: n === 7 ? '9007199254740993' : n % 10 ? String(n * 37) : null,
  created_at: minutes('2025-09-20T12:00:01.000Z', n * 600),
  updated_at: minutes('2025-09-20T12:00:02.000Z', n * 600),
  event_ts: minutes('2025-09-20T12:00:03.000Z', n * 600),
  is_deleted: false,
})

export const singleTraces = numbers(0, 10).map(trace)
export const traceBatch = numbers(10, 40).map(trace)

// The upsert's versions of one trace: the second is newer and wins, the third is late and must change nothing.
export function traceVersions(base) {
  const later = (n) => minutes(base.event_ts, n)
  return [
    { ...base, name: 'second version', output: 'rewritten', tags: ['new', 'x,y'], total_cost: '1.25', event_ts: later(10), updated_at: later(10) },
    { ...base, name: 'late version', output: 'too late', tags: [], total_cost: '9.75', event_ts: later(5), updated_at: later(5) },
  ]
}

const observation = (n) => ({
  id: `observation-${String(n).padStart(4, '0')}`,
  trace_id: `trace-${String(n >> 3).padStart(3, '0')}`,
  project_id: api.id,
  type: pick(['generation', 'generation', 'span', 'event'], n),
  parent_observation_id: n % 8 ? `observation-${String(n - (n % 8)).padStart(4, '0')}` : null,
  start_time: minutes('2025-09-20T12:00:00.300Z', (n >> 3) * 600 + (n % 8)),
  end_time: n % 4 < 2 ? minutes('2025-09-20T12:00:09.300Z', (n >> 3) * 600 + (n % 8)) : null,
  name: pick(['answer', 'embed', 'fetch'], n),
  metadata: { step: n % 8 },
  level: pick(['DEFAULT', 'ERROR', 'WARNING'], n % 20 ? 0 : n),
  status_message: n % 20 ? null : pick(awkward, n),
  version: null,
  input: `prompt ${n}`,
  output: n % 4 < 2 ? `completion ${n}` : null,
  model_name: n % 4 < 2 ? pick(['zen-large', 'zen-small', 'gpt-x'], n) : null,
  model_id: n % 4 < 2 ? pick(['zen-large', 'zen-small', 'gpt-x'], n) : null,
  model_parameters: null,
  prompt_tokens: n % 4 < 2 ? String(n * 11) : null,
  completion_tokens: n % 4 < 2 ? String(n * 3) : null,
  total_tokens: n % 4 < 2 ? String(n * 14) : null,
  usage_details: n % 4 < 2 ? { input: n * 11, output: n * 3 } : {},
  cost_details: {},
  total_cost: n % 4 < 2 ? `0.${String(n).padStart(12, '0')}` : null,
  completion_start_time: null,
  latency_ms: n % 4 < 2 ? String(100 + ((n * 7919) % 4000)) : null,
  time_to_first_token_ms: n % 4 < 2 ? String(20 + (n % 50)) : null,
  prompt_id: null,
  prompt_name: n % 16 ? null : 'greeting',
  prompt_version: n % 16 ? null : 1 + (n % 3),
  created_at: minutes('2025-09-20T12:00:01.000Z', n),
  updated_at: minutes('2025-09-20T12:00:02.000Z', n),
  event_ts: minutes('2025-09-20T12:00:03.000Z', n),
  is_deleted: false,
})

export const observations = numbers(0, 320).map(observation)

// One row with a value in every column at the edge of what the type holds, one with the least.
export const reviews = [
  {
    id: uuid('review 1'),
    organization_id: organizations[0].id,
    slug: 'first',
    stars: 5,
    mood: 'happy',
    day: '2024-02-29',
    at: '2025-10-26T02:30:00.123Z',
    created_at: '1969-12-31T23:59:59.999Z',
    amount: '12345678901234567890.0123456789',
    visits: '9223372036854775807',
    ratio: 0.1,
    public: true,
    picture: '00ff5c2700807f0a',
    details: { a: [1, 'two', null, { b: false }], 'ключ': "it's", big: 12345.678 },
    labels: ['x', 'y,z', '"q"', ''],
    counts: [-2147483648, 0, 2147483647],
    friends: [uuid('friend 1'), uuid('friend 2')],
  },
  {
    id: uuid('review 2'),
    organization_id: organizations[1].id,
    slug: 'second',
    stars: 1,
    mood: 'calm',
    day: null,
    at: null,
    created_at: '2025-10-02T00:00:00.000Z',
    amount: '-0.0000000001',
    visits: '-9223372036854775808',
    ratio: null,
    public: false,
    picture: null,
    details: null,
    labels: [],
    counts: [],
    friends: [],
  },
]

export const comments = [1, 2, 3].map((n) => ({ id: String(9007199254740990n + BigInt(n)), review_id: reviews[n % 2].id, author: `author ${n}`, body: pick(awkward, n) }))
