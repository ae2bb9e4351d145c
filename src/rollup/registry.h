/*
 * rollup/registry.h
 *	  Writing rollup_catalog and rollup_progress, the extension's tables of rollups (src/sql/65_rollup.sql).
 *
 * Both are ordinary tables that everybody may read. Their tuples are not decoded: a subscriber has rollups of its own.
 */
#ifndef HZ_REGISTRY_H
#define HZ_REGISTRY_H

#include "rollup/watch.h"

/* Columns of rollup_catalog (src/sql/65_rollup.sql). */
enum
{
	CATALOG_STATES = 1,
	CATALOG_MARKS,
	CATALOG_VIEW,
	CATALOG_SOURCE,
	CATALOG_SOURCE_VIEW,
	CATALOG_SOURCE_TIME,
	CATALOG_SOURCE_TIME_NAME,
	CATALOG_TIME,
	CATALOG_MONTHS,
	CATALOG_WIDTH,
	CATALOG_ORIGIN,
	CATALOG_LAG,
	CATALOG_QUERY,
	CATALOG_COLUMNS = CATALOG_QUERY
};

/* Columns of rollup_progress. */
enum
{
	PROGRESS_STATES = 1,
	PROGRESS_FROZEN_BEFORE,
	PROGRESS_LIVE_FROM,
	PROGRESS_MARK_BEFORE,
	PROGRESS_ADVANCE_XID,
	PROGRESS_SYSTEM,
	PROGRESS_LATE_CHANGES,
	PROGRESS_COLUMNS = PROGRESS_LATE_CHANGES
};

/*
 * Stores what the snapshot's progress has become; before that there must have been one. The caller has checked everything, holds the
 * rollup's lock (admin/rollup_refresh.c), and sees the latest version. Ends with CommandCounterIncrement().
 */
extern void hz_rollup_store_progress(Oid states, const HzRollupProgress *progress);

/* The writers of a source's tables look for its rollups again. */
extern void hz_rollup_tell_writers(Oid source);

/* Registers a rollup that has no stored buckets yet, and removes one; all writers will know. The caller has checked everything. */
extern void hz_rollup_register(const HzRollup *rollup, const char *query);
extern void hz_rollup_unregister(Oid states);

/* Stores a rollup anew with the present name of its time column, and with another query unless that is NULL. */
extern void hz_rollup_rewrite(const HzRollup *rollup, const char *query);

#endif /* HZ_REGISTRY_H */
