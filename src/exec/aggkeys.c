/*
 * exec/aggkeys.c
 *	  See aggkeys.h.
 */
#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "exec/aggkeys.h"
#include "exec/scannode.h"
#include "exec/scanstate.h"

bool hz_enable_join_pruning = true;

/* column = ANY (the keys that a lookup has), or NULL. */
static Expr *
key_condition(const HzAggLeaf *leaf, int attno, const HzAggLookup *lookup, int key)
{
	Form_pg_attribute attribute = TupleDescAttr(leaf->desc, attno);
	int own = list_nth_int(lookup->own_keys, key) - 1;
	Oid type = TupleDescAttr(ExecGetResultType(lookup->ps), own)->atttypid;
	TypeCacheEntry *cache = lookup_type_cache(type, TYPECACHE_EQ_OPR);
	ScalarArrayOpExpr *condition;

	/* the join compares values of one type by its own equality, under collations that go by bytes */
	if (attribute->atttypid != type || !OidIsValid(cache->eq_opr) ||
		!OidIsValid(get_array_type(type)))
		return NULL;
	condition = makeNode(ScalarArrayOpExpr);
	condition->opno = cache->eq_opr;
	condition->opfuncid = get_opcode(cache->eq_opr);
	condition->useOr = true;
	condition->inputcollid = cache->typcollation;
	condition->location = -1;
	condition->args =
		list_make2(makeVar((int) ((Scan *) leaf->ps->plan)->scanrelid, (AttrNumber) (attno + 1),
						   type, attribute->atttypmod, attribute->attcollation, 0),
				   makeConst(get_array_type(type), -1, cache->typcollation, -1,
							 lookup->key_arrays[key], false, false));
	return (Expr *) condition;
}

static List *
key_conditions(const HzAggLeaf *leaf)
{
	const int *attnos = leaf->lookup_keys;
	List *conditions = NIL;

	for (int i = 0; i < leaf->lookups->count; i++)
	{
		const HzAggLookup *lookup = &leaf->lookups->lookups[i];
		int keys = list_length(lookup->own_keys);

		for (int k = 0; k < keys && lookup->key_arrays != NULL && hz_agglookup_must_find(lookup);
			 k++)
		{
			Expr *condition = key_condition(leaf, attnos[k], lookup, k);

			if (condition != NULL)
				conditions = lappend(conditions, condition);
		}
		attnos += keys;
	}
	return conditions;
}

void
hz_aggkeys_begin(HzAggLeaf *leaf)
{
	HzScanNode *scan = leaf->scan;
	List *conditions;
	HzPruneCompile *compiled;

	if (!hz_enable_pruning || !hz_enable_join_pruning || scan == NULL || leaf->lookups == NULL)
		return;
	conditions = key_conditions(leaf);
	if (conditions == NIL)
		return;
	compiled = hz_prunecompile(list_concat(list_copy(leaf->ps->plan->qual), conditions),
							   scan->css.ss.ss_currentRelation,
							   ((Scan *) leaf->ps->plan)->scanrelid, leaf->ps);
	if (compiled == NULL)
		return;
	hz_prunecompile_tree(compiled)->certain = list_length(leaf->ps->plan->qual);
	leaf->own_prune = scan->prune;
	leaf->prunes_keys = true;
	scan->prune = compiled;
}

void
hz_aggkeys_end(HzAggLeaf *leaf)
{
	HzScanNode *scan = leaf->scan;
	const HzPrune *prune;
	HzPrune *own;

	if (!leaf->prunes_keys)
		return;
	leaf->prunes_keys = false;
	prune = hz_prunecompile_tree(scan->prune);
	own = leaf->own_prune != NULL ? hz_prunecompile_tree(leaf->own_prune) : NULL;
	for (int i = 0; i < prune->count; i++)
	{
		HzPruneCount *count = own != NULL && i < own->count ? &own->pruned[i] : &scan->join_pruned;

		count->groups += prune->pruned[i].groups;
		count->vectors += prune->pruned[i].vectors;
	}
	scan->prune = leaf->own_prune;
	/* the conditions go with the leaf */
	if (scan->batches != NULL)
		hz_batchscan_set_prune(scan->batches, NULL);
}
