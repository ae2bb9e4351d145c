/*
 * admin/rollup_query.c
 *	  hanzo_datastore.rollup_describe(query): takes the query of a rollup apart.
 *
 * A rollup is a grouping query over one table, or over another rollup's view, one of whose keys is a bucket of its time column.
 * The query is parsed and analyzed as the caller would run it; what comes out is text with every name qualified, from which
 * create_rollup() puts the view together. Columns are added that let buckets be merged: sum and count beside avg, a
 * HyperLogLog sketch beside count(DISTINCT …), a t-digest beside percentiles.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/htup_details.h"
#include "catalog/catalog.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_aggregate.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/analyze.h"
#include "parser/parse_coerce.h"
#include "rewrite/rewriteManip.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "admin/inspect.h"
#include "base/compat.h"
#include "rollup/bucketexpr.h"
#include "rollup/watch.h"

PG_FUNCTION_INFO_V1(hz_rollup_describe);

/* What is found out about the query. */
typedef struct Description
{
	Query *query;
	Oid from; /* the relation it reads */
	Oid source;
	Oid source_view; /* = from, where that is another rollup's view */
	HzRollup below;  /* that rollup */
	AttrNumber source_time;
	AttrNumber from_time; /* time column of from */
	HzBucket bucket;
	int bucket_column; /* 1-based, of the columns that come out */
	List *context;     /* for deparsing */
	const char *hll;
	const char *tdigest; /* schemas of the extensions, quoted; NULL: not there */
	List *names;         /* of the columns that come out */
	List *kinds;
	List *expressions;
} Description;

#define REFUSE(what, ...)                                   \
	ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), \
					errmsg("a rollup's query cannot have %s", what), errhint(__VA_ARGS__)))

static Query *
analyze(const char *text)
{
	List *parsed = pg_parse_query(text);
	Query *query;

	if (list_length(parsed) != 1)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR),
						errmsg("a rollup is made from one query, not %d", list_length(parsed)),
						errhint("Pass one SELECT ... FROM table GROUP BY ... .")));
	query = parse_analyze_fixedparams(linitial_node(RawStmt, parsed), text, NULL, 0, NULL);
	if (query->commandType != CMD_SELECT || query->utilityStmt != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a rollup is made from a SELECT"),
				 errhint("Pass one SELECT ... FROM table GROUP BY ... .")));
	return query;
}

static void
check_clauses(const Query *query)
{
	if (query->setOperations != NULL)
		REFUSE("UNION, INTERSECT or EXCEPT", "Make a rollup of each query, and a view over them.");
	if (query->cteList != NIL)
		REFUSE("WITH queries", "Group the table itself.");
	if (query->hasSubLinks)
		REFUSE("subqueries",
			   "Keep to columns of the table; join rows of other tables when reading the view.");
	if (query->hasWindowFuncs)
		REFUSE("window functions", "Compute them when reading the view.");
	if (query->hasTargetSRFs)
		REFUSE("functions that return sets", "Compute them when reading the view.");
	if (query->groupingSets != NIL)
		REFUSE("GROUPING SETS, ROLLUP or CUBE",
			   "Make a rollup of the finest grouping, and group the view.");
	if (query->distinctClause != NIL)
		REFUSE("DISTINCT", "Group by the columns.");
	if (query->havingQual != NULL)
		REFUSE("HAVING", "Put the condition into the queries that read the view.");
	if (query->sortClause != NIL)
		REFUSE("ORDER BY", "Sort when reading the view.");
	if (query->limitCount != NULL || query->limitOffset != NULL)
		REFUSE("LIMIT or OFFSET", "Limit when reading the view.");
	if (query->rowMarks != NIL)
		REFUSE("FOR UPDATE or FOR SHARE", "Leave it out.");
	if (list_length(query->rtable) != 1 || list_length(query->jointree->fromlist) != 1 ||
		!IsA(linitial(query->jointree->fromlist), RangeTblRef) ||
		linitial_node(RangeTblEntry, query->rtable)->rtekind != RTE_RELATION)
		REFUSE("anything but one table after FROM",
			   "Keep to columns of one table; join others when reading the view.");
	if (linitial_node(RangeTblEntry, query->rtable)->tablesample != NULL)
		REFUSE("TABLESAMPLE", "Leave it out.");
	if (!linitial_node(RangeTblEntry, query->rtable)->inh)
		REFUSE("ONLY", "Leave it out, or name the partition.");
	if (query->groupClause == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("a rollup's query needs GROUP BY"),
				 errhint("Group by a bucket of a time column, for instance date_trunc('hour', "
						 "created_at, 'UTC').")));
}

static void
check_leaf(Oid relid)
{
	if (get_rel_persistence(relid) != RELPERSISTENCE_PERMANENT)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a rollup cannot be made of catalogs, temporary or unlogged tables"),
						errdetail("\"%s\" belongs to its table.", get_rel_name(relid)),
						errhint("Use permanent tables: ALTER TABLE ... SET LOGGED.")));
	if (get_rel_relkind(relid) == RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("foreign table \"%s\" belongs to the rollup's table", get_rel_name(relid)),
				 errdetail("Nobody would notice changes of its rows."),
				 errhint("Detach it, or make the rollup of another table.")));
}

/* Whose rows the query groups; it must be a table whose writers can be made to leave marks, or another rollup. */
static void
find_source(Description *d)
{
	Relation rel;
	ListCell *cell;

	d->from = linitial_node(RangeTblEntry, d->query->rtable)->relid;
	hz_inspect_check_owner(d->from);
	d->source = d->from;
	if (get_rel_relkind(d->from) == RELKIND_VIEW)
	{
		if (!hz_rollup_find_view(d->from, &d->below))
			ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
							errmsg("view \"%s\" is not a rollup", get_rel_name(d->from)),
							errhint("Make the rollup of the table that the view reads.")));
		d->source_view = d->from;
		d->source = d->below.source;
		hz_inspect_check_owner(d->source);
	}
	/* nobody attaches, detaches or changes the storage of what belongs to it until the rollup is there */
	rel = relation_open(d->source, ShareUpdateExclusiveLock);
	if (rel->rd_rel->relkind != RELKIND_RELATION &&
		rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", RelationGetRelationName(rel)),
				 errhint("Make the rollup of a table, partitioned or not, or of another rollup.")));
	if (hz_rollup_is_internal(d->source))
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("\"%s\" belongs to a rollup", RelationGetRelationName(rel)),
						errhint("Make the rollup of the rollup's view.")));
	if (IsCatalogRelationOid(d->source) || rel->rd_rel->relpersistence != RELPERSISTENCE_PERMANENT)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("a rollup cannot be made of catalogs, temporary or unlogged tables"),
						errhint("Use a permanent table: ALTER TABLE ... SET LOGGED.")));
	if (rel->rd_rel->relrowsecurity)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("table \"%s\" has row-level security", RelationGetRelationName(rel)),
			 errdetail("Stored states are made from all rows, whoever reads them."),
			 errhint(
				 "Make an ordinary view with security_barrier, or disable row-level security.")));
	relation_close(rel, NoLock);
	foreach(cell, find_all_inheritors(d->source, AccessShareLock, NULL))
	{
		Oid relid = lfirst_oid(cell);

		check_leaf(relid);
		if (get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE || has_subclass(relid))
			LockRelationOid(relid, ShareUpdateExclusiveLock);
	}
}

static void
bad_bucket(const char *detail, const char *hint)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
		 errmsg(
			 "the time bucket of a rollup must not depend on the session's time zone or settings"),
		 errdetail("%s", detail), errhint("%s", hint)));
}

/* The column of whose time the expression is a bucket; NULL: it is none. */
static Var *
find_bucket(Node *node, HzBucket *bucket)
{
	HzBucketExpr found;

	switch (hz_bucketexpr(eval_const_expressions(NULL, node), &found))
	{
		case HZ_BUCKET_NONE:
			return NULL;
		case HZ_BUCKET_UTC:
			break;
		case HZ_BUCKET_SESSION:
			bad_bucket("date_trunc(unit, timestamptz) truncates in the session's time zone.",
					   "Write date_trunc(unit, column, 'UTC').");
			break;
		case HZ_BUCKET_ZONE:
			bad_bucket("Buckets of a rollup are those of UTC.",
					   "Write date_trunc(unit, column, 'UTC').");
			break;
		case HZ_BUCKET_UNIT:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("a rollup cannot have buckets of unit \"%s\"", found.unit),
					 errhint("Use minute, hour, day, week, month, quarter, year, or date_bin().")));
			break;
		case HZ_BUCKET_STRIDE:
			ereport(
				ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(
					 "a rollup's date_bin() needs a stride from a minute to a century, without months"),
				 errhint("For months use date_trunc('month', ..., 'UTC').")));
			break;
	}
	*bucket = found.bucket;
	return found.column;
}

static char *
deparse(Description *d, Node *node)
{
	return deparse_expression(node, d->context, false, false);
}

static void
add_column(Description *d, const char *name, const char *kind, const char *expression)
{
	ListCell *cell;

	if (strlen(name) >= NAMEDATALEN)
		ereport(ERROR, (errcode(ERRCODE_NAME_TOO_LONG),
						errmsg("column name \"%s\" of the rollup is too long", name),
						errhint("Give the aggregate a shorter name with AS.")));
	foreach(cell, d->names)
		if (strcmp(lfirst(cell), name) == 0)
			ereport(
				ERROR,
				(errcode(ERRCODE_DUPLICATE_COLUMN),
				 errmsg("the rollup would have two columns \"%s\"", name),
				 errhint(
					 "Name the columns with AS; avg(), count(DISTINCT ...) and percentiles come with "
					 "columns name_sum, name_count or name_state.")));
	d->names = lappend(d->names, pstrdup(name));
	d->kinds = lappend(d->kinds, pstrdup(kind));
	d->expressions = lappend(d->expressions, pstrdup(expression));
}

/* The argument of an aggregate with one; NULL: it has another number of them. */
static Expr *
only_argument(const Aggref *aggref)
{
	Expr *argument = NULL;
	ListCell *cell;

	foreach(cell, aggref->args)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);

		if (entry->resjunk || argument != NULL)
			return NULL;
		argument = entry->expr;
	}
	return argument;
}

static char *
hash_call(Description *d, Expr *argument)
{
	char *text = deparse(d, (Node *) argument);

	switch (exprType((Node *) argument))
	{
		case BOOLOID:
			return psprintf("%s.hll_hash_boolean(%s)", d->hll, text);
		case INT2OID:
			return psprintf("%s.hll_hash_smallint(%s)", d->hll, text);
		case INT4OID:
			return psprintf("%s.hll_hash_integer(%s)", d->hll, text);
		case INT8OID:
			return psprintf("%s.hll_hash_bigint(%s)", d->hll, text);
		case BYTEAOID:
			return psprintf("%s.hll_hash_bytea(%s)", d->hll, text);
		case UUIDOID:
			return psprintf("%s.hll_hash_bytea(pg_catalog.uuid_send(%s))", d->hll, text);
		case TEXTOID:
		case VARCHAROID:
			return psprintf("%s.hll_hash_text((%s)::pg_catalog.text)", d->hll, text);
		case NUMERICOID:
			return psprintf("%s.hll_hash_text(pg_catalog.trim_scale(%s)::pg_catalog.text)", d->hll,
							text);
		default:
			return psprintf("%s.hll_hash_any(%s)", d->hll, text);
	}
}

/* The columns with which buckets of an aggregate can be merged, if it is one whose own value does not do. */
static void
add_states(Description *d, const char *name, const Aggref *aggref)
{
	char *function = get_func_name(aggref->aggfnoid);
	Expr *argument = only_argument(aggref);
	char *filter = "";

	if (function == NULL || argument == NULL ||
		get_func_namespace(aggref->aggfnoid) != PG_CATALOG_NAMESPACE)
		return;
	if (aggref->aggfilter != NULL)
		filter = psprintf(" FILTER (WHERE %s)", deparse(d, (Node *) aggref->aggfilter));
	if (strcmp(function, "avg") == 0 && aggref->aggdistinct == NIL)
	{
		add_column(d, psprintf("%s_sum", name), "state",
				   psprintf("pg_catalog.sum(%s)%s", deparse(d, (Node *) argument), filter));
		add_column(d, psprintf("%s_count", name), "state",
				   psprintf("pg_catalog.count(%s)%s", deparse(d, (Node *) argument), filter));
	}
	else if (strcmp(function, "count") == 0 && aggref->aggdistinct != NIL && d->hll != NULL)
		add_column(d, psprintf("%s_state", name), "state",
				   psprintf("%s.hll_add_agg(%s)%s", d->hll, hash_call(d, argument), filter));
	else if (aggref->aggkind == AGGKIND_ORDERED_SET && strncmp(function, "percentile_", 11) == 0 &&
			 TypeCategory(exprType((Node *) argument)) == TYPCATEGORY_NUMERIC && d->tdigest != NULL)
		add_column(d, psprintf("%s_state", name), "state",
				   psprintf("%s.tdigest((%s)::pg_catalog.float8, 100)%s", d->tdigest,
							deparse(d, (Node *) argument), filter));
}

/* Whether volatile functions are behind an aggregate. */
static bool
is_volatile_aggregate(Oid aggregate)
{
	HeapTuple tuple = SearchSysCache1(AGGFNOID, ObjectIdGetDatum(aggregate));
	Form_pg_aggregate form;
	bool result = false;

	if (!HeapTupleIsValid(tuple))
		return true;
	form = (Form_pg_aggregate) GETSTRUCT(tuple);
	/* stable ones see values that are immutable already */
	result =
		func_volatile(form->aggtransfn) == PROVOLATILE_VOLATILE ||
		(OidIsValid(form->aggfinalfn) && func_volatile(form->aggfinalfn) == PROVOLATILE_VOLATILE);
	ReleaseSysCache(tuple);
	return result;
}

/* Where a row is stored changes without anybody's knowing; a whole row changes with the table's columns. */
static bool
depends_on_more(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var))
		return castNode(Var, node)->varattno <= 0;
	/* extensions seldom declare such functions at all */
	if (IsA(node, Aggref) && is_volatile_aggregate(castNode(Aggref, node)->aggfnoid) &&
		!OidIsValid(getExtensionOfObject(ProcedureRelationId, castNode(Aggref, node)->aggfnoid)))
		return true;
	return expression_tree_walker(node, depends_on_more, context);
}

static void
check_immutable(Node *node, const char *what)
{
	if (depends_on_more(node, NULL))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s of a rollup's query must depend on nothing but the table's columns", what),
			 errhint(
				 "Leave out ctid and other system columns, whole rows, and aggregates with volatile functions.")));
	if (contain_mutable_functions(node))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s of a rollup's query must be immutable", what),
			 errdetail(
				 "A stored state would not be what the query gives at another time or in another session."),
			 errhint(
				 "Leave out now(), random() and what depends on settings as the time zone; put such conditions "
				 "into the queries that read the view.")));
}

static void
describe_key(Description *d, TargetEntry *entry)
{
	HzBucket bucket;
	Var *column = find_bucket((Node *) entry->expr, &bucket);

	if (column != NULL && d->bucket_column == 0)
	{
		if (column->vartype == DATEOID && bucket.months == 0 &&
			(bucket.width % USECS_PER_DAY != 0 || bucket.origin % USECS_PER_DAY != 0))
			ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
							errmsg("buckets of a date must be whole days"),
							errhint("Use a unit from day to year.")));
		d->bucket = bucket;
		d->from_time = column->varattno;
		add_column(d, entry->resname, "bucket", deparse(d, (Node *) entry->expr));
		d->bucket_column = list_length(d->names);
		return;
	}
	check_immutable((Node *) entry->expr, "grouping expressions");
	add_column(d, entry->resname, "key", deparse(d, (Node *) entry->expr));
}

static void
describe_columns(Description *d)
{
	ListCell *cell;

	foreach(cell, d->query->targetList)
	{
		TargetEntry *entry = lfirst_node(TargetEntry, cell);
		bool key =
			entry->ressortgroupref > 0 &&
			get_sortgroupref_clause_noerr(entry->ressortgroupref, d->query->groupClause) != NULL;

		if (entry->resjunk)
			REFUSE("a grouping expression that it does not select", "Add it to the SELECT list.");
		if (key)
		{
			describe_key(d, entry);
			continue;
		}
		check_immutable((Node *) entry->expr, "aggregates");
		if (!contain_aggs_of_level((Node *) entry->expr, 0))
			REFUSE("columns that are neither grouped nor aggregated",
				   "Remove the column or group by it.");
		add_column(d, entry->resname, "aggregate", deparse(d, (Node *) entry->expr));
		if (IsA(entry->expr, Aggref))
			add_states(d, entry->resname, castNode(Aggref, entry->expr));
	}
	if (d->bucket_column == 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the query does not group by a bucket of a time column"),
			 errhint(
				 "Group by date_trunc('hour', column, 'UTC'), date_trunc('day', column) of a timestamp, or date_bin(...) "
				 "of a column of type date, timestamp or timestamptz.")));
}

/* Which column of the source the buckets come from, by name at the end of the chain of rollups. */
static void
find_source_time(Description *d)
{
	if (!OidIsValid(d->source_view))
	{
		d->source_time = d->from_time;
		return;
	}
	if (d->from_time != d->below.time)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a rollup of a rollup must group by the bucket of that"),
				 errhint("Group by date_trunc(unit, %s, 'UTC').",
						 quote_identifier(get_attname(d->source_view, d->below.time, false)))));
	if (!hz_bucket_nests(&d->bucket, &d->below.bucket))
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the buckets are not made of whole buckets of \"%s\"",
					get_rel_name(d->source_view)),
			 errhint(
				 "Use a coarser unit of the same calendar, such as day of hour or month of day.")));
	d->source_time = d->below.source_time;
}

static Datum
text_array(List *strings)
{
	Datum *values = palloc(sizeof(Datum) * list_length(strings));
	ListCell *cell;

	foreach(cell, strings)
		values[foreach_current_index(cell)] = CStringGetTextDatum(lfirst(cell));
	return PointerGetDatum(
		construct_array(values, list_length(strings), TEXTOID, -1, false, TYPALIGN_INT));
}

static char *
text_argument(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

Datum
hz_rollup_describe(PG_FUNCTION_ARGS)
{
	Description d = {.bucket_column = 0};
	TupleDesc desc;
	Datum values[15];
	bool nulls[15] = {false};
	int n = 0;
	int nest;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "rollup_describe() has another result than expected");
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("the query of a rollup must not be null"),
						errhint("Pass one SELECT ... FROM table GROUP BY ... .")));
	d.hll = text_argument(fcinfo, 1);
	d.tdigest = text_argument(fcinfo, 2);
	d.query = analyze(text_argument(fcinfo, 0));
	check_clauses(d.query);
	/* names come out qualified, whatever is in the way of them where they are read again */
	nest = NewGUCNestLevel();
	(void) set_config_option("search_path", "pg_catalog", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	find_source(&d);
	d.context = deparse_context_for(get_rel_name(d.from), d.from);
	describe_columns(&d);
	find_source_time(&d);
	if (d.query->jointree->quals != NULL)
		check_immutable(d.query->jointree->quals, "conditions");

	values[n++] = ObjectIdGetDatum(d.source);
	nulls[n] = !OidIsValid(d.source_view);
	values[n++] = ObjectIdGetDatum(d.source_view);
	values[n++] = Int16GetDatum(d.source_time);
	values[n++] = CStringGetTextDatum(get_attname(d.source, d.source_time, false));
	values[n++] = CStringGetTextDatum(quote_qualified_identifier(
		get_namespace_name(get_rel_namespace(d.from)), get_rel_name(d.from)));
	values[n++] = CStringGetTextDatum(get_attname(d.from, d.from_time, false));
	values[n++] = ObjectIdGetDatum(get_atttype(d.from, d.from_time));
	nulls[n] = d.query->jointree->quals == NULL;
	values[n] = nulls[n] ? (Datum) 0 : CStringGetTextDatum(deparse(&d, d.query->jointree->quals));
	n++;
	values[n++] = Int32GetDatum(d.bucket_column);
	values[n++] = Int32GetDatum(d.bucket.months);
	values[n++] = Int64GetDatum(d.bucket.width);
	values[n++] = Int64GetDatum(d.bucket.origin);
	values[n++] = text_array(d.names);
	values[n++] = text_array(d.kinds);
	values[n++] = text_array(d.expressions);
	AtEOXact_GUC(true, nest);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}
