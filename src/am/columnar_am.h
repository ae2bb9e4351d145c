/*
 * am/columnar_am.h
 *	  The table access method's callbacks, by file.
 *
 * Signatures are those of TableAmRoutine (access/tableam.h).
 */
#ifndef HZ_COLUMNAR_AM_H
#define HZ_COLUMNAR_AM_H

#include "access/tableam.h"

/* am_handler.c */
extern const TableAmRoutine *hz_am_routine(void);

/* Whether the relation uses this access method. */
extern bool hz_am_is_columnar(Relation rel);

/* am_scan.c, am_sample.c, am_index.c, am_build.c, am_modify.c, am_relation.c, am_vacuum.c */
extern void hz_am_scan_callbacks(TableAmRoutine *routine);
extern void hz_am_sample_callbacks(TableAmRoutine *routine);
extern void hz_am_index_callbacks(TableAmRoutine *routine);
extern void hz_am_build_callbacks(TableAmRoutine *routine);
extern void hz_am_modify_callbacks(TableAmRoutine *routine);
extern void hz_am_relation_callbacks(TableAmRoutine *routine);
extern void hz_am_vacuum_callbacks(TableAmRoutine *routine);

/* am_relation.c: blocks of the column store. */
extern BlockNumber hz_am_column_blocks(Relation rel);

/* am_vacuum.c: counts rows and pages of both stores and tells pg_class. */
extern void hz_am_update_stats(Relation rel);

/* am_rewrite.c: the callback of CLUSTER and VACUUM FULL. */
extern void hz_am_copy_for_cluster(Relation old_table, Relation new_table, Relation old_index,
								   bool use_sort, TransactionId oldest_xmin,
								   TransactionId *xid_cutoff, MultiXactId *multi_cutoff,
								   double *tuples, double *vacuumed, double *recently_dead);

#endif /* HZ_COLUMNAR_AM_H */
