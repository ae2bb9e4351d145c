/*
 * storage/heapview.h
 *	  While heap code works on a columnar table, the table must look like a heap (PROTOCOLS 1.1).
 *
 * Heap code asks RelationGetNumberOfBlocks(), which asks our relation_size(); within a view that answers
 * with the delta alone. A view is a backend-local flag, never a change of the relcache entry. It is
 * taken around calls into heap code that run no user code, nests, and is reset when a (sub)transaction aborts.
 */
#ifndef HZ_HEAPVIEW_H
#define HZ_HEAPVIEW_H

#include "utils/rel.h"

typedef struct HzHeapView
{
	Oid previous;
} HzHeapView;

extern void hz_heapview_begin(HzHeapView *view, Relation rel);
extern void hz_heapview_end(HzHeapView *view);

/* Whether heap code is at work on this relation. */
extern bool hz_heapview_active(Relation rel);

/* Installs the transaction callbacks; called once by _PG_init. */
extern void hz_heapview_init(void);

#endif /* HZ_HEAPVIEW_H */
