/*
 * read/batchscan.c
 *	  Walks row groups vector by vector. See batchscan.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/memutils.h"

#include "base/bitmap.h"
#include "read/batchscan_internal.h"
#include "storage/mark.h"

#define SINGLE_VALUES 8 /* of a vector: so few are read one by one, without decoding the others */
#define RUN_VECTORS 8   /* vectors that a process of a parallel scan takes at once */
#define KEPT_PART 4     /* groups of which at most this part of the vectors was read stay open */

static uint32
vectors_of(const HzGroup *group)
{
	return (group->rows + HZ_VECTOR_ROWS - 1) / HZ_VECTOR_ROWS;
}

HzBatchScan *
hz_batchscan_begin(Relation rel, Snapshot snapshot, HzBatchShared *shared)
{
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo batch scan", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzBatchScan *scan = palloc0(sizeof(HzBatchScan));
	static uint64 scans = 0;

	scan->number = ++scans;
	scan->rel = rel;
	scan->snapshot = snapshot;
	scan->shared = shared;
	scan->context = context;
	scan->group_context =
		AllocSetContextCreate(context, "hanzo open group", ALLOCSET_DEFAULT_SIZES);
	scan->batch_context = AllocSetContextCreate(context, "hanzo batch", ALLOCSET_DEFAULT_SIZES);
	scan->store = hz_store_open(rel, AccessShareLock);
	scan->desc = RelationGetDescr(rel);
	scan->types = hz_coltype_for(scan->desc);
	scan->open_index = scan->judged_index = scan->looked_up_index = -1;
	MemoryContextSwitchTo(old);
	hz_batchscan_rescan(scan);
	return scan;
}

void
hz_batchscan_use_desc(HzBatchScan *scan, TupleDesc desc)
{
	MemoryContext old = MemoryContextSwitchTo(scan->context);

	Assert(scan->open_index < 0);
	scan->desc = desc;
	scan->types = hz_coltype_for(desc);
	MemoryContextSwitchTo(old);
}

static void
close_group(HzBatchScan *scan)
{
	/* for the next scan, if little of it was read: bounds, filters and dictionaries mostly; a process of a parallel scan reads parts */
	if (scan->entry != NULL)
		hz_groupcache_give(scan->entry, scan->number,
						   scan->shared == NULL &&
							   scan->vectors_read * KEPT_PART <= vectors_of(scan->entry->group));
	else if (scan->open != NULL)
		hz_groupread_close(scan->open);
	scan->entry = NULL;
	scan->vectors_read = 0;
	/* the description goes with the context: those of all groups would be too much */
	if (scan->open_index >= 0)
		scan->groups[scan->open_index]->described = false;
	scan->open = NULL;
	scan->open_index = -1;
	scan->deleted = NULL;
	scan->deleted_read = false;
	MemoryContextReset(scan->group_context);
}

void
hz_batchscan_rescan(HzBatchScan *scan)
{
	close_group(scan);
	scan->top_index = -1;
	MemoryContextReset(scan->batch_context);
	/* what such a snapshot sees changes with time: logical apply scans again to find where a row went */
	if (scan->snapshot->snapshot_type != SNAPSHOT_MVCC)
		scan->directory_read = false;
	scan->group_index = 0;
	scan->vector = -1;
	scan->run_left = 0;
}

void
hz_batchscan_end(HzBatchScan *scan)
{
	close_group(scan);
	hz_store_close(scan->store);
	if (scan->strategy != NULL)
		FreeAccessStrategy(scan->strategy);
	MemoryContextDelete(scan->context);
}

/* SnapshotAny: directory tuples that are dead to all may have outlived their groups' bytes. */
static void
drop_dead_groups(HzBatchScan *scan)
{
	TransactionId horizon = GetOldestNonRemovableTransactionId(scan->rel);
	uint32 kept = 0;

	for (uint32 i = 0; i < scan->group_count; i++)
	{
		if (hz_directory_state(scan->store, scan->groups[i], horizon) != HEAPTUPLE_DEAD)
			scan->groups[kept++] = scan->groups[i];
	}
	scan->group_count = kept;
}

HzGroup **
hz_batchscan_groups(HzBatchScan *scan, uint32 *count)
{
	if (!scan->directory_read)
	{
		MemoryContext old = MemoryContextSwitchTo(scan->context);

		scan->groups = hz_directory_read(scan->store, scan->snapshot, &scan->group_count);
		if (scan->snapshot->snapshot_type == SNAPSHOT_ANY)
			drop_dead_groups(scan);
		scan->vector_total = 0;
		for (uint32 i = 0; i < scan->group_count; i++)
			scan->vector_total += vectors_of(scan->groups[i]);
		/* as heap scans do: a ring only for what would crowd others out of shared buffers */
		if (scan->group_count > 0 && scan->strategy == NULL &&
			RelationGetNumberOfBlocks(scan->store->toast) > (BlockNumber) NBuffers / 4)
			scan->strategy = GetAccessStrategy(BAS_BULKREAD);
		scan->directory_read = true;
		MemoryContextSwitchTo(old);
	}
	*count = scan->group_count;
	return scan->groups;
}

/* Reads which rows of the open group the snapshot sees as deleted. */
static void
read_deleted(HzBatchScan *scan)
{
	HzGroup *group = scan->groups[scan->open_index];
	MemoryContext old;
	uint64 *deleted;

	if (scan->deleted_read)
		return;
	scan->deleted_read = true;
	/* Dirty: a delete in progress is none yet, see hz_batchscan_dirty_visible() */
	if (scan->snapshot->snapshot_type == SNAPSHOT_ANY ||
		scan->snapshot->snapshot_type == SNAPSHOT_NON_VACUUMABLE ||
		scan->snapshot->snapshot_type == SNAPSHOT_DIRTY)
		return;
	old = MemoryContextSwitchTo(scan->group_context);
	deleted = palloc0(HZ_BITMAP_WORDS(group->rows) * sizeof(uint64));
	if (hz_mark_deleted_rows(scan->store, group, scan->snapshot, deleted) > 0)
		scan->deleted = deleted;
	else
		pfree(deleted);
	MemoryContextSwitchTo(old);
}

/* Makes a group the current one. */
static void
choose_group(HzBatchScan *scan, int64 index)
{
	if (scan->open_index == index)
		return;
	close_group(scan);
	scan->open_index = index;
}

void
hz_batchscan_describe_group(HzBatchScan *scan, int64 index)
{
	MemoryContext old;

	choose_group(scan, index);
	if (scan->groups[index]->described)
		return;
	old = MemoryContextSwitchTo(scan->group_context);
	hz_groupread_describe(scan->store, scan->groups[index]);
	MemoryContextSwitchTo(old);
}

/* Takes the group out of the cache, with its description. */
static void
take_group(HzBatchScan *scan)
{
	HzGroup *group = scan->groups[scan->open_index];

	/* others may know the relation by another description */
	if (scan->snapshot->snapshot_type != SNAPSHOT_MVCC || scan->desc != RelationGetDescr(scan->rel))
		return;
	scan->entry = hz_groupcache_take(scan->store, group, scan->strategy, scan->context);
	if (scan->entry == NULL)
		return;
	scan->open = scan->entry->reader;
	group->meta = scan->entry->group->meta;
	group->described = true;
}

void
hz_batchscan_open(HzBatchScan *scan, int64 index)
{
	MemoryContext old;

	choose_group(scan, index);
	if (scan->open == NULL)
		take_group(scan);
	if (scan->open != NULL)
		return;
	hz_batchscan_describe_group(scan, index);
	old = MemoryContextSwitchTo(scan->group_context);
	scan->open = hz_groupread_open(scan->store, scan->groups[index], scan->types, scan->desc->natts,
								   scan->strategy);
	if (scan->snapshot->snapshot_type == SNAPSHOT_ANY)
		hz_groupread_set_fleeting(scan->open);
	MemoryContextSwitchTo(old);
}

/* ---- The first rows of an order */

static HzTopKey
group_key(HzBatchScan *scan, int64 index)
{
	HzTopColumn *top = scan->top;
	GroupKey *known = &scan->top_keys[index];

	if (known->group != NULL)
		return known->key;
	known->group = scan->groups[index];
	known->key = hz_topbound_zone_key(top->bound, &scan->types[top->attno],
									  hz_batchscan_group_zone(scan, index, top->attno));
	return known->key;
}

static int
compare_group_keys(const void *a, const void *b)
{
	const GroupKey *x = a;
	const GroupKey *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->group->number > y->group->number) - (x->group->number < y->group->number);
}

/* Puts the groups that may have the least keys first: they make for a bound that the others do not reach. */
static void
order_groups(HzBatchScan *scan)
{
	for (uint32 i = 0; i < scan->group_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) group_key(scan, i);
	}
	close_group(scan);
	qsort(scan->top_keys, scan->group_count, sizeof(GroupKey), compare_group_keys);
	for (uint32 i = 0; i < scan->group_count; i++)
		scan->groups[i] = scan->top_keys[i].group;
	scan->top_ordered = true;
	scan->top_index = -1;
	hz_batchscan_set_prune(scan, scan->prune);
}

void
hz_batchscan_set_top(HzBatchScan *scan, HzTopColumn *top)
{
	uint32 count;

	if (scan->snapshot->snapshot_type != SNAPSHOT_MVCC)
		return;
	(void) hz_batchscan_groups(scan, &count);
	scan->top = count > 0 ? top : NULL;
	if (scan->top == NULL)
		return;
	if (scan->top_keys == NULL)
		scan->top_keys = MemoryContextAllocExtended(scan->context, sizeof(GroupKey) * count,
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	if (scan->shared == NULL && !scan->top_ordered && count > 1)
		order_groups(scan);
}

static HzTopKey
vector_key(HzBatchScan *scan, uint32 vector)
{
	HzTopColumn *top = scan->top;
	const HzZone *zone = hz_batchscan_group_has(scan, top->attno)
							 ? hz_groupread_zone(scan->open, top->attno, vector)
							 : hz_batchscan_missing_zone(scan, top->attno);

	return hz_topbound_zone_key(top->bound, &scan->types[top->attno], zone);
}

static int
compare_vector_keys(const void *a, const void *b)
{
	const VectorKey *x = a;
	const VectorKey *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->vector > y->vector) - (x->vector < y->vector);
}

/* Likewise the vectors of the group that the scan enters. */
static void
order_vectors(HzBatchScan *scan)
{
	uint32 count = vectors_of(scan->groups[scan->group_index]);

	if (scan->top == NULL || scan->shared != NULL || scan->top_index == scan->group_index)
		return;
	hz_batchscan_open(scan, scan->group_index);
	for (uint32 v = 0; v < count; v++)
		scan->top_vectors[v] = (VectorKey){.key = vector_key(scan, v), .vector = v};
	qsort(scan->top_vectors, count, sizeof(VectorKey), compare_vector_keys);
	scan->top_index = scan->group_index;
}

/* The vector at the position. */
static uint32
current_vector(const HzBatchScan *scan)
{
	return scan->top_index == scan->group_index ? scan->top_vectors[scan->vector].vector
												: (uint32) scan->vector;
}

/* Whether there is a bound already: until then, nothing need be opened. */
static bool
is_bounded(const HzBatchScan *scan)
{
	return scan->top != NULL && hz_topbound_beats(scan->top->bound, HZ_TOPBOUND_LAST);
}

static bool
beaten(const HzBatchScan *scan, HzTopKey key)
{
	return hz_topbound_beats(scan->top->bound, key);
}

/* Makes the position the current batch. */
static HzBatch *
current_batch(HzBatchScan *scan)
{
	HzBatch *batch = &scan->batch;

	CHECK_FOR_INTERRUPTS();
	hz_batchscan_open(scan, scan->group_index);
	scan->vector_read = false;
	read_deleted(scan);
	MemoryContextReset(scan->batch_context);
	batch->group = scan->groups[scan->group_index];
	batch->index = (uint32) scan->group_index;
	batch->vector = current_vector(scan);
	batch->first = batch->vector * HZ_VECTOR_ROWS;
	batch->rows = Min(batch->group->rows - batch->first, HZ_VECTOR_ROWS);
	batch->live = batch->rows;
	batch->all_pass = false;
	batch->passing = 0;
	batch->deleted = NULL;
	if (scan->deleted != NULL)
	{
		batch->deleted = scan->deleted + batch->first / 64;
		batch->live -= (uint32) hz_bitmap_count(batch->deleted, batch->rows);
	}
	return batch;
}

/* Parallel: moves the position to the first vector of the next run; false at the end. */
static bool
take_run(HzBatchScan *scan)
{
	uint64 first = pg_atomic_fetch_add_u64(&scan->shared->next_run, 1) * RUN_VECTORS;

	if (first >= scan->vector_total)
		return false;
	scan->run_left = RUN_VECTORS;
	scan->group_index = 0;
	while (first >= vectors_of(scan->groups[scan->group_index]))
		first -= vectors_of(scan->groups[scan->group_index++]);
	scan->vector = (int64) first - 1;
	return true;
}

static bool
step_forward(HzBatchScan *scan)
{
	if (scan->shared != NULL && scan->run_left == 0 && !take_run(scan))
		return false;
	scan->run_left--;
	scan->vector++;
	while (scan->group_index < (int64) scan->group_count &&
		   scan->vector >= (int64) vectors_of(scan->groups[scan->group_index]))
	{
		scan->group_index++;
		scan->vector = 0;
	}
	return scan->group_index < (int64) scan->group_count;
}

/* SnapshotAny: a group that has become dead to all since the directory was read must not even be opened. */
static bool
skip_dead_group(HzBatchScan *scan)
{
	if (scan->snapshot->snapshot_type != SNAPSHOT_ANY ||
		(scan->open != NULL && scan->open_index == scan->group_index) ||
		hz_directory_state(scan->store, scan->groups[scan->group_index],
						   GetOldestNonRemovableTransactionId(scan->rel)) != HEAPTUPLE_DEAD)
		return false;
	scan->vector = (int64) vectors_of(scan->groups[scan->group_index]) - 1;
	return true;
}

static bool
step_backward(HzBatchScan *scan)
{
	scan->vector--;
	while (scan->vector < 0)
	{
		if (scan->group_index == 0)
			return false;
		scan->group_index--;
		scan->vector = (int64) vectors_of(scan->groups[scan->group_index]) - 1;
	}
	return true;
}

/*
 * Passes over the group at the position, or what is left of the run in it, but for one vector: the position itself.
 * Returns how many vectors it was.
 */
static int64
pass_group(HzBatchScan *scan, bool forward)
{
	int64 skip = (int64) vectors_of(scan->groups[scan->group_index]) - 1 - scan->vector;

	if (!forward)
	{
		skip = scan->vector;
		scan->vector = 0;
		return skip + 1;
	}
	if (scan->shared != NULL)
	{
		skip = Min(skip, scan->run_left);
		scan->run_left -= skip;
	}
	scan->vector += skip;
	return skip + 1;
}

/* Whether the position is the first vector of its group, where the group counts: processes of a parallel scan count it once. */
static bool
enters_group(const HzBatchScan *scan, bool forward)
{
	return scan->vector == (forward ? 0 : (int64) vectors_of(scan->groups[scan->group_index]) - 1);
}

/* Whether the conditions rule out the group at the position; if so, moves over it. */
static bool
skip_pruned_group(HzBatchScan *scan, bool forward)
{
	if (scan->prune == NULL)
		return false;
	CHECK_FOR_INTERRUPTS();
	if (hz_batchscan_prune_group(scan, (uint32) scan->group_index) != HZ_PRUNE_NONE)
		return false;
	hz_prune_count(scan->prune, enters_group(scan, forward), 0);
	(void) pass_group(scan, forward);
	return true;
}

/* Whether they rule out the vector at the position. */
static bool
skip_pruned_vector(HzBatchScan *scan, bool *all_pass, uint64 *passing)
{
	HzPruneResult result;

	*all_pass = false;
	*passing = 0;
	if (scan->prune == NULL)
		return false;
	result =
		hz_batchscan_prune_vector(scan, (uint32) scan->group_index, current_vector(scan), passing);
	if (result == HZ_PRUNE_NONE)
		hz_prune_count(scan->prune, 0, 1);
	*all_pass = result == HZ_PRUNE_ALL;
	return result == HZ_PRUNE_NONE;
}

/* Whether its codes rule it out. */
static bool
skip_by_codes(HzBatchScan *scan)
{
	if (hz_batchscan_prune_codes(scan, (uint32) scan->group_index, current_vector(scan)) !=
		HZ_PRUNE_NONE)
		return false;
	hz_prune_count(scan->prune, 0, 1);
	return true;
}

/* Whether dictionaries rule out what is left of the group at the position; if so, moves over it. */
static bool
skip_looked_up(HzBatchScan *scan, bool forward)
{
	bool whole;
	int64 vectors;

	if (hz_batchscan_judge_dictionaries(scan) != HZ_PRUNE_NONE)
		return false;
	whole = enters_group(scan, forward);
	vectors = pass_group(scan, forward);
	hz_prune_count(scan->prune, whole, whole ? 0 : vectors);
	return true;
}

/* Whether the bound beats all of the group at the position; if so, moves over what is left of it. */
static bool
skip_beaten_group(HzBatchScan *scan)
{
	bool whole;
	int64 vectors;

	if (!is_bounded(scan) || !beaten(scan, group_key(scan, scan->group_index)))
		return false;
	CHECK_FOR_INTERRUPTS();
	whole = enters_group(scan, true);
	vectors = pass_group(scan, true);
	/* a parallel scan meets groups in runs: the rest of one that has counted counts as vectors */
	scan->top->skipped.groups += whole;
	scan->top->skipped.vectors += whole ? 0 : vectors;
	return true;
}

/* The same of the vector. */
static bool
skip_beaten_vector(HzBatchScan *scan)
{
	if (!is_bounded(scan))
		return false;
	hz_batchscan_open(scan, scan->group_index);
	if (!beaten(scan, vector_key(scan, current_vector(scan))))
		return false;
	scan->top->skipped.vectors++;
	return true;
}

HzBatch *
hz_batchscan_next(HzBatchScan *scan)
{
	uint32 count;

	(void) hz_batchscan_groups(scan, &count);
	while (count > 0 && step_forward(scan))
	{
		HzBatch *batch;
		bool all_pass;
		uint64 passing;

		if (skip_dead_group(scan) || skip_beaten_group(scan) || skip_pruned_group(scan, true))
			continue;
		order_vectors(scan);
		if (skip_pruned_vector(scan, &all_pass, &passing) || skip_beaten_vector(scan) ||
			(!all_pass && (skip_looked_up(scan, true) || skip_by_codes(scan))))
			continue;
		batch = current_batch(scan);
		batch->all_pass = all_pass;
		batch->passing = passing;
		if (batch->live > 0)
			return batch;
	}
	return NULL;
}

HzBatch *
hz_batchscan_previous(HzBatchScan *scan)
{
	uint32 count;

	(void) hz_batchscan_groups(scan, &count);
	while (count > 0 && step_backward(scan))
	{
		HzBatch *batch;
		bool all_pass;
		uint64 passing;

		if (skip_pruned_group(scan, false) || skip_pruned_vector(scan, &all_pass, &passing) ||
			(!all_pass && (skip_looked_up(scan, false) || skip_by_codes(scan))))
			continue;
		batch = current_batch(scan);
		batch->all_pass = all_pass;
		batch->passing = passing;
		if (batch->live > 0)
			return batch;
	}
	return NULL;
}

HzBatch *
hz_batchscan_seek(HzBatchScan *scan, uint32 index, uint32 vector)
{
	scan->group_index = index;
	scan->vector = vector;
	scan->top_index = -1;
	return current_batch(scan);
}

HzGroupReader *
hz_batchscan_open_group(HzBatchScan *scan, uint32 index, const uint64 **deleted)
{
	CHECK_FOR_INTERRUPTS();
	hz_batchscan_open(scan, index);
	scan->vectors_read = vectors_of(scan->groups[index]);
	read_deleted(scan);
	*deleted = scan->deleted;
	return scan->open;
}

HzGroup *
hz_batchscan_describe(HzBatchScan *scan, uint32 index)
{
	hz_batchscan_describe_group(scan, index);
	return scan->groups[index];
}

const uint64 *
hz_batchscan_deleted(HzBatchScan *scan, uint32 index)
{
	choose_group(scan, index);
	read_deleted(scan);
	return scan->deleted;
}

void
hz_batchscan_to_end(HzBatchScan *scan)
{
	uint32 count;

	(void) hz_batchscan_groups(scan, &count);
	scan->group_index = count;
	scan->vector = 0;
}

static void
count_vector(HzBatchScan *scan)
{
	scan->vectors_read += !scan->vector_read;
	scan->vector_read = true;
}

bool
hz_batchscan_column(HzBatchScan *scan, int attno, HzVector *vector)
{
	if (!hz_groupread_has(scan->open, attno))
		return false;
	count_vector(scan);
	hz_groupread_vector(scan->open, attno, scan->batch.vector, vector);
	return true;
}

bool
hz_batchscan_lengths(HzBatchScan *scan, int attno, HzVector *vector)
{
	return hz_groupread_has(scan->open, attno) &&
		   hz_groupread_lengths(scan->open, attno, scan->batch.vector, vector);
}

bool
hz_batchscan_match(HzBatchScan *scan, int attno, const HzString *value, uint8 *mask)
{
	bool plain;

	if (!hz_groupread_has(scan->open, attno) ||
		!hz_groupread_match(scan->open, attno, scan->batch.vector, value, mask, &plain))
		return false;
	if (plain)
		count_vector(scan);
	return true;
}

bool
hz_batchscan_datums(HzBatchScan *scan, int attno, const uint16 *at, uint32 count, Datum *values,
					bool *isnull)
{
	MemoryContext old = MemoryContextSwitchTo(scan->batch_context);
	bool there = true;

	count_vector(scan);
	if (at != NULL && count <= SINGLE_VALUES)
	{
		for (uint32 i = 0; i < count; i++)
			values[at[i]] = hz_groupread_datum(scan->open, scan->desc, attno,
											   scan->batch.first + at[i], &isnull[at[i]]);
	}
	else
		there = hz_groupread_datums(scan->open, scan->desc, attno, scan->batch.vector, at,
									at != NULL ? count : scan->batch.rows, values, isnull);
	MemoryContextSwitchTo(old);
	return there;
}

bool
hz_batchscan_dirty_visible(HzBatchScan *scan, uint32 i)
{
	Snapshot snapshot = scan->snapshot;
	HzGroup *group = scan->batch.group;

	snapshot->xmin = snapshot->xmax = InvalidTransactionId;
	snapshot->speculativeToken = 0;
	if ((group->infomask & HEAP_XMIN_COMMITTED) == 0 &&
		!TransactionIdIsCurrentTransactionId(group->raw_xmin) &&
		TransactionIdIsInProgress(group->raw_xmin))
		snapshot->xmin = group->raw_xmin;
	return hz_mark_row_visible(scan->store, group, scan->batch.first + i, snapshot);
}
