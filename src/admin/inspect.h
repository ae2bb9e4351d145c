/*
 * admin/inspect.h
 *	  What the functions that look into a table have in common: who may, and which table; and who may change one.
 */
#ifndef HZ_INSPECT_H
#define HZ_INSPECT_H

#include "nodes/pg_list.h"
#include "utils/rel.h"

/*
 * Opens the columnar table with AccessShareLock for somebody who may look at its figures: SELECT on the table or on
 * any of its columns, or membership of pg_read_all_stats. NULL when there is no such relation. Close it with
 * NoLock.
 */
extern Relation hz_inspect_open(Oid relid);

/* An error unless the caller owns the relation, which must exist. */
extern void hz_inspect_check_owner(Oid relid);

/* The columnar tables that a relation stands for: itself, or the leaves of a partitioned table, without a lock. */
extern List *hz_inspect_tables(Oid relid);

/* Whether the caller may see values of a column: SELECT on it, and no row security in the way. */
extern bool hz_inspect_may_read(Relation rel, AttrNumber attnum);

#endif /* HZ_INSPECT_H */
