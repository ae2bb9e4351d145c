/*
 * plan/scanpath.c
 *	  Offers ColumnarScan to the planner. See scanpath.h.
 *
 * A path has the parameterisation, the quals and the parallel workers of PostgreSQL's sequential
 * scan of the same table and takes its place by being cheaper; index paths compete as ever.
 *
 * Costs are those of a sequential scan with two differences. Of the column store's pages only the
 * share of the needed columns is read, by average width (the delta's pages are read whole). A row
 * costs between ROW_COST_MIN and ROW_COST_MAX of cpu_tuple_cost, by the same share: no tuple is
 * formed and no other column decoded.
 *
 * Pages and rows of the column store count as far as pruning is expected to leave them (prunecost.c).
 */
#include "postgres.h"

#include <math.h>

#include "access/sysattr.h"
#include "access/table.h"
#include "nodes/extensible.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "optimizer/plancat.h"
#include "optimizer/restrictinfo.h"
#include "storage/bufmgr.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/spccache.h"

#include "am/columnar_am.h"
#include "base/compat.h"
#include "exec/scannode.h"
#include "exec/topn.h"
#include "plan/bitmappath.h"
#include "plan/bucketbound.h"
#include "plan/indexcost.h"
#include "plan/prunecost.h"
#include "plan/scanpath.h"

#define ROW_COST_MIN 0.2
#define ROW_COST_MAX 0.9
#define STRING_COST 0.2 /* of cpu_tuple_cost, for each value of varying length */
#define GROUP_COST 10   /* of cpu_tuple_cost, to look at the zone maps of a row group */
/* What quals cost for a row of a vector, as a share of what they cost the executor; and what a vector costs besides, a row. */
#define VECTOR_QUAL_SHARE 0.1
#define VECTOR_COST 0.01 /* of cpu_tuple_cost */

/* What the serial and the parallel path of one table share. */
typedef struct ScanInput
{
	RelOptInfo *rel;
	ParamPathInfo *param_info;
	Bitmapset *used; /* attributes, as pull_varattnos() numbers them */
	double share;    /* of the needed columns in the width of a row */
	double narrow;   /* bytes of a row in needed columns, as indexcost.h tells them apart */
	double wide;
	int strings;        /* needed columns of varying length */
	double delta_pages; /* of rel->pages */
	double delta_rows;  /* of rel->tuples */
	HzPruneCost prune;
} ScanInput;

/* An entry goes when the table's relcache entry does, as at the end of ANALYZE. */
typedef struct RowWidth
{
	Oid relid; /* hash key */
	int32 width;
} RowWidth;

static HTAB *row_widths;
static bool enable_columnar_scan = true;
static set_rel_pathlist_hook_type previous_hook = NULL;
static get_relation_info_hook_type previous_info_hook = NULL;

/* ---- Plan */

static Plan *
plan_path(PlannerInfo *root, RelOptInfo *rel, CustomPath *path, List *tlist, List *clauses,
		  List *custom_plans)
{
	CustomScan *plan = makeNode(CustomScan);

	plan->flags = path->flags;
	plan->methods = &hz_scannode_methods;
	plan->scan.scanrelid = rel->relid;
	plan->scan.plan.targetlist = tlist;
	/* constant quals stand in a Result node above */
	plan->scan.plan.qual = extract_actual_clauses(clauses, false);
	return &plan->scan.plan;
}

static const CustomPathMethods path_methods = {
	.CustomName = HZ_SCANNODE_NAME,
	.PlanCustomPath = plan_path,
};

/* ---- Costs */

/* As costsize.c does it. */
static double
parallel_divisor(int workers)
{
	double divisor = workers;
	double leader = 1.0 - 0.3 * workers;

	if (parallel_leader_participation && leader > 0)
		divisor += leader;
	return divisor;
}

/*
 * How many rows come out. Under ORDER BY … LIMIT of this table alone, those that are among the first so far: of n rows in random
 * order, limit * (1 + ln(n / limit)).
 */
static double
rows_returned(const PlannerInfo *root, double rows)
{
	const Query *parse = root->parse;
	const double limit = root->limit_tuples;

	if (limit < 1 || limit >= rows || parse->sortClause == NIL || !hz_topn_is_enabled() ||
		parse->hasAggs || parse->hasWindowFuncs || parse->hasTargetSRFs ||
		parse->groupClause != NIL || parse->groupingSets != NIL || parse->distinctClause != NIL ||
		parse->setOperations != NULL || bms_membership(root->all_baserels) != BMS_SINGLETON)
		return rows;
	return Min(rows, limit * (1 + log(rows / limit)));
}

/* Rows of the delta are those of a heap. Of columnar rows quals look at vectors, and what costs is to make rows of the rest. */
static void
cost_scan(PlannerInfo *root, const ScanInput *scan, Path *path)
{
	RelOptInfo *rel = scan->rel;
	QualCost quals = rel->baserestrictcost;
	double examined = (rel->tuples - scan->delta_rows) * scan->prune.share;
	double pages =
		scan->delta_pages + (rel->pages - scan->delta_pages) * scan->share * scan->prune.share;
	double row_cost = cpu_tuple_cost * (ROW_COST_MIN + (ROW_COST_MAX - ROW_COST_MIN) * scan->share);
	double page_cost;
	Cost cpu;

	path->rows = scan->param_info ? scan->param_info->ppi_rows : rel->rows;
	path->rows = clamp_row_est(rows_returned(root, path->rows));
	if (scan->param_info != NULL)
	{
		cost_qual_eval(&quals, scan->param_info->ppi_clauses, root);
		quals.startup += rel->baserestrictcost.startup;
		quals.per_tuple += rel->baserestrictcost.per_tuple;
	}
	get_tablespace_page_costs(rel->reltablespace, NULL, &page_cost);
	cpu = (row_cost + quals.per_tuple) * scan->delta_rows;
	cpu += (cpu_tuple_cost * VECTOR_COST + quals.per_tuple * VECTOR_QUAL_SHARE) * examined;
	cpu += (row_cost + cpu_tuple_cost * STRING_COST * scan->strings) * Min(path->rows, examined);
	cpu += GROUP_COST * cpu_tuple_cost * scan->prune.groups;
	cpu += path->pathtarget->cost.per_tuple * path->rows;
	if (path->parallel_workers > 0)
	{
		cpu /= parallel_divisor(path->parallel_workers);
		path->rows = clamp_row_est(path->rows / parallel_divisor(path->parallel_workers));
	}
	path->startup_cost = quals.startup + path->pathtarget->cost.startup;
	path->total_cost = path->startup_cost + cpu + page_cost * pages;
	/* it is the sequential scan of a columnar table */
	if (!enable_seqscan)
		hz_compat_disable_path(path);
}

/* Average width of a row by statistics; remembered, since it asks for those of every column. */
static int32
row_width(Relation table)
{
	Oid relid = RelationGetRelid(table);
	RowWidth *entry = hash_search(row_widths, &relid, HASH_FIND, NULL);
	int32 width;

	if (entry == NULL)
	{
		/* first, for reading statistics may drop an entry */
		width = get_rel_data_width(table, NULL);
		entry = hash_search(row_widths, &relid, HASH_ENTER, NULL);
		entry->width = width;
	}
	return entry->width;
}

static void
forget_row_width(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS all;
	RowWidth *entry;

	if (OidIsValid(relid))
	{
		hash_search(row_widths, &relid, HASH_REMOVE, NULL);
		return;
	}
	hash_seq_init(&all, row_widths);
	while ((entry = hash_seq_search(&all)) != NULL)
		hash_search(row_widths, &entry->relid, HASH_REMOVE, NULL);
}

static int32
column_width(RelOptInfo *rel, Relation table, AttrNumber attno)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(table), attno - 1);
	int32 width = rel->attr_widths[attno - rel->min_attr];

	/* the planner has looked up those of the target only */
	if (width <= 0)
		width = get_attavgwidth(RelationGetRelid(table), attno);
	if (width <= 0)
		width = get_typavgwidth(attribute->atttypid, attribute->atttypmod);
	return width;
}

static void
add_column(ScanInput *scan, RelOptInfo *rel, Relation table, AttrNumber attno)
{
	int32 width = column_width(rel, table, attno);

	if (TupleDescAttr(RelationGetDescr(table), attno - 1)->attlen < 0)
		scan->strings++;
	if (width > HZ_INDEXCOST_WIDE)
		scan->wide += width;
	else
		scan->narrow += width;
}

/* Fills in what the costs need to know of the table. */
static void
measure_table(ScanInput *scan, Relation table)
{
	RelOptInfo *rel = scan->rel;
	int32 total = row_width(table);
	int member = -1;
	double density;

	while ((member = bms_next_member(scan->used, member)) >= 0)
	{
		int attno = member + FirstLowInvalidHeapAttributeNumber;

		if (attno > 0)
			add_column(scan, rel, table, attno);
		for (int i = 0; attno == 0 && i < RelationGetDescr(table)->natts; i++)
		{
			if (!TupleDescAttr(RelationGetDescr(table), i)->attisdropped)
				add_column(scan, rel, table, i + 1);
		}
	}
	scan->share = total > 0 ? Min((scan->narrow + scan->wide) / total, 1.0) : 1.0;
	/* full pages, as estimate_rel_size() takes them to be: an upper bound */
	density = (BLCKSZ - SizeOfPageHeaderData) /
			  (MAXALIGN(total) + MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData));
	scan->delta_rows = Min(scan->delta_pages * density, rel->tuples);
}

/* ---- Paths */

/* Attributes that target and quals use. */
static Bitmapset *
used_attributes(RelOptInfo *rel, ParamPathInfo *param_info)
{
	Bitmapset *used = NULL;
	ListCell *cell;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &used);
	foreach(cell, rel->baserestrictinfo)
		pull_varattnos((Node *) lfirst_node(RestrictInfo, cell)->clause, rel->relid, &used);
	if (param_info != NULL)
		foreach(cell, param_info->ppi_clauses)
			pull_varattnos((Node *) lfirst_node(RestrictInfo, cell)->clause, rel->relid, &used);
	return used;
}

/* A columnar row has a TID and a table; other system columns only its form as a heap tuple has. */
static bool
needs_heap_tuple(const Bitmapset *used)
{
	for (int attno = FirstLowInvalidHeapAttributeNumber + 1; attno < 0; attno++)
	{
		if (attno != SelfItemPointerAttributeNumber && attno != TableOidAttributeNumber &&
			bms_is_member(attno - FirstLowInvalidHeapAttributeNumber, used))
			return true;
	}
	return false;
}

/* WHERE CURRENT OF works in TID scans only. */
static bool
has_current_of(RelOptInfo *rel)
{
	ListCell *cell;

	foreach(cell, rel->baserestrictinfo)
	{
		if (IsA(lfirst_node(RestrictInfo, cell)->clause, CurrentOfExpr))
			return true;
	}
	return false;
}

static Path *
make_path(PlannerInfo *root, const ScanInput *scan, int workers)
{
	CustomPath *path = makeNode(CustomPath);

	path->path.pathtype = T_CustomScan;
	path->path.parent = scan->rel;
	path->path.pathtarget = scan->rel->reltarget;
	path->path.param_info = scan->param_info;
	path->path.parallel_aware = workers > 0;
	path->path.parallel_safe = scan->rel->consider_parallel;
	path->path.parallel_workers = workers;
	path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
	path->methods = &path_methods;
	cost_scan(root, scan, &path->path);
	return &path->path;
}

static void
add_paths(PlannerInfo *root, RelOptInfo *rel, Relation table, double delta_pages)
{
	Relids outer = rel->lateral_relids;
	ScanInput scan = {.rel = rel, .delta_pages = delta_pages};
	List *clauses;
	bool usable;
	int workers;

	scan.param_info = get_baserel_parampathinfo(root, rel, outer);
	scan.used = used_attributes(rel, scan.param_info);
	usable = !needs_heap_tuple(scan.used) && !has_current_of(rel);
	if (!usable)
	{
		hz_bitmappath_make_anew(root, rel);
		return;
	}
	measure_table(&scan, table);
	hz_indexcost_adjust(rel, RelationGetRelid(table), scan.narrow, scan.wide,
						rel->pages > 0 ? 1 - scan.delta_pages / rel->pages : 0);
	hz_bitmappath_take_over(rel);
	clauses = rel->baserestrictinfo;
	if (scan.param_info != NULL)
		clauses = list_concat_copy(clauses, scan.param_info->ppi_clauses);
	scan.prune = hz_prunecost(root, rel, table, clauses, rel->tuples - scan.delta_rows);
	add_path(rel, make_path(root, &scan, 0));
	if (!rel->consider_parallel || !bms_is_empty(outer))
		return;
	workers = compute_parallel_worker(rel, rel->pages, -1, max_parallel_workers_per_gather);
	if (workers > 0)
		add_partial_path(rel, make_path(root, &scan, workers));
}

/* Tables whose rows the query itself scans: not the parent as a whole of an inheritance tree. */
static bool
is_scan_of_table(RelOptInfo *rel, RangeTblEntry *rte)
{
	return rte->rtekind == RTE_RELATION && !rte->inh && rte->tablesample == NULL &&
		   (rte->relkind == RELKIND_RELATION || rte->relkind == RELKIND_MATVIEW) &&
		   !IS_DUMMY_REL(rel);
}

static void
set_rel_pathlist(PlannerInfo *root, RelOptInfo *rel, Index rti, RangeTblEntry *rte)
{
	Relation table;

	if (previous_hook != NULL)
		previous_hook(root, rel, rti, rte);
	if (!is_scan_of_table(rel, rte))
		return;
	/* locked by the parser, or by whoever expanded the parent */
	table = table_open(rte->relid, NoLock);
	if (hz_am_is_columnar(table))
	{
		double delta_pages = hz_indexcost_show_columns(root, rel, table);

		if (enable_columnar_scan)
			add_paths(root, rel, table, delta_pages);
		else
			hz_bitmappath_make_anew(root, rel);
	}
	table_close(table, NoLock);
}

/* CLUSTER and CREATE INDEX ask for a table's estimates, too, and make no paths of ours. */
static bool
is_query(const PlannerInfo *root)
{
	return root->parse->jointree != NULL;
}

/*
 * Core makes no bitmap paths for tables without its callbacks for them; ours are made of them. And this is the place
 * for further quals.
 */
static void
relation_info(PlannerInfo *root, Oid relid, bool inhparent, RelOptInfo *rel)
{
	Relation table;
	bool is_columnar;

	if (previous_info_hook != NULL)
		previous_info_hook(root, relid, inhparent, rel);
	table = table_open(relid, NoLock);
	is_columnar = hz_am_is_columnar(table);
	/* whatever the setting, which may change before paths are made: estimates run functions */
	if (is_columnar && !inhparent && is_query(root) &&
		root->simple_rte_array[rel->relid]->tablesample == NULL)
		hz_indexcost_hide_columns(rel, table);
	if (is_columnar && enable_columnar_scan)
		hz_bitmappath_allow(rel);
	if (enable_columnar_scan && hz_enable_pruning &&
		(is_columnar || table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE))
		hz_bucketbound_add(root, rel);
	table_close(table, NoLock);
}

void
hz_plan_init(void)
{
	DefineCustomBoolVariable(
		"hanzo_datastore.enable_columnar_scan", "Enables the planner's use of columnar scans.",
		"A columnar scan reads only the columns that a query needs.", &enable_columnar_scan, true,
		PGC_USERSET, GUC_EXPLAIN, NULL, NULL, NULL);
	row_widths = hash_create("hanzo row widths", 64,
							 &(HASHCTL){.keysize = sizeof(Oid), .entrysize = sizeof(RowWidth)},
							 HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(forget_row_width, (Datum) 0);
	previous_hook = set_rel_pathlist_hook;
	set_rel_pathlist_hook = set_rel_pathlist;
	previous_info_hook = get_relation_info_hook;
	get_relation_info_hook = relation_info;
}
