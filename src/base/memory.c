/*
 * base/memory.c
 *	  palloc in the server, malloc in unit tests and fuzzers. See memory.h.
 */
#ifdef FRONTEND
#include <stdlib.h>
#include <string.h>
#else
#include "postgres.h"

#include "utils/memutils.h"
#endif

#include "base/memory.h"

#ifdef FRONTEND

void *
hz_alloc(size_t size)
{
	void *result = malloc(size ? size : 1);

	if (result == NULL)
		abort();
	return result;
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
	void *result = realloc(pointer, size ? size : 1);

	if (result == NULL)
		abort();
	return result;
}

void
hz_free(void *pointer)
{
	free(pointer);
}

#else

void *
hz_alloc(size_t size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, size);
}

void *
hz_alloc_zero(size_t size)
{
	return MemoryContextAllocExtended(CurrentMemoryContext, size,
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

void *
hz_realloc(void *pointer, size_t size)
{
	if (pointer == NULL)
		return hz_alloc(size);
	return repalloc_huge(pointer, size);
}

void
hz_free(void *pointer)
{
	if (pointer != NULL)
		pfree(pointer);
}

#endif
