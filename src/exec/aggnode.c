/*
 * exec/aggnode.c
 *	  Execution of ColumnarAgg. See aggnode.h.
 *
 * Memory: the groups' rows and states are in regions (agg/region.h), which a callback of the node's memory context gives
 * back in every case; the rest is palloc'd there.
 */
#include "postgres.h"

#include "commands/explain.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "executor/nodeHash.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/ruleutils.h"

#include "agg/merge.h"
#include "base/compat.h"
#include "exec/aggkeys.h"
#include "exec/aggnode_internal.h"
#include "exec/aggresult.h"
#include "exec/aggside.h"
#include "expr/compile.h"

#define LEAST_LIMIT ((Size) 1024 * 1024)
#define LARGEST_LOOKUPS ((Size) 512 * 1024 * 1024)
#define THREADS_FROM 48 /* vectors: below, starting a thread takes longer than it saves */

/* ---- Start */

/* Bytes that groups of the leader, or of one of its threads, may take. Less than a vector's worth of them makes no sense. */
static Size
memory_limit(int sharers)
{
	return Max(get_hash_memory_limit() / (sharers + 1), LEAST_LIMIT);
}

/* The state of a call of this argument (NULL: none) and filter, made unless another call has it. */
static int
find_state(HzAggNode *node, const HzAggCall *call, Node *argument, Node *filter)
{
	HzAggregate state = {
		.kind = call->kind, .argument_kind = call->type.kind, .argument_width = call->type.width};

	for (int i = 0; i < node->state_count; i++)
	{
		const HzAggregate *other = &node->aggregates[i];

		if (other->kind == state.kind && other->argument_kind == state.argument_kind &&
			other->argument_width == state.argument_width &&
			equal(list_nth(node->exprs.arguments, i), argument) &&
			equal(list_nth(node->exprs.call_filters, i), filter) &&
			!contain_volatile_functions(argument) && !contain_volatile_functions(filter))
			return i;
	}
	node->exprs.arguments = lappend(node->exprs.arguments, argument);
	node->exprs.call_filters = lappend(node->exprs.call_filters, filter);
	node->aggregates[node->state_count] = state;
	return node->state_count++;
}

static void
find_calls(HzAggNode *node, CustomScan *plan)
{
	List *arguments = node->exprs.arguments;
	List *filters = node->exprs.call_filters;

	node->exprs.arguments = node->exprs.call_filters = NIL;
	node->key_count = list_length(node->exprs.keys);
	node->call_count = list_length(arguments);
	node->key_types = palloc0(sizeof(HzColumnType) * Max(node->key_count, 1));
	node->calls = palloc0(sizeof(HzAggCall) * Max(node->call_count, 1));
	node->aggregates = palloc0(sizeof(HzAggregate) * Max(node->call_count, 1));
	node->states = palloc0(sizeof(int) * Max(node->call_count, 1));
	node->fractions = palloc0(sizeof(ExprState *) * Max(node->call_count, 1));
	for (int k = 0; k < node->key_count; k++)
	{
		Expr *key = list_nth_node(TargetEntry, plan->custom_scan_tlist, k)->expr;

		node->key_types[k] = hz_coltype_of(exprType((Node *) key));
		(void) hz_key_kind(node->key_types[k].kind, node->key_types[k].width,
						   &node->layout.kinds[k]);
	}
	for (int i = 0; i < node->call_count; i++)
	{
		TargetEntry *entry =
			list_nth_node(TargetEntry, plan->custom_scan_tlist, node->key_count + i);
		Aggref *aggref = castNode(Aggref, entry->expr);
		HzAggCall *call = &node->calls[i];

		if (!hz_aggcall_classify(aggref, call))
			elog(ERROR, "aggregate %u cannot be computed in vectors", aggref->aggfnoid);
		hz_aggcall_check_rights(aggref);
		node->states[i] = find_state(node, call, list_nth(arguments, i), list_nth(filters, i));
		if (call->fraction != NULL)
			node->fractions[i] = ExecInitExpr(call->fraction, &node->css.ss.ps);
	}
	node->layout.key_count = node->key_count;
	hz_aggregates_layout(&node->layout, node->aggregates, node->state_count);
	/* no table grows larger than memory has room for */
	node->layout.expected =
		(uint64) Min(Max(plan->scan.plan.plan_rows, 0),
					 (double) memory_limit(0) / (node->layout.row_bytes + 2 * sizeof(uint64)));
}

static void
begin_lookups(HzAggNode *node, CustomScan *plan, int eflags)
{
	int columns = list_length(node->input->plan->targetlist);
	EState *estate = node->css.ss.ps.state;

	node->lookup_keys = list_nth(plan->custom_private, HZ_AGGNODE_LOOKUPS);
	node->exprs.join_quals = list_nth(plan->custom_private, HZ_AGGNODE_JOIN_QUALS);
	for (int i = 0; i < list_length(node->lookup_keys); i++)
	{
		PlanState *ps =
			ExecInitNode(list_nth(plan->custom_plans, HZ_AGGNODE_FIRST_LOOKUP + i), estate, eflags);

		node->others = lappend(node->others, ps);
		node->css.custom_ps = lappend(node->css.custom_ps, ps);
	}
	node->lookup_columns =
		hz_agglookup_used(list_make4(node->exprs.keys, node->exprs.arguments,
									 node->exprs.call_filters, node->exprs.join_quals),
						  columns);
}

static void
begin(CustomScanState *css, EState *estate, int eflags)
{
	HzAggNode *node = hz_aggnode(css);
	CustomScan *plan = (CustomScan *) css->ss.ps.plan;

	node->exprs.keys = list_nth(plan->custom_private, HZ_AGGNODE_KEYS);
	node->exprs.arguments = list_nth(plan->custom_private, HZ_AGGNODE_ARGUMENTS);
	node->exprs.call_filters = list_nth(plan->custom_private, HZ_AGGNODE_FILTERS);
	node->user = GetUserId();
	node->input = ExecInitNode(linitial(plan->custom_plans), estate, eflags);
	css->custom_ps = list_make1(node->input);
	begin_lookups(node, plan, eflags);
	find_calls(node, plan);
	node->context =
		AllocSetContextCreate(estate->es_query_cxt, "hanzo aggregation", ALLOCSET_DEFAULT_SIZES);
}

/* ---- Memory that is not palloc'd */

static void
release_regions(HzAggNode *node)
{
	if (node->threads != NULL)
	{
		hz_aggthreads_stop(node->threads);
		hz_aggthreads_free(node->threads);
	}
	node->threads = NULL;
	hz_aggregator_free(&node->work.aggregator);
	if (node->lookups != NULL)
		hz_agglookup_free(node->lookups);
	node->lookups = NULL;
	node->exprs.lookups = NULL;
}

static void
release_callback(void *arg)
{
	release_regions(arg);
}

static void
forget_run(HzAggNode *node)
{
	ListCell *cell;

	if (node->spill != NULL)
		hz_aggspill_close(node->spill);
	node->spill = NULL;
	foreach(cell, node->leaves)
		hz_aggkeys_end(lfirst(cell));
	/* calls release_callback() where it is registered */
	MemoryContextReset(node->context);
	memset(&node->work, 0, sizeof(node->work));
	node->leaves = NIL;
	node->vectors = 0;
	memset(&node->cursor, 0, sizeof(node->cursor));
	node->done = false;
}

/* ---- The run */

/* As ExecProcNode() would do it. */
static void
rescan_if_changed(PlanState *ps)
{
	MemoryContext old = MemoryContextSwitchTo(ps->state->es_query_cxt);

	if (ps->chgParam != NULL)
		ExecReScan(ps);
	MemoryContextSwitchTo(old);
}

static bool
make_leaf(HzAggNode *node, PlanState *ps)
{
	HzAggLeaf *leaf;
	Oid user;
	int context;

	rescan_if_changed(ps);
	/* a cursor may have been opened by another; after an error the transaction's end puts the user right */
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(node->user, context);
	leaf = hz_aggleaf_make(ps, &node->exprs);
	SetUserIdAndSecContext(user, context);
	if (leaf == NULL)
		return false;
	hz_aggmeta_init(leaf, node->aggregates);
	node->leaves = lappend(node->leaves, leaf);
	return true;
}

/* One leaf, or one for each child of an Append that is not pruned now; false: not to be done in vectors. */
static bool
make_leaves(HzAggNode *node)
{
	AppendState *append;
	Bitmapset *valid;
	int child = -1;

	/* children that an Append asks ahead answer to nobody else */
	if (!IsA(node->input, AppendState) || ((AppendState *) node->input)->as_nasyncplans > 0)
		return make_leaf(node, node->input);
	append = (AppendState *) node->input;
	rescan_if_changed(node->input);
	valid = append->as_valid_subplans;
	if (append->as_prune_state != NULL && append->as_prune_state->do_exec_prune)
		valid = hz_compat_matching_subplans(append->as_prune_state);
	while ((child = bms_next_member(valid, child)) >= 0)
	{
		if (!make_leaf(node, append->appendplans[child]))
			return false;
	}
	return true;
}

/* Reads the other sides of the join; false: it cannot be done so. */
static bool
read_lookups(HzAggNode *node, const char **reason)
{
	ListCell *cell;

	if (node->others == NIL)
		return true;
	foreach(cell, node->others)
		rescan_if_changed(lfirst(cell));
	node->lookups = hz_agglookup_make(node->others, node->lookup_keys, node->lookup_columns);
	node->exprs.lookups = node->lookups;
	*reason = hz_agglookup_read(node->lookups, Min(get_hash_memory_limit(), LARGEST_LOOKUPS));
	node->lookup_rows = hz_agglookup_rows(node->lookups);
	return *reason == NULL;
}

/* Writes an aggregator that has grown too large out; the leader's or a thread's. */
static HzAggStatus
empty_aggregator(void *arg, HzAggregator *aggregator)
{
	HzAggNode *node = arg;
	HzAggStatus status;

	if (!hz_aggspill_possible(node->aggregates, node->state_count))
		return HZ_AGG_LIMIT;
	if (node->spill == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(node->context);

		node->spill = hz_aggspill_make(memory_limit(0), node->css.ss.ps.plan->plan_rows);
		MemoryContextSwitchTo(old);
	}
	node->memory = Max(node->memory, hz_aggregator_bytes(aggregator));
	status = hz_aggspill_write(node->spill, aggregator);
	node->spilled = hz_aggspill_bytes(node->spill);
	return status;
}

/* Vectors of the row groups from `first` on that are not ruled out as a whole. */
static uint64
count_vectors(HzAggLeaf *leaf, uint32 first)
{
	uint32 group_count;
	HzGroup **groups = hz_batchscan_groups(leaf->scan->batches, &group_count);
	uint64 vectors = 0;

	for (uint32 i = first; i < group_count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (hz_batchscan_prune_group(leaf->scan->batches, i) != HZ_PRUNE_NONE)
			vectors += (groups[i]->rows + HZ_VECTOR_ROWS - 1) / HZ_VECTOR_ROWS;
	}
	return vectors;
}

/*
 * From some length of the run on, threads are worth their start: asked when one of the leaf's groups would be a job. `groups` of the leaf, from `first` on,
 * are to be read.
 */
static void
consider_threads(HzAggNode *node, HzAggLeaf *leaf, uint32 first, uint32 groups)
{
	int limit = hz_aggthreads_limit();

	node->vectors += count_vectors(leaf, first);
	if (node->threads != NULL || limit == 0 ||
		(node->vectors < THREADS_FROM && !hz_force_threads) || groups < 2 || !leaf->threadable)
		return;
	node->threads = hz_aggthreads_start(limit, &node->layout, node->aggregates, node->state_count,
										memory_limit(limit), empty_aggregator, node);
	if (node->threads != NULL)
		node->threads_used = hz_aggthreads_count(node->threads);
}

static bool
within_limit(void *arg)
{
	HzAggNode *node = arg;

	if (hz_aggregator_grown(&node->work.aggregator, HZ_VECTOR_ROWS) <=
		memory_limit(node->threads_used))
		return true;
	node->work.status = empty_aggregator(node, &node->work.aggregator);
	return node->work.status == HZ_AGG_OK;
}

/* Reads what is left of a row group, or has it read. */
static bool
run_group(HzAggNode *node, HzAggLeaf *leaf, const HzAggVectors *vectors)
{
	if (node->threads != NULL)
		hz_aggthreads_serve(node->threads, &node->work);
	if (node->threads != NULL && hz_aggthreads_failed(node->threads))
		return false;
	if (hz_aggthreads_takes(vectors))
		hz_aggleaf_prefetch(leaf, vectors->index);
	if (node->threads != NULL && leaf->threadable &&
		hz_aggthreads_offer(node->threads, leaf, vectors))
		return true;
	return hz_aggleaf_run_group(leaf, &node->work, vectors, within_limit, node);
}

static bool
run_groups(HzAggNode *node, HzAggLeaf *leaf)
{
	bool considered = false;
	uint32 count;

	hz_scanprune_start(leaf->scan);
	(void) hz_batchscan_groups(leaf->scan->batches, &count);
	for (uint32 i = 0; i < count; i++)
	{
		HzAggVectors vectors;

		CHECK_FOR_INTERRUPTS();
		if (!hz_aggleaf_judge(leaf, i, &vectors))
			continue;
		if (!hz_aggmeta_answer(leaf, &node->work, &vectors, &node->from_metadata))
			return false;
		if (vectors.left == 0)
			continue;
		if (!considered && hz_aggthreads_takes(&vectors))
		{
			consider_threads(node, leaf, i, count - i);
			considered = true;
		}
		hz_aggleaf_bind(leaf);
		if (!run_group(node, leaf, &vectors))
			return false;
	}
	return true;
}

static bool
run_leaf(HzAggNode *node, HzAggLeaf *leaf)
{
	if (leaf->scan != NULL && leaf->scan->delta == NULL)
		hz_scannode_start(leaf->scan);
	if (!hz_aggleaf_run_rows(leaf, &node->work, within_limit, node))
		return false;
	return leaf->scan == NULL || run_groups(node, leaf);
}

/* All that was counted below is the children's. */
static void
finish_leaf(HzAggLeaf *leaf)
{
	if (leaf->scan == NULL)
		return;
	hz_aggkeys_end(leaf);
	leaf->scan->stage = HZ_SCAN_END;
	if (leaf->ps->instrument != NULL)
	{
		InstrStartNode(leaf->ps->instrument);
		InstrStopNode(leaf->ps->instrument, 0);
	}
}

static bool
always(void *arg)
{
	return true;
}

/* Says what a thread met, unless PostgreSQL's own plan can do better. */
static HzAggStatus
threads_status(HzAggNode *node)
{
	HzAggVectors vectors;
	HzAggLeaf *leaf = hz_aggthreads_damage(node->threads, &vectors);

	if (leaf != NULL)
	{
		HzAggWork scratch = {0};

		node->work.failure = HZ_EVAL_OK;
		/* reads the damaged chunk again, and throws */
		if (hz_aggregator_init(&scratch.aggregator, &node->layout, node->aggregates,
							   node->state_count))
			(void) hz_aggleaf_run_group(leaf, &scratch, &vectors, always, NULL);
		hz_aggregator_free(&scratch.aggregator);
		return HZ_AGG_MEMORY;
	}
	for (int i = 0; i < hz_aggthreads_count(node->threads); i++)
	{
		HzAggWork *work = hz_aggthreads_work(node->threads, i);

		if (work->failure != HZ_EVAL_OK)
			node->work.failure = work->failure;
		if (work->status != HZ_AGG_OK)
			return work->status;
	}
	return node->work.status;
}

/* Brings together what the threads and the leader have. */
static HzAggStatus
merge_threads(HzAggNode *node)
{
	int count = hz_aggthreads_count(node->threads) + 1;
	HzAggregator **all = palloc(sizeof(HzAggregator *) * count);
	/* not on the stack: after an error threads use it until they have been stopped */
	HzAggMerge *merge = palloc(sizeof(HzAggMerge));
	HzAggStatus status;

	all[0] = &node->work.aggregator;
	for (int i = 1; i < count; i++)
		all[i] = &hz_aggthreads_work(node->threads, i - 1)->aggregator;
	if (!hz_aggmerge_begin(merge, all, count))
		return HZ_AGG_MEMORY;
	hz_aggthreads_together(node->threads, merge->shares, hz_aggmerge_groups, merge);
	status = hz_aggmerge_between(merge);
	if (status != HZ_AGG_OK || !merge->distinct)
		return status;
	hz_aggthreads_together(node->threads, merge->shares, hz_aggmerge_pairs, merge);
	return hz_aggmerge_end(merge);
}

/* Some groups are in files: so must be all, before they are read partition by partition. */
static HzAggStatus
write_rest(HzAggNode *node)
{
	HzAggStatus status = empty_aggregator(node, &node->work.aggregator);
	bool more;

	for (int i = 0;
		 node->threads != NULL && i < hz_aggthreads_count(node->threads) && status == HZ_AGG_OK;
		 i++)
		status = empty_aggregator(node, &hz_aggthreads_work(node->threads, i)->aggregator);
	if (node->threads != NULL)
		hz_aggthreads_free(node->threads);
	if (status == HZ_AGG_OK)
		status = hz_aggspill_next(node->spill, &node->work.aggregator, &more);
	return status;
}

static pg_noinline HzAggStatus
run_all(HzAggNode *node)
{
	ListCell *cell;
	bool good = true;

	foreach(cell, node->leaves)
	{
		good = run_leaf(node, lfirst(cell));
		if (!good)
			break;
	}
	if (node->threads != NULL)
	{
		if (!good)
			hz_aggthreads_stop(node->threads);
		else
			good = hz_aggthreads_finish(node->threads, &node->work);
		/* damage that the leader has met in a job is said by the same way */
		if (!good && node->work.status == HZ_AGG_OK &&
			(node->work.failure == HZ_EVAL_OK || node->work.failure == HZ_EVAL_COLUMN))
			return threads_status(node);
		for (int i = 0; i < hz_aggthreads_count(node->threads); i++)
			node->work.matched += hz_aggthreads_work(node->threads, i)->matched;
	}
	node->groups_read = 0;
	foreach(cell, node->leaves)
	{
		node->groups_read += ((HzAggLeaf *) lfirst(cell))->groups_read;
		finish_leaf(lfirst(cell));
	}
	if (!good)
		return node->work.status;
	if (node->spill != NULL)
		return write_rest(node);
	if (node->threads == NULL)
		return hz_aggregator_finish(&node->work.aggregator, hz_aggspill_poll);
	return merge_threads(node);
}

static const char *
reason_of(HzAggStatus status)
{
	switch (status)
	{
		case HZ_AGG_WIDE:
			return "a number too wide for native states";
		case HZ_AGG_LIMIT:
			return "more groups than memory";
		case HZ_AGG_FLOAT_OVERFLOW:
			return "a floating-point sum that overflows";
		default:
			return "out of memory";
	}
}

static HzAggStatus
run_guarded(HzAggNode *node)
{
	volatile HzAggStatus status = HZ_AGG_OK;

	/* threads do not outlive this frame, whatever happens in it */
	PG_TRY();
	{
		status = run_all(node);
	}
	PG_CATCH();
	{
		if (node->threads != NULL)
			hz_aggthreads_stop(node->threads);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (node->threads != NULL)
		hz_aggthreads_stop(node->threads);
	return status;
}

static void
start_plain(HzAggNode *node, const char *reason)
{
	CustomScan *plan = (CustomScan *) node->css.ss.ps.plan;
	EState *estate = node->css.ss.ps.state;
	MemoryContext old = MemoryContextSwitchTo(estate->es_query_cxt);
	ListCell *cell;

	forget_run(node);
	memset(&node->from_metadata, 0, sizeof(node->from_metadata));
	node->plain = true;
	node->plain_reason = reason;
	/* it may read their rows again */
	ExecReScan(node->input);
	foreach(cell, node->others)
		ExecReScan(lfirst(cell));
	if (node->plain_plan == NULL)
	{
		node->plain_plan = hz_aggside_init_plan(lsecond(plan->custom_plans), estate,
												lappend(list_copy(node->others), node->input));
		node->css.custom_ps = lappend(node->css.custom_ps, node->plain_plan);
	}
	MemoryContextSwitchTo(old);
}

void
hz_aggnode_run(HzAggNode *node)
{
	MemoryContext old = MemoryContextSwitchTo(node->context);
	HzAggStatus status = HZ_AGG_OK;
	const char *reason = NULL;
	bool joined;
	bool compiled;

	node->release = (MemoryContextCallback){.func = release_callback, .arg = node};
	MemoryContextRegisterResetCallback(node->context, &node->release);
	node->threads_used = 0;
	/* the rows that an EvalPlanQual check replaces come by ExecProcNode() only */
	compiled = node->css.ss.ps.state->es_epq_active == NULL;
	joined = !compiled || read_lookups(node, &reason);
	/* without rows on another side the input need not be read */
	if (compiled && joined && (node->lookups == NULL || !hz_agglookup_empty(node->lookups)))
		compiled = make_leaves(node);
	if (compiled && joined)
	{
		if (!hz_aggregator_init(&node->work.aggregator, &node->layout, node->aggregates,
								node->state_count))
			status = HZ_AGG_MEMORY;
		else
			status = run_guarded(node);
	}
	MemoryContextSwitchTo(old);
	if (node->work.failure != HZ_EVAL_OK)
		hz_vexpr_report(node->work.failure);
	if (!compiled)
		start_plain(node, "an expression that cannot be evaluated in vectors");
	else if (!joined)
		start_plain(node, reason);
	else if (status != HZ_AGG_OK)
		start_plain(node, reason_of(status));
	node->groups = node->work.aggregator.table.count;
	node->memory = Max(node->memory, hz_aggregator_bytes(&node->work.aggregator));
	node->done = true;
}

/* ---- Callbacks */

static void
end(CustomScanState *css)
{
	HzAggNode *node = hz_aggnode(css);
	ListCell *cell;

	ExecClearTuple(css->ss.ss_ScanTupleSlot);
	forget_run(node);
	MemoryContextDelete(node->context);
	ExecEndNode(node->input);
	foreach(cell, node->others)
		ExecEndNode(lfirst(cell));
	if (node->plain_plan != NULL)
		ExecEndNode(node->plain_plan);
}

static void
rescan(CustomScanState *css)
{
	HzAggNode *node = hz_aggnode(css);
	ListCell *cell;

	ExecClearTuple(css->ss.ss_ScanTupleSlot);
	if (node->top != NULL)
		hz_topgroups_rescan(node->top);
	/* the groups are what they were */
	if (css->ss.ps.chgParam == NULL && node->done && !node->plain && node->spill == NULL)
	{
		memset(&node->cursor, 0, sizeof(node->cursor));
		return;
	}
	forget_run(node);
	node->plain = false;
	if (css->ss.ps.chgParam != NULL && node->plain_plan != NULL)
		hz_aggside_changed(node->plain_plan, css->ss.ps.chgParam);
	foreach(cell, css->custom_ps)
	{
		PlanState *child = lfirst(cell);

		if (css->ss.ps.chgParam != NULL)
			UpdateChangedParamSet(child, css->ss.ps.chgParam);
		if (child->chgParam == NULL)
			ExecReScan(child);
	}
}

/* Expressions first .. last of custom_scan_tlist, as text. */
static List *
deparse(const CustomScan *plan, int first, int last, List *context, bool prefix, bool casts)
{
	List *result = NIL;

	for (int i = first; i <= last; i++)
	{
		TargetEntry *entry = list_nth_node(TargetEntry, plan->custom_scan_tlist, i);

		result = lappend(result, deparse_expression((Node *) entry->expr, context, prefix, casts));
	}
	return result;
}

/* How each of the other sides is joined; NIL: all are inner joins. */
static List *
join_names(const HzAggNode *node)
{
	static const char *const names[] = {
		[JOIN_INNER] = "Inner", [JOIN_LEFT] = "Left", [JOIN_SEMI] = "Semi", [JOIN_ANTI] = "Anti"};
	List *result = NIL;
	bool inner = true;
	ListCell *cell;

	foreach(cell, node->lookup_keys)
	{
		int type = intVal(lthird((List *) lfirst(cell)));

		inner = inner && type == JOIN_INNER;
		result = lappend(result, (char *) names[type]);
	}
	return inner ? NIL : result;
}

static void
explain(CustomScanState *css, List *ancestors, ExplainState *es)
{
	HzAggNode *node = hz_aggnode(css);
	CustomScan *plan = (CustomScan *) css->ss.ps.plan;
	List *context = set_deparse_context_plan(es->deparse_cxt, css->ss.ps.plan, ancestors);
	bool prefix = list_length(es->rtable) > 1 || es->verbose;
	List *keys = deparse(plan, 0, node->key_count - 1, context, prefix, true);
	List *conditions = deparse(plan, node->key_count + node->call_count,
							   list_length(plan->custom_scan_tlist) - 1, context, true, false);
	List *joins = join_names(node);
	int top = node->top != NULL ? hz_topgroups_column(node->top) : -1;

	if (keys != NIL)
		ExplainPropertyList("Group Key", keys, es);
	if (conditions != NIL)
		ExplainPropertyList("Lookup Cond", conditions, es);
	if (joins != NIL)
		ExplainPropertyList("Lookup Joins", joins, es);
	if (top >= 0)
		hz_topgroups_explain(node->top, linitial(deparse(plan, top, top, context, prefix, true)),
							 es);
	if (!es->analyze)
		return;
	if (node->plain)
		ExplainPropertyText("Done by PostgreSQL's Own Plan", node->plain_reason, es);
	if (node->others != NIL)
		ExplainPropertyUInteger("Lookup Rows", NULL, node->lookup_rows, es);
	if (node->groups_read > 0)
		ExplainPropertyUInteger("Groups Read", NULL, node->groups_read, es);
	ExplainPropertyUInteger("Groups", NULL, node->groups, es);
	ExplainPropertyUInteger("Memory Usage", "kB", (node->memory + 1023) / 1024, es);
	if (node->spilled > 0)
		ExplainPropertyUInteger("Disk Usage", "kB", (node->spilled + 1023) / 1024, es);
	ExplainPropertyInteger("Threads", NULL, node->threads_used, es);
	if (node->work.matched > 0)
		ExplainPropertyUInteger("Vectors Compared as Encoded", NULL, node->work.matched, es);
	if (node->from_metadata.groups > 0 || node->from_metadata.vectors > 0)
	{
		ExplainPropertyUInteger("Row Groups from Metadata", NULL, node->from_metadata.groups, es);
		ExplainPropertyUInteger("Vectors from Metadata", NULL, node->from_metadata.vectors, es);
	}
}

void
hz_aggnode_set_top(CustomScanState *css, HzTopGroups *top)
{
	hz_aggnode(css)->top = top;
}

static const CustomExecMethods agg_methods = {
	.CustomName = HZ_AGGNODE_NAME,
	.BeginCustomScan = begin,
	.ExecCustomScan = hz_aggresult_exec,
	.EndCustomScan = end,
	.ReScanCustomScan = rescan,
	.ExplainCustomScan = explain,
};

static Node *
create_state(CustomScan *plan)
{
	HzAggNode *node = (HzAggNode *) newNode(sizeof(HzAggNode), T_CustomScanState);

	node->css.methods = &agg_methods;
	return (Node *) node;
}

const CustomScanMethods hz_aggnode_methods = {
	.CustomName = HZ_AGGNODE_NAME,
	.CreateCustomScanState = create_state,
};

void
hz_aggnode_init(void)
{
	hz_aggside_init();
	RegisterCustomScanMethods(&hz_aggnode_methods);
}
