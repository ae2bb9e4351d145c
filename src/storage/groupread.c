/*
 * storage/groupread.c
 *	  Reads row groups: pages by block, the index where blocks have moved. See groupread.h.
 *
 * A page of the stream is looked for on the block that the directory names; the tuple found there is
 * accepted only with the right (chunk_id, chunk_seq). If it is not there (somebody ran VACUUM FULL on the TOAST
 * relation) the index finds it. The buffer's content lock is held only to find the line pointer: the
 * pin keeps the tuple (PROTOCOLS 1.6).
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/snapmgr.h"
#include "utils/spccache.h"

#include "base/bitmap.h"
#include "storage/groupread.h"

/* Bytes of vectors kept decoded, of all columns together; at most so many of them for scans, of which a backend keeps many groups open. */
#define KNOWN_BYTES (8 * 1024 * 1024)
#define KNOWN_OF_SCANS (1024 * 1024)

#define PREFETCH_FROM 4 /* pages: fewer are read as soon */

struct HzGroupReader
{
	HzStore *store;
	HzGroup *group;
	const HzColumnType *types;
	int natts;
	BufferAccessStrategy strategy;
	bool fleeting;
	MemoryContext context;
	BlockNumber last_block; /* for error messages */
	HzChunkRoom known_room; /* for vectors that are kept decoded; each attachment is a turn */
	struct ColumnSource
	{
		struct HzGroupReader *reader;
		uint64 offset; /* of the chunk in the stream */
		uint64 length;
		HzChunkReader *chunk;
	} * columns; /* of the group's description */
};

static void
report_column_damage(HzGroupReader *reader, int attno, HzStatus status)
{
	Relation table = reader->store->table;

	ereport(
		ERROR,
		(errcode(ERRCODE_DATA_CORRUPTED),
		 errmsg("damaged column data in table \"%s\": row group %u, column \"%s\": %s",
				RelationGetRelationName(table), reader->group->number,
				attno < RelationGetDescr(table)->natts
					? NameStr(TupleDescAttr(RelationGetDescr(table), attno)->attname)
					: "?",
				hz_status_text(status)),
		 errdetail("Near block %u of TOAST relation \"%s\".", reader->last_block,
				   RelationGetRelationName(reader->store->toast)),
		 errhint(
			 "Run hanzo_datastore.verify() on the table to find all damage, and restore from a backup.")));
}

/* The tuple of page `seq` on this pinned buffer, or false. */
static bool
page_on_buffer(HzStore *store, HzGroup *group, Buffer buffer, uint32 seq, const uint8_t **data,
			   Size *length)
{
	Page page = BufferGetPage(buffer);
	bool found = false;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	for (OffsetNumber off = FirstOffsetNumber; !found && off <= PageGetMaxOffsetNumber(page); off++)
	{
		ItemId item = PageGetItemId(page, off);
		HeapTupleData tuple;
		Oid chunk_id;
		int32 chunk_seq;

		if (!ItemIdIsNormal(item))
			continue;
		tuple.t_data = (HeapTupleHeader) PageGetItem(page, item);
		tuple.t_len = ItemIdGetLength(item);
		ItemPointerSet(&tuple.t_self, BufferGetBlockNumber(buffer), off);
		tuple.t_tableOid = RelationGetRelid(store->toast);
		*data = hz_store_tuple_data(store, &tuple, &chunk_id, &chunk_seq, length);
		found = chunk_id == group->chunk_id && chunk_seq == (int32) seq;
	}
	LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
	return found;
}

/* The block that the directory names for page `seq`; InvalidBlockNumber when it names none. */
static BlockNumber
block_of_page(const HzGroup *group, uint32 seq)
{
	for (uint32 i = 0; i < group->range_count; i++)
	{
		if (seq < group->ranges[i].count)
			return group->ranges[i].first + seq;
		seq -= group->ranges[i].count;
	}
	return InvalidBlockNumber;
}

/* Copies part of page `seq` to target; false when the page cannot be found or is too short. */
static bool
copy_from_page(HzGroupReader *reader, uint32 seq, uint32 offset, uint32 length, uint8_t *target)
{
	HzStore *store = reader->store;
	BlockNumber block = block_of_page(reader->group, seq);
	const uint8_t *data;
	Size available;
	bool done = false;

	if (block != InvalidBlockNumber && hz_store_has_block(store, block))
	{
		Buffer buffer =
			ReadBufferExtended(store->toast, MAIN_FORKNUM, block, RBM_NORMAL, reader->strategy);

		reader->last_block = block;
		if (page_on_buffer(store, reader->group, buffer, seq, &data, &available) &&
			offset + length <= available)
		{
			memcpy(target, data + offset, length);
			done = true;
		}
		ReleaseBuffer(buffer);
	}
	if (!done)
	{
		HzStoreScan scan;

		hz_store_scan_begin(store, &scan, reader->group->chunk_id, (int32) seq, (int32) seq,
							SnapshotAny, ForwardScanDirection);
		if (hz_store_scan_next(&scan))
		{
			reader->last_block = ItemPointerGetBlockNumber(&scan.tuple->t_self);
			if (offset + length <= scan.length)
			{
				memcpy(target, scan.data + offset, length);
				done = true;
			}
		}
		hz_store_scan_end(&scan);
	}
	return done;
}

/* Copies a range of the group's stream. */
static HzStatus
read_stream(HzGroupReader *reader, uint64 offset, uint64 length, uint8_t *target)
{
	if (offset > reader->group->bytes || length > reader->group->bytes - offset)
		return HZ_CORRUPT;
	while (length > 0)
	{
		uint32 seq = (uint32) (offset / HZ_STORE_PAGE);
		uint32 skip = (uint32) (offset % HZ_STORE_PAGE);
		uint32 take = (uint32) Min((uint64) HZ_STORE_PAGE - skip, length);

		CHECK_FOR_INTERRUPTS();
		if (!copy_from_page(reader, seq, skip, take, target))
			return HZ_CORRUPT;
		offset += take;
		length -= take;
		target += take;
	}
	return HZ_OK;
}

static HzStatus
read_chunk(void *arg, uint64 offset, uint64 length, void *target)
{
	struct ColumnSource *source = arg;

	if (offset > source->length || length > source->length - offset)
		return HZ_CORRUPT;
	return read_stream(source->reader, source->offset + offset, length, target);
}

void
hz_groupread_describe(HzStore *store, HzGroup *group)
{
	HzGroupReader reader = {.store = store, .group = group};
	const uint8_t *bytes = group->description;
	HzStatus status = HZ_OK;

	if (group->described)
		return;
	if (group->description_in_stream)
	{
		uint8_t *copy = palloc(group->description_length);

		status = read_stream(&reader, group->bytes - group->description_length,
							 group->description_length, copy);
		bytes = copy;
	}
	else if (bytes == NULL)
		bytes = hz_directory_description(store, group);
	if (status == HZ_OK)
		status = hz_rowgroup_read(bytes, group->description_length, &group->meta);
	if (status == HZ_OK && group->meta.rows != group->rows)
		status = HZ_CORRUPT;
	if (status != HZ_OK)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("damaged description of row group %u in table \"%s\": %s", group->number,
						RelationGetRelationName(store->table), hz_status_text(status)),
				 errdetail("Directory entry at block %u of TOAST relation \"%s\".",
						   ItemPointerGetBlockNumber(&group->tid),
						   RelationGetRelationName(store->toast))));
	group->described = true;
}

HzGroupReader *
hz_groupread_open(HzStore *store, HzGroup *group, const HzColumnType *types, int natts,
				  BufferAccessStrategy strategy)
{
	HzGroupReader *reader;

	hz_groupread_describe(store, group);
	reader = palloc0(sizeof(HzGroupReader));
	reader->store = store;
	reader->group = group;
	reader->types = types;
	reader->natts = natts;
	reader->strategy = strategy;
	reader->context = CurrentMemoryContext;
	reader->known_room.bytes = KNOWN_BYTES;
	reader->known_room.reserved = KNOWN_BYTES - KNOWN_OF_SCANS;
	reader->columns = palloc0(sizeof(*reader->columns) * Max(group->meta.column_count, 1));
	for (uint32 i = 0; i < group->meta.column_count; i++)
	{
		reader->columns[i].reader = reader;
		reader->columns[i].offset = group->meta.columns[i].offset;
		reader->columns[i].length = group->meta.columns[i].length;
	}
	return reader;
}

void
hz_groupread_set_fleeting(HzGroupReader *reader)
{
	reader->fleeting = true;
}

void
hz_groupread_close(HzGroupReader *reader)
{
	for (uint32 i = 0; i < reader->group->meta.column_count; i++)
	{
		if (reader->columns[i].chunk != NULL)
			hz_chunk_close(reader->columns[i].chunk);
	}
	pfree(reader->columns);
	pfree(reader);
}

void
hz_groupread_attach(HzGroupReader *reader, HzStore *store, BufferAccessStrategy strategy)
{
	reader->store = store;
	reader->strategy = strategy;
	reader->known_room.turn++;
}

bool
hz_groupread_has(HzGroupReader *reader, int attno)
{
	return attno < (int) reader->group->meta.column_count &&
		   reader->group->meta.columns[attno].kind != 0;
}

const HzChunkMeta *
hz_groupread_meta(HzGroupReader *reader, int attno)
{
	return &reader->group->meta.columns[attno];
}

/* Asks for page `seq` of the stream; whether it is in a buffer already. */
static bool
prefetch_page(HzGroupReader *reader, uint32 seq)
{
	BlockNumber block = block_of_page(reader->group, seq);

	if (block == InvalidBlockNumber || !hz_store_has_block(reader->store, block))
		return false;
	return BufferIsValid(PrefetchBuffer(reader->store->toast, MAIN_FORKNUM, block).recent_buffer);
}

void
hz_groupread_prefetch(HzGroupReader *reader, int attno)
{
	const HzChunkMeta *meta = hz_groupread_meta(reader, attno);
	uint32 first;
	uint32 end;

	if (meta->offset > reader->group->bytes || meta->length > reader->group->bytes - meta->offset ||
		meta->length < PREFETCH_FROM * HZ_STORE_PAGE)
		return;
	first = (uint32) (meta->offset / HZ_STORE_PAGE);
	end = (uint32) ((meta->offset + meta->length - 1) / HZ_STORE_PAGE) + 1;
	/* the first page may have been read for what stands before it */
	if (get_tablespace_io_concurrency(reader->store->toast->rd_rel->reltablespace) == 0 ||
		prefetch_page(reader, first + (end - first) / 2))
		return;
	for (uint32 seq = first; seq < end; seq++)
	{
		CHECK_FOR_INTERRUPTS();
		(void) prefetch_page(reader, seq);
	}
}

void
hz_groupread_copy(HzGroupReader *reader, int attno, uint8_t *target)
{
	const HzChunkMeta *meta = hz_groupread_meta(reader, attno);
	HzStatus status = HZ_CORRUPT;

	if (hz_coltype_readable(&reader->types[attno], meta))
		status = read_stream(reader, meta->offset, meta->length, target);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
}

/* Opens the chunk of a column that the group has; in reader->context. */
static HzStatus
try_open_column(HzGroupReader *reader, int attno)
{
	struct ColumnSource *column = &reader->columns[attno];
	const HzChunkMeta *meta = &reader->group->meta.columns[attno];
	HzSource source = {read_chunk, column};
	HzStatus status = HZ_CORRUPT;

	if (column->chunk != NULL)
		return HZ_OK;
	if (hz_coltype_readable(&reader->types[attno], meta))
		status = hz_chunk_open(meta, &source, &column->chunk);
	if (status != HZ_OK)
		column->chunk = NULL;
	else
		hz_chunk_share_room(column->chunk, &reader->known_room);
	return status;
}

static HzChunkReader *
open_column(HzGroupReader *reader, int attno)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	HzStatus status = try_open_column(reader, attno);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	return reader->columns[attno].chunk;
}

static HzStatus
try_vector(HzGroupReader *reader, int attno, uint32 vector, const uint16 *at, uint32 count,
		   HzVector *out)
{
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	HzStatus status = try_open_column(reader, attno);

	if (status == HZ_OK)
		status = hz_chunk_vector_at(reader->columns[attno].chunk, vector, at, count, out);
	MemoryContextSwitchTo(old);
	return status;
}

void
hz_groupread_vector(HzGroupReader *reader, int attno, uint32 vector, HzVector *out)
{
	HzStatus status = try_vector(reader, attno, vector, NULL, 0, out);

	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
}

bool
hz_groupread_lengths(HzGroupReader *reader, int attno, uint32 vector, HzVector *out)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool known;
	HzStatus status = hz_chunk_lengths(chunk, vector, &known, out);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	return known;
}

bool
hz_groupread_match(HzGroupReader *reader, int attno, uint32 vector, const HzString *value,
				   uint8 *mask, bool *plain)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool known;
	HzStatus status = hz_chunk_match(chunk, vector, value, &known, mask);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	*plain = known && hz_chunk_is_plain(chunk, vector);
	return known;
}

bool
hz_groupread_lacks(HzGroupReader *reader, int attno, uint32 vector, const HzString *value)
{
	HzChunkReader *chunk = reader->columns[attno].chunk;

	return chunk != NULL && hz_chunk_lacks(chunk, vector, value);
}

/* The group has become dead to all while it was read: its pages may be gone. */
static bool
has_vanished(HzGroupReader *reader)
{
	return hz_directory_state(reader->store, reader->group,
							  GetOldestNonRemovableTransactionId(reader->store->table)) ==
		   HEAPTUPLE_DEAD;
}

bool
hz_groupread_datums(HzGroupReader *reader, TupleDesc desc, int attno, uint32 vector,
					const uint16 *at, uint32 count, Datum *values, bool *isnull)
{
	bool missing_null = true;
	Datum missing = (Datum) 0;
	HzVector decoded;

	if (!TupleDescAttr(desc, attno)->attisdropped)
	{
		if (hz_groupread_has(reader, attno))
		{
			HzStatus status = try_vector(reader, attno, vector, at, count, &decoded);

			if (status != HZ_OK && reader->fleeting && has_vanished(reader))
				return false;
			if (status != HZ_OK)
				report_column_damage(reader, attno, status);
			hz_coltype_datums(&reader->types[attno], &decoded, at, count, values, isnull);
			return true;
		}
		missing = getmissingattr(desc, attno + 1, &missing_null);
	}
	for (uint32 i = 0; i < count; i++)
	{
		uint32 row = at != NULL ? at[i] : i;

		values[row] = missing;
		isnull[row] = missing_null;
	}
	return true;
}

uint64
hz_groupread_raw_bytes(HzStore *store, HzGroup *group)
{
	uint64 bytes = 0;

	hz_groupread_describe(store, group);
	for (uint32 i = 0; i < group->meta.column_count; i++)
		bytes += group->meta.columns[i].raw_bytes;
	return bytes;
}

/* The value at row `row` as a vector of one. */
static void
read_value(HzGroupReader *reader, int attno, uint32 row, HzVector *out)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	HzStatus status = hz_chunk_value(chunk, row, out);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
}

Datum
hz_groupread_datum(HzGroupReader *reader, TupleDesc desc, int attno, uint32 row, bool *isnull)
{
	HzVector vector;

	*isnull = true;
	if (TupleDescAttr(desc, attno)->attisdropped)
		return (Datum) 0;
	if (!hz_groupread_has(reader, attno))
		return getmissingattr(desc, attno + 1, isnull);
	read_value(reader, attno, row, &vector);
	*isnull = vector.validity != NULL && !hz_bitmap_get(vector.validity, 0);
	return *isnull ? (Datum) 0 : hz_coltype_datum(&reader->types[attno], &vector, 0);
}

const HzZone *
hz_groupread_zone(HzGroupReader *reader, int attno, uint32 vector)
{
	return hz_chunk_zone(open_column(reader, attno), vector);
}

bool
hz_groupread_bloom(HzGroupReader *reader, int attno, uint64 hash)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool maybe;
	HzStatus status = hz_chunk_bloom(chunk, hash, &maybe);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	return maybe;
}

bool
hz_groupread_dictionary(HzGroupReader *reader, int attno, const HzString *value)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool maybe;
	HzStatus status = hz_chunk_dictionary(chunk, value, &maybe);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	return maybe;
}

bool
hz_groupread_dictionary_any(HzGroupReader *reader, int attno, const HzValueSet *set)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool maybe;
	HzStatus status = hz_chunk_dictionary_any(chunk, set, &maybe);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	return maybe;
}

bool
hz_groupread_vector_any(HzGroupReader *reader, int attno, uint32 vector, const HzValueSet *set)
{
	HzChunkReader *chunk = open_column(reader, attno);
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	bool maybe;
	HzStatus status = hz_chunk_vector_any(chunk, vector, set, &maybe);

	MemoryContextSwitchTo(old);
	if (status != HZ_OK)
		report_column_damage(reader, attno, status);
	return maybe;
}

HzStatus
hz_groupread_verify(HzGroupReader *reader, int attno, BlockNumber *block)
{
	struct ColumnSource *column = &reader->columns[attno];
	const HzChunkMeta *meta = &reader->group->meta.columns[attno];
	HzSource source = {read_chunk, column};
	MemoryContext old = MemoryContextSwitchTo(reader->context);
	HzStatus status = HZ_OK;

	if (!hz_coltype_readable(&reader->types[attno], meta))
		status = HZ_CORRUPT;
	if (status == HZ_OK && column->chunk == NULL)
		status = hz_chunk_open(meta, &source, &column->chunk);
	if (status == HZ_OK)
		status = hz_chunk_verify(column->chunk);
	else
		column->chunk = NULL;
	MemoryContextSwitchTo(old);
	*block = reader->last_block;
	return status;
}
