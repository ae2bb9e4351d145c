/*
 * exec/aggleaf.c
 *	  Batches for ColumnarAgg. See aggleaf.h.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/heapam.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "pgstat.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/bitmap.h"
#include "base/compat.h"
#include "exec/aggkeys.h"
#include "exec/aggleaf.h"
#include "exec/scannode.h"
#include "expr/compile.h"

#define BATCH_BYTES \
	((Size) 8 * 1024 * 1024) /* of long values, as they are when read, in a batch of rows */

/* ---- Columns of the current batch */

static void
load_rows_column(HzAggLeaf *leaf, int attno, HzVector *vector)
{
	MemoryContext old = MemoryContextSwitchTo(leaf->row_context);

	hz_vexpr_from_datums(&leaf->types[attno], leaf->values[attno], leaf->isnull[attno], leaf->rows,
						 vector);
	MemoryContextSwitchTo(old);
}

static const HzVector *
get_column(void *arg, int attno)
{
	HzAggLeaf *leaf = arg;
	HzVector *vector = &leaf->vectors[attno];

	if (attno >= leaf->desc->natts)
		return hz_agglookup_get(leaf->lookups, leaf->probes, leaf->lookup_keys, get_column, leaf,
								leaf->rows, &leaf->work->joining, attno - leaf->desc->natts);
	if (!leaf->from_rows)
		return hz_batchcolumns_get(&leaf->columns_of_scan, attno);
	if (!leaf->loaded[attno])
		load_rows_column(leaf, attno, vector);
	leaf->loaded[attno] = true;
	return vector;
}

static const HzVector *
get_lengths(void *arg, int attno)
{
	HzAggLeaf *leaf = arg;

	return leaf->from_rows || attno >= leaf->desc->natts
			   ? NULL
			   : hz_batchcolumns_lengths(&leaf->columns_of_scan, attno);
}

static bool
match(void *arg, int attno, const uint8_t *data, size_t length, uint8_t *mask)
{
	HzAggLeaf *leaf = arg;

	return !leaf->from_rows && attno < leaf->desc->natts &&
		   hz_batchcolumns_match(&leaf->columns_of_scan, attno, data, length, mask);
}

/* What was known of dictionaries is not true any more. */
static void
begin_group(HzAggLeaf *leaf, HzAggWork *work)
{
	hz_eval_group(leaf->eval);
	hz_aggregator_forget_codes(&work->aggregator);
	if (leaf->lookups != NULL)
		hz_agglookup_begin(leaf->lookups, leaf->probes, true);
}

static void
begin_batch(HzAggLeaf *leaf, uint32 rows, bool from_rows)
{
	leaf->from_rows = from_rows;
	leaf->rows = rows;
	if (leaf->lookups != NULL)
		hz_agglookup_begin(leaf->lookups, leaf->probes, false);
	if (!from_rows)
	{
		leaf->columns_of_scan.batches = leaf->scan->batches;
		hz_batchcolumns_begin(&leaf->columns_of_scan, rows);
		return;
	}
	for (int i = 0; i < leaf->column_count; i++)
		leaf->loaded[leaf->columns[i]] = false;
}

/* ---- Making one */

/* Compiles a list with NULL entries; false: one of them cannot be. */
static bool
compile_list(const HzCompileInput *input, List *exprs, HzVexpr ***compiled, Bitmapset **columns,
			 bool *threadable)
{
	HzVexpr **result = palloc0(sizeof(HzVexpr *) * Max(list_length(exprs), 1));
	ListCell *cell;

	foreach(cell, exprs)
	{
		HzVexpr *vexpr;

		if (lfirst(cell) == NULL)
			continue;
		vexpr = hz_compile(input, lfirst(cell), true);
		if (vexpr == NULL)
			return false;
		result[foreach_current_index(cell)] = vexpr;
		*columns = bms_add_members(*columns, hz_vexpr_columns(vexpr));
		*threadable = *threadable && hz_vexpr_threadable(vexpr);
	}
	*compiled = result;
	return true;
}

static bool
compile_filters(HzAggLeaf *leaf, const HzCompileInput *input, Bitmapset **columns)
{
	List *rest = NIL;
	List *quals = hz_compile_quals(input, leaf->ps->plan->qual, true, &rest);
	ListCell *cell;

	if (rest != NIL)
		return false;
	leaf->program.filters = palloc(sizeof(HzVexpr *) * Max(list_length(quals), 1));
	leaf->program.filter_places = palloc(sizeof(int) * Max(list_length(quals), 1));
	foreach(cell, quals)
	{
		const HzVqual *qual = lfirst(cell);
		HzVexpr *vexpr = qual->vexpr;

		leaf->program.filter_places[leaf->program.filter_count] = qual->place;
		leaf->program.filters[leaf->program.filter_count++] = vexpr;
		*columns = bms_add_members(*columns, hz_vexpr_columns(vexpr));
		leaf->threadable = leaf->threadable && hz_vexpr_threadable(vexpr);
	}
	return true;
}

/* ---- Lookups */

/* The child's columns, then those of lookups. */
static TupleDesc
joined_desc(TupleDesc own, const HzAggLookups *lookups)
{
	TupleDesc desc = CreateTemplateTupleDesc(own->natts + lookups->column_count + lookups->count);
	AttrNumber attno = 1;

	for (; attno <= own->natts; attno++)
		TupleDescCopyEntry(desc, attno, own, attno);
	for (int i = 0; i < lookups->count; i++)
	{
		TupleDesc other = ExecGetResultType(lookups->lookups[i].ps);

		for (AttrNumber a = 1; a <= other->natts; a++)
			TupleDescCopyEntry(desc, attno++, other, a);
	}
	for (int i = 0; i < lookups->count; i++)
		TupleDescInitEntry(desc, attno++, NULL, BOOLOID, -1, 0);
	return desc;
}

/* What expressions are compiled against, and the same for expressions over the child's target list. */
static void
join_input(HzAggLeaf *leaf, HzCompileInput *input)
{
	const HzAggLookups *lookups = leaf->lookups;
	TupleDesc desc = joined_desc(leaf->desc, lookups);
	List *outer = list_copy(input->outer_tlist);

	for (int c = 0; c < lookups->column_count; c++)
	{
		AttrNumber attno = (AttrNumber) (leaf->desc->natts + c + 1);
		Form_pg_attribute attribute = TupleDescAttr(desc, attno - 1);
		Var *var = makeVar((int) input->varno, attno, attribute->atttypid, attribute->atttypmod,
						   attribute->attcollation, 0);

		outer = lappend(
			outer, makeTargetEntry((Expr *) var, (AttrNumber) list_length(outer) + 1, NULL, false));
	}
	input->desc = desc;
	input->types = hz_coltype_for(desc);
	/* otherwise positions are attribute numbers already */
	if (input->varno != OUTER_VAR)
		input->outer_tlist = outer;
}

/* The input's columns that are keys of lookups; false: one is no column. */
static bool
find_lookup_keys(HzAggLeaf *leaf, const HzCompileInput *input, Bitmapset **columns)
{
	List *targets = leaf->ps->plan->targetlist;
	int count = 0;

	leaf->lookup_keys = palloc(sizeof(int) * leaf->lookups->count * HZ_KEY_MAX);
	for (int i = 0; i < leaf->lookups->count; i++)
	{
		ListCell *cell;

		foreach(cell, leaf->lookups->lookups[i].input_keys)
		{
			TargetEntry *target = list_nth(targets, lfirst_int(cell) - 1);
			Node *expr = (Node *) target->expr;
			Var *var = makeVar(OUTER_VAR, (AttrNumber) lfirst_int(cell), exprType(expr),
							   exprTypmod(expr), exprCollation(expr), 0);
			HzVexpr *vexpr = hz_compile(input, (Expr *) var, false);

			if (vexpr == NULL || !hz_vexpr_is_column(vexpr, &leaf->lookup_keys[count]) ||
				leaf->lookup_keys[count] >= leaf->desc->natts)
				return false;
			*columns = bms_add_member(*columns, leaf->lookup_keys[count++]);
		}
	}
	return true;
}

/* Whether lookup `i` has found what its join asks for; NULL: it asks for nothing. */
static Node *
join_condition(const HzAggLeaf *leaf, const HzCompileInput *input, int i)
{
	const HzAggLookups *lookups = leaf->lookups;
	Var *found = makeVar((int) input->varno,
						 (AttrNumber) (leaf->desc->natts + lookups->column_count + i + 1), BOOLOID,
						 -1, InvalidOid, 0);

	if (lookups->lookups[i].jointype == JOIN_ANTI)
		return (Node *) make_notclause((Expr *) found);
	return hz_agglookup_must_find(&lookups->lookups[i]) ? (Node *) found : NULL;
}

/* What each lookup must have found or not, then the other conditions of the join, in their order. */
static bool
compile_joins(HzAggLeaf *leaf, const HzCompileInput *input, List *quals, Bitmapset **columns)
{
	List *exprs = NIL;

	if (!find_lookup_keys(leaf, input, columns))
		return false;
	for (int i = 0; i < leaf->lookups->count; i++)
	{
		Node *condition = join_condition(leaf, input, i);

		if (condition != NULL)
			exprs = lappend(exprs, condition);
	}
	exprs = list_concat(exprs, quals);
	leaf->program.join_filter_count = list_length(exprs);
	return compile_list(input, exprs, &leaf->program.join_filters, columns, &leaf->threadable);
}

static bool
any_leaves(HzVexpr *const *vexprs, int count)
{
	bool leaves = false;

	for (int i = 0; i < count; i++)
		leaves = leaves || (vexprs[i] != NULL && hz_vexpr_leaves(vexprs[i]));
	return leaves;
}

static bool
compile_program(HzAggLeaf *leaf, HzCompileInput *input, const HzAggExprs *exprs)
{
	HzAggProgram *program = &leaf->program;
	Bitmapset *columns = NULL;
	int member = -1;

	memset(program, 0, sizeof(*program));
	leaf->threadable = true;
	program->key_count = list_length(exprs->keys);
	program->call_count = list_length(exprs->arguments);
	if (leaf->scan != NULL && !compile_filters(leaf, input, &columns))
		return false;
	leaf->lookups = exprs->lookups;
	if (leaf->lookups != NULL)
	{
		join_input(leaf, input);
		if (!compile_joins(leaf, input, exprs->join_quals, &columns))
			return false;
	}
	if (!compile_list(input, exprs->keys, &program->keys, &columns, &leaf->threadable) ||
		!compile_list(input, exprs->arguments, &program->arguments, &columns, &leaf->threadable) ||
		!compile_list(input, exprs->call_filters, &program->call_filters, &columns,
					  &leaf->threadable))
		return false;
	program->leaves = any_leaves(program->arguments, program->call_count) ||
					  any_leaves(program->call_filters, program->call_count);
	leaf->columns = palloc(sizeof(int) * Max(bms_num_members(columns), 1));
	while ((member = bms_next_member(columns, member)) >= 0 && member < leaf->desc->natts)
		leaf->columns[leaf->column_count++] = member;
	return true;
}

static void
make_room(HzAggLeaf *leaf)
{
	int natts = Max(leaf->desc->natts, 1);

	leaf->vectors = palloc0(sizeof(HzVector) * natts);
	leaf->loaded = palloc0(sizeof(bool) * natts);
	hz_batchcolumns_init(&leaf->columns_of_scan, leaf->desc, leaf->types);
	leaf->values = palloc0(sizeof(Datum *) * natts);
	leaf->isnull = palloc0(sizeof(bool *) * natts);
}

static bool
is_columnar_scan(PlanState *ps)
{
	return IsA(ps, CustomScanState) && ((CustomScan *) ps->plan)->methods == &hz_scannode_methods &&
		   ((HzScanNode *) ps)->bitmap == NULL && ((HzScanNode *) ps)->shared == NULL;
}

static bool
try_scan(HzAggLeaf *leaf, const HzAggExprs *exprs)
{
	Relation rel = ((ScanState *) leaf->ps)->ss_currentRelation;
	HzCompileInput input = {.varno = ((Scan *) leaf->ps->plan)->scanrelid,
							.outer_tlist = leaf->ps->plan->targetlist,
							.tableoid = RelationGetRelid(rel),
							.parent = leaf->ps};

	leaf->scan = (HzScanNode *) leaf->ps;
	leaf->desc = input.desc = RelationGetDescr(rel);
	leaf->types = hz_coltype_for(leaf->desc);
	input.types = leaf->types;
	return compile_program(leaf, &input, exprs);
}

static bool
try_rows(HzAggLeaf *leaf, const HzAggExprs *exprs)
{
	HzCompileInput input = {.varno = OUTER_VAR, .parent = leaf->ps};

	leaf->scan = NULL;
	leaf->groups = hz_agggroups_find(leaf->ps);
	leaf->column_count = 0;
	leaf->desc = input.desc = ExecGetResultType(leaf->ps);
	leaf->types = hz_coltype_for(leaf->desc);
	input.types = leaf->types;
	return compile_program(leaf, &input, exprs);
}

HzAggLeaf *
hz_aggleaf_make(PlanState *ps, const HzAggExprs *exprs)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "hanzo aggregation input",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HzAggLeaf *leaf = palloc0(sizeof(HzAggLeaf));
	bool made;

	leaf->ps = ps;
	leaf->context = context;
	made = (is_columnar_scan(ps) && try_scan(leaf, exprs)) || try_rows(leaf, exprs);
	if (made)
	{
		hz_aggkeys_begin(leaf);
		leaf->row_context =
			AllocSetContextCreate(context, "hanzo aggregation rows", ALLOCSET_DEFAULT_SIZES);
		make_room(leaf);
		leaf->eval = hz_eval_create(get_column, leaf);
		hz_eval_use_lengths(leaf->eval, get_lengths);
		hz_eval_use_matches(leaf->eval, match);
		if (leaf->lookups != NULL)
			leaf->probes = hz_agglookup_probes(leaf->lookups);
	}
	MemoryContextSwitchTo(old);
	return made ? leaf : NULL;
}

static void
bind_list(HzVexpr **vexprs, int count, ExprContext *econtext)
{
	for (int i = 0; i < count; i++)
	{
		if (vexprs[i] != NULL)
			hz_vexpr_bind(vexprs[i], econtext);
	}
}

void
hz_aggleaf_bind(HzAggLeaf *leaf)
{
	HzAggProgram *program = &leaf->program;
	MemoryContext old;

	if (leaf->bound)
		return;
	leaf->bound = true;
	old = MemoryContextSwitchTo(leaf->context);
	bind_list(program->filters, program->filter_count, leaf->ps->ps_ExprContext);
	bind_list(program->join_filters, program->join_filter_count, leaf->ps->ps_ExprContext);
	bind_list(program->keys, program->key_count, leaf->ps->ps_ExprContext);
	bind_list(program->arguments, program->call_count, leaf->ps->ps_ExprContext);
	bind_list(program->call_filters, program->call_count, leaf->ps->ps_ExprContext);
	MemoryContextSwitchTo(old);
}

/* ---- Rows */

static void
make_row_room(HzAggLeaf *leaf)
{
	for (int i = 0; i < leaf->column_count; i++)
	{
		int attno = leaf->columns[i];

		if (leaf->values[attno] != NULL)
			continue;
		leaf->values[attno] = MemoryContextAlloc(leaf->context, sizeof(Datum) * HZ_VECTOR_ROWS);
		leaf->isnull[attno] = MemoryContextAlloc(leaf->context, sizeof(bool) * HZ_VECTOR_ROWS);
	}
}

/* Keeps what the program reads of a row; the bytes that its values will take. */
static Size
keep_row(HzAggLeaf *leaf, TupleTableSlot *slot, uint32 row)
{
	MemoryContext old;
	Size bytes = 0;

	if (leaf->column_count == 0)
		return 0;
	slot_getsomeattrs(slot, leaf->columns[leaf->column_count - 1] + 1);
	old = MemoryContextSwitchTo(leaf->row_context);
	for (int i = 0; i < leaf->column_count; i++)
	{
		int attno = leaf->columns[i];
		Datum value = slot->tts_values[attno];

		leaf->isnull[attno][row] = slot->tts_isnull[attno];
		if (slot->tts_isnull[attno])
			value = (Datum) 0;
		else if (!leaf->types[attno].typbyval)
		{
			if (leaf->types[attno].typlen == -1)
				bytes += toast_raw_datum_size(value);
			value = datumCopy(value, false, leaf->types[attno].typlen);
		}
		leaf->values[attno][row] = value;
	}
	MemoryContextSwitchTo(old);
	return bytes;
}

/* Of the groups of a ColumnarAgg below. */
static uint32
fetch_groups(HzAggLeaf *leaf)
{
	HzGroupRow *groups[HZ_VECTOR_ROWS];
	uint32 rows = hz_agggroups_next(leaf->groups, groups, BATCH_BYTES);
	MemoryContext old = MemoryContextSwitchTo(leaf->row_context);

	leaf->groups_read += rows;
	for (int i = 0; i < leaf->column_count; i++)
		hz_agggroups_values(leaf->groups, leaf->columns[i], groups, rows,
							leaf->values[leaf->columns[i]], leaf->isnull[leaf->columns[i]]);
	MemoryContextSwitchTo(old);
	return rows;
}

/* Fills a batch; how many rows it got. *more is false when there are no others. */
static uint32
fetch_rows(HzAggLeaf *leaf, bool *more)
{
	uint32 rows = 0;
	Size bytes = 0;

	MemoryContextReset(leaf->row_context);
	if (leaf->groups != NULL)
	{
		*more = true;
		return fetch_groups(leaf);
	}
	while (rows < HZ_VECTOR_ROWS && bytes < BATCH_BYTES)
	{
		TupleTableSlot *slot = leaf->scan != NULL ? leaf->scan->delta_row : NULL;

		if (slot == NULL)
			slot = hz_agglookup_next_row(leaf->ps);
		else if (!heap_getnextslot(leaf->scan->delta, ForwardScanDirection, slot))
			break;
		if (TupIsNull(slot))
			break;
		bytes += keep_row(leaf, slot, rows++);
	}
	*more = rows == HZ_VECTOR_ROWS || bytes >= BATCH_BYTES;
	if (leaf->scan != NULL && !*more)
		ExecClearTuple(leaf->scan->delta_row);
	return rows;
}

static bool
run_batch(HzAggLeaf *leaf, HzAggWork *work, uint32 rows, const uint64 *deleted, uint64 passing)
{
	MemoryContext old = MemoryContextSwitchTo(leaf->context);
	bool done;

	leaf->work = work;
	done = hz_aggwork_batch(work, &leaf->program, leaf->eval, rows, deleted, passing);

	MemoryContextSwitchTo(old);
	return done;
}

bool
hz_aggleaf_run_rows(HzAggLeaf *leaf, HzAggWork *work, HzAggKeepSmall keep_small, void *arg)
{
	uint32 rows;
	bool more;

	make_row_room(leaf);
	if (leaf->groups != NULL && !hz_agggroups_start(leaf->groups))
		leaf->groups = NULL;
	do
	{
		CHECK_FOR_INTERRUPTS();
		rows = fetch_rows(leaf, &more);
		if (rows == 0)
			break;
		hz_aggleaf_bind(leaf);
		if (leaf->scan != NULL)
			leaf->scan->counters.delta_rows += rows;
		begin_group(leaf, work);
		begin_batch(leaf, rows, true);
		if (!run_batch(leaf, work, rows, NULL, 0) || !keep_small(arg))
			return false;
	} while (more);
	return true;
}

/* ---- Row groups */

bool
hz_aggleaf_judge(HzAggLeaf *leaf, uint32 index, HzAggVectors *vectors)
{
	HzBatchScan *batches = leaf->scan->batches;
	HzPrune *prune = leaf->scan->prune != NULL ? hz_prunecompile_tree(leaf->scan->prune) : NULL;
	uint32 count;
	HzPruneResult group;

	vectors->index = index;
	vectors->rows = hz_batchscan_groups(batches, &count)[index]->rows;
	vectors->left = 0;
	count = (vectors->rows + HZ_VECTOR_ROWS - 1) / HZ_VECTOR_ROWS;
	group = hz_batchscan_prune_group(batches, index);
	/* a filter finds a vector's rows by dictionary as it comes to it; a lookup would read the whole dictionary */
	if (group == HZ_PRUNE_SOME && leaf->prunes_keys)
		group = hz_batchscan_prune_dictionaries(batches, index);
	if (group == HZ_PRUNE_NONE)
	{
		hz_prune_count(prune, 1, 0);
		return false;
	}
	for (uint32 v = 0; v < count; v++)
	{
		HzPruneResult result = hz_batchscan_prune_vector(batches, index, v, &vectors->passing[v]);

		if (result != HZ_PRUNE_NONE && hz_batchscan_prune_codes(batches, index, v) == HZ_PRUNE_NONE)
			result = HZ_PRUNE_NONE;
		vectors->judged[v] = (uint8) result;
		if (result == HZ_PRUNE_NONE)
			hz_prune_count(prune, 0, 1);
		else
			vectors->left++;
	}
	leaf->scan->counters.row_groups += vectors->left > 0;
	leaf->scan->counters.vectors += vectors->left;
	return vectors->left > 0;
}

void
hz_aggleaf_prefetch(HzAggLeaf *leaf, uint32 index)
{
	const uint64 *deleted;
	HzGroupReader *reader = hz_batchscan_open_group(leaf->scan->batches, index, &deleted);

	for (int i = 0; i < leaf->column_count; i++)
	{
		if (hz_groupread_has(reader, leaf->columns[i]))
			hz_groupread_prefetch(reader, leaf->columns[i]);
	}
}

bool
hz_aggleaf_run_group(HzAggLeaf *leaf, HzAggWork *work, const HzAggVectors *vectors,
					 HzAggKeepSmall keep_small, void *arg)
{
	HzBatchScan *batches = leaf->scan->batches;

	begin_group(leaf, work);
	for (uint32 v = 0; v * HZ_VECTOR_ROWS < vectors->rows; v++)
	{
		HzBatch *batch;

		if (vectors->judged[v] == HZ_PRUNE_NONE)
			continue;
		batch = hz_batchscan_seek(batches, vectors->index, v);
		if (batch->live == 0)
			continue;
		begin_batch(leaf, batch->rows, false);
		if (!run_batch(leaf, work, batch->rows, batch->deleted, vectors->passing[v]) ||
			!keep_small(arg))
			return false;
		hz_compat_count_returned(leaf->scan->css.ss.ss_currentRelation, batch->live);
	}
	return true;
}
