// Prisma 7 with @prisma/adapter-pg: generate, createMany, upsert, nested writes, interactive transactions, $queryRaw,
// Prisma's own error codes.

import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { PrismaPg } from '@prisma/adapter-pg'
import { busyProject, organizations, projects, reviews, singleTraces, uuid } from '../shared/data.mjs'
import { prismaClient } from '../shared/prisma_generate.mjs'
import { failure } from '../shared/stores.mjs'
import { repeatableRead, serializable, task } from '../shared/task.mjs'

const models = {
  organizations: 'organization',
  projects: 'project',
  website_events: 'websiteEvent',
  ai_traces: 'aiTrace',
  ai_observations: 'aiObservation',
  reviews: 'review',
  comments: 'comment',
}
const isolationLevels = { [repeatableRead]: 'RepeatableRead', [serializable]: 'Serializable' }
// Prisma ends interactive transactions after five seconds and does not wait longer than two for a connection.
const patience = { timeout: 300_000, maxWait: 300_000 }

class Database {
  constructor(prisma, root = prisma, DbNull) {
    this.prisma = prisma
    this.root = root
    this.DbNull = DbNull
  }

  // A NULL of a JSON column has a name of its own, since null could be JSON's.
  row(row) {
    return row.details === null ? { ...row, details: this.DbNull } : row
  }

  query(text, values) {
    return this.prisma.$queryRawUnsafe(text, ...values)
  }

  insert(table, rows) {
    const model = this.prisma[models[table]]
    return rows.length === 1 ? model.create({ data: this.row(rows[0]) }) : model.createMany({ data: rows.map((row) => this.row(row)) })
  }

  // upsert() has no condition for its update: this one creates or does nothing, and the update follows.
  upsertTrace(row) {
    const { project_id, id, timestamp, ...data } = row
    return this.root.$transaction([
      this.root.aiTrace.upsert({ where: { project_id_id_timestamp: { project_id, id, timestamp } }, create: row, update: {} }),
      this.root.aiTrace.updateMany({ where: { project_id, id, timestamp, event_ts: { lt: row.event_ts } }, data }),
    ])
  }

  find(table, where, order) {
    return this.prisma[models[table]].findMany({ where, orderBy: order.map((column) => ({ [column]: 'asc' })) })
  }

  async update(table, where, data) {
    return (await this.prisma[models[table]].updateMany({ where, data })).count
  }

  async remove(table, where) {
    return (await this.prisma[models[table]].deleteMany({ where })).count
  }

  transaction(isolation, run) {
    return this.root.$transaction((tx) => run(new Database(tx, this.root, this.DbNull)), { ...patience, isolationLevel: isolationLevels[isolation] })
  }

  // Prisma has no streams: a cursor of SQL in an interactive transaction is one.
  async *stream(text, values) {
    const rows = new PassThrough({ objectMode: true })
    const reading = this.root
      .$transaction(async (tx) => {
        await tx.$executeRawUnsafe(`DECLARE rows NO SCROLL CURSOR FOR ${text.replace('$1', `'${values[0]}'`)}`)
        await pipeline(async function* () {
          for (;;) {
            const portion = await tx.$queryRawUnsafe('FETCH 5000 FROM rows')
            if (portion.length === 0) return
            yield* portion
          }
        }, rows)
      }, patience)
      .catch((error) => {
        if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') rows.destroy(error)
      })
    yield* rows
    await reading
  }

  close() {
    return this.root.$disconnect()
  }
}

const original = (error) => error.meta?.driverAdapterError?.cause?.originalCode ?? error.cause?.originalCode

const { both } = task({
  name: 'prisma',
  encode: {
    bigint: BigInt,
    bytea: (hex) => Uint8Array.from(Buffer.from(hex, 'hex')),
    date: (text) => new Date(text),
    timestamp: (text) => new Date(text),
    timestamptz: (text) => new Date(text),
  },
  async connect({ url, ...settings }) {
    const { PrismaClient, Prisma } = await prismaClient()
    const adapter = new PrismaPg({ ...(url ? { connectionString: url } : settings), max: 4 })
    const prisma = new PrismaClient({ adapter, errorFormat: 'minimal' })
    return new Database(prisma, prisma, Prisma.DbNull)
  },
  sqlstate: original,
})

both('generate needs nothing but the packages', async () => {
  const { said, PrismaClient } = await prismaClient()
  assert.match(said, /Generated Prisma Client \(7\./)
  assert.equal(typeof PrismaClient, 'function')
})

both('upsert by the key, createManyAndReturn, skipDuplicates', async (store, { prisma }) => {
  const trace = { ...singleTraces[1], id: 'upserted', project_id: projects[3].id, latency_ms: 17n }
  const where = { project_id_id_timestamp: { project_id: trace.project_id, id: trace.id, timestamp: trace.timestamp } }
  const answers = []
  for (const [name, compact] of [['first', true], ['second', true], ['third', false]]) {
    answers.push(await prisma.aiTrace.upsert({ where, create: { ...trace, name }, update: { name, tags: { push: name }, latency_ms: { increment: 9007199254740993n } } }))
    if (compact) await store.compact()
  }
  assert.deepEqual(answers.map((row) => row.name), ['first', 'second', 'third'])
  assert.equal(answers[2].latency_ms, 17n + 2n * 9007199254740993n)
  const created = await prisma.aiTrace.createManyAndReturn({
    data: ['upserted', 'new'].map((id) => ({ id, project_id: trace.project_id, timestamp: new Date(trace.timestamp), name: 'created', total_cost: '0.000000000001', created_at: '2025-10-01T00:00:00Z', updated_at: '2025-10-01T00:00:00Z', event_ts: '2025-10-01T00:00:00Z' })),
    skipDuplicates: true,
  })
  assert.deepEqual(created.map((row) => [row.id, row.total_cost.toFixed(), row.tags, row.metadata]), [['new', '0.000000000001', [], {}]])
  assert.equal((await prisma.aiTrace.deleteMany({ where: { project_id: trace.project_id } })).count, 2)
  return { answers, created }
})

both('nested writes: an organization with projects, reviews and comments', async (store, { prisma }) => {
  const id = uuid('nested organization')
  const times = { created_at: '2025-10-05T00:00:00Z' }
  const review = (slug, comments) => ({ id: uuid(slug), slug, stars: 4, ...times, visits: 2n ** 60n, amount: '1.5', labels: ['n'], comments: { create: comments } })
  const created = await prisma.organization.create({
    data: {
      id, name: 'Nested', slug: 'nested', ...times, updated_at: times.created_at,
      projects: { create: [1, 2].map((n) => ({ id: uuid(`nested project ${n}`), name: `p${n}`, slug: `p${n}`, type: 'api', ...times, updated_at: times.created_at })) },
      reviews: { create: [review('nested 1', [{ id: 501n, author: 'a', body: 'x' }, { id: 502n, author: 'b', body: 'y' }]), review('nested 2', [])] },
    },
    include: { projects: { orderBy: { slug: 'asc' } }, reviews: { orderBy: { slug: 'asc' }, include: { comments: { orderBy: { id: 'asc' } } } } },
  })
  assert.deepEqual([created.projects.length, created.reviews.map((row) => row.comments.length)], [2, [2, 0]])
  await store.compact()
  const changed = await prisma.organization.update({
    where: { id },
    data: {
      projects: { updateMany: { where: { type: 'api' }, data: { type: 'app' } }, delete: { id: uuid('nested project 2') } },
      reviews: {
        update: { where: { slug: 'nested 1' }, data: { stars: { decrement: 1 }, comments: { deleteMany: { author: 'a' }, update: { where: { review_id_author: { review_id: uuid('nested 1'), author: 'b' } }, data: { body: 'z' } } } } },
        connectOrCreate: { where: { slug: 'nested 3' }, create: review('nested 3', [{ id: 503n, author: 'c', body: 'w' }]) },
      },
    },
    include: { projects: true, reviews: { orderBy: { slug: 'asc' }, include: { comments: true, _count: true } } },
  })
  assert.deepEqual(changed.reviews.map((row) => [row.slug, row.stars, row.comments.map((comment) => comment.body)]), [['nested 1', 3, ['z']], ['nested 2', 4, []], ['nested 3', 4, ['w']]])
  // Filters across relations.
  const found = await prisma.review.findMany({ where: { organization: { slug: 'nested' }, comments: { some: { body: { contains: 'Z', mode: 'insensitive' } } } }, select: { slug: true } })
  assert.deepEqual(found, [{ slug: 'nested 1' }])
  // A nested write that fails takes all of it back.
  const error = await failure(prisma.organization.create({ data: { id: uuid('failed'), name: 'x', slug: 'x', reviews: { create: [review('fresh', []), review('nested 2', [])] } } }))
  assert.equal(error.code, 'P2002')
  assert.equal(await prisma.organization.count({ where: { slug: 'x' } }) + await prisma.review.count({ where: { slug: 'fresh' } }), 0)
  await prisma.$transaction([
    prisma.comment.deleteMany({ where: { review: { organization_id: id } } }),
    prisma.review.deleteMany({ where: { organization_id: id } }),
    prisma.project.deleteMany({ where: { organization_id: id } }),
    prisma.organization.delete({ where: { id } }),
  ])
  return { created, changed }
})

both('$queryRaw with dates, decimals, bigint, uuid, JSON and arrays', async (_, { prisma }) => {
  const { Prisma } = await prismaClient()
  const big = 9007199254740993n
  const traces = await prisma.$queryRaw`
    SELECT id, project_id, timestamp, total_cost, latency_ms, metadata, tags, public, timestamp::date AS day
    FROM hanzo.ai_traces
    WHERE project_id = ${projects[2].id}::uuid AND timestamp >= ${new Date('2025-09-20T00:00:00Z')} AND total_cost >= ${new Prisma.Decimal('0.001')}
      AND latency_ms <= ${big} AND metadata @> ${JSON.stringify({ region: 'us' })}::jsonb AND tags && ${['a,b', 'a', '{x}']}
      AND id IN (${Prisma.join(singleTraces.map((trace) => trace.id))})
    ORDER BY id`
  assert.ok(traces.length > 0)
  assert.ok(traces.some((row) => row.latency_ms === big))
  assert.ok(traces[0].timestamp instanceof Date && Prisma.Decimal.isDecimal(traces[0].total_cost) && Array.isArray(traces[0].tags))
  const all = await prisma.$queryRaw`
    SELECT id, day, at, amount, visits, ratio, picture, details, labels, counts, friends, mood::text AS mood FROM app.reviews
    WHERE ${reviews[0].friends[0]}::uuid = ANY(friends) OR amount < ${new Prisma.Decimal('0')} ORDER BY slug`
  assert.deepEqual(all.map((row) => [row.visits, row.amount.toFixed()]), [[9223372036854775807n, '12345678901234567890.0123456789'], [-9223372036854775808n, '-0.0000000001']])
  const [sums] = await prisma.$queryRaw`
    SELECT sum(total_cost) AS cost, sum(latency_ms) AS latency, count(*) AS n, avg(latency_ms) AS mean, array_agg(DISTINCT name ORDER BY name) AS names,
           min(timestamp) AS first_at, jsonb_agg(metadata->'tier' ORDER BY id) AS tiers, array_agg(timestamp ORDER BY id) AS times
    FROM hanzo.ai_traces WHERE project_id = ${projects[2].id}::uuid`
  assert.equal(typeof sums.n, 'bigint')
  const changed = await prisma.$executeRaw`UPDATE hanzo.ai_traces SET bookmarked = NOT bookmarked WHERE project_id = ${projects[2].id}::uuid AND tags = ${['a']}`
  assert.ok(changed > 0)
  return { traces, all, sums, changed }
})

both('groupBy, aggregate, distinct, filters on JSON and arrays', async (_, { prisma }) => {
  const models = await prisma.aiObservation.groupBy({
    by: ['type', 'model_name'],
    where: { project_id: projects[2].id, start_time: { gte: new Date('2025-09-21T00:00:00Z') } },
    _count: true, _sum: { total_cost: true, total_tokens: true }, _avg: { prompt_version: true, latency_ms: true }, _max: { start_time: true },
    orderBy: [{ type: 'asc' }, { model_name: 'asc' }],
    having: { latency_ms: { _max: { gt: 100n } } },
  })
  assert.ok(models.length > 1)
  const events = await prisma.websiteEvent.aggregate({ where: { project_id: busyProject, created_at: { gte: new Date('2025-10-10T00:00:00Z') } }, _count: true, _min: { created_at: true }, _max: { url_path: true } })
  const traces = await prisma.aiTrace.findMany({
    where: { OR: [{ tags: { has: 'a,b' } }, { metadata: { path: ['nested', 'text'], equals: "it's" } }, { user_id: null }], NOT: { metadata: { path: ['region'], string_contains: 'us' } } },
    distinct: ['name'], orderBy: [{ name: 'asc' }, { id: 'asc' }], select: { id: true, name: true, tags: true, metadata: true },
  })
  assert.ok(traces.length > 0)
  return { models, events, traces }
})

both('pages by a cursor of findMany', async (_, { prisma }) => {
  const seen = new Set()
  let cursor
  for (let page = 0; page < 5; page++) {
    const rows = await prisma.websiteEvent.findMany({
      where: { project_id: busyProject }, select: { event_id: true, created_at: true }, orderBy: [{ event_id: 'asc' }], take: 400,
      ...(cursor && { cursor: { event_id: cursor }, skip: 1 }),
    })
    for (const row of rows) seen.add(row.event_id)
    cursor = rows.at(-1).event_id
  }
  assert.equal(seen.size, 2000)
  return [...seen]
})

both("errors have Prisma's codes", async (store, db) => {
  const { prisma } = db
  const bare = { ...reviews[0], id: uuid('bad'), slug: 'bad', visits: 1n, day: null, picture: null, at: null }
  const trace = { project_id: projects[2].id, id: 'trace-021', timestamp: new Date('2025-09-29T12:00:00Z') }
  const conflict = failure(
    db.transaction(repeatableRead, async (tx) => {
      const found = await tx.find('ai_traces', { id: 'trace-021' }, ['id'])
      assert.equal(found.length, 1)
      await db.update('ai_traces', { id: 'trace-021' }, { release: 'by others' })
      await tx.update('ai_traces', { id: 'trace-021' }, { release: 'by us' })
    }),
  )
  const errors = {
    P2002: await failure(prisma.review.create({ data: { ...bare, slug: 'first' } })),
    P2003: await failure(prisma.review.create({ data: { ...bare, organization_id: uuid('nobody') } })),
    'P2003 of a parent': await failure(prisma.review.delete({ where: { id: reviews[0].id } })),
    'P2002 of createMany': await failure(prisma.aiTrace.createMany({ data: [trace, trace].map((row) => ({ ...row, id: 'twice' })) })),
    P2034: await conflict,
    P2025: await failure(prisma.review.update({ where: { id: uuid('nothing') }, data: { stars: 2 } })),
    P2010: await failure(prisma.$queryRaw`SELECT 1 / (stars - stars) AS n FROM app.reviews`),
    'P2010 of a cancelled statement': await failure(db.transaction(undefined, async (tx) => {
      await tx.prisma.$executeRaw`SET LOCAL statement_timeout = '200ms'`
      await tx.prisma.$queryRaw`SELECT count(*) AS n FROM hanzo.website_events AS a, hanzo.website_events AS b WHERE a.city || b.url_path = 'none'`
    })),
    P2028: await failure(prisma.$transaction(async (tx) => {
      await tx.aiTrace.count()
      await new Promise((resolve) => setTimeout(resolve, 300))
      await tx.aiTrace.count()
    }, { timeout: 50, maxWait: 300_000 })),
  }
  const codes = Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, error.code]))
  assert.deepEqual(codes, Object.fromEntries(Object.keys(errors).map((name) => [name, name.slice(0, 5)])))
  assert.equal(original(errors['P2010 of a cancelled statement']), '57014')
  assert.equal(original(errors.P2010), '22012')
  return { codes, constraints: [errors.P2002, errors.P2003].map((error) => error.meta.driverAdapterError.cause.constraint) }
})

both('interactive transactions that wait for each other', async (_, db) => {
  // Each adds one to the same row: the second waits for the first, and no increment is lost.
  const where = { project_id: projects[2].id, id: 'trace-022' }
  const before = await db.prisma.aiTrace.findFirstOrThrow({ where })
  await Promise.all(
    [1, 2, 3, 4].map(() =>
      db.transaction(undefined, async (tx) => {
        const [{ latency_ms }] = await tx.prisma.$queryRaw`SELECT latency_ms FROM hanzo.ai_traces WHERE project_id = ${where.project_id}::uuid AND id = ${where.id} FOR UPDATE`
        await tx.prisma.aiTrace.updateMany({ where, data: { latency_ms: latency_ms + 1n } })
      }),
    ),
  )
  const after = await db.prisma.aiTrace.findFirstOrThrow({ where })
  assert.equal(after.latency_ms, before.latency_ms + 4n)
  // Relations that no foreign key guards are the client's business.
  return db.prisma.organization.findMany({ where: { id: { in: organizations.map((row) => row.id) } }, include: { projects: { orderBy: { slug: 'asc' } } }, orderBy: { slug: 'asc' } })
})
