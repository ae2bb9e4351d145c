/*
 * load/target.h
 *	  The table that is loaded, as the server's catalog describes it.
 */
#ifndef HZ_LOAD_TARGET_H
#define HZ_LOAD_TARGET_H

#include "load/database.h"
#include "load/value.h"

typedef struct HzTargetColumn
{
	char *name;
	char *quoted;
	HzValueKind kind;
	bool array;
	bool required; /* NOT NULL, and no default */
	bool may_write;
} HzTargetColumn;

/* Generated columns are not among the columns. */
typedef struct HzTarget
{
	char *oid;
	char *relation; /* its bare name, as errors of COPY write it */
	char *name;     /* schema and name, quoted */
	HzTargetColumn *columns;
	int column_count;
	bool identity_always;
	HzList key;          /* of --on-conflict=update */
	const char *version; /* of the same, or NULL: the last line wins */
} HzTarget;

/* Looks it up and checks the caller's rights, and what --on-conflict needs. Errors are fatal. */
extern void hz_target_load(HzTarget *target, PGconn *conn, const HzOptions *options);

/* The column's number, or -1. */
extern int hz_target_column(const HzTarget *target, const char *name, size_t length);

#endif /* HZ_LOAD_TARGET_H */
