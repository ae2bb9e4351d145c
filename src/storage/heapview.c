/*
 * storage/heapview.c
 *	  The backend's current heap view. See heapview.h.
 */
#include "postgres.h"

#include "access/xact.h"

#include "storage/heapview.h"

static Oid viewed = InvalidOid;

void
hz_heapview_begin(HzHeapView *view, Relation rel)
{
	view->previous = viewed;
	viewed = RelationGetRelid(rel);
}

void
hz_heapview_end(HzHeapView *view)
{
	viewed = view->previous;
}

bool
hz_heapview_active(Relation rel)
{
	return viewed == RelationGetRelid(rel);
}

static void
xact_callback(XactEvent event, void *arg)
{
	viewed = InvalidOid;
}

static void
subxact_callback(SubXactEvent event, SubTransactionId mySubid, SubTransactionId parentSubid,
				 void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		viewed = InvalidOid;
}

void
hz_heapview_init(void)
{
	RegisterXactCallback(xact_callback, NULL);
	RegisterSubXactCallback(subxact_callback, NULL);
}
