/*
 * am/am_sample.c
 *	  ANALYZE and TABLESAMPLE.
 *
 * Both see the table as blocks: first those of the delta, then blocks that stand for slices of row
 * groups. For ANALYZE there are as many as the TOAST heap has pages, so that relation_size() is the true
 * size, and the rows of all groups are dealt out to them evenly; for TABLESAMPLE one for every 256 rows.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_internals.h"
#include "access/sysattr.h"
#include "access/tsmapi.h"
#include "catalog/indexing.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_statistic_ext.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "optimizer/optimizer.h"
#include "storage/bufmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "am/columnar_am.h"
#include "am/scandesc.h"
#include "base/compat.h"
#include "storage/rowid.h"

/*
 * ANALYZE takes a sample of 300 rows a statistics target out of all rows of as many random blocks. A block of the column
 * store stands for hundreds of rows, so of all blocks only every stride-th row is offered, which counts for as many.
 *
 * A heap's sample has pointers to long values. Here they come along, in memory that the sample keeps. Those longer than
 * LONG_VALUE are not looked at by the standard way of computing statistics, only their length is. So where nothing else is
 * computed from a column, strings are cut and values of other types replaced by a header that tells their length. The
 * others are compressed.
 */
typedef struct HzThinning
{
	uint32 stride;
	uint32 skip;   /* rows of the delta to pass over before the next is offered */
	double weight; /* rows for which each offered row of the current slice counts */
	int target;    /* the greatest statistics target that the sample has to do for */
	bool extended; /* extended statistics may be computed from any column */
	uint64 rows;   /* of the column store, deleted ones too */
	/* columns in expressions and predicates of indexes, as pull_varattnos() numbers them */
	Bitmapset *looked_at;
	bool *standard; /* of each column: its type leaves its statistics to ANALYZE */
	TupleDesc desc;
} HzThinning;

#define LONG_VALUE 1024 /* WIDTH_THRESHOLD in analyze.c */

static Datum
cut_string(Datum value, Oid type)
{
	struct varlena *string = (struct varlena *) DatumGetPointer(value);
	int length = LONG_VALUE + 8;

	if (type != BYTEAOID)
		length = pg_mbcliplen(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string), length);
	return PointerGetDatum(cstring_to_text_with_len(VARDATA_ANY(string), length));
}

/* A value that nobody may look at, as long as `value` is to toast_raw_datum_size(). */
static Datum
stand_in(Datum value)
{
	struct varlena *result = palloc0(VARHDRSZ_COMPRESSED);

	SET_VARSIZE_COMPRESSED(result, VARHDRSZ_COMPRESSED);
	TOAST_COMPRESS_SET_SIZE_AND_COMPRESS_METHOD(result, VARSIZE_ANY_EXHDR(DatumGetPointer(value)),
												TOAST_PGLZ_COMPRESSION_ID);
	return PointerGetDatum(result);
}

static bool
is_looked_at(const HzThinning *thinning, int attno)
{
	return !thinning->standard[attno] || thinning->extended ||
		   bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, thinning->looked_at) ||
		   bms_is_member(attno + 1 - FirstLowInvalidHeapAttributeNumber, thinning->looked_at);
}

static Datum
shorten_value(void *arg, int attno, Datum value)
{
	HzThinning *thinning = arg;
	Form_pg_attribute attribute = TupleDescAttr(thinning->desc, attno);
	Oid type = attribute->atttypid;
	Datum compressed;

	if (VARSIZE_ANY_EXHDR(DatumGetPointer(value)) <= LONG_VALUE + 8 ||
		VARATT_IS_EXTENDED(DatumGetPointer(value)) || attribute->attstorage == TYPSTORAGE_PLAIN)
		return value;
	if (!is_looked_at(thinning, attno))
		return type == TEXTOID || type == VARCHAROID || type == BPCHAROID || type == BYTEAOID
				   ? cut_string(value, type)
				   : stand_in(value);
	compressed = toast_compress_datum(value, TOAST_PGLZ_COMPRESSION);
	return DatumGetPointer(compressed) != NULL ? compressed : value;
}

/* Raises the target to those in column `attnum` of the tuples of a catalog that belong to `relid`; true: there are some. */
static bool
raise_target(HzThinning *thinning, Oid catalog, Oid index, AttrNumber key_attnum, Oid relid,
			 AttrNumber attnum)
{
	Relation rel = table_open(catalog, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;
	bool found = false;

	ScanKeyInit(&key, key_attnum, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, index, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool isnull;
		/* int32 to 16, int16 from 17: the width of a Datum does not matter to small numbers */
		Datum target = heap_getattr(tuple, attnum, RelationGetDescr(rel), &isnull);

		if (!isnull)
			thinning->target = Max(thinning->target, (int16) DatumGetInt32(target));
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

static void
survey_columns(HzThinning *thinning, Oid relid)
{
	(void) raise_target(thinning, AttributeRelationId, AttributeRelidNumIndexId,
						Anum_pg_attribute_attrelid, relid, Anum_pg_attribute_attstattarget);
}

/* What is computed from the sample for the table itself or for its ancestors. */
static void
survey_statistics(HzThinning *thinning, Oid relid)
{
	Relation rel = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	check_stack_depth();
	survey_columns(thinning, relid);
	if (raise_target(thinning, StatisticExtRelationId, StatisticExtRelidIndexId,
					 Anum_pg_statistic_ext_stxrelid, relid, Anum_pg_statistic_ext_stxstattarget))
		thinning->extended = true;
	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(relid));
	scan = systable_beginscan(rel, InheritsRelidSeqnoIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		survey_statistics(thinning, ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/* Expressions and predicates of indexes are computed for every row of the sample. */
static void
survey_indexes(HzThinning *thinning, Relation rel)
{
	List *oids = RelationGetIndexList(rel);
	ListCell *cell;

	foreach(cell, oids)
	{
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		pull_varattnos((Node *) RelationGetIndexExpressions(index), 1, &thinning->looked_at);
		pull_varattnos((Node *) RelationGetIndexPredicate(index), 1, &thinning->looked_at);
		survey_columns(thinning, RelationGetRelid(index));
		index_close(index, AccessShareLock);
	}
	list_free(oids);
}

static void
survey_types(HzThinning *thinning)
{
	int natts = thinning->desc->natts;

	thinning->standard = palloc0(sizeof(bool) * Max(natts, 1));
	for (int i = 0; i < natts; i++)
	{
		HeapTuple tuple =
			SearchSysCache1(TYPEOID, ObjectIdGetDatum(TupleDescAttr(thinning->desc, i)->atttypid));

		if (!HeapTupleIsValid(tuple)) /* of a dropped column */
			continue;
		thinning->standard[i] = !OidIsValid(((Form_pg_type) GETSTRUCT(tuple))->typanalyze);
		ReleaseSysCache(tuple);
	}
}

static uint64
columnar_rows(HzScanDesc *scan)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);
	uint64 rows = 0;

	for (uint32 i = 0; i < count; i++)
		rows += groups[i]->rows;
	return rows;
}

/* `blocks`: of the table, of which ANALYZE looks at as many as it wants rows. */
static void
begin_thinning(HzScanDesc *scan, uint64 blocks)
{
	Relation rel = scan->base.rs_rd;
	HzThinning *thinning = palloc0(sizeof(HzThinning));
	double sample;
	double seen;

	thinning->desc = RelationGetDescr(rel);
	thinning->target = Max(default_statistics_target, 100);
	survey_statistics(thinning, RelationGetRelid(rel));
	survey_indexes(thinning, rel);
	survey_types(thinning);
	sample = 300.0 * thinning->target;
	thinning->rows = columnar_rows(scan);
	seen = (double) thinning->rows * Min(1.0, sample / Max(blocks, 1));
	/* twice the sample is offered, if there is as much */
	thinning->stride = (uint32) Max(seen / (2 * sample), 1);
	scan->thinning = thinning;
	hz_rowscan_shorten(scan->columns, shorten_value, thinning);
}

/* ANALYZE: the rows, counted over all groups, for which block `block` of `blocks` stands. */
static void
find_share(HzScanDesc *scan, uint64 block, uint64 blocks)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);
	uint64 rows = scan->thinning->rows;
	uint64 first;

	scan->slice_left = 0;
	if (block >= blocks)
		return;
	first = (uint64) ((double) rows * block / blocks);
	scan->slice_left = (uint64) ((double) rows * (block + 1) / blocks) - first;
	scan->group_index = 0;
	while (scan->group_index < count && first >= groups[scan->group_index]->rows)
		first -= groups[scan->group_index++]->rows;
	scan->position = (uint32) first;
	scan->thinning->weight =
		(double) scan->slice_left /
		Max((scan->slice_left + scan->thinning->stride - 1) / scan->thinning->stride, 1);
}

/* TABLESAMPLE: finds slice `block` (0-based) of 256 rows; false when there is none. */
static bool
find_slice(HzScanDesc *scan, uint64 block)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);

	for (uint32 i = 0; i < count; i++)
	{
		uint64 slices = hz_rowid_blocks(groups[i]->rows);

		if (block < slices)
		{
			scan->group_index = i;
			scan->position = (uint32) block * HZ_ROWID_ROWS_PER_BLOCK;
			scan->slice_left = Min(groups[i]->rows - scan->position, HZ_ROWID_ROWS_PER_BLOCK);
			return true;
		}
		block -= slices;
	}
	return false;
}

/* Goes to a block of ANALYZE's sample; one without rows has none to give. */
static bool
analyze_block(TableScanDesc sscan, BlockNumber block, BufferAccessStrategy strategy)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	HeapScanDesc delta = (HeapScanDesc) scan->delta;

	BlockNumber blocks = RelationGetNumberOfBlocks(sscan->rs_rd);

	scan->in_columns = block >= delta->rs_nblocks;
	if (scan->thinning == NULL)
		begin_thinning(scan, blocks);
	if (scan->in_columns)
	{
		find_share(scan, block - delta->rs_nblocks, blocks - delta->rs_nblocks);
		return true;
	}
	/* as heap's own callback, whose arguments change; its next_tuple releases the buffer */
	delta->rs_cblock = block;
	delta->rs_cindex = FirstOffsetNumber;
	delta->rs_cbuf = ReadBufferExtended(sscan->rs_rd, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
	LockBuffer(delta->rs_cbuf, BUFFER_LOCK_SHARE);
	return true;
}

HZ_COMPAT_ANALYZE_NEXT_BLOCK(scan_analyze_next_block, analyze_block)

/* Heap counts rows and releases the page at its end; rows passed over are counted, too. */
static bool
analyze_delta(HzScanDesc *scan, TransactionId oldest_xmin, double *liverows, double *deadrows,
			  TupleTableSlot *slot)
{
	while (GetHeapamTableAmRoutine()->scan_analyze_next_tuple(scan->delta, oldest_xmin, liverows,
															  deadrows, slot))
	{
		if (scan->thinning->skip == 0)
		{
			scan->thinning->skip = scan->thinning->stride - 1;
			return true;
		}
		scan->thinning->skip--;
	}
	return false;
}

static bool
scan_analyze_next_tuple(TableScanDesc sscan, TransactionId OldestXmin, double *liverows,
						double *deadrows, TupleTableSlot *slot)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	uint32 stride = scan->thinning->stride;
	uint32 count;
	HzGroup **groups;

	if (!scan->in_columns)
		return analyze_delta(scan, OldestXmin, liverows, deadrows, slot);
	groups = hz_rowscan_groups(scan->columns, &count);
	while (scan->slice_left > 0 && scan->group_index < count)
	{
		CHECK_FOR_INTERRUPTS();
		if (scan->position >= groups[scan->group_index]->rows)
		{
			scan->position -= groups[scan->group_index++]->rows;
			continue;
		}
		scan->slice_left -= Min(scan->slice_left, stride);
		scan->position += stride;
		if (hz_rowscan_fetch(scan->columns, scan->group_index, scan->position - stride, slot))
		{
			*liverows += scan->thinning->weight;
			return true;
		}
		*deadrows += scan->thinning->weight;
	}
	ExecClearTuple(slot);
	return false;
}

static uint64
sample_slices(HzScanDesc *scan)
{
	uint32 count;
	HzGroup **groups = hz_rowscan_groups(scan->columns, &count);
	uint64 slices = 0;

	for (uint32 i = 0; i < count; i++)
		slices += hz_rowid_blocks(groups[i]->rows);
	return slices;
}

static bool
scan_sample_next_block(TableScanDesc sscan, SampleScanState *state)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;
	HeapScanDesc delta = (HeapScanDesc) scan->delta;
	uint64 total = delta->rs_nblocks + sample_slices(scan);
	BlockNumber block;

	if (total == 0)
		return false;
	if (state->tsmroutine->NextSampleBlock)
		block = state->tsmroutine->NextSampleBlock(state, (BlockNumber) Min(total, MaxBlockNumber));
	else
		block = scan->sample_block == InvalidBlockNumber ? 0 : scan->sample_block + 1;
	if (!BlockNumberIsValid(block) || block >= total)
	{
		if (BufferIsValid(delta->rs_cbuf))
			ReleaseBuffer(delta->rs_cbuf);
		delta->rs_cbuf = InvalidBuffer;
		scan->sample_block = InvalidBlockNumber;
		return false;
	}
	scan->sample_block = block;
	scan->in_columns = block >= delta->rs_nblocks;
	if (scan->in_columns)
		return find_slice(scan, block - delta->rs_nblocks);
	hz_compat_heap_read_page(scan->delta, block);
	return true;
}

/* Whether the tuple is one that reading the page has found visible. */
static bool
page_tuple_visible(HeapScanDesc delta, OffsetNumber offset)
{
	int low = 0;
	int high = delta->rs_ntuples - 1;

	while (low <= high)
	{
		int middle = (low + high) / 2;

		if (delta->rs_vistuples[middle] == offset)
			return true;
		if (delta->rs_vistuples[middle] < offset)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return false;
}

static bool
sample_next_delta(HzScanDesc *scan, SampleScanState *state, TupleTableSlot *slot)
{
	HeapScanDesc delta = (HeapScanDesc) scan->delta;
	Page page = BufferGetPage(delta->rs_cbuf);
	OffsetNumber most = PageGetMaxOffsetNumber(page);

	for (;;)
	{
		OffsetNumber offset = state->tsmroutine->NextSampleTuple(state, scan->sample_block, most);
		HeapTuple tuple = &delta->rs_ctup;
		ItemId item;

		CHECK_FOR_INTERRUPTS();
		if (!OffsetNumberIsValid(offset))
			return false;
		item = PageGetItemId(page, offset);
		if (!ItemIdIsNormal(item) || !page_tuple_visible(delta, offset))
			continue;
		tuple->t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple->t_len = ItemIdGetLength(item);
		tuple->t_tableOid = RelationGetRelid(scan->base.rs_rd);
		ItemPointerSet(&tuple->t_self, scan->sample_block, offset);
		ExecStoreBufferHeapTuple(tuple, slot, delta->rs_cbuf);
		return true;
	}
}

static bool
scan_sample_next_tuple(TableScanDesc sscan, SampleScanState *state, TupleTableSlot *slot)
{
	HzScanDesc *scan = (HzScanDesc *) sscan;

	if (!scan->in_columns)
	{
		if (sample_next_delta(scan, state, slot))
			return true;
		ExecClearTuple(slot);
		return false;
	}
	for (;;)
	{
		OffsetNumber offset = state->tsmroutine->NextSampleTuple(state, scan->sample_block,
																 (OffsetNumber) scan->slice_left);

		CHECK_FOR_INTERRUPTS();
		if (!OffsetNumberIsValid(offset))
			break;
		if (hz_rowscan_fetch(scan->columns, scan->group_index, scan->position + offset - 1, slot))
			return true;
	}
	ExecClearTuple(slot);
	return false;
}

void
hz_am_sample_callbacks(TableAmRoutine *routine)
{
	routine->scan_analyze_next_block = scan_analyze_next_block;
	routine->scan_analyze_next_tuple = scan_analyze_next_tuple;
	routine->scan_sample_next_block = scan_sample_next_block;
	routine->scan_sample_next_tuple = scan_sample_next_tuple;
}
