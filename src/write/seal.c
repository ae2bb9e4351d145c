/*
 * write/seal.c
 *	  Encodes a buffer column by column and writes the stream's pages as they fill. See seal.h.
 *
 * Memory: beside the buffer, some megabytes of columns, one in the group's order, its encoded chunk and one page.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/memutils.h"

#include "storage/mark.h"
#include "storage/rowid.h"
#include "write/seal.h"
#include "write/sortrows.h"

typedef struct PageWriter
{
	HzStore *store;
	HzGroup *group;
	HzBytes pending; /* bytes not yet on a page */
	CommandId cid;
	BulkInsertState bistate;
	bool scattered;     /* too many block ranges: readers use the index */
	BlockNumber blocks; /* of the TOAST heap, before the first page */
	bool extending;     /* free space has been used up: do not look for more before every page */
} PageWriter;

static void
note_block(PageWriter *writer, BlockNumber block)
{
	HzGroup *group = writer->group;
	HzBlockRange *last = group->range_count > 0 ? &group->ranges[group->range_count - 1] : NULL;

	if (last != NULL && last->first + last->count == block)
		last->count++;
	else if (group->range_count < HZ_DIRECTORY_RANGES)
	{
		group->ranges[group->range_count].first = block;
		group->ranges[group->range_count++].count = 1;
	}
	else
		writer->scattered = true;
}

static void
write_pages(PageWriter *writer, bool last)
{
	size_t done = 0;

	while (writer->pending.length - done >= HZ_STORE_PAGE ||
		   (last && writer->pending.length > done))
	{
		Size length = Min(writer->pending.length - done, HZ_STORE_PAGE);
		ItemPointerData tid;

		CHECK_FOR_INTERRUPTS();
		hz_store_put(writer->store, writer->group->chunk_id, (int32) writer->group->pages,
					 writer->pending.data + done, length, writer->cid,
					 writer->extending ? HEAP_INSERT_SKIP_FSM : 0, writer->bistate, &tid);
		note_block(writer, ItemPointerGetBlockNumber(&tid));
		if (ItemPointerGetBlockNumber(&tid) >= writer->blocks)
			writer->extending = true;
		hz_store_pace(writer->store);
		writer->group->pages++;
		writer->group->bytes += length;
		done += length;
	}
	memmove(writer->pending.data, writer->pending.data + done, writer->pending.length - done);
	writer->pending.length -= done;
}

HzStatus
hz_seal_column(const HzRowBuffer *buffer, const HzOptions *options, int attno,
			   const uint32 *permutation, HzBytes *out, HzChunkMeta *meta)
{
	const HzColumnType *type = &hz_rowbuffer_types(buffer)[attno];
	HzChunkOptions chunk_options = {.codec = options->columns[attno].codec,
									.level = options->columns[attno].level,
									.ordered = type->ordered,
									.bloom = options->columns[attno].bloom,
									.array = type->array};
	HzColumn column;

	hz_rowbuffer_column(buffer, attno, permutation, &column);
	return hz_chunk_write(&column, &chunk_options, out, meta);
}

static void
write_column(PageWriter *writer, HzRowBuffer *buffer, const HzOptions *options, int attno,
			 const uint32 *permutation, HzChunkMeta *meta)
{
	uint64 offset = writer->group->bytes + writer->pending.length;
	HzStatus status = hz_seal_column(buffer, options, attno, permutation, &writer->pending, meta);

	if (status != HZ_OK)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("could not encode column \"%s\": %s",
							   NameStr(TupleDescAttr(hz_rowbuffer_desc(buffer), attno)->attname),
							   hz_status_text(status))));
	meta->offset = offset;
	write_pages(writer, false);
}

/* Puts the description into the group, or behind the chunks when a directory tuple cannot hold it. */
static void
write_description(PageWriter *writer, const HzRowGroupMeta *meta)
{
	HzGroup *group = writer->group;
	HzBytes bytes = {0};

	hz_rowgroup_write(meta, &bytes);
	group->description = bytes.data;
	group->description_length = (uint32) bytes.length;
	group->description_in_stream = hz_directory_needs_stream(bytes.length);
	if (group->description_in_stream)
		hz_bytes_append(&writer->pending, bytes.data, bytes.length);
}

void
hz_seal_constant(const HzColumnType *type, Datum value, bool isnull, uint32 rows, HzBytes *out,
				 HzChunkMeta *meta)
{
	HzChunkOptions options = {.codec = HZ_CODEC_NONE, .ordered = type->ordered};
	TupleDesc desc = CreateTemplateTupleDesc(1);
	HzRowBuffer *buffer;
	HzColumn column;
	HzStatus status;

	/* one row, taken `rows` times: a long default is not copied for each */
	TupleDescInitEntry(desc, 1, "constant", type->typid, -1, 0);
	buffer = hz_rowbuffer_create(CurrentMemoryContext, desc);
	hz_rowbuffer_add(buffer, &value, &isnull);
	(void) hz_rowbuffer_load(buffer, 0);
	hz_rowbuffer_repeat(buffer, 0, rows, &column);
	status = hz_chunk_write(&column, &options, out, meta);
	if (status != HZ_OK)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("could not encode a column's default: %s", hz_status_text(status))));
	hz_rowbuffer_destroy(buffer);
}

/* A group of the buffer's rows, with a number and a chunk_id of its own, but no pages yet. */
static HzGroup *
begin_group(HzStore *store, const HzRowBuffer *buffer, PageWriter *writer, CommandId cid)
{
	HzGroup *group = palloc0(sizeof(HzGroup));
	int natts = hz_rowbuffer_desc(buffer)->natts;

	memset(writer, 0, sizeof(*writer));
	writer->store = store;
	writer->group = group;
	writer->cid = cid;
	group->rows = group->meta.rows = hz_rowbuffer_rows(buffer);
	Assert(group->rows > 0 && group->rows <= HZ_MARK_MAX_ROWS);
	group->ranges = palloc(sizeof(HzBlockRange) * HZ_DIRECTORY_RANGES);
	group->meta.column_count = natts;
	group->meta.columns = palloc0(sizeof(HzChunkMeta) * Max(natts, 1));
	group->described = true;
	group->number = hz_store_draw(store, hz_rowid_blocks(group->rows));
	group->chunk_id = hz_store_new_chunk_id(store);
	writer->bistate = GetBulkInsertState();
	writer->blocks = RelationGetNumberOfBlocks(store->toast);
	/* allocated here, so that growing it leaves it in this context, not in a column's */
	(void) hz_bytes_reserve(&writer->pending, HZ_STORE_PAGE * 8);
	return group;
}

static void
end_group(PageWriter *writer)
{
	write_description(writer, &writer->group->meta);
	write_pages(writer, true);
	if (writer->scattered)
		writer->group->range_count = 0;
	FreeBulkInsertState(writer->bistate);
	hz_bytes_free(&writer->pending);
}

HzGroup *
hz_seal(HzStore *store, HzRowBuffer *buffer, const HzOptions *options, CommandId cid,
		uint32 *permutation)
{
	MemoryContext column_context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo seal column", ALLOCSET_DEFAULT_SIZES);
	MemoryContext loaded_context =
		AllocSetContextCreate(CurrentMemoryContext, "hanzo seal columns", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	PageWriter writer;
	HzGroup *group;
	uint32 *order;
	int end;

	order = hz_sortrows(buffer, options, permutation);
	group = begin_group(store, buffer, &writer, cid);
	for (int first = 0; first < (int) group->meta.column_count; first = end)
	{
		MemoryContextReset(loaded_context);
		MemoryContextSwitchTo(loaded_context);
		end = hz_rowbuffer_load(buffer, first);
		MemoryContextSwitchTo(column_context);
		for (int i = first; i < end; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (hz_rowbuffer_types(buffer)[i].kind == 0)
				continue;
			write_column(&writer, buffer, options, i, order, &group->meta.columns[i]);
			MemoryContextReset(column_context);
		}
		MemoryContextSwitchTo(caller);
	}
	end_group(&writer);
	MemoryContextDelete(loaded_context);
	MemoryContextDelete(column_context);
	return group;
}

HzGroup *
hz_seal_encoded(HzStore *store, const HzRowBuffer *buffer, const HzBytes *chunks,
				const HzChunkMeta *columns, CommandId cid)
{
	PageWriter writer;
	HzGroup *group = begin_group(store, buffer, &writer, cid);

	memcpy(group->meta.columns, columns, sizeof(HzChunkMeta) * group->meta.column_count);
	hz_bytes_append(&writer.pending, chunks->data, chunks->length);
	write_pages(&writer, false);
	end_group(&writer);
	return group;
}
