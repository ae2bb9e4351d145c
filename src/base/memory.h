/*
 * base/memory.h
 *	  Allocation for the pure-C layers.
 *
 * In the server these are palloc in CurrentMemoryContext (huge allocations allowed, running out of
 * memory is PostgreSQL's own error); with -DFRONTEND they are malloc and abort when memory is out.
 * Kernels (encoding/ decoders) never allocate: the caller passes room. A thread beside the backend, which must not palloc,
 * allocates from an arena of its own.
 */
#ifndef HZ_MEMORY_H
#define HZ_MEMORY_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A region that one thread allocates from instead. What is freed is not used again but for the last piece; the owner
 * of the region resets it as a whole by used = 0. Running out of it, or growing memory that is not from it, jumps to
 * `exhausted`.
 */
typedef struct HzArena
{
	uint8_t *base;
	size_t size;
	size_t used;
	jmp_buf exhausted;
} HzArena;

/* From now on this thread allocates from the arena; NULL: as the process does. */
extern void hz_memory_use(HzArena *arena);

extern void *hz_alloc(size_t size);
extern void *hz_alloc_zero(size_t size);
extern void *hz_realloc(void *pointer, size_t size); /* pointer may be NULL */
extern void hz_free(void *pointer);                  /* pointer may be NULL */

#endif /* HZ_MEMORY_H */
