/*
 * base/memory.c
 *	  palloc in the server, malloc in unit tests and fuzzers, arenas in threads. See memory.h.
 */
#ifdef FRONTEND
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#else
#include "postgres.h"

#include "utils/memutils.h"
#endif

#include "base/memory.h"

/* ---- the process's own memory */

#ifdef FRONTEND

static void *
process_alloc(size_t size)
{
	void *result = malloc(size ? size : 1);

	if (result == NULL)
		abort();
	return result;
}

static void *
process_realloc(void *pointer, size_t size)
{
	void *result = realloc(pointer, size ? size : 1);

	if (result == NULL)
		abort();
	return result;
}

static void
process_free(void *pointer)
{
	free(pointer);
}

#else

static void *
process_alloc(size_t size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static void *
process_realloc(void *pointer, size_t size)
{
	return repalloc_huge(pointer, size);
}

static void
process_free(void *pointer)
{
	pfree(pointer);
}

#endif

/* ---- arenas: pieces behind each other, each with its size in front */

#define PIECE_HEADER 16 /* keeps pieces aligned to 16 */

static __thread HzArena *arena = NULL;

void
hz_memory_use(HzArena *use)
{
	arena = use;
}

static size_t
piece_size(const void *pointer)
{
	size_t size;

	memcpy(&size, (const uint8_t *) pointer - PIECE_HEADER, sizeof(size));
	return size;
}

static void
set_piece_size(void *pointer, size_t size)
{
	memcpy((uint8_t *) pointer - PIECE_HEADER, &size, sizeof(size));
}

/* Bytes that a piece takes in the arena. */
static size_t
piece_room(size_t size)
{
	return PIECE_HEADER + (size + PIECE_HEADER - 1) / PIECE_HEADER * PIECE_HEADER;
}

static void *
arena_alloc(size_t size)
{
	uint8_t *piece;

	if (size > arena->size || piece_room(size) > arena->size - arena->used)
		longjmp(arena->exhausted, 1);
	piece = arena->base + arena->used + PIECE_HEADER;
	arena->used += piece_room(size);
	set_piece_size(piece, size);
	return piece;
}

static bool
is_piece(const void *pointer)
{
	const uint8_t *at = pointer;

	return at >= arena->base && at < arena->base + arena->size;
}

static void
arena_free(void *pointer)
{
	uint8_t *start = (uint8_t *) pointer - PIECE_HEADER;

	if (!is_piece(pointer))
		return;
	if (start + piece_room(piece_size(pointer)) == arena->base + arena->used)
		arena->used = (size_t) (start - arena->base);
}

static void *
arena_realloc(void *pointer, size_t size)
{
	size_t old;
	void *moved;

	/* somebody else's, of fixed size */
	if (!is_piece(pointer))
		longjmp(arena->exhausted, 1);
	old = piece_size(pointer);
	if (size <= old)
		return pointer;
	/* the last piece grows where it is; what it holds stays in its place */
	arena_free(pointer);
	moved = arena_alloc(size);
	if (moved != pointer)
		memcpy(moved, pointer, old);
	return moved;
}

/* ---- whichever */

void *
hz_alloc(size_t size)
{
	return arena != NULL ? arena_alloc(size) : process_alloc(size);
}

void *
hz_alloc_zero(size_t size)
{
	void *result = hz_alloc(size);

	memset(result, 0, size);
	return result;
}

void *
hz_realloc(void *pointer, size_t size)
{
	if (pointer == NULL)
		return hz_alloc(size);
	return arena != NULL ? arena_realloc(pointer, size) : process_realloc(pointer, size);
}

void
hz_free(void *pointer)
{
	if (pointer == NULL)
		return;
	if (arena != NULL)
		arena_free(pointer);
	else
		process_free(pointer);
}
