/*
 * storage/deltacount.c
 *	  Counts or estimates the delta's rows by reading whole pages. See deltacount.h.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"

#include "base/compat.h"
#include "storage/deltacount.h"
#include "storage/heapview.h"

uint64
hz_deltacount(Relation rel, Snapshot snapshot, BlockNumber *blocks)
{
	HeapScanDesc scan;
	HzHeapView view;
	BlockNumber total;
	BlockNumber pages;
	uint64 rows = 0;

	hz_heapview_begin(&view, rel);
	scan = (HeapScanDesc) heap_beginscan(rel, snapshot, 0, NULL, NULL,
										 SO_TYPE_SAMPLESCAN | SO_ALLOW_STRAT | SO_ALLOW_PAGEMODE);
	hz_heapview_end(&view);
	total = scan->rs_nblocks;
	pages = Min(total, HZ_DELTACOUNT_PAGES);
	for (BlockNumber i = 0; i < pages; i++)
	{
		CHECK_FOR_INTERRUPTS();
		hz_compat_heap_read_page(&scan->rs_base, (BlockNumber) ((uint64) total * i / pages));
		rows += scan->rs_ntuples;
	}
	heap_endscan(&scan->rs_base);
	if (blocks != NULL)
		*blocks = total;
	return pages == total ? rows : (uint64) ((double) rows * total / pages);
}
