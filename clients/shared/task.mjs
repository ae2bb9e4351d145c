// The task that every client does: it writes the products' rows, reads them and the dashboards, compacts, goes on, and meets
// errors. What a client must be able to do for it is listed here; the rest of a client's file is what only it can do.
//
//   name                     also of its databases
//   encode                   functions from plain values to the client's own, by column type (see tables.mjs)
//   connect(settings)        { host, port, user, database } or { url }: gives an object with
//     insert(table, rows)    one row or many, by the client's models
//     upsertTrace(row)       inserts, or takes the row's columns where its event_ts is newer
//     find(table, where, order)  rows that equal `where`, by the columns `order`
//     update(table, where, set), remove(table, where)   give the number of rows
//     query(sql, values)     rows of SQL with $1, $2 …
//     transaction(isolation, run)  run gets such an object that works inside the transaction
//     stream(sql, values)    an async iterable of rows, which never holds all of them
//     close()
//   sqlstate(error)          SQLSTATE of an error of the client
//   cancel(db, store, text)  optional: cancels the statement with this text by the client's own means

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  busyEvents, busyProject, comments, eventBatches, observations, organizations, projects, reviews, singleEvents, singleTraces, traceBatch,
  traceVersions, uuid,
} from './data.mjs'
import { dashboards } from './dashboards.mjs'
import { accessMethods, failure, stores } from './stores.mjs'
import { encodeRow, plain, plainRow, tables } from './tables.mjs'

const upserted = singleTraces[4]
const events = [...singleEvents, ...eventBatches.flat()]
const byKey = (table) => (a, b) => {
  const key = (row) => tables[table].key.map((column) => row[column]).join(' ')
  return key(a) < key(b) ? -1 : 1
}

// Isolation levels that clients write in their own ways.
export const repeatableRead = 'REPEATABLE READ'
export const serializable = 'SERIALIZABLE'

export function task(client) {
  const both = stores(client)
  const encoded = (table, row) => encodeRow(table, row, client.encode)
  const insert = (db, table, rows) => db.insert(table, rows.map((row) => encoded(table, row)))
  // Names of columns too: a client that renames or drops one would be noticed.
  const read = async (db, table, where, order = tables[table].key) =>
    (await db.find(table, encoded(table, where), order)).map((row) => plainRow(table, row)).sort(byKey(table))
  const ask = ({ sql, parameters }, db) =>
    db.query(sql, parameters.map(({ type, value }) => (client.encode?.[type] ? client.encode[type](value) : value)))
  const traceKey = { project_id: upserted.project_id, id: upserted.id, timestamp: upserted.timestamp }
  const sqlstate = async (promise) => client.sqlstate(await failure(promise))

  // What the tables must hold, in plain form; the tests change it as they change the tables.
  const expected = {}
  const readAll = async (db) => {
    const project = { project_id: projects[1].id }
    return {
      organizations: await read(db, 'organizations', {}),
      projects: await read(db, 'projects', {}),
      website_events: await read(db, 'website_events', project),
      ai_traces: await read(db, 'ai_traces', { project_id: projects[2].id }),
      ai_observations: await read(db, 'ai_observations', { project_id: projects[2].id }),
      reviews: await read(db, 'reviews', {}),
      comments: await read(db, 'comments', {}),
    }
  }
  const expect = (changes) => {
    for (const [table, rows] of Object.entries(changes)) expected[table] = plain(rows.map((row) => plainRow(table, row))).sort(byKey(table))
  }
  const check = async (db) => {
    const found = await readAll(db)
    assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort())
    for (const table of Object.keys(expected)) assert.deepEqual(found[table], expected[table], `rows of ${table}`)
    return found
  }
  const askAll = async (db) => {
    const answers = {}
    for (const dashboard of dashboards) {
      answers[dashboard.name] = plain(await ask(dashboard, db))
      assert.notEqual(answers[dashboard.name].length, 0, `${dashboard.name} finds rows`)
    }
    return answers
  }

  both('the tables are what they should be', async (store) => {
    const columnar = ['website_events', 'ai_traces', 'ai_observations', 'reviews', 'comments']
    for (const table of columnar) {
      assert.deepEqual(await accessMethods(store.admin, table), [store.name === 'heap' ? 'heap' : 'hanzo_columnar'], table)
    }
  })

  both('writes organizations and projects', async (_, db) => {
    await insert(db, 'organizations', organizations)
    await insert(db, 'projects', projects)
  })

  both('writes events one by one', async (_, db) => {
    for (const event of singleEvents) await insert(db, 'website_events', [event])
  })

  both('writes events in batches', async (_, db) => {
    for (const batch of eventBatches) await insert(db, 'website_events', batch)
  })

  both('writes traces one by one and in a batch, observations in a batch', async (_, db) => {
    for (const trace of singleTraces) await insert(db, 'ai_traces', [trace])
    await insert(db, 'ai_traces', traceBatch)
    await insert(db, 'ai_observations', observations)
  })

  both('writes rows with every type of column', async (_, db) => {
    await insert(db, 'reviews', reviews)
    await insert(db, 'comments', comments)
  })

  both('upserts a trace twice: the newest event_ts wins', async (_, db) => {
    for (const version of traceVersions(upserted)) await db.upsertTrace(encoded('ai_traces', version))
    const [trace] = await read(db, 'ai_traces', traceKey)
    assert.equal(trace.name, 'second version')
    return trace
  })

  both('reads back what it wrote', async (_, db) => {
    const traces = [...singleTraces, ...traceBatch].filter((trace) => trace !== upserted)
    expect({ organizations, projects, website_events: events, ai_traces: [...traces, traceVersions(upserted)[0]], ai_observations: observations, reviews, comments })
    return check(db)
  })

  const answers = {}
  both("reads the dashboards' queries", async (store, db) => (answers[store.name] = await askAll(db)))

  both('reads the same after compaction', async (store, db) => {
    const compacted = await store.compact()
    if (store.name !== 'heap') assert.ok(compacted > busyEvents + events.length, `${compacted} rows are in row groups`)
    assert.deepEqual(await askAll(db), answers[store.name])
    return check(db)
  })

  both('upserts, updates and deletes rows that were compacted', async (store, db) => {
    const newest = { ...traceVersions(upserted)[0], name: 'third version', event_ts: '2026-01-01T00:00:00.000Z' }
    await db.upsertTrace(encoded('ai_traces', newest))
    const counts = [
      await db.update('ai_observations', encoded('ai_observations', { project_id: projects[2].id, trace_id: 'trace-001' }), { level: 'DEBUG' }),
      await db.update('website_events', encoded('website_events', { event_id: events[3].event_id }), { tag: 'seen' }),
      await db.remove('website_events', encoded('website_events', { project_id: projects[1].id, session_id: events[40].session_id })),
      await db.remove('website_events', encoded('website_events', { event_id: uuid('no such event') })),
    ]
    assert.deepEqual(counts, [8, 1, 8, 0])
    expect({
      ai_traces: [...expected.ai_traces.filter((trace) => trace.id !== upserted.id), newest],
      ai_observations: expected.ai_observations.map((row) => (row.trace_id === 'trace-001' ? { ...row, level: 'DEBUG' } : row)),
      website_events: expected.website_events
        .filter((row) => row.session_id !== events[40].session_id)
        .map((row) => (row.event_id === events[3].event_id ? { ...row, tag: 'seen' } : row)),
    })
    const found = await check(db)
    await store.compact()
    await check(db)
    return found
  })

  both('streams 100,000 rows, while they are compacted and others are written', async (store, db) => {
    const lines = []
    const extra = { ...singleEvents[0], project_id: busyProject, event_id: uuid('while streaming') }
    for await (const row of db.stream('SELECT event_id, url_path, created_at FROM hanzo.website_events WHERE project_id = $1', [busyProject])) {
      lines.push(`${row.event_id} ${row.url_path} ${new Date(row.created_at).getTime()}`)
      if (lines.length === 1000) {
        await insert(db, 'website_events', [extra])
        await store.compact()
      }
    }
    assert.equal(await db.remove('website_events', encoded('website_events', { event_id: extra.event_id })), 1)
    assert.equal(lines.length, busyEvents)
    const streamed = createHash('md5').update(lines.sort().join('\n')).digest('hex')
    const { rows } = await store.admin.query(
      `SELECT md5(string_agg(line, E'\\n' ORDER BY line)) AS md5
       FROM (SELECT concat_ws(' ', event_id, url_path, (extract(epoch FROM created_at) * 1000)::bigint) COLLATE "C" AS line
             FROM hanzo.website_events WHERE project_id = $1) AS lines`,
      [busyProject],
    )
    assert.equal(streamed, rows[0].md5)
    return streamed
  })

  both('stops a stream early and goes on', async (_, db) => {
    let seen = 0
    for await (const row of db.stream('SELECT event_id FROM hanzo.website_events WHERE project_id = $1', [busyProject])) {
      assert.ok(row.event_id)
      if (++seen === 2500) break
    }
    return db.query('SELECT count(*)::int AS n FROM hanzo.website_events WHERE project_id = $1', [busyProject])
  })

  both('cancels a query: 57014', async (store, db) => {
    const text = `/* slow ${client.name} */`
    const slow = `SELECT ${text} count(*)::int AS n FROM hanzo.website_events AS a, hanzo.website_events AS b WHERE a.url_path || b.page_title = a.city || $1`
    const states = [await (client.cancel ?? cancelByPid)(db, store, text, () => db.query(slow, ['none'])).then(client.sqlstate)]
    states.push(
      await sqlstate(
        db.transaction(undefined, async (tx) => {
          await tx.query("SET LOCAL statement_timeout = '300ms'", [])
          await tx.query(slow, ['none'])
        }),
      ),
    )
    assert.deepEqual(states, ['57014', '57014'])
    return db.query('SELECT count(*)::int AS n FROM hanzo.ai_traces', [])
  })

  both('sees the SQLSTATEs of violated constraints', async (_, db) => {
    const [review] = reviews
    const states = {
      // Of rows in row groups, and of a key that a batch holds twice.
      unique: await sqlstate(insert(db, 'reviews', [{ ...review, id: uuid('another'), slug: 'second' }])),
      primaryKey: await sqlstate(insert(db, 'ai_traces', [singleTraces[0]])),
      batch: await sqlstate(insert(db, 'reviews', [1, 2].map((n) => ({ ...reviews[1], id: uuid(`double ${n}`), slug: 'double' })))),
      foreignKey: await sqlstate(insert(db, 'reviews', [{ ...review, id: uuid('orphan'), slug: 'orphan', organization_id: uuid('nobody') }])),
      foreignKeyOfChild: await sqlstate(insert(db, 'comments', [{ ...comments[0], id: '77', review_id: uuid('nothing') }])),
      referenced: await sqlstate(db.remove('reviews', encoded('reviews', { id: review.id }))),
      notNull: await sqlstate(db.query('INSERT INTO hanzo.ai_traces (id, project_id, timestamp, name) VALUES ($1, $2, now(), NULL)', ['x', projects[2].id])),
      check: await sqlstate(insert(db, 'reviews', [{ ...review, id: uuid('star'), slug: 'star', stars: 6 }])),
      syntax: await sqlstate(db.query('SELECT count(* FROM hanzo.ai_traces', [])),
      permission: await sqlstate(db.query('TRUNCATE hanzo.ai_traces', [])),
    }
    assert.deepEqual(states, {
      unique: '23505', primaryKey: '23505', batch: '23505', foreignKey: '23503', foreignKeyOfChild: '23503', referenced: '23503',
      notNull: '23502', check: '23514', syntax: '42601', permission: '42501',
    })
    return check(db)
  })

  both('sees serialization failures, and can try again: 40001', async (store, db) => {
    const where = encoded('ai_traces', { project_id: projects[2].id, id: 'trace-020' })
    const states = []
    // First a row in a row group; the first round moves it to the delta, where the second finds it.
    for (const round of [1, 2]) {
      const change = async (tx, interfere) => {
        await tx.find('ai_traces', where, ['id'])
        if (interfere) assert.equal(await db.update('ai_traces', where, { release: `by others ${round}` }), 1)
        assert.equal(await tx.update('ai_traces', where, { version: `by us ${round}` }), 1)
      }
      states.push(await sqlstate(db.transaction(repeatableRead, (tx) => change(tx, true))))
      await db.transaction(repeatableRead, (tx) => change(tx, false))
    }
    // Write skew: each reads what the other writes.
    const count = "SELECT count(*)::int AS n FROM hanzo.ai_traces WHERE project_id = $1 AND name = 'skew'"
    const skew = (n) => ({ ...singleTraces[1], id: `skew-${n}`, name: 'skew' })
    states.push(
      await sqlstate(
        db.transaction(serializable, async (first) => {
          await first.query(count, [projects[2].id])
          await db.transaction(serializable, async (second) => {
            await second.query(count, [projects[2].id])
            await insert(second, 'ai_traces', [skew(2)])
          })
          await insert(first, 'ai_traces', [skew(1)])
        }),
      ),
    )
    assert.deepEqual(states, ['40001', '40001', '40001'])
    assert.equal(await db.remove('ai_traces', encoded('ai_traces', { project_id: projects[2].id, name: 'skew' })), 1)
    const changed = expected.ai_traces.map((row) => (row.id === 'trace-020' ? { ...row, release: 'by others 2', version: 'by us 2' } : row))
    expect({ ai_traces: changed })
    return check(db)
  })

  both('commits and rolls back transactions', async (store, db) => {
    const row = (n) => ({ ...singleTraces[2], id: `transaction-${n}`, name: 'transaction' })
    const where = encoded('ai_traces', { project_id: projects[2].id, name: 'transaction' })
    const error = new Error('stop')
    const thrown = await failure(
      db.transaction(undefined, async (tx) => {
        await insert(tx, 'ai_traces', [row(1)])
        assert.equal((await tx.find('ai_traces', where, ['id'])).length, 1)
        assert.equal((await db.find('ai_traces', where, ['id'])).length, 0, 'others do not see it')
        throw error
      }),
    )
    assert.equal(thrown, error)
    await db.transaction(undefined, async (tx) => {
      await insert(tx, 'ai_traces', [row(2)])
      await tx.update('ai_traces', where, { version: 'committed' })
    })
    const found = await read(db, 'ai_traces', { project_id: projects[2].id, name: 'transaction' })
    assert.deepEqual(found.map((trace) => [trace.id, trace.version]), [['transaction-2', 'committed']])
    assert.equal(await db.remove('ai_traces', where), 1)
    return found
  })

  both('connects by URL and password, and to nothing but postgresql:// and postgres://', async (store) => {
    const answers = []
    for (const scheme of ['postgresql', 'postgres']) {
      const db = await client.connect({ url: store.url(undefined, scheme) })
      try {
        await insert(db, 'ai_traces', [{ ...singleTraces[3], id: `url-${scheme}`, project_id: projects[3].id }])
        answers.push(await db.query('SELECT current_user::text AS who, inet_server_addr() IS NOT NULL AS tcp, count(*)::int AS n FROM hanzo.ai_traces WHERE project_id = $1', [projects[3].id]))
        assert.equal(await db.remove('ai_traces', encoded('ai_traces', { project_id: projects[3].id })), 1)
      } finally {
        await db.close()
      }
    }
    assert.deepEqual(plain(answers), Array(2).fill([{ n: 1, tcp: true, who: 'clients_console' }]))

    const refused = []
    for (const url of [store.url('wrong'), store.urlOf('nobody_at_all', 'x')]) {
      const error = await failure(
        (async () => {
          const db = await client.connect({ url })
          await db.query('SELECT 1 AS one', []).finally(() => db.close())
        })(),
      )
      refused.push(client.sqlstate(error))
    }
    assert.deepEqual(refused, ['28P01', '28P01'])
  })

  both('left the columnar tables whole', async (store) => {
    for (const table of ['website_events', 'ai_traces', 'ai_observations', 'reviews', 'comments']) {
      if (store.name === 'heap') continue
      const { schema } = tables[table]
      assert.deepEqual((await store.admin.query('SELECT * FROM hanzo_datastore.verify($1::regclass)', [`${schema}.${table}`])).rows, [])
    }
  })

  return { both, insert, read, encoded, sqlstate }
}

// As an operator does it, or another connection of the client: a client without a cancel function.
async function cancelByPid(db, store, text, start) {
  const failed = failure(start())
  const pid = await store.waitFor(text, failed)
  await db.query('SELECT pg_cancel_backend($1::int) AS done', [pid])
  return failed
}
