/*
 * read/batchprune.c
 *	  What conditions rule out of a batch scan's groups and vectors. See batchscan.h and prune.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/memutils.h"

#include "read/batchscan_internal.h"

/* What a HzPrune says of a group, beside HzPruneResult. */
#define UNJUDGED (-1)
#define RULED_OUT 16

void
hz_batchscan_set_prune(HzBatchScan *scan, HzPrune *prune)
{
	if (scan->snapshot->snapshot_type != SNAPSHOT_MVCC)
		return;
	scan->prune = prune;
	scan->judged_index = scan->looked_up_index = -1;
	for (uint32 i = 0; scan->judged != NULL && i < scan->group_count; i++)
		scan->judged[i] = UNJUDGED;
}

bool
hz_batchscan_group_has(HzBatchScan *scan, int attno)
{
	HzRowGroupMeta *meta = &scan->groups[scan->open_index]->meta;

	return attno < (int) meta->column_count && meta->columns[attno].kind != 0;
}

/* Of a column that was added after the group was written. */
static const HzZone *
missing_zone(HzBatchScan *scan, int64 index, int attno)
{
	/* of its own: no group need be open, with which it would go */
	MemoryContext context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo missing value", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	bool isnull;
	Datum value = getmissingattr(scan->desc, attno + 1, &isnull);

	hz_prunevalue_zone(&scan->types[attno], scan->groups[index]->rows, value, isnull,
					   &scan->missing);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return &scan->missing;
}

const HzZone *
hz_batchscan_missing_zone(HzBatchScan *scan, int attno)
{
	return missing_zone(scan, scan->open_index, attno);
}

static const HzKnownZone *
known_zone(HzBatchScan *scan, int64 index, int attno)
{
	HzGroup *group = scan->groups[index];
	const HzKnownZone *known = hz_zonecache_find(scan->store, group, attno);

	if (known != NULL)
		return known;
	hz_batchscan_describe_group(scan, index);
	return hz_zonecache_keep(scan->store, group, attno,
							 hz_batchscan_group_has(scan, attno) ? &group->meta.columns[attno]
																 : NULL);
}

const HzZone *
hz_batchscan_group_zone(HzBatchScan *scan, int64 index, int attno)
{
	const HzKnownZone *known = known_zone(scan, index, attno);

	return known->has ? &known->zone : missing_zone(scan, index, attno);
}

static const HzZone *
group_zone(void *arg, const HzPruneNode *node)
{
	HzBatchScan *scan = arg;

	return hz_batchscan_group_zone(scan, scan->judged_index, node->attno);
}

static const HzZone *
vector_zone(void *arg, const HzPruneNode *node)
{
	HzBatchScan *scan = arg;

	if (!hz_batchscan_group_has(scan, node->attno))
		return hz_batchscan_missing_zone(scan, node->attno);
	return hz_groupread_zone(scan->open, node->attno, scan->judged_vector);
}

static bool
has_bloom(void *arg, const HzPruneNode *node)
{
	HzBatchScan *scan = arg;
	const HzKnownZone *known = known_zone(scan, scan->judged_index, node->attno);

	return known->has && known->has_bloom;
}

static bool
ask_bloom(void *arg, const HzPruneNode *node, const HzPruneValue *value)
{
	HzBatchScan *scan = arg;

	return !has_bloom(scan, node) || hz_groupread_bloom(scan->open, node->attno, value->hash);
}

static bool
ask_dictionary(void *arg, const HzPruneNode *node, const HzPruneValue *value)
{
	HzBatchScan *scan = arg;

	return !hz_batchscan_group_has(scan, node->attno) ||
		   hz_groupread_dictionary(scan->open, node->attno, &value->bytes);
}

static bool
ask_memory(void *arg, const HzPruneNode *node, const HzPruneValue *value)
{
	HzBatchScan *scan = arg;

	return !hz_batchscan_group_has(scan, node->attno) ||
		   !hz_groupread_lacks(scan->open, node->attno, scan->judged_vector, &value->bytes);
}

static bool
ask_dictionary_any(void *arg, const HzPruneNode *node)
{
	HzBatchScan *scan = arg;

	return !hz_batchscan_group_has(scan, node->attno) ||
		   hz_groupread_dictionary_any(scan->open, node->attno, &node->set);
}

static bool
ask_codes(void *arg, const HzPruneNode *node)
{
	HzBatchScan *scan = arg;

	return !hz_batchscan_group_has(scan, node->attno) ||
		   hz_groupread_vector_any(scan->open, node->attno, scan->judged_vector, &node->set);
}

/* The answer for a group, which the nodes of the tree hold from then on. */
static HzPruneResult
judge_group(HzBatchScan *scan, int64 index)
{
	HzPruneSource source = {.zone = group_zone, .bloom = ask_bloom, .arg = scan};
	HzPruneResult result;

	scan->judged_index = index;
	result = hz_prune_group(scan->prune, &source);
	if (result == HZ_PRUNE_SOME && hz_prune_wants_bloom(scan->prune, has_bloom, scan))
	{
		hz_batchscan_open(scan, index);
		result = hz_prune_group_bloom(scan->prune, &source);
	}
	scan->judged[index] =
		result == HZ_PRUNE_NONE ? RULED_OUT + scan->prune->pruner : (int32) result;
	return result;
}

HzPruneResult
hz_batchscan_prune_group(HzBatchScan *scan, uint32 index)
{
	uint32 count;

	if (scan->prune == NULL)
		return HZ_PRUNE_SOME;
	(void) hz_batchscan_groups(scan, &count);
	Assert(index < count);
	if (scan->judged == NULL)
	{
		scan->judged = MemoryContextAlloc(scan->context, sizeof(int32) * count);
		for (uint32 i = 0; i < count; i++)
			scan->judged[i] = UNJUDGED;
	}
	if (scan->judged[index] == UNJUDGED)
		return judge_group(scan, index);
	if (scan->judged[index] < RULED_OUT)
		return (HzPruneResult) scan->judged[index];
	scan->prune->pruner = scan->judged[index] - RULED_OUT;
	return HZ_PRUNE_NONE;
}

HzPruneResult
hz_batchscan_prune_vector(HzBatchScan *scan, uint32 index, uint32 vector, uint64 *passing)
{
	HzPruneSource source = {.zone = vector_zone, .memory = ask_memory, .arg = scan};
	HzPruneResult result = hz_batchscan_prune_group(scan, index);

	*passing = result == HZ_PRUNE_ALL ? PG_UINT64_MAX : 0;
	if (scan->prune == NULL || result != HZ_PRUNE_SOME)
		return result;
	if (scan->judged_index != index)
		(void) judge_group(scan, index);
	hz_batchscan_open(scan, index);
	scan->judged_vector = vector;
	result = hz_prune_vector(scan->prune, &source);
	*passing = result == HZ_PRUNE_ALL ? PG_UINT64_MAX : scan->prune->passing;
	return result;
}

HzPruneResult
hz_batchscan_prune_codes(HzBatchScan *scan, uint32 index, uint32 vector)
{
	HzPruneSource source = {.codes = ask_codes, .arg = scan};

	if (scan->prune == NULL || !scan->prune->has_sets ||
		hz_batchscan_prune_group(scan, index) != HZ_PRUNE_SOME)
		return HZ_PRUNE_SOME;
	if (scan->judged_index != index)
		(void) judge_group(scan, index);
	hz_batchscan_open(scan, index);
	scan->judged_vector = vector;
	return hz_prune_codes(scan->prune, &source);
}

HzPruneResult
hz_batchscan_judge_dictionaries(HzBatchScan *scan)
{
	HzPruneSource source = {
		.dictionary = ask_dictionary, .dictionary_any = ask_dictionary_any, .arg = scan};
	int64 index = scan->group_index;
	HzPruneResult result;

	if (scan->prune == NULL || scan->looked_up_index == index)
		return HZ_PRUNE_SOME;
	scan->looked_up_index = index;
	if (scan->judged[index] != HZ_PRUNE_SOME || !hz_prune_wants_dictionary(scan->prune))
		return HZ_PRUNE_SOME;
	Assert(scan->judged_index == index);
	hz_batchscan_open(scan, index);
	result = hz_prune_group_dictionary(scan->prune, &source);
	if (result == HZ_PRUNE_NONE)
		scan->judged[index] = RULED_OUT + scan->prune->pruner;
	return result;
}

HzPruneResult
hz_batchscan_prune_dictionaries(HzBatchScan *scan, uint32 index)
{
	HzPruneResult result = hz_batchscan_prune_group(scan, index);

	if (result != HZ_PRUNE_SOME || scan->prune == NULL)
		return result;
	if (scan->judged_index != index)
		(void) judge_group(scan, index);
	scan->group_index = index;
	return hz_batchscan_judge_dictionaries(scan);
}
