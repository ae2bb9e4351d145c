/*
 * storage/label.h
 *	  Options as they are stored: security labels of provider 'hanzo_datastore', one JSON object each.
 *
 * Of a table:   {"order_by": "$1, date_bin('01:00:00'::interval, $2, ...) DESC",
 *                "compression": "zstd", "compression_level": 9, "row_group_rows": 61440}
 * Of a column:  {"order_by_input": 2, "compression": "lz4", "bloom": true}
 *
 * and of a table with managed months or a TTL {"managed": true, "months_ahead": 3, "ttl": "90 days"}, of its column
 * {"time": true}. These may stand on partitioned tables and heaps too, and partitions do not inherit them. Of a month that was
 * made of rows of the default partition: {"arrived": true} (exec/arrival.h).
 *
 * What a label does not name is not set there. "compression_level" alone means zstd. The columns of an
 * order_by are numbers; the label of the column with that "order_by_input" says which one is meant
 * (options.h says why).
 *
 * Reading takes no lock on the table. All labels of a table come from one catalog scan, hence from one
 * moment. Writing needs the table's ShareUpdateExclusiveLock, as the SECURITY LABEL command takes it.
 */
#ifndef HZ_LABEL_H
#define HZ_LABEL_H

#include "access/attnum.h"
#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

#include "compress/compress.h"

#define HZ_LABEL_PROVIDER "hanzo_datastore"
#define HZ_LABEL_UNSET (-1)
#define HZ_LABEL_MONTHS_MAX 60

typedef struct HzLabel
{
	AttrNumber attnum;  /* 0: the label of the table itself */
	char *order_by;     /* table: sort keys over $1, $2, ...; NULL: not set */
	int order_by_input; /* column: it is this $n; 0: it is none */
	int codec;          /* HzCodec, or HZ_LABEL_UNSET */
	int level;          /* of zstd; 0: not set */
	int row_group_rows; /* table; 0: not set */
	int bloom;          /* column: false, true, or HZ_LABEL_UNSET */
	bool managed;       /* table: maintenance makes its months */
	int months_ahead;   /* table: how many after the present one; 0: not set */
	char *ttl;          /* table: an interval in style postgres; NULL: not set */
	bool arrived;       /* table: it was attached with rows that were elsewhere before */
	bool time;          /* column: months and TTL go by it */
	char *stored;       /* the text in the catalog; NULL: there is none */
} HzLabel;

/* All labels of one table and its columns. */
typedef struct HzLabels
{
	Oid relid;
	List *labels; /* of HzLabel, in no order */
} HzLabels;

/* Palloc'd in the current context. */
extern HzLabels *hz_label_read(Oid relid);

/* The label of a column, or of the table (0); NULL when it has none. */
extern HzLabel *hz_label_find(const HzLabels *labels, AttrNumber attnum);

/* The same, but adds an empty one in memory when there is none. */
extern HzLabel *hz_label_get(HzLabels *labels, AttrNumber attnum);

/*
 * A label of the table changes: what relations' cache entries keep of it, and of what it hands down to partitions, is of the past. Costs of
 * plans only depend on that.
 */
extern void hz_label_changes(Oid relid);

/* Stores those that changed, removes those that became empty; ends with CommandCounterIncrement(). */
extern void hz_label_write(HzLabels *labels);

/* Reads one label's text; anything a label of a table (attnum 0) or column may not say is an error. */
extern HzLabel *hz_label_parse(const char *text, AttrNumber attnum);

/* Values within their limits, or ERRCODE_INVALID_PARAMETER_VALUE. */
extern HzCodec hz_label_codec(const char *name);
extern int hz_label_level(int level);
extern int hz_label_rows(int row_group_rows);
extern int hz_label_months(int months_ahead);

/* The text of an interval as labels hold it, whatever the session's IntervalStyle; and back. */
extern char *hz_label_interval_text(const Interval *interval);
extern Interval *hz_label_interval(const char *text);

#endif /* HZ_LABEL_H */
