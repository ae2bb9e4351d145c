/*
 * load/ledger.c
 *	  What is remembered of loads in the target's database.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load/ledger.h"
#include "load/message.h"

/* Of a file, as much as must be the same for it to be the same file that became longer. */
#define HEAD_SIZE ((uint64_t) 1024 * 1024)

/* A tenth of a second each. */
#define LOCK_TRIES 20

/* How long the sessions of a killed loader may take to notice. */
#define WAIT_FOR_SESSIONS "60s"

static const char schema_hint[] =
	"the load is recorded in a schema of its own: let the owner GRANT CREATE ON DATABASE or make you a schema, then name it "
	"in --state-schema; tables that others made there need GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA";

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS %1$s.files ("
	" id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, target text NOT NULL, name text NOT NULL,"
	" fingerprint text NOT NULL, size bigint, head bigint, head_size bigint,"
	" started_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, rows bigint, stored bigint, rejected bigint,"
	" UNIQUE (target, fingerprint)) USING heap;"
	"CREATE TABLE IF NOT EXISTS %1$s.ranges ("
	" file integer NOT NULL REFERENCES %1$s.files ON DELETE CASCADE, start bigint NOT NULL, stop bigint NOT NULL,"
	" lines bigint NOT NULL, hash bigint NOT NULL, rows bigint NOT NULL, stored bigint NOT NULL, rejected bigint NOT NULL,"
	" PRIMARY KEY (file, start)) USING heap;"
	"CREATE TABLE IF NOT EXISTS %1$s.rejects ("
	" file integer NOT NULL REFERENCES %1$s.files ON DELETE CASCADE, place bigint NOT NULL, line bigint NOT NULL,"
	" sqlstate text NOT NULL, reason text NOT NULL, record bytea NOT NULL,"
	" PRIMARY KEY (file, place)) USING heap;"
	"COMMENT ON TABLE %1$s.files IS 'hanzo-datastore-load: files and the tables they were loaded into';"
	"COMMENT ON TABLE %1$s.ranges IS 'hanzo-datastore-load: bytes of files that are not done that are loaded';"
	"COMMENT ON TABLE %1$s.rejects IS 'hanzo-datastore-load: records that were not loaded, and why'";

static bool
has_tables(HzLedger *ledger)
{
	const char *name = hz_format("%s.rejects", ledger->schema);
	PGresult *result = hz_query(ledger->conn, schema_hint,
								"SELECT pg_catalog.to_regclass($1) IS NOT NULL", 1, &name);
	bool found = PQgetvalue(result, 0, 0)[0] == 't';

	PQclear(result);
	return found;
}

static bool
has_schema(HzLedger *ledger)
{
	PGresult *result =
		hz_query(ledger->conn, NULL, "SELECT pg_catalog.to_regnamespace($1) IS NOT NULL", 1,
				 (const char *const *) &ledger->schema);
	bool found = PQgetvalue(result, 0, 0)[0] == 't';

	PQclear(result);
	return found;
}

static char *
statement(const char *format, const HzLedger *ledger)
{
	return hz_format(format, ledger->schema);
}

void
hz_ledger_open(HzLedger *ledger, PGconn *conn, const char *schema)
{
	ledger->conn = conn;
	ledger->name = schema;
	ledger->schema = hz_quote_name(conn, schema);
	if (!has_tables(ledger))
	{
		/* Two loaders that start at the same time: the second waits for the first, then finds it done. */
		hz_execute(conn, NULL, "BEGIN");
		hz_execute(conn, NULL, "SELECT pg_advisory_xact_lock(hashtext('hanzo-datastore-load'), 0)");
		if (!has_schema(ledger))
			hz_execute(conn, schema_hint, statement("CREATE SCHEMA %1$s", ledger));
		if (!has_tables(ledger))
			hz_execute(conn, schema_hint, statement(tables, ledger));
		hz_execute(conn, NULL, "COMMIT");
	}
	/* An error here is better than one when the first batch is to be committed. */
	hz_execute(
		conn, schema_hint,
		statement(
			"SELECT FROM %1$s.files, %1$s.ranges, %1$s.rejects LIMIT 0; INSERT INTO %1$s.ranges SELECT * FROM "
			"%1$s.ranges LIMIT 0; INSERT INTO %1$s.rejects SELECT * FROM %1$s.rejects LIMIT 0; UPDATE %1$s.files "
			"SET rows = 0 WHERE false; DELETE FROM %1$s.ranges WHERE false",
			ledger));
}

/* ---- Locks */

static char *
lock_call(const HzLedger *ledger, const char *function, const char *table, const char *id)
{
	char *relation = hz_format("%s.%s", ledger->schema, table);

	return hz_format(
		"pg_catalog.%s(%s::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8::bit(32)::pg_catalog.int4, %s)",
		function, hz_quote_text(ledger->conn, relation), id);
}

char *
hz_ledger_session_lock(const HzLedger *ledger, const HzLoad *load)
{
	return hz_format("SELECT %s", lock_call(ledger, "pg_advisory_lock_shared", "ranges", load->id));
}

static bool
ask(HzLedger *ledger, const char *hint, const char *expression)
{
	PGresult *result = hz_query(ledger->conn, hint, hz_format("SELECT %s", expression), 0, NULL);
	bool answer = PQgetvalue(result, 0, 0)[0] == 't';

	PQclear(result);
	return answer;
}

static void
lock(HzLedger *ledger, const HzLoad *load, const char *name)
{
	char *call = lock_call(ledger, "pg_try_advisory_lock", "files", load->id);
	int tries = 0;

	/* The server may still be about to notice that an earlier loader was killed. */
	while (!ask(ledger, NULL, call))
	{
		if (++tries == LOCK_TRIES)
			hz_fatal(
				"wait for it, or end it: what it has committed stays, and the next run goes on from there",
				"another loader is loading %s", name);
		usleep(100 * 1000);
	}
	free(call);
	if (!ask(ledger, NULL, lock_call(ledger, "pg_try_advisory_lock", "ranges", load->id)))
	{
		hz_say("waiting for sessions of an earlier run to end");
		hz_execute(ledger->conn, NULL, "SET lock_timeout = '" WAIT_FOR_SESSIONS "'");
		ask(ledger,
			"sessions of an earlier run are still there: look for application_name '" HZ_PROGRAM
			"' in pg_stat_activity",
			lock_call(ledger, "pg_advisory_lock", "ranges", load->id));
		hz_execute(ledger->conn, NULL, "SET lock_timeout = 0");
	}
	ask(ledger, NULL, lock_call(ledger, "pg_advisory_unlock", "ranges", load->id));
}

void
hz_ledger_leave(HzLedger *ledger, HzLoad *load)
{
	ask(ledger, NULL, lock_call(ledger, "pg_advisory_unlock", "files", load->id));
	free(load->done);
	memset(load, 0, sizeof(*load));
}

/* ---- Which load */

static char *
number_text(uint64_t value)
{
	return hz_format("%" PRId64, (int64_t) value);
}

static void
forget(HzLedger *ledger, const HzTarget *target, const HzIdentity *identity)
{
	const char *params[] = {target->name, identity->fingerprint, identity->name};
	PGresult *result = hz_query(
		ledger->conn, NULL,
		statement("SELECT id FROM %1$s.files WHERE target = $1 AND (fingerprint = $2 OR name = $3)",
				  ledger),
		3, params);

	for (int i = 0; i < PQntuples(result); i++)
	{
		HzLoad old = {0};

		snprintf(old.id, sizeof(old.id), "%s", PQgetvalue(result, i, 0));
		lock(ledger, &old, identity->name);
		hz_execute(ledger->conn, NULL,
				   hz_format("DELETE FROM %s.files WHERE id = %s", ledger->schema, old.id));
		hz_ledger_leave(ledger, &old);
	}
	PQclear(result);
}

/* Other loads of a file of this name: one that is not finished, or of what is now the beginning of the file. */
static bool
check_same_name(HzLedger *ledger, HzLoad *load, const HzTarget *target, const HzIdentity *identity,
				const HzOptions *options)
{
	const char *params[] = {target->name, identity->name};
	PGresult *result = hz_query(
		ledger->conn, NULL,
		statement(
			"SELECT id, finished_at IS NULL, size, head_size, head, finished_at::text FROM %1$s.files"
			" WHERE target = $1 AND name = $2 ORDER BY id DESC",
			ledger),
		2, params);
	bool found = false;

	for (int i = 0; i < PQntuples(result) && !found; i++)
	{
		bool partial = PQgetvalue(result, i, 1)[0] == 't';
		uint64_t size = strtoull(PQgetvalue(result, i, 2), NULL, 10);
		uint64_t head_size = strtoull(PQgetvalue(result, i, 3), NULL, 10);
		uint64_t head = (uint64_t) strtoll(PQgetvalue(result, i, 4), NULL, 10);

		if (partial && options->carry_on)
		{
			snprintf(load->id, sizeof(load->id), "%s", PQgetvalue(result, i, 0));
			found = true;
		}
		else if (partial)
			hz_fatal(
				"if it is the same export, repaired or complete now, --continue goes on (it compares what is loaded); "
				"--forget begins again, and rows loaded before stay in the table",
				"%s has changed since a part of it was loaded into %s", identity->name,
				target->name);
		else if (identity->source != NULL && head_size > 0 && size < identity->size &&
				 hz_source_hash_head(identity->source, head_size) == head)
			hz_fatal(
				"load only what is new, from a file of its own; --forget loads all of it again",
				"%s was loaded into %s on %s, and has become longer since", identity->name,
				target->name, PQgetvalue(result, i, 5));
	}
	PQclear(result);
	return found;
}

typedef struct IdentityTexts
{
	char *size;
	char *head;
	char *head_size;
} IdentityTexts;

/* Of a stream, all are NULL. */
static IdentityTexts
identity_texts(const HzIdentity *identity)
{
	uint64_t head_size = identity->size < HEAD_SIZE ? identity->size : HEAD_SIZE;

	if (identity->source == NULL)
		return (IdentityTexts){NULL, NULL, NULL};
	return (IdentityTexts){number_text(identity->size),
						   number_text(hz_source_hash_head(identity->source, head_size)),
						   number_text(head_size)};
}

static void
insert_load(HzLedger *ledger, HzLoad *load, const HzTarget *target, const HzIdentity *identity)
{
	const char *params[] = {target->name, identity->name, identity->fingerprint};
	PGresult *result = hz_query(
		ledger->conn, "start one loader of a file at a time",
		statement(
			"INSERT INTO %1$s.files (target, name, fingerprint) VALUES ($1, $2, $3) RETURNING id",
			ledger),
		3, params);

	snprintf(load->id, sizeof(load->id), "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
}

static void
find_load(HzLedger *ledger, HzLoad *load, const HzTarget *target, const HzIdentity *identity,
		  const HzOptions *options)
{
	const char *params[] = {target->name, identity->fingerprint};
	PGresult *result = hz_query(
		ledger->conn, NULL,
		statement(
			"SELECT id, name, finished_at::text FROM %1$s.files WHERE target = $1 AND fingerprint = $2",
			ledger),
		2, params);

	if (PQntuples(result) > 0)
	{
		const char *other = PQgetvalue(result, 0, 1);
		bool finished = !PQgetisnull(result, 0, 2);

		snprintf(load->id, sizeof(load->id), "%s", PQgetvalue(result, 0, 0));
		if (strcmp(other, identity->name) != 0 && finished && identity->size > 0)
			hz_fatal(
				"if it is a copy there is nothing to do; if it is not, give it a --name of its own",
				"%s has the content of %s, which was loaded into %s on %s", identity->name, other,
				target->name, PQgetvalue(result, 0, 2));
		if (strcmp(other, identity->name) != 0)
			hz_say("%s goes on with the load of %s", identity->name, other);
	}
	else if (!check_same_name(ledger, load, target, identity, options))
		insert_load(ledger, load, target, identity);
	PQclear(result);
}

/* Under the lock: what the load has come to. */
static void
read_state(HzLedger *ledger, HzLoad *load, const HzTarget *target, const HzIdentity *identity)
{
	IdentityTexts texts = identity_texts(identity);
	const char *params[] = {load->id,   target->name, identity->fingerprint, identity->name,
							texts.size, texts.head,   texts.head_size};
	PGresult *result;

	/* With --continue the file may be another than it was. */
	result = hz_query(
		ledger->conn, NULL,
		statement(
			"UPDATE %1$s.files SET fingerprint = $3, name = $4, size = $5, head = $6, head_size = $7"
			" WHERE id = $1 AND target = $2"
			" RETURNING finished_at IS NOT NULL, coalesce(rows, 0), coalesce(rejected, 0)",
			ledger),
		7, params);
	if (PQntuples(result) == 0)
		hz_fatal("run the command again", "another loader has just made the ledger forget %s",
				 identity->name);
	load->finished = PQgetvalue(result, 0, 0)[0] == 't';
	load->rows = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
	load->rejected = strtoull(PQgetvalue(result, 0, 2), NULL, 10);
	PQclear(result);

	result = hz_query(
		ledger->conn, NULL,
		statement("SELECT start, stop, lines, hash FROM %1$s.ranges WHERE file = $1 ORDER BY start",
				  ledger),
		1, params);
	load->done_count = PQntuples(result);
	load->done = hz_alloc(((size_t) load->done_count + 1) * sizeof(HzRange));
	for (int i = 0; i < load->done_count; i++)
		load->done[i] = (HzRange){strtoull(PQgetvalue(result, i, 0), NULL, 10),
								  strtoull(PQgetvalue(result, i, 1), NULL, 10),
								  strtoull(PQgetvalue(result, i, 2), NULL, 10),
								  (uint64_t) strtoll(PQgetvalue(result, i, 3), NULL, 10)};
	PQclear(result);
}

void
hz_ledger_begin(HzLedger *ledger, HzLoad *load, const HzTarget *target, const HzIdentity *identity,
				const HzOptions *options)
{
	memset(load, 0, sizeof(*load));
	if (options->forget)
		forget(ledger, target, identity);
	find_load(ledger, load, target, identity, options);
	lock(ledger, load, identity->name);
	read_state(ledger, load, target, identity);
}

/* ---- Batches */

static void
put_text(HzBytes *sql, const char *text)
{
	hz_bytes_append(sql, text, strlen(text));
}

static void
put_rejects(const HzLedger *ledger, const HzLoad *load, const HzBatch *batch, PGconn *conn,
			HzBytes *sql)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t line = batch->first_line;
	size_t counted = 0;

	for (uint32_t i = 0; i < batch->reject_count; i++)
	{
		const HzReject *reject = &batch->rejects[i];
		char *reason = hz_quote_text(conn, reject->reason);
		const uint8_t *record;
		size_t length;
		uint8_t *o;
		char *head;

		record = hz_batch_record(batch, reject->record, &length);
		line += hz_count_lines(batch->raw.data + counted,
							   (size_t) (record - batch->raw.data) - counted);
		counted = (size_t) (record - batch->raw.data);
		if (i == 0)
			put_text(sql, hz_format("INSERT INTO %s.rejects VALUES", ledger->schema));
		head = hz_format("%s(%s,%" PRIu64 ",%" PRIu64 ",'%s',%s,'\\x", i > 0 ? "," : "", load->id,
						 batch->start + counted, line, reject->sqlstate, reason);
		put_text(sql, head);
		free(head);
		PQfreemem(reason);
		o = hz_bytes_reserve(sql, 2 * length);
		for (size_t k = 0; k < length; k++)
		{
			*o++ = (uint8_t) digits[record[k] >> 4];
			*o++ = (uint8_t) digits[record[k] & 15];
		}
		sql->length += 2 * length;
		put_text(sql, "')");
	}
	if (batch->reject_count > 0)
		put_text(sql, ";");
}

void
hz_ledger_commit(const HzLedger *ledger, const HzLoad *load, const HzBatch *batch, uint64_t sent,
				 uint64_t stored, PGconn *conn, HzBytes *sql)
{
	char *range =
		hz_format("INSERT INTO %s.ranges VALUES (%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRId64
				  ",%" PRIu64 ",%" PRIu64 ",%u);COMMIT",
				  ledger->schema, load->id, batch->start, batch->start + batch->raw.length,
				  batch->lines, (int64_t) batch->hash, sent, stored, batch->reject_count);

	put_rejects(ledger, load, batch, conn, sql);
	hz_bytes_append(sql, range, strlen(range) + 1);
	free(range);
}

void
hz_ledger_finish(HzLedger *ledger, HzLoad *load, uint64_t start, uint64_t stop)
{
	const char *params[] = {load->id, number_text(stop - start)};
	PGresult *result;

	hz_execute(ledger->conn, NULL, "BEGIN");
	result = hz_query(
		ledger->conn, NULL,
		statement(
			"UPDATE %1$s.files AS f SET finished_at = now(), rows = r.rows, stored = r.stored, rejected = r.rejected"
			" FROM (SELECT coalesce(sum(stop - start), 0) AS bytes, coalesce(sum(rows), 0) AS rows,"
			"  coalesce(sum(stored), 0) AS stored, coalesce(sum(rejected), 0) AS rejected FROM %1$s.ranges WHERE file = $1) AS r"
			" WHERE f.id = $1 AND r.bytes = $2 RETURNING f.rows, f.rejected",
			ledger),
		2, params);
	if (PQntuples(result) != 1)
		hz_fatal("please report it; nothing of the table is lost",
				 "the ledger's ranges do not cover the file");
	load->rows = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	load->rejected = strtoull(PQgetvalue(result, 0, 1), NULL, 10);
	load->finished = true;
	PQclear(result);
	PQclear(hz_query(ledger->conn, NULL,
					 statement("DELETE FROM %1$s.ranges WHERE file = $1", ledger), 1, params));
	hz_execute(ledger->conn, "run the same command again", "COMMIT");
}

uint64_t
hz_ledger_rejected(HzLedger *ledger, const HzLoad *load)
{
	const char *id = load->id;
	PGresult *result =
		hz_query(ledger->conn, NULL,
				 statement("SELECT count(*) FROM %1$s.rejects WHERE file = $1", ledger), 1, &id);
	uint64_t count = strtoull(PQgetvalue(result, 0, 0), NULL, 10);

	PQclear(result);
	return count;
}

void
hz_ledger_rejects(HzLedger *ledger, const HzLoad *load,
				  void (*each)(void *arg, const char *name, const char *line, const char *sqlstate,
							   const char *reason, const uint8_t *record, size_t length),
				  void *arg)
{
	/* The oid of "text" says how the parameter is meant; results in binary, so that records come as they are. */
	const char *id = load->id;
	PGresult *result;
	char *sql = statement(
		"SELECT f.name, r.line::text, r.sqlstate, r.reason, r.record FROM %1$s.rejects AS r"
		" JOIN %1$s.files AS f ON f.id = r.file WHERE r.file = $1::text::integer ORDER BY r.place",
		ledger);

	/* Row by row: rejects may be as large as the file. */
	if (PQsendQueryParams(ledger->conn, sql, 1, NULL, &id, NULL, NULL, 1) != 1 ||
		PQsetSingleRowMode(ledger->conn) != 1)
		hz_fatal(NULL, "%s", PQerrorMessage(ledger->conn));
	while ((result = PQgetResult(ledger->conn)) != NULL)
	{
		ExecStatusType status = PQresultStatus(result);

		if (status == PGRES_SINGLE_TUPLE)
			each(arg, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1), PQgetvalue(result, 0, 2),
				 PQgetvalue(result, 0, 3), (const uint8_t *) PQgetvalue(result, 0, 4),
				 (size_t) PQgetlength(result, 0, 4));
		else if (status != PGRES_TUPLES_OK)
			hz_fatal(NULL, "%s", hz_result_message(result, ledger->conn));
		PQclear(result);
	}
	free(sql);
}
