/*
 * exec/retain.c
 *	  Memory that a backend keeps when it has freed it. See retain.h.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "utils/guc.h"

#include "agg/region.h"
#include "exec/retain.h"

#define LARGEST_MMAP_THRESHOLD (32 * 1024) /* kB; DEFAULT_MMAP_THRESHOLD_MAX of glibc on 64 bits */
#define GLIBC_DEFAULT 128                  /* kB */

static int retained_memory;

static void
retain_malloc(int kilobytes)
{
#ifdef __GLIBC__
	static bool changed = false;
	int trim = Max(kilobytes, GLIBC_DEFAULT);

	/* untouched, glibc adapts both to the sizes that it sees freed */
	if (kilobytes == 0 && !changed)
		return;
	changed = true;
	(void) mallopt(M_TRIM_THRESHOLD, trim * 1024);
	/* blocks above this go back one by one */
	(void) mallopt(M_MMAP_THRESHOLD, Min(trim, LARGEST_MMAP_THRESHOLD) * 1024);
#endif
}

/* Half for what is palloc'd, half for ColumnarAgg's regions. */
static void
assign(int kilobytes, void *extra)
{
	retain_malloc(kilobytes / 2);
	hz_region_retain((size_t) kilobytes * 1024 / 2);
}

void
hz_retain_init(void)
{
	DefineCustomIntVariable(
		"hanzo_datastore.retained_memory",
		"Freed memory that a backend keeps for its next query instead of giving it back to the kernel.",
		"0: none, and malloc's memory as the C library sees fit.", &retained_memory, 64 * 1024, 0,
		1024 * 1024, PGC_USERSET, GUC_UNIT_KB, NULL, assign, NULL);
}
