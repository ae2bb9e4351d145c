/*
 * read/zonecache.h
 *	  Zone maps of row groups that this backend has read, by column: what a condition asks of every group of a table, whose description
 *	  has all columns' and need not be read and parsed for it each time.
 *
 * A description never changes and a group's number is never reused, so what is kept is right as long as the table keeps its storage
 * and its columns' types: keyed by the TOAST relation's file, the group's number and the column, and dropped when the relcache entry of the table
 * is invalidated. Some megabytes at the most; when there are more zones, all are forgotten.
 */
#ifndef HZ_ZONECACHE_H
#define HZ_ZONECACHE_H

#include "format/rowgroup.h"
#include "storage/directory.h"

typedef struct HzKnownZone
{
	bool has;       /* the group has the column; if not, the rest means nothing */
	bool has_bloom; /* the column has a bloom filter there */
	HzZone zone;
} HzKnownZone;

/* What is known of a column (0-based) of a group, until the next call; NULL: nothing. */
extern const HzKnownZone *hz_zonecache_find(const HzStore *store, const HzGroup *group, int attno);

/* Keeps what the description says of the column, and returns it, likewise. NULL: the group does not have it. */
extern const HzKnownZone *hz_zonecache_keep(const HzStore *store, const HzGroup *group, int attno,
											const HzChunkMeta *meta);

/* Forgets a table's zones (InvalidOid: all). */
extern void hz_zonecache_forget(Oid tableoid);

extern void hz_zonecache_init(void);

#endif /* HZ_ZONECACHE_H */
