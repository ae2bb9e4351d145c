/*
 * exec/arrival.h
 *	  Snapshots that are older than a month which maintenance has made of rows of the default partition.
 *
 * Which partitions there are, and which of them a query needs, the planner decides by the catalogs of now, whatever the snapshot. Under a snapshot
 * that is older than such a move, the rows are in the default partition still, which a query for that month does not read any
 * more. Moves wait for older snapshots (PROTOCOLS 7.2), but one may be taken between that and their commit: by a transaction under REPEATABLE READ
 * or SERIALIZABLE that has not touched the table before, or a stable function's query. Its query of the month fails with
 * ERRCODE_T_R_SERIALIZATION_FAILURE, as a change of a row that is newer than the snapshot does.
 */
#ifndef HZ_ARRIVAL_H
#define HZ_ARRIVAL_H

/* Hooks into the executor's start; called once by _PG_init. */
extern void hz_arrival_init(void);

#endif /* HZ_ARRIVAL_H */
