/*
 * admin/compactstep.h
 *	  Compaction round by round, in the caller's transactions.
 */
#ifndef HZ_COMPACTSTEP_H
#define HZ_COMPACTSTEP_H

#define HZ_COMPACT_WORTH_ROWS \
	8192 /* of a delta: of fewer, row groups would be too small to gain anything */

/*
 * One round of one phase of a table's compaction, for its owner or a superuser; false: that was the last one. *moved: rows moved out of the
 * delta so far. Commit between the rounds: whoever wants a row that a round has moved waits for it. An error ends the
 * compaction; the next call begins a new one. by_month: for a default partition (write/split.h), where groups are not merged.
 */
extern bool hz_compact_round(Oid relid, bool by_month, uint64 *moved);

/* Whether the last round of this session was one of this table's, and not the last. */
extern bool hz_compact_is_under_way(Oid relid);

/* Gives back the memory of a compaction that nobody goes on with. */
extern void hz_compact_forget(void);

#endif /* HZ_COMPACTSTEP_H */
