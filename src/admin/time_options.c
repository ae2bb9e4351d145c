/*
 * admin/time_options.c
 *	  Settings of managed months and TTL, and the bounds of partitions, for the functions in src/sql.
 *
 * The settings are kept in labels (storage/label.h). These functions store and show them; what may be set together is
 * for manage_partitions() and set_ttl() to say. Setting needs the owner, checked before the lock
 * (ShareUpdateExclusiveLock, kept to the end of the transaction) and after it.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "admin/timerange.h"
#include "base/compat.h"
#include "storage/label.h"

PG_FUNCTION_INFO_V1(hz_set_time_options);
PG_FUNCTION_INFO_V1(hz_time_options);
PG_FUNCTION_INFO_V1(hz_note_arrival);
PG_FUNCTION_INFO_V1(hz_partition_bounds);

/* set_time_options(relation regclass, column_name name, managed boolean, months_ahead integer, ttl interval) */
Datum
hz_set_time_options(PG_FUNCTION_ARGS)
{
	Relation rel;
	HzLabels *labels;
	HzLabel *table;
	AttrNumber attnum = InvalidAttrNumber;
	ListCell *cell;

	PreventCommandIfReadOnly("set_time_options()");
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("relation must not be null")));
	rel = hz_timerange_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	if (!PG_ARGISNULL(1))
		attnum = hz_timerange_column(rel, NameStr(*PG_GETARG_NAME(1)));
	labels = hz_label_read(RelationGetRelid(rel));
	foreach(cell, labels->labels)
		((HzLabel *) lfirst(cell))->time = false;
	if (attnum != InvalidAttrNumber)
		hz_label_get(labels, attnum)->time = true;
	table = hz_label_get(labels, 0);
	table->managed = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	table->months_ahead = PG_ARGISNULL(3) ? 0 : hz_label_months(PG_GETARG_INT32(3));
	table->ttl = PG_ARGISNULL(4) ? NULL : hz_label_interval_text(PG_GETARG_INTERVAL_P(4));
	hz_label_write(labels);
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* note_arrival(partition regclass) */
Datum
hz_note_arrival(PG_FUNCTION_ARGS)
{
	Relation rel = hz_timerange_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
	HzLabels *labels = hz_label_read(RelationGetRelid(rel));

	if (!rel->rd_rel->relispartition)
		ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
						errmsg("table \"%s\" is no partition", RelationGetRelationName(rel))));
	hz_label_get(labels, 0)->arrived = true;
	hz_label_write(labels);
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}

/* time_options(relation regclass): (column_name name, managed boolean, months_ahead integer, ttl interval) */
Datum
hz_time_options(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);
	HzLabels *labels = hz_label_read(relid);
	HzLabel *table = hz_label_find(labels, 0);
	TupleDesc desc;
	Datum values[4] = {0};
	bool nulls[4] = {true, false, true, true};
	char *name = NULL;
	ListCell *cell;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	foreach(cell, labels->labels)
	{
		HzLabel *label = lfirst(cell);

		if (label->attnum != 0 && label->time)
			name = get_attname(relid, label->attnum, true);
	}
	if (name != NULL)
	{
		values[0] = DirectFunctionCall1(namein, CStringGetDatum(name));
		nulls[0] = false;
	}
	values[1] = BoolGetDatum(table != NULL && table->managed);
	if (table != NULL && table->months_ahead != 0)
	{
		values[2] = Int32GetDatum(table->months_ahead);
		nulls[2] = false;
	}
	if (table != NULL && table->ttl != NULL)
	{
		values[3] = IntervalPGetDatum(hz_label_interval(table->ttl));
		nulls[3] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* A bound as a timestamp: as it is, or in UTC. */
static Timestamp
bound_time(Oid type, Datum value, PartitionRangeDatumKind kind)
{
	int overflow = 0;

	if (kind == PARTITION_RANGE_DATUM_MINVALUE)
		return DT_NOBEGIN;
	if (kind == PARTITION_RANGE_DATUM_MAXVALUE)
		return DT_NOEND;
	if (type == DATEOID)
		return date2timestamp_opt_overflow(DatumGetDateADT(value), &overflow);
	return DatumGetTimestamp(value);
}

static void
put_partition(ReturnSetInfo *result, Oid relid, const Timestamp *bounds, bool is_default)
{
	Datum values[4] = {ObjectIdGetDatum(relid)};
	bool nulls[4] = {false, true, true, false};

	if (bounds != NULL)
	{
		values[1] = TimestampGetDatum(bounds[0]);
		values[2] = TimestampGetDatum(bounds[1]);
		nulls[1] = nulls[2] = false;
	}
	values[3] = BoolGetDatum(is_default);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/*
 * partition_bounds(relation regclass): (partition regclass, lower timestamp, upper timestamp, is_default boolean)
 *
 * Of a table partitioned by range of one date, timestamp or timestamptz (in UTC); of other tables nothing.
 */
Datum
hz_partition_bounds(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Relation rel;
	PartitionKey key;
	PartitionDesc desc;
	PartitionBoundInfo info;
	Oid type;

	InitMaterializedSRF(fcinfo, 0);
	if (get_rel_relkind(PG_GETARG_OID(0)) != RELKIND_PARTITIONED_TABLE)
		return (Datum) 0;
	rel = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (rel == NULL)
		return (Datum) 0;
	key = RelationGetPartitionKey(rel);
	desc = RelationGetPartitionDesc(rel, true);
	info = desc->boundinfo;
	type = key->parttypid[0];
	if (desc->nparts > 0 && key->strategy == PARTITION_STRATEGY_RANGE && key->partnatts == 1 &&
		hz_timerange_is_time(type))
	{
		for (int i = 1; i < info->ndatums; i++)
		{
			Timestamp bounds[2];

			if (info->indexes[i] < 0)
				continue;
			bounds[0] = bound_time(type, info->datums[i - 1][0], info->kind[i - 1][0]);
			bounds[1] = bound_time(type, info->datums[i][0], info->kind[i][0]);
			put_partition(result, desc->oids[info->indexes[i]], bounds, false);
		}
		if (partition_bound_has_default(info))
			put_partition(result, desc->oids[info->default_index], NULL, true);
	}
	relation_close(rel, AccessShareLock);
	return (Datum) 0;
}
