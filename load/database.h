/*
 * load/database.h
 *	  Connections, and statements that must not fail.
 */
#ifndef HZ_LOAD_DATABASE_H
#define HZ_LOAD_DATABASE_H

#include <libpq-fe.h>

#include "load/options.h"

/* A session with the settings that a load needs; an error is fatal. */
extern PGconn *hz_connect(const HzOptions *options);

/* Runs a statement with text parameters; an error is fatal, with the hint. The caller clears the result. */
extern PGresult *hz_query(PGconn *conn, const char *hint, const char *sql, int count,
						  const char *const *params);

/* The same without parameters and result. */
extern void hz_execute(PGconn *conn, const char *hint, const char *sql);

/* An identifier or a literal, quoted, in memory of its own. */
extern char *hz_quote_name(PGconn *conn, const char *name);
extern char *hz_quote_text(PGconn *conn, const char *text);

/* The message of an error with its detail, on one line, and its SQLSTATE (empty: none, the connection is gone). */
extern char *hz_result_message(const PGresult *result, PGconn *conn);
extern const char *hz_result_sqlstate(const PGresult *result);

#endif /* HZ_LOAD_DATABASE_H */
