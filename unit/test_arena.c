/*
 * unit/test_arena.c
 *	  Arenas: pieces do not overlap, what grows keeps its contents, running out jumps; a chunk encoded in a thread with an
 *	  arena has the bytes of one encoded in the process's own memory.
 */
#include <pthread.h>

#include "format/chunk.h"
#include "unit/unit.h"

#define ROWS 20000
#define ROOM (64u * 1024 * 1024)

static HzArena arena;

static void
begin(size_t size)
{
	memset(&arena, 0, sizeof(arena));
	arena.base = malloc(size);
	arena.size = size;
	hz_memory_use(&arena);
}

static void
end(void)
{
	hz_memory_use(NULL);
	free(arena.base);
}

static void
test_pieces(void)
{
	uint8_t *pieces[100];
	size_t sizes[100];
	bool intact = true;

	unit_subject = "pieces";
	begin(1 << 20);
	for (int i = 0; i < 100; i++)
	{
		sizes[i] = unit_random() % 500;
		pieces[i] = hz_alloc(sizes[i]);
		memset(pieces[i], i, sizes[i]);
		CHECK((uintptr_t) pieces[i] % 16 == (uintptr_t) arena.base % 16);
	}
	for (int i = 0; i < 100; i += 3)
	{
		pieces[i] = hz_realloc(pieces[i], sizes[i] + 300);
		memset(pieces[i] + sizes[i], i, 300);
		sizes[i] += 300;
	}
	for (int i = 0; i < 100; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			intact = intact && pieces[i][k] == i;
	CHECK(intact);
	end();
}

static void
test_last_piece(void)
{
	uint8_t *piece;
	size_t used;

	unit_subject = "last piece";
	begin(4096);
	piece = hz_alloc(100);
	used = arena.used;
	CHECK(hz_realloc(piece, 1000) == piece);
	hz_free(piece);
	CHECK(arena.used == 0);
	CHECK(hz_alloc(100) == piece && arena.used == used);
	hz_free(NULL);
	end();
}

static void
test_exhaustion(void)
{
	static uint8_t foreign[16];
	volatile int jumps = 0;

	unit_subject = "exhaustion";
	begin(1024);
	if (setjmp(arena.exhausted) == 0)
		(void) hz_alloc(2000);
	else
		jumps++;
	if (setjmp(arena.exhausted) == 0)
		(void) hz_alloc(SIZE_MAX);
	else
		jumps++;
	if (setjmp(arena.exhausted) == 0)
		for (;;)
			(void) hz_alloc(100);
	else
		jumps++;
	/* what is not from the arena cannot grow, and is not freed */
	if (setjmp(arena.exhausted) == 0)
		(void) hz_realloc(foreign, 32);
	else
		jumps++;
	hz_free(foreign);
	CHECK(jumps == 4);
	end();
}

/* ---- a chunk in a thread */

typedef struct Work
{
	HzColumn column;
	HzChunkOptions options;
	HzBytes out;
	HzChunkMeta meta;
	HzStatus status;
} Work;

static void *
encode(void *arg)
{
	Work *work = arg;

	hz_memory_use(&arena);
	if (setjmp(arena.exhausted) == 0)
		work->status = hz_chunk_write(&work->column, &work->options, &work->out, &work->meta);
	else
		work->status = HZ_LIMIT;
	hz_memory_use(NULL);
	hz_compress_release();
	return NULL;
}

static void
test_thread(HzColumn column, HzCodec codec, const char *what)
{
	HzChunkOptions options = {.codec = codec, .level = 3, .ordered = true, .bloom = true};
	Work work = {.column = column, .options = options};
	HzBytes out = {NULL, 0, 0};
	HzChunkMeta meta;
	pthread_t thread;

	unit_subject = what;
	CHECK(hz_chunk_write(&column, &options, &out, &meta) == HZ_OK);
	begin(ROOM);
	hz_memory_use(NULL);
	work.out.capacity = out.length + 65536;
	work.out.data = malloc(work.out.capacity);
	CHECK(pthread_create(&thread, NULL, encode, &work) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(work.status == HZ_OK && work.out.length == out.length &&
		  memcmp(work.out.data, out.data, out.length) == 0);

	/* no room for the result: it ends, and writes nothing past the end */
	work.out.length = 0;
	work.out.capacity = out.length / 2;
	CHECK(pthread_create(&thread, NULL, encode, &work) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(work.status == HZ_LIMIT && work.out.length <= work.out.capacity);
	free(work.out.data);
	hz_bytes_free(&out);
	end();
}

int
main(void)
{
	static int64_t integers[ROWS];
	static double reals[ROWS];
	static HzString strings[ROWS];
	static char texts[ROWS][40];

	for (int i = 0; i < ROWS; i++)
	{
		integers[i] = (int64_t) (unit_random() % 1000) * (i % 100);
		reals[i] = (double) (unit_random() % 100000) / 8;
		strings[i].data = (uint8_t *) texts[i];
		strings[i].length = (uint64_t) snprintf(texts[i], sizeof(texts[i]), "text %llu",
												(unsigned long long) (unit_random() % (1 + i)));
	}
	test_pieces();
	test_last_piece();
	test_exhaustion();
	test_thread((HzColumn){.kind = HZ_KIND_INT64, .width = 8, .rows = ROWS, .fixed = integers},
				HZ_CODEC_NONE, "integers");
	test_thread((HzColumn){.kind = HZ_KIND_FLOAT64, .width = 8, .rows = ROWS, .fixed = reals},
				HZ_CODEC_NONE, "reals");
	test_thread((HzColumn){.kind = HZ_KIND_BYTES, .rows = ROWS, .strings = strings}, HZ_CODEC_ZSTD,
				"texts, zstd");
	test_thread((HzColumn){.kind = HZ_KIND_BYTES, .rows = ROWS, .strings = strings}, HZ_CODEC_LZ4,
				"texts, lz4");
	return unit_summary();
}
