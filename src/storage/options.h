/*
 * storage/options.h
 *	  Options of columnar tables: sort key, row-group size, codec, level and bloom filters.
 *
 * Where they are kept. As security labels of provider 'hanzo_datastore' on the table and on its columns
 * (label.h). pg_dump and pg_upgrade carry labels; they are transactional, follow a renamed table, die
 * with it, survive ALTER COLUMN TYPE, SET ACCESS METHOD (also to heap and back) and every rewrite, and
 * need no catalog of ours.
 *
 * Why a stored sort key has no names in it. ALTER TABLE ... RENAME COLUMN changes no label, so a name in
 * one would go stale; and an attribute number means nothing after pg_dump, which leaves dropped columns
 * out. But a label *of a column* is kept with its attribute number in the catalog and under its name in a
 * dump: it always stays with its column. So the sort key refers to columns as $1, $2, ..., and the label
 * of the column that is $n says so. Renames (also by sessions that never loaded this library, also while
 * the table is a heap), dumps, upgrades and CREATE DATABASE ... TEMPLATE then need no code at all; the
 * label of a dropped column goes with it, and what is left says that the sort key has lost a column.
 *
 * Who says what. An option of a partition is that of the nearest table on the way up that sets it: its own
 * labels first, then its parent's, and so on; there, a column's label comes before the table's. A detached
 * partition has only its own.
 */
#ifndef HZ_OPTIONS_H
#define HZ_OPTIONS_H

#include "compress/compress.h"
#include "storage/label.h"
#include "storage/sort_key.h"

#define HZ_OPTIONS_ROWS_MIN 2048
#define HZ_OPTIONS_ROWS_MAX 122880
#define HZ_OPTIONS_ROWS_DEFAULT 122880
#define HZ_OPTIONS_CODEC_DEFAULT HZ_CODEC_ZSTD

typedef struct HzColumnOptions
{
	HzCodec codec;
	int level;  /* of zstd; 0 for others */
	bool bloom; /* wanted, and possible for the column's type */
} HzColumnOptions;

typedef struct HzOptions
{
	List *order_by; /* of HzSortKey; NIL: rows stay in the order they come */
	uint32 row_group_rows;
	HzColumnOptions *columns; /* one per attribute, dropped ones included */
} HzOptions;

/*
 * The options of a relation as they are now; palloc'd in the current context. Reads catalogs and parses
 * the sort key: once per seal or compaction, not per row. Runs no code but the input functions of literals
 * in the sort key, and starts no subtransaction: it may be called in parallel mode and by any user. For
 * the new heap of a rewrite, they are those of the table that is rewritten.
 *
 * A stored sort key that does not fit the table any more (column dropped, function gone) is a WARNING,
 * once per session and table, and no order.
 */
extern HzOptions *hz_options_read(Relation rel);

/* What the planner asks for again and again. */
typedef struct HzSortBrief
{
	AttrNumber leading_column; /* that rows are sorted by first; 0: none, or an expression */
	uint32 row_group_rows;
} HzSortBrief;

/*
 * Without parsing anything; kept in the relation's cache entry until it is built anew. Where a partitioned table in the middle of a tree
 * changes its parent, its partitions may keep what they had for a while: plans cost a little more or less than they would.
 */
extern HzSortBrief hz_options_sort_brief(Relation rel);

/* ---- For the functions that set and show options */

typedef enum HzOption
{
	HZ_OPTION_ORDER_BY,
	HZ_OPTION_COMPRESSION,
	HZ_OPTION_ROW_GROUP_ROWS,
	HZ_OPTION_BLOOM
} HzOption;

/* The HzLabels of a table (also when it has none) and of its ancestors, nearest first. Takes no lock. */
extern List *hz_options_levels(Oid relid);

/*
 * The label that decides an option of a table (attnum 0) or of its column, and at *level whose it is;
 * NULL: the default holds.
 */
extern HzLabel *hz_options_find(List *levels, AttrNumber attnum, HzOption option, HzLabels **level);

/* Whether a column can have a bloom filter: equal values have equal bytes (floats: but for -0). */
extern bool hz_options_can_bloom(Oid type, Oid collation);

/* Registers the label provider. _PG_init calls it. */
extern void hz_options_init(void);

#endif /* HZ_OPTIONS_H */
