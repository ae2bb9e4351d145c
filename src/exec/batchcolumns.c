/*
 * exec/batchcolumns.c
 *	  See batchcolumns.h.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "utils/memutils.h"

#include "exec/batchcolumns.h"
#include "expr/compile.h"

bool hz_enable_encoded_equality = true;

static const uint64 all_null[HZ_VECTOR_ROWS / 64];

void
hz_batchcolumns_init(HzBatchColumns *columns, TupleDesc desc, const HzColumnType *types)
{
	int natts = Max(desc->natts, 1);

	memset(columns, 0, sizeof(*columns));
	columns->desc = desc;
	columns->types = types;
	columns->context = CurrentMemoryContext;
	columns->loaded = palloc0(sizeof(uint64) * natts);
	columns->vectors = palloc0(sizeof(HzVector) * natts);
	columns->lengths_loaded = palloc0(sizeof(uint64) * natts);
	columns->lengths = palloc0(sizeof(HzVector) * natts);
	columns->missing = palloc0(sizeof(HzVector) * natts);
}

void
hz_batchcolumns_begin(HzBatchColumns *columns, uint32 rows)
{
	columns->rows = rows;
	columns->number++;
}

void
hz_batchcolumns_missing(HzBatchColumns *columns, int attno, HzVector *out)
{
	HzVector *made = &columns->missing[attno];

	if (made->count == 0)
	{
		MemoryContext old = MemoryContextSwitchTo(columns->context);
		bool isnull;
		Datum value = getmissingattr(columns->desc, attno + 1, &isnull);

		hz_vexpr_from_datums(&columns->types[attno], &value, &isnull, 1, made);
		made->form = HZ_FORM_CONSTANT;
		made->count = HZ_VECTOR_ROWS;
		made->validity = isnull ? all_null : NULL;
		MemoryContextSwitchTo(old);
	}
	*out = *made;
}

const HzVector *
hz_batchcolumns_get(void *arg, int attno)
{
	HzBatchColumns *columns = arg;
	HzVector *vector = &columns->vectors[attno];

	if (columns->loaded[attno] == columns->number)
		return vector;
	if (!hz_batchscan_column(columns->batches, attno, vector))
	{
		hz_batchcolumns_missing(columns, attno, vector);
		vector->count = columns->rows;
	}
	columns->loaded[attno] = columns->number;
	return vector;
}

const HzVector *
hz_batchcolumns_lengths(void *arg, int attno)
{
	HzBatchColumns *columns = arg;

	if (columns->lengths_loaded[attno] == columns->number)
		return &columns->lengths[attno];
	/* strings that are there tell as well */
	if (columns->loaded[attno] == columns->number ||
		!hz_batchscan_lengths(columns->batches, attno, &columns->lengths[attno]))
		return NULL;
	columns->lengths_loaded[attno] = columns->number;
	return &columns->lengths[attno];
}

bool
hz_batchcolumns_match(void *arg, int attno, const uint8 *data, size_t length, uint8 *mask)
{
	HzBatchColumns *columns = arg;
	HzString value = {.data = data, .length = length};

	/* values that are there tell as well */
	return hz_enable_encoded_equality && columns->loaded[attno] != columns->number &&
		   hz_batchscan_match(columns->batches, attno, &value, mask);
}
