/*
 * read/prune.c
 *	  Conditions against zone maps and bloom filters. See prune.h.
 */
#include "postgres.h"

#include "lib/qunique.h"
#include "miscadmin.h"

#include "read/prune.h"

/* Bloom filters are asked for so many values of one list. */
#define BLOOM_VALUES 64
#define DICTIONARY_VALUES 64

/* Sets are of so many values at most, with so many bytes. */
#define SET_VALUES 1000
#define SET_BYTES 65536

/* ---- One condition */

static int
compare_values(const void *a, const void *b, void *arg)
{
	return hz_prunevalue_compare(((HzPruneNode *) arg)->domain, a, b);
}

/* A node that bloom filters and dictionaries can be asked about: values that are equal have the same bytes. */
static bool
is_exact(const HzPruneNode *node)
{
	return node->op == HZ_PRUNE_EQUAL && node->bloom;
}

static bool
has_bytes(const HzPruneNode *node)
{
	return node->column.kind == HZ_KIND_BYTES || node->column.kind == HZ_KIND_FIXED;
}

static int
compare_bytes(const void *a, const void *b)
{
	const HzString *x = a;
	const HzString *y = b;

	return hz_bytes_order(x->data, x->length, y->data, y->length);
}

static void
make_set(HzPruneNode *node)
{
	HzString *values;
	uint32 count = 0;
	uint64 bytes = 0;

	if (!is_exact(node) || !has_bytes(node) || node->value_count < 2 ||
		node->value_count > SET_VALUES)
		return;
	values = palloc(sizeof(HzString) * node->value_count);
	for (uint32 i = 0; i < node->value_count; i++)
	{
		if (!node->values[i].hashed)
			continue;
		values[count++] = node->values[i].bytes;
		bytes += node->values[i].bytes.length;
	}
	if (count == 0 || bytes > SET_BYTES)
		return;
	qsort(values, count, sizeof(HzString), compare_bytes);
	node->set.count = (uint32) qunique(values, count, sizeof(HzString), compare_bytes);
	node->set.values = values;
}

void
hz_prune_sort_values(HzPruneNode *node)
{
	if (node->domain != HZ_PRUNE_OPAQUE)
	{
		qsort_arg(node->values, node->value_count, sizeof(HzPruneValue), compare_values, node);
		node->value_count = (uint32) qunique_arg(node->values, node->value_count,
												 sizeof(HzPruneValue), compare_values, node);
	}
	make_set(node);
}

static int
place(const HzPruneNode *node, const HzZone *zone, bool greatest, const HzPruneValue *value)
{
	return hz_prunevalue_place(node->domain, &node->column, zone, greatest, value);
}

/* The first value that is not certainly less than all of the zone. */
static uint32
first_candidate(const HzPruneNode *node, const HzZone *zone)
{
	uint32 low = 0;
	uint32 high = node->value_count;

	while (low < high)
	{
		uint32 middle = low + (high - low) / 2;

		if (place(node, zone, false, &node->values[middle]) == HZ_PRUNE_ABOVE)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether the values of a zone are among those of the node. */
static HzPruneResult
among(const HzPruneNode *node, const HzZone *zone)
{
	uint32 candidate = first_candidate(node, zone);
	int greatest;

	if (candidate == node->value_count)
		return HZ_PRUNE_NONE;
	greatest = place(node, zone, true, &node->values[candidate]);
	if (greatest == HZ_PRUNE_BELOW)
		return HZ_PRUNE_NONE;
	if (greatest == HZ_PRUNE_SAME &&
		place(node, zone, false, &node->values[candidate]) == HZ_PRUNE_SAME)
		return HZ_PRUNE_ALL;
	return HZ_PRUNE_SOME;
}

/* ALL where `places`, of a bound, lies within `all`, NONE where the other bound's lies within `none`. */
static HzPruneResult
judge(int all_places, int all, int none_places, int none)
{
	if ((none_places & ~none) == 0)
		return HZ_PRUNE_NONE;
	return (all_places & ~all) == 0 ? HZ_PRUNE_ALL : HZ_PRUNE_SOME;
}

static HzPruneResult
judge_prefix(const HzPruneNode *node, const HzZone *zone)
{
	int least = hz_prunevalue_place_prefix(zone, false, &node->values[0].bytes);
	int greatest = hz_prunevalue_place_prefix(zone, true, &node->values[0].bytes);

	if (least == HZ_PRUNE_ABOVE || greatest == HZ_PRUNE_BELOW)
		return HZ_PRUNE_NONE;
	return least == HZ_PRUNE_SAME && greatest == HZ_PRUNE_SAME ? HZ_PRUNE_ALL : HZ_PRUNE_SOME;
}

/* The answer for the values of the zone that are not null. */
static HzPruneResult
judge_values(const HzPruneNode *node, const HzZone *zone)
{
	int least;
	int greatest;

	if (node->op == HZ_PRUNE_PREFIX)
		return judge_prefix(node, zone);
	if (node->op == HZ_PRUNE_EQUAL)
		return among(node, zone);
	if (node->op == HZ_PRUNE_NOT_EQUAL)
		return (HzPruneResult) (HZ_PRUNE_ALL - among(node, zone));
	least = place(node, zone, false, &node->values[0]);
	greatest = place(node, zone, true, &node->values[0]);
	switch (node->op)
	{
		case HZ_PRUNE_LESS:
			return judge(greatest, HZ_PRUNE_BELOW, least, HZ_PRUNE_SAME | HZ_PRUNE_ABOVE);
		case HZ_PRUNE_LESS_EQUAL:
			return judge(greatest, HZ_PRUNE_BELOW | HZ_PRUNE_SAME, least, HZ_PRUNE_ABOVE);
		case HZ_PRUNE_GREATER_EQUAL:
			return judge(least, HZ_PRUNE_ABOVE | HZ_PRUNE_SAME, greatest, HZ_PRUNE_BELOW);
		case HZ_PRUNE_GREATER:
			return judge(least, HZ_PRUNE_ABOVE, greatest, HZ_PRUNE_SAME | HZ_PRUNE_BELOW);
		default:
			return HZ_PRUNE_SOME;
	}
}

/* What one condition on a column says of the rows of a zone. */
static HzPruneResult
prune_zone(const HzPruneNode *node, const HzZone *zone)
{
	HzPruneResult result = HZ_PRUNE_SOME;
	bool all_null = zone->nulls == zone->rows;

	switch (node->op)
	{
		case HZ_PRUNE_IS_NULL:
			return all_null ? HZ_PRUNE_ALL : zone->nulls == 0 ? HZ_PRUNE_NONE : HZ_PRUNE_SOME;
		case HZ_PRUNE_NOT_NULL:
			return all_null ? HZ_PRUNE_NONE : zone->nulls == 0 ? HZ_PRUNE_ALL : HZ_PRUNE_SOME;
		default:
			break;
	}
	if (all_null)
		return HZ_PRUNE_NONE;
	if (zone->has_bounds && node->domain != HZ_PRUNE_OPAQUE)
		result = judge_values(node, zone);
	return result == HZ_PRUNE_ALL && zone->nulls > 0 ? HZ_PRUNE_SOME : result;
}

/* ---- Trees */

typedef enum Level
{
	BY_ZONES,
	BY_BLOOM,
	BY_DICTIONARY,
	BY_VECTOR,
	BY_CODES
} Level;

static bool
has_dictionary(const HzPruneNode *node)
{
	return is_exact(node) && has_bytes(node) &&
		   (node->value_count <= DICTIONARY_VALUES || node->uses_set);
}

static bool
may_hold(const HzPruneNode *node, const HzPruneSource *source, Level level)
{
	bool (*ask)(void *arg, const HzPruneNode *node, const HzPruneValue *value) =
		level == BY_BLOOM        ? source->bloom
		: level == BY_DICTIONARY ? source->dictionary
								 : source->memory;

	if (level == BY_DICTIONARY && node->uses_set)
		return source->dictionary_any(source->arg, node);
	for (uint32 i = 0; i < node->value_count; i++)
	{
		if (node->values[i].hashed && ask(source->arg, node, &node->values[i]))
			return true;
	}
	return false;
}

static HzPruneResult
judge_leaf(const HzPruneNode *node, const HzPruneSource *source, Level level)
{
	HzPruneResult result;

	if (node->op == HZ_PRUNE_UNKNOWN)
		return HZ_PRUNE_SOME;
	if (node->op == HZ_PRUNE_NEVER || node->op == HZ_PRUNE_ALWAYS)
		return node->op == HZ_PRUNE_NEVER ? HZ_PRUNE_NONE : HZ_PRUNE_ALL;
	if (level != BY_ZONES && node->group != HZ_PRUNE_SOME)
		return node->group;
	if (level == BY_BLOOM)
		return !is_exact(node) || node->value_count > BLOOM_VALUES || may_hold(node, source, level)
				   ? HZ_PRUNE_SOME
				   : HZ_PRUNE_NONE;
	if (level == BY_DICTIONARY)
		return !has_dictionary(node) || may_hold(node, source, level) ? HZ_PRUNE_SOME
																	  : HZ_PRUNE_NONE;
	if (level == BY_CODES)
		return !node->uses_set || source->codes(source->arg, node) ? HZ_PRUNE_SOME : HZ_PRUNE_NONE;
	result = prune_zone(node, source->zone(source->arg, node));
	if (result == HZ_PRUNE_SOME && level == BY_VECTOR && source->memory != NULL &&
		node->value_count <= DICTIONARY_VALUES && has_dictionary(node) &&
		!may_hold(node, source, level))
		return HZ_PRUNE_NONE;
	return result == HZ_PRUNE_ALL && node->loose ? HZ_PRUNE_SOME : result;
}

static HzPruneResult judge_node(HzPruneNode *node, const HzPruneSource *source, Level level);

/* Stops where the answer is certain, but not for a group: its leaves' answers are kept for its vectors. */
static HzPruneResult
judge_children(HzPruneNode *node, const HzPruneSource *source, Level level)
{
	HzPruneResult neutral = node->op == HZ_PRUNE_AND ? HZ_PRUNE_ALL : HZ_PRUNE_NONE;
	HzPruneResult certain = node->op == HZ_PRUNE_AND ? HZ_PRUNE_NONE : HZ_PRUNE_ALL;
	HzPruneResult result = neutral;

	for (int i = 0; i < node->child_count; i++)
	{
		HzPruneResult child = judge_node(node->children[i], source, level);

		if (result == certain || child == neutral)
			continue;
		result = child == certain ? certain : HZ_PRUNE_SOME;
		if (level != BY_ZONES && result == certain)
			break;
	}
	return result;
}

static HzPruneResult
judge_node(HzPruneNode *node, const HzPruneSource *source, Level level)
{
	HzPruneResult result;

	if (node->op == HZ_PRUNE_AND || node->op == HZ_PRUNE_OR)
	{
		check_stack_depth();
		return judge_children(node, source, level);
	}
	result = judge_leaf(node, source, level);
	if (level < BY_VECTOR)
		node->group = result;
	return result;
}

static HzPruneResult
judge_quals(HzPrune *prune, const HzPruneSource *source, Level level)
{
	HzPruneResult result = HZ_PRUNE_ALL;

	prune->passing = 0;
	for (int i = 0; i < prune->count; i++)
	{
		HzPruneResult qual = judge_node(prune->quals[i], source, level);

		if (qual == HZ_PRUNE_NONE)
		{
			prune->pruner = i;
			return HZ_PRUNE_NONE;
		}
		if (qual == HZ_PRUNE_SOME && (i < prune->certain || level < BY_VECTOR))
			result = HZ_PRUNE_SOME;
		if (qual == HZ_PRUNE_ALL && i < prune->certain && i < HZ_PASSING_QUALS)
			prune->passing |= UINT64CONST(1) << i;
	}
	return result;
}

HzPruneResult
hz_prune_group(HzPrune *prune, const HzPruneSource *source)
{
	return judge_quals(prune, source, BY_ZONES);
}

HzPruneResult
hz_prune_group_bloom(HzPrune *prune, const HzPruneSource *source)
{
	return judge_quals(prune, source, BY_BLOOM);
}

HzPruneResult
hz_prune_group_dictionary(HzPrune *prune, const HzPruneSource *source)
{
	return judge_quals(prune, source, BY_DICTIONARY);
}

static bool
node_wants_dictionary(const HzPruneNode *node)
{
	for (int i = 0; i < node->child_count; i++)
	{
		if (node_wants_dictionary(node->children[i]))
			return true;
	}
	return has_dictionary(node);
}

bool
hz_prune_wants_dictionary(const HzPrune *prune)
{
	for (int i = 0; i < prune->count; i++)
	{
		if (node_wants_dictionary(prune->quals[i]))
			return true;
	}
	return false;
}

HzPruneResult
hz_prune_vector(HzPrune *prune, const HzPruneSource *source)
{
	return judge_quals(prune, source, BY_VECTOR);
}

HzPruneResult
hz_prune_codes(HzPrune *prune, const HzPruneSource *source)
{
	return judge_quals(prune, source, BY_CODES) == HZ_PRUNE_NONE ? HZ_PRUNE_NONE : HZ_PRUNE_SOME;
}

static bool
node_wants_bloom(const HzPruneNode *node, bool (*has)(void *arg, const HzPruneNode *node),
				 void *arg)
{
	for (int i = 0; i < node->child_count; i++)
	{
		if (node_wants_bloom(node->children[i], has, arg))
			return true;
	}
	return is_exact(node) && node->group == HZ_PRUNE_SOME && has(arg, node);
}

bool
hz_prune_wants_bloom(const HzPrune *prune, bool (*has)(void *arg, const HzPruneNode *node),
					 void *arg)
{
	for (int i = 0; i < prune->count; i++)
	{
		if (node_wants_bloom(prune->quals[i], has, arg))
			return true;
	}
	return false;
}

void
hz_prune_count(HzPrune *prune, uint64 groups, uint64 vectors)
{
	prune->pruned[prune->pruner].groups += groups;
	prune->pruned[prune->pruner].vectors += vectors;
}
