/*
 * base/memory.h
 *	  Allocation for the pure-C layers.
 *
 * In the server these are palloc in CurrentMemoryContext (huge allocations allowed, running out of
 * memory is PostgreSQL's own error); with -DFRONTEND they are malloc and abort when memory is out.
 * Kernels (encoding/ decoders) never allocate: the caller passes room.
 */
#ifndef HZ_MEMORY_H
#define HZ_MEMORY_H

#include <stddef.h>

extern void *hz_alloc(size_t size);
extern void *hz_alloc_zero(size_t size);
extern void *hz_realloc(void *pointer, size_t size); /* pointer may be NULL */
extern void hz_free(void *pointer);                  /* pointer may be NULL */

#endif /* HZ_MEMORY_H */
