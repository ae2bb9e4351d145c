/*
 * exec/aggspill.c
 *	  See aggspill.h.
 *
 * A record is its length (4 bytes), the number of the aggregate for pairs (4 bytes; -1: a group), for pairs the value's
 * slot, then the group's row (of pairs without states), then the bytes of strings in the order of the slots: value, keys,
 * least and greatest values. Pointers in rows and slots are written as they are and set right when they are read.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/buffile.h"
#include "utils/memutils.h"

#include "base/bytes.h"
#include "exec/aggspill.h"

/* Bits of the hash that a cut takes: each of its files has a buffer. */
#define LEAST_BITS 5
#define MOST_BITS 8
#define PAIR_BITS 6 /* of which nobody knows how many there are */

#define BUFFERS_PART 8 /* of the limit: for buffers of files, at most */
#define SUM_DIGITS 28  /* of 38 that 128 bits hold: sums of 10^10 records still fit */
#define MOST_USED 45   /* bits: beyond, hashes have no more to cut by; then memory has to do */

typedef struct Partition
{
	BufFile *file;
	int used; /* bits of the hash that all in it have in common */
} Partition;

typedef struct FanOut
{
	int bits;
	BufFile *files[1 << MOST_BITS]; /* NULL: nothing yet */
} FanOut;

struct HzAggSpill
{
	MemoryContext context;
	Size limit;
	double expected; /* groups */
	FanOut groups;   /* of the first level */
	FanOut pairs;
	bool reading;
	List *group_partitions; /* to be read: Partition */
	List *pair_partitions;
	uint64 bytes;
	/* the record at hand */
	uint8 *record;
	Size record_room;
	Size record_length;
	bool has_distinct;
	/* of all wide sums written */
	int whole_digits;
	int64 scale;
};

HzAggSpill *
hz_aggspill_make(Size limit, double groups)
{
	HzAggSpill *spill = palloc0(sizeof(HzAggSpill));

	spill->context = CurrentMemoryContext;
	spill->limit = limit;
	spill->expected = groups;
	return spill;
}

bool
hz_aggspill_possible(const HzAggregate *aggregates, int count)
{
	for (int i = 0; i < count; i++)
	{
		if (aggregates[i].kind == HZ_AGG_COLLECT)
			return false;
	}
	return true;
}

uint64
hz_aggspill_bytes(const HzAggSpill *spill)
{
	return spill->bytes;
}

/* ---- Records */

static void
need_room(HzAggSpill *spill, Size room)
{
	if (room <= spill->record_room)
		return;
	room += room / 2 + 1024;
	if (spill->record == NULL)
		spill->record = MemoryContextAllocHuge(spill->context, room);
	else
		spill->record = repalloc_huge(spill->record, room);
	spill->record_room = room;
}

static void
append(HzAggSpill *spill, const void *bytes, Size length)
{
	need_room(spill, spill->record_length + length);
	if (length > 0)
		memcpy(spill->record + spill->record_length, bytes, length);
	spill->record_length += length;
}

/* Bytes that belong to a slot of this kind, outside of it. */
static Size
outside(HzKeyKind kind, const HzKeySlot *slot)
{
	if (kind == HZ_KEY_STRING)
		return slot->string.length;
	/* behind a number stands its display scale */
	return kind == HZ_KEY_NUMERIC && slot->string.data != NULL ? slot->string.length + 2 : 0;
}

static void
append_outside(HzAggSpill *spill, HzKeyKind kind, const HzKeySlot *slot)
{
	append(spill, slot->string.data, outside(kind, slot));
}

static HzKeyKind
argument_kind(const HzAggregate *aggregate)
{
	HzKeyKind kind = HZ_KEY_INT;

	(void) hz_key_kind(aggregate->argument_kind, aggregate->argument_width, &kind);
	return kind;
}

static bool
is_extreme(const HzAggregate *aggregate)
{
	return aggregate->kind == HZ_AGG_MIN || aggregate->kind == HZ_AGG_MAX;
}

static void
begin_record(HzAggSpill *spill, int32 aggregate)
{
	spill->record_length = sizeof(uint32);
	append(spill, &aggregate, sizeof(aggregate));
}

static void
append_keys_outside(HzAggSpill *spill, const HzGroupLayout *layout, const HzGroupRow *row)
{
	for (int k = 0; k < layout->key_count; k++)
	{
		if (((row->nulls >> k) & 1) == 0)
			append_outside(spill, layout->kinds[k], &row->keys[k]);
	}
}

/* The states of a group, but for counts of distinct values where their pairs are written, too. */
static void
make_group_record(HzAggSpill *spill, const HzAggregator *aggregator, const HzGroupRow *row,
				  bool keep_counts)
{
	const HzGroupLayout *layout = aggregator->layout;
	Size start;

	begin_record(spill, -1);
	start = spill->record_length;
	append(spill, row, layout->row_bytes);
	append_keys_outside(spill, layout, row);
	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		const HzAggregate *aggregate = &aggregator->aggregates[i];

		if (is_extreme(aggregate))
		{
			const HzExtreme *extreme =
				(const HzExtreme *) ((const uint8 *) row + aggregate->offset);

			if (extreme->seen != 0)
				append_outside(spill, argument_kind(aggregate), &extreme->value);
		}
		if (aggregate->kind == HZ_AGG_DISTINCT && !keep_counts)
			memset(spill->record + start + aggregate->offset, 0, sizeof(int64));
	}
}

static void
make_pair_record(HzAggSpill *spill, const HzAggregator *aggregator, int index,
				 const HzGroupRow *row, const HzKeySlot *value)
{
	const HzGroupLayout *layout = aggregator->layout;

	begin_record(spill, index);
	append(spill, value, sizeof(*value));
	append(spill, row, layout->states_offset);
	append_outside(spill, aggregator->sets[index].kind, value);
	append_keys_outside(spill, layout, row);
}

static void
write_record(HzAggSpill *spill, FanOut *set, uint64 hash, int used)
{
	int part = (int) (hash >> (64 - used - set->bits)) & ((1 << set->bits) - 1);
	uint32 length = (uint32) spill->record_length;

	if (spill->record_length > PG_INT32_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a group of an aggregation is too long to be written to a temporary file"),
				 errhint("Increase work_mem, or set hanzo_datastore.enable_columnar_agg to off.")));
	if (set->files[part] == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(spill->context);

		set->files[part] = BufFileCreateTemp(false);
		MemoryContextSwitchTo(old);
	}
	memcpy(spill->record, &length, sizeof(length));
	BufFileWrite(set->files[part], spill->record, spill->record_length);
	spill->bytes += spill->record_length;
}

static void
read_exact(BufFile *file, void *target, Size length)
{
	if (BufFileRead(file, target, length) != length)
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read a temporary file of an aggregation")));
}

/* The next record of a file; false at its end. */
static bool
read_record(HzAggSpill *spill, BufFile *file)
{
	uint32 length;
	size_t got = BufFileRead(file, &length, sizeof(length));

	if (got == 0)
		return false;
	if (got != sizeof(length) || length < sizeof(length))
		ereport(ERROR, (errcode_for_file_access(),
						errmsg("could not read a temporary file of an aggregation")));
	need_room(spill, length);
	read_exact(file, spill->record + sizeof(length), length - sizeof(length));
	spill->record_length = length;
	return true;
}

static const uint8 *
take_outside(HzKeyKind kind, HzKeySlot *slot, const uint8 *at)
{
	Size length = outside(kind, slot);

	if (kind == HZ_KEY_STRING || kind == HZ_KEY_NUMERIC)
		slot->string.data = at;
	return at + length;
}

static const uint8 *
take_keys_outside(const HzGroupLayout *layout, HzGroupRow *row, const uint8 *at)
{
	for (int k = 0; k < layout->key_count; k++)
	{
		if (((row->nulls >> k) & 1) == 0)
			at = take_outside(layout->kinds[k], &row->keys[k], at);
	}
	return at;
}

#define RECORD_HEADER (sizeof(uint32) + sizeof(int32))

static HzAggStatus
add_group_record(HzAggSpill *spill, HzAggregator *aggregator)
{
	HzGroupRow *row = (HzGroupRow *) (spill->record + RECORD_HEADER);
	const uint8 *at = (const uint8 *) row + aggregator->layout->row_bytes;

	at = take_keys_outside(aggregator->layout, row, at);
	row->merged = NULL;
	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		const HzAggregate *aggregate = &aggregator->aggregates[i];
		HzExtreme *extreme = (HzExtreme *) ((uint8 *) row + aggregate->offset);

		if (is_extreme(aggregate) && extreme->seen != 0)
			at = take_outside(argument_kind(aggregate), &extreme->value, at);
	}
	return hz_aggregator_add_row(aggregator, row);
}

static HzAggStatus
add_pair_record(HzAggSpill *spill, HzAggregator *aggregator)
{
	HzKeySlot *value = (HzKeySlot *) (spill->record + RECORD_HEADER);
	HzGroupRow *row = (HzGroupRow *) (value + 1);
	const uint8 *at = (const uint8 *) row + aggregator->layout->states_offset;
	int32 index;

	memcpy(&index, spill->record + sizeof(uint32), sizeof(index));
	at = take_outside(aggregator->sets[index].kind, value, at);
	(void) take_keys_outside(aggregator->layout, row, at);
	return hz_aggregator_add_distinct(aggregator, index, row, value);
}

/* ---- Writing */

void
hz_aggspill_poll(void)
{
	CHECK_FOR_INTERRUPTS();
}

static uint64
pair_hash(const HzGroupRow *row, uint64 hash)
{
	uint64 mixed =
		(hash ^ (row->hash * UINT64CONST(0x9e3779b97f4a7c15))) * UINT64CONST(0xd6e8feb86659fd93);

	return mixed ^ (mixed >> 29);
}

static void
write_groups(HzAggSpill *spill, HzAggregator *aggregator, FanOut *set, int used, bool keep_counts)
{
	HzGroupCursor cursor = {0};
	HzGroupRow *row;

	while ((row = hz_grouptable_next(&aggregator->table, &cursor)) != NULL)
	{
		CHECK_FOR_INTERRUPTS();
		make_group_record(spill, aggregator, row, keep_counts);
		write_record(spill, set, row->hash, used);
	}
}

static void
write_pairs(HzAggSpill *spill, HzAggregator *aggregator, FanOut *set, int used)
{
	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		uint64_t position = 0;
		uint64_t hash;
		HzGroupRow *row;
		HzKeySlot value;

		while (hz_distinctset_next(&aggregator->sets[i], &position, &row, &value, &hash))
		{
			CHECK_FOR_INTERRUPTS();
			make_pair_record(spill, aggregator, i, row, &value);
			write_record(spill, set, pair_hash(row, hash), used);
			spill->has_distinct = true;
		}
	}
}

static HzAggStatus
reset(HzAggregator *aggregator)
{
	return hz_aggregator_reset(aggregator) ? HZ_AGG_OK : HZ_AGG_MEMORY;
}

/*
 * Whether the sums of all records, brought to one scale, are certain to fit when they are added on reading: rows have
 * been returned by then, and nobody else can do it.
 */
static bool
sums_fit(HzAggSpill *spill, const HzAggregator *aggregator)
{
	for (int i = 0; i < aggregator->aggregate_count; i++)
	{
		HzGroupCursor cursor = {0};
		HzGroupRow *row;

		if (aggregator->aggregates[i].kind != HZ_AGG_SUM_WIDE)
			continue;
		while ((row = hz_grouptable_next(&aggregator->table, &cursor)) != NULL)
		{
			const HzSumWide *sum =
				(const HzSumWide *) ((uint8 *) row + aggregator->aggregates[i].offset);
			HzInt128 rest = sum->sum;
			int64 digits = 0;

			for (; rest != 0; rest /= 10)
				digits++;
			spill->whole_digits = (int) Max(spill->whole_digits, digits - sum->scale);
			spill->scale = Max(spill->scale, sum->scale);
		}
	}
	return spill->whole_digits + spill->scale <= SUM_DIGITS;
}

/* So many files that, if there are as many groups as expected, each fits into memory when it is read. */
static void
choose_fan_out(HzAggSpill *spill, HzAggregator *aggregator)
{
	double bytes = spill->expected * (double) hz_aggregator_grown(aggregator, 0) /
				   (double) Max(aggregator->table.count, 1);
	int most = LEAST_BITS;
	int bits = LEAST_BITS;

	while (most < MOST_BITS && ((Size) BLCKSZ << (most + 1)) * BUFFERS_PART <= spill->limit)
		most++;
	/* a quarter is for the table's growth, and chance */
	while (bits < most && bytes / (1 << bits) > 0.75 * (double) spill->limit)
		bits++;
	spill->groups.bits = bits;
	spill->pairs.bits = Min(Max(bits, PAIR_BITS), most);
}

HzAggStatus
hz_aggspill_write(HzAggSpill *spill, HzAggregator *aggregator)
{
	if (!sums_fit(spill, aggregator))
		return HZ_AGG_WIDE;
	if (spill->groups.bits == 0)
		choose_fan_out(spill, aggregator);
	/* so that no pair is written twice */
	if (hz_aggregator_finish(aggregator, hz_aggspill_poll) != HZ_AGG_OK)
		return HZ_AGG_MEMORY;
	write_pairs(spill, aggregator, &spill->pairs, 0);
	write_groups(spill, aggregator, &spill->groups, 0, false);
	return reset(aggregator);
}

/* ---- Reading */

/* Makes the files of a set partitions to be read. */
static List *
add_partitions(HzAggSpill *spill, List *partitions, FanOut *set, int used)
{
	MemoryContext old = MemoryContextSwitchTo(spill->context);

	for (int i = 0; i < 1 << set->bits; i++)
	{
		Partition *partition;

		if (set->files[i] == NULL)
			continue;
		if (BufFileSeek(set->files[i], 0, 0, SEEK_SET) != 0)
			ereport(ERROR, (errcode_for_file_access(),
							errmsg("could not rewind a temporary file of an aggregation")));
		partition = palloc(sizeof(Partition));
		*partition = (Partition){.file = set->files[i], .used = used + set->bits};
		partitions = lappend(partitions, partition);
	}
	memset(set->files, 0, sizeof(set->files));
	MemoryContextSwitchTo(old);
	return partitions;
}

static Partition
pop_partition(List **partitions)
{
	Partition *last = llast(*partitions);
	Partition result = *last;

	*partitions = list_delete_last(*partitions);
	pfree(last);
	return result;
}

static bool
too_large(const HzAggSpill *spill, const HzAggregator *aggregator, int used)
{
	return used < MOST_USED && hz_aggregator_grown(aggregator, 1) > spill->limit;
}

/* Reads pairs until the end or until they are too many, and writes these out, cut further. */
static HzAggStatus
read_pairs(HzAggSpill *spill, HzAggregator *aggregator)
{
	Partition partition = pop_partition(&spill->pair_partitions);
	FanOut finer = {.bits = LEAST_BITS};
	bool cut = false;
	HzAggStatus status = HZ_AGG_OK;

	while (status == HZ_AGG_OK && read_record(spill, partition.file))
	{
		CHECK_FOR_INTERRUPTS();
		status = add_pair_record(spill, aggregator);
		if (status == HZ_AGG_OK && too_large(spill, aggregator, partition.used))
		{
			cut = true;
			write_pairs(spill, aggregator, &finer, partition.used);
			status = reset(aggregator);
		}
	}
	BufFileClose(partition.file);
	if (status != HZ_AGG_OK)
		return status;
	if (cut)
	{
		write_pairs(spill, aggregator, &finer, partition.used);
		spill->pair_partitions =
			add_partitions(spill, spill->pair_partitions, &finer, partition.used);
	}
	else if ((status = hz_aggregator_finish(aggregator, hz_aggspill_poll)) == HZ_AGG_OK)
		write_groups(spill, aggregator, &spill->groups, 0, true);
	return status == HZ_AGG_OK ? reset(aggregator) : status;
}

/* Fills the aggregator with one partition of groups; *final is false when it was too large and has been cut. */
static HzAggStatus
read_groups(HzAggSpill *spill, HzAggregator *aggregator, bool *final)
{
	Partition partition = pop_partition(&spill->group_partitions);
	FanOut finer = {.bits = LEAST_BITS};
	HzAggStatus status = HZ_AGG_OK;

	*final = true;
	while (status == HZ_AGG_OK && read_record(spill, partition.file))
	{
		CHECK_FOR_INTERRUPTS();
		status = add_group_record(spill, aggregator);
		if (status == HZ_AGG_OK && too_large(spill, aggregator, partition.used))
		{
			*final = false;
			write_groups(spill, aggregator, &finer, partition.used, true);
			status = reset(aggregator);
		}
	}
	BufFileClose(partition.file);
	if (status != HZ_AGG_OK || *final)
		return status;
	write_groups(spill, aggregator, &finer, partition.used, true);
	spill->group_partitions =
		add_partitions(spill, spill->group_partitions, &finer, partition.used);
	return reset(aggregator);
}

HzAggStatus
hz_aggspill_next(HzAggSpill *spill, HzAggregator *aggregator, bool *more)
{
	HzAggStatus status = reset(aggregator);
	bool final = false;

	if (!spill->reading)
	{
		spill->pair_partitions = add_partitions(spill, NIL, &spill->pairs, 0);
		while (status == HZ_AGG_OK && spill->pair_partitions != NIL)
			status = read_pairs(spill, aggregator);
		spill->group_partitions = add_partitions(spill, NIL, &spill->groups, 0);
		spill->reading = true;
	}
	while (status == HZ_AGG_OK && !final && spill->group_partitions != NIL)
		status = read_groups(spill, aggregator, &final);
	*more = final;
	return status;
}

static void
close_set(FanOut *set)
{
	for (int i = 0; i < 1 << MOST_BITS; i++)
	{
		if (set->files[i] != NULL)
			BufFileClose(set->files[i]);
	}
	memset(set->files, 0, sizeof(set->files));
}

static void
close_partitions(List *partitions)
{
	ListCell *cell;

	foreach(cell, partitions)
		BufFileClose(((Partition *) lfirst(cell))->file);
}

void
hz_aggspill_close(HzAggSpill *spill)
{
	close_set(&spill->groups);
	close_set(&spill->pairs);
	close_partitions(spill->group_partitions);
	close_partitions(spill->pair_partitions);
	spill->group_partitions = spill->pair_partitions = NIL;
}
