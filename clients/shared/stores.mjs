// Two databases for a client: one with columnar tables, one with the same tables as heaps, both copies of clients/run's
// templates. What a test does, it does in both, and what it returns must be equal. They stay there until the next run.
//
// The server is the one that PGHOST (a directory of a Unix socket), PGPORT and PGUSER (a superuser) name.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { plain, qualified, tables } from './tables.mjs'

const { PGHOST: host, PGPORT, PGUSER: superuser, HANZO_CLIENT_PASSWORD: password } = process.env
if (!host?.startsWith('/') || !PGPORT || !superuser || !password) throw new Error('start the tests with clients/run')
const port = Number(PGPORT)
// Clients connect as a role with no more rights than hanzo_console has.
export const user = 'clients_console'

const open = async (database) => {
  const client = new pg.Client({ host, port, user: superuser, database })
  await client.connect()
  return client
}

// What a store is: { name, admin, settings, compact(), waitFor(), db, url } where db is what the client's connect() gave.
async function createStore(client, name) {
  const database = `${client.name}_${name}`
  const postgres = await open('postgres')
  // The server waits for five seconds only until all have left a database.
  const patiently = async (statement) => {
    for (let tries = 1; ; tries++) {
      try {
        return await postgres.query(statement)
      } catch (error) {
        if (error.code !== '55006' || tries === 36) throw error
      }
    }
  }
  await patiently(`DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
  await patiently(`CREATE DATABASE ${database} TEMPLATE clients_${name}`)
  await postgres.end()
  const admin = await open(database)
  const location = `127.0.0.1:${port}/${database}`
  return {
    name,
    admin,
    settings: { host, port, user, database },
    url: (secret = password, scheme = 'postgresql') => `${scheme}://${user}:${encodeURIComponent(secret)}@${location}`,
    urlOf: (role, secret) => `postgresql://${role}:${encodeURIComponent(secret)}@${location}`,
    // Moves all rows of columnar tables into row groups, and says how many rows are in groups then.
    async compact() {
      if (name === 'heap') return null
      for (const table of Object.keys(tables)) {
        if (await isColumnar(admin, table)) await admin.query(`CALL hanzo_datastore.compact('${qualified(table)}')`)
      }
      const { rows } = await admin.query('SELECT coalesce(sum(rows), 0)::int AS rows FROM hanzo_datastore.columnar_tables')
      return rows[0].rows
    },
    // The process that runs a statement with this text over partitions, as soon as there is one; not when the statement has
    // ended already. It is active from its Parse message on, but a cancel is lost that comes between that and the Bind; who
    // has a partition locked has planned the query, so has bound it.
    async waitFor(text, ended) {
      let over = false
      ended.finally(() => (over = true)).catch(() => {})
      for (;;) {
        const { rows } = await admin.query(
          `SELECT a.pid FROM pg_stat_activity AS a WHERE datname = current_database() AND a.pid <> pg_backend_pid() AND state = 'active'
             AND query LIKE '%' || $1 || '%' AND EXISTS (SELECT FROM pg_locks AS l JOIN pg_inherits ON inhrelid = relation WHERE l.pid = a.pid)`,
          [text],
        )
        if (rows.length > 0) return rows[0].pid
        if (over) throw new Error(`it did not wait to be cancelled: ${(await ended).message}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

// Access methods of a table, or of its partitions.
export async function accessMethods(admin, table) {
  const { rows } = await admin.query(
    `SELECT DISTINCT a.amname FROM pg_class AS c JOIN pg_am AS a ON a.oid = c.relam
     WHERE c.oid = $1::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree($1::regclass) WHERE isleaf) ORDER BY 1`,
    [qualified(table)],
  )
  return rows.map((row) => row.amname)
}

const isColumnar = async (admin, table) => (await accessMethods(admin, table)).includes('hanzo_columnar')

// client: { name, connect(settings) }. Returns both(title, function): a test of its own, run in either store.
export function stores(client) {
  const list = []
  before(async () => {
    for (const name of ['columnar', 'heap']) {
      const store = await createStore(client, name)
      list.push(store)
      store.db = await client.connect(store.settings)
    }
  })
  after(async () => {
    for (const store of list) {
      await store.db?.close()
      await store.admin.end()
    }
  })
  return function both(title, run) {
    test(`${client.name}: ${title}`, async () => {
      const answers = []
      for (const store of list) {
        try {
          answers.push(plain(await run(store, store.db)))
        } catch (error) {
          throw new Error(`${store.name}: ${error.message}`, { cause: error })
        }
      }
      assert.equal(answers.length, 2, 'there are two stores')
      assert.deepEqual(answers[0], answers[1], 'the columnar tables answer as the heaps')
    })
  }
}

// What a promise fails with; it must fail.
export async function failure(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'this should have failed' })
}
