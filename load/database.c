/*
 * load/database.c
 *	  Connections, and statements that must not fail.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load/database.h"
#include "load/message.h"

/* Of the first connection, for the others. */
static const char *password = NULL;

/* Only settings that the server has: it may be older or newer than this program. */
static const char session_settings[] =
	"SELECT pg_catalog.set_config(s.name, v.value, false)"
	" FROM (VALUES ('datestyle', 'ISO'), ('client_min_messages', 'warning'), ('statement_timeout', '0'),"
	"  ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'), ('lock_timeout', '0'),"
	"  ('standard_conforming_strings', 'on'), ('default_transaction_isolation', 'read committed'),"
	"  ('TimeZone', $1)) AS v(name, value)"
	" JOIN pg_catalog.pg_settings AS s ON lower(s.name) = lower(v.name)";

static PGconn *
try_connect(const HzOptions *options)
{
	const char *const keywords[] = {"host",
									"port",
									"user",
									"password",
									"dbname",
									"fallback_application_name",
									"client_encoding",
									NULL};
	const char *const values[] = {options->host,     options->port, options->user, password,
								  options->database, HZ_PROGRAM,    "UTF8",        NULL};

	return PQconnectdbParams(keywords, values, 1);
}

PGconn *
hz_connect(const HzOptions *options)
{
	PGconn *conn;
	PGresult *result;

	if (options->ask_password && password == NULL)
		password = strdup(getpass("Password: "));
	conn = try_connect(options);
	if (PQstatus(conn) == CONNECTION_BAD && PQconnectionNeedsPassword(conn) &&
		!options->never_password && password == NULL && isatty(STDERR_FILENO))
	{
		PQfinish(conn);
		password = strdup(getpass("Password: "));
		conn = try_connect(options);
	}
	if (PQstatus(conn) != CONNECTION_OK)
	{
		char *message = strdup(PQerrorMessage(conn));

		message[strcspn(message, "\n")] = '\0';
		hz_fatal("-h, -p, -U and -d say where to connect to, as for psql", "cannot connect: %s",
				 message);
	}
	result = hz_query(conn, "--timezone takes a name such as UTC or Europe/Berlin",
					  session_settings, 1, &options->timezone);
	PQclear(result);
	return conn;
}

const char *
hz_result_sqlstate(const PGresult *result)
{
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return state != NULL ? state : "";
}

char *
hz_result_message(const PGresult *result, PGconn *conn)
{
	const char *primary =
		result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *detail = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL) : NULL;
	char *text;

	if (primary == NULL)
		text = hz_format("%s", PQerrorMessage(conn));
	else if (detail == NULL)
		text = hz_format("%s", primary);
	else
		text = hz_format("%s (%s)", primary, detail);
	for (char *p = text; *p; p++)
	{
		if (*p == '\n' && p[1] == '\0')
			*p = '\0';
		else if (*p == '\n' || *p == '\t' || *p == '\r')
			*p = ' ';
	}
	return text;
}

PGresult *
hz_query(PGconn *conn, const char *hint, const char *sql, int count, const char *const *params)
{
	PGresult *result = PQexecParams(conn, sql, count, NULL, params, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		hz_fatal(hint, "%s", hz_result_message(result, conn));
	return result;
}

void
hz_execute(PGconn *conn, const char *hint, const char *sql)
{
	PGresult *result = PQexec(conn, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		hz_fatal(hint, "%s", hz_result_message(result, conn));
	PQclear(result);
}

static char *
quoted(PGconn *conn, char *text)
{
	if (text == NULL)
		hz_fatal(NULL, "%s", PQerrorMessage(conn));
	return text;
}

char *
hz_quote_name(PGconn *conn, const char *name)
{
	return quoted(conn, PQescapeIdentifier(conn, name, strlen(name)));
}

char *
hz_quote_text(PGconn *conn, const char *text)
{
	return quoted(conn, PQescapeLiteral(conn, text, strlen(text)));
}
