/*
 * load/target.c
 *	  The table that is loaded, as the server's catalog describes it.
 */
#include <stdlib.h>

#include "load/message.h"
#include "load/target.h"

/* Of pg_type.dat; built-in types keep their numbers for ever. */
static HzValueKind
kind_of_type(const char *oid)
{
	switch (atoi(oid))
	{
		case 16:
			return HZ_VALUE_BOOLEAN;
		case 17:
			return HZ_VALUE_BYTEA;
		case 20:   /* bigint */
		case 21:   /* smallint */
		case 23:   /* integer */
		case 700:  /* real */
		case 701:  /* double precision */
		case 1700: /* numeric */
			return HZ_VALUE_NUMBER;
		case 114:  /* json */
		case 3802: /* jsonb */
			return HZ_VALUE_JSON;
		case 1082:
			return HZ_VALUE_DATE;
		case 1114: /* timestamp */
		case 1184: /* timestamptz */
			return HZ_VALUE_TIME;
		default:
			return HZ_VALUE_TEXT;
	}
}

static bool
is_true(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column)[0] == 't';
}

static void __attribute__((noreturn)) fail_no_table(PGconn *conn, const char *table)
{
	PGresult *result = hz_query(
		conn, NULL,
		"SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ')"
		" FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
		" WHERE c.relkind IN ('r', 'p', 'f', 'v') AND c.relname = lower(regexp_replace($1, '^.*\\.', ''))",
		1, &table);

	if (!PQgetisnull(result, 0, 0))
		hz_fatal(hz_format("there is %s", PQgetvalue(result, 0, 0)),
				 "there is no table %s in this database", table);
	hz_fatal(
		"name it as in SQL, with its schema; SELECT hanzo_datastore.create_hanzo_schema() makes the Hanzo tables",
		"there is no table %s in database %s", table, PQdb(conn));
}

static void
find_table(HzTarget *target, PGconn *conn, const HzOptions *options)
{
	PGresult *result;
	const char *kind;

	result = hz_query(conn, "name the table as in SQL: schema.table",
					  "SELECT pg_catalog.to_regclass($1)::pg_catalog.oid", 1, &options->table);
	if (PQgetisnull(result, 0, 0))
		fail_no_table(conn, options->table);
	target->oid = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);

	result = hz_query(
		conn, NULL,
		"SELECT c.relname, format('%I.%I', n.nspname, c.relname), c.relkind,"
		" row_security_active(c.oid), pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'"
		" FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace"
		" WHERE c.oid = $1::oid",
		1, (const char *const *) &target->oid);
	target->relation = strdup(PQgetvalue(result, 0, 0));
	target->name = strdup(PQgetvalue(result, 0, 1));
	kind = PQgetvalue(result, 0, 2);
	if (strchr("rpvf", *kind) == NULL)
		hz_fatal(NULL, "%s is no table", target->name);
	if (is_true(result, 0, 4) && !options->dry_run)
		hz_fatal(
			"connect to the primary (target_session_attrs=read-write in the connection string finds it)",
			"the server is a standby or read-only");
	if (is_true(result, 0, 3) && options->conflict == HZ_CONFLICT_ERROR)
		hz_fatal(
			"load as the table's owner or a role with BYPASSRLS, or with --on-conflict=nothing, which inserts",
			"row security is active for %s on %s, and COPY does not go with it", PQuser(conn),
			target->name);
	PQclear(result);
}

static void
find_columns(HzTarget *target, PGconn *conn)
{
	PGresult *result = hz_query(
		conn, NULL,
		"WITH RECURSIVE base AS ("
		"  SELECT a.attnum, a.atttypid AS type FROM pg_catalog.pg_attribute AS a"
		"   WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
		"  UNION ALL SELECT b.attnum, t.typbasetype FROM base AS b JOIN pg_catalog.pg_type AS t ON t.oid = b.type"
		"   WHERE t.typtype = 'd')"
		" SELECT a.attname, quote_ident(a.attname), t.typcategory = 'A' AND t.typelem <> 0,"
		"  CASE WHEN t.typcategory = 'A' AND t.typelem <> 0"
		"   THEN coalesce(nullif(e.typbasetype, 0), e.oid) ELSE t.oid END,"
		"  a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND d.typdefault IS NULL,"
		"  has_column_privilege(a.attrelid, a.attnum, 'INSERT'), a.attidentity = 'a'"
		" FROM pg_catalog.pg_attribute AS a JOIN base AS b USING (attnum)"
		" JOIN pg_catalog.pg_type AS t ON t.oid = b.type AND t.typtype <> 'd'"
		" LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem"
		" JOIN pg_catalog.pg_type AS d ON d.oid = a.atttypid"
		" WHERE a.attrelid = $1::oid AND a.attgenerated = '' ORDER BY a.attnum",
		1, (const char *const *) &target->oid);

	target->column_count = PQntuples(result);
	target->columns = hz_alloc_zero(((size_t) target->column_count + 1) * sizeof(HzTargetColumn));
	for (int i = 0; i < target->column_count; i++)
	{
		HzTargetColumn *column = &target->columns[i];

		column->name = strdup(PQgetvalue(result, i, 0));
		column->quoted = strdup(PQgetvalue(result, i, 1));
		column->array = is_true(result, i, 2);
		column->kind = kind_of_type(PQgetvalue(result, i, 3));
		column->required = is_true(result, i, 4);
		column->may_write = is_true(result, i, 5);
		target->identity_always |= is_true(result, i, 6);
	}
	PQclear(result);
	if (target->column_count == 0)
		hz_fatal(NULL, "%s has no column that can be loaded", target->name);
}

static void
check_rights(const HzTarget *target, PGconn *conn, const HzOptions *options)
{
	PGresult *result = hz_query(
		conn, NULL,
		"SELECT has_schema_privilege(c.relnamespace, 'USAGE'), has_any_column_privilege(c.oid, 'INSERT'),"
		" has_table_privilege(c.oid, 'SELECT'), has_any_column_privilege(c.oid, 'UPDATE'),"
		" has_database_privilege(current_database(), 'TEMP'), c.relnamespace::regnamespace"
		" FROM pg_catalog.pg_class AS c WHERE c.oid = $1::oid",
		1, (const char *const *) &target->oid);
	const char *user = PQuser(conn);

	if (!is_true(result, 0, 0))
		hz_fatal(hz_format("the owner can GRANT USAGE ON SCHEMA %s TO %s", PQgetvalue(result, 0, 5),
						   user),
				 "%s may not use schema %s", user, PQgetvalue(result, 0, 5));
	if (!is_true(result, 0, 1))
		hz_fatal(hz_format("the owner can GRANT INSERT ON %s TO %s", target->name, user),
				 "%s may not insert into %s", user, target->name);
	if (options->conflict != HZ_CONFLICT_ERROR && !is_true(result, 0, 2))
		hz_fatal(hz_format("the owner can GRANT SELECT ON %s TO %s", target->name, user),
				 "--on-conflict needs the right to read %s, which %s has not", target->name, user);
	if (options->conflict == HZ_CONFLICT_UPDATE && !is_true(result, 0, 3))
		hz_fatal(hz_format("the owner can GRANT UPDATE ON %s TO %s", target->name, user),
				 "--on-conflict=update needs the right to update %s, which %s has not",
				 target->name, user);
	if (options->conflict != HZ_CONFLICT_ERROR && !is_true(result, 0, 4))
		hz_fatal(hz_format("the owner can GRANT TEMP ON DATABASE %s TO %s", PQdb(conn), user),
				 "--on-conflict needs a temporary table, which %s may not make in %s", user,
				 PQdb(conn));
	PQclear(result);
}

static bool
same_names(const HzList *list, const PGresult *result, int row, int count)
{
	int found = 0;

	for (int i = 0; i < PQntuples(result); i++)
	{
		if (strcmp(PQgetvalue(result, i, 0), PQgetvalue(result, row, 0)) != 0)
			continue;
		for (int k = 0; k < list->count; k++)
			found += strcmp(list->items[k], PQgetvalue(result, i, 1)) == 0;
	}
	return found == count && list->count == count;
}

/* The unique index of --key, or the primary key, or the only one. */
static void
find_key(HzTarget *target, PGconn *conn, const HzOptions *options)
{
	PGresult *result = hz_query(
		conn, NULL,
		"SELECT i.indexrelid, a.attname, i.indisprimary, count(*) OVER (PARTITION BY i.indexrelid)"
		" FROM pg_catalog.pg_index AS i, unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k(attnum, place)"
		" JOIN pg_catalog.pg_attribute AS a ON a.attnum = k.attnum"
		" WHERE i.indrelid = $1::oid AND a.attrelid = i.indrelid AND i.indisunique AND i.indisvalid AND i.indimmediate"
		"  AND i.indpred IS NULL AND i.indexprs IS NULL"
		" ORDER BY i.indisprimary DESC, i.indexrelid, k.place",
		1, (const char *const *) &target->oid);
	int rows = PQntuples(result);
	int chosen = -1;

	for (int i = 0; i < rows && chosen < 0; i++)
	{
		int count = atoi(PQgetvalue(result, i, 3));

		if (options->key.count > 0 ? same_names(&options->key, result, i, count)
								   : is_true(result, i, 2) || count == rows)
			chosen = i;
	}
	if (chosen < 0)
		hz_fatal(
			"--key names the columns of a unique index; a table without one cannot be updated by a load",
			"%s has no unique index %s", target->name,
			options->key.count > 0 ? "on exactly the columns of --key" : "to go by");
	for (int i = 0; i < rows; i++)
	{
		if (strcmp(PQgetvalue(result, i, 0), PQgetvalue(result, chosen, 0)) != 0)
			continue;
		target->key.items =
			hz_realloc(target->key.items, ((size_t) target->key.count + 1) * sizeof(char *));
		target->key.items[target->key.count++] = strdup(PQgetvalue(result, i, 1));
	}
	PQclear(result);
}

static void
find_version(HzTarget *target, const HzOptions *options)
{
	const char *name = options->version_column != NULL ? options->version_column : "event_ts";

	if (*name == '\0')
		return;
	if (hz_target_column(target, name, strlen(name)) >= 0)
		target->version = name;
	else if (options->version_column != NULL)
		hz_fatal(NULL, "%s has no column %s for --version-column", target->name, name);
	else
		hz_fatal(
			"--version-column names the column whose highest value wins; none: the last line of the file wins",
			"of two rows with the same key, which is the newer? %s has no column event_ts",
			target->name);
}

int
hz_target_column(const HzTarget *target, const char *name, size_t length)
{
	for (int i = 0; i < target->column_count; i++)
	{
		if (strlen(target->columns[i].name) == length &&
			memcmp(target->columns[i].name, name, length) == 0)
			return i;
	}
	return -1;
}

void
hz_target_load(HzTarget *target, PGconn *conn, const HzOptions *options)
{
	memset(target, 0, sizeof(*target));
	find_table(target, conn, options);
	check_rights(target, conn, options);
	find_columns(target, conn);
	if (options->conflict == HZ_CONFLICT_UPDATE)
	{
		find_key(target, conn, options);
		find_version(target, options);
	}
}
