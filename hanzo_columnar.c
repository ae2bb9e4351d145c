/*
 * hanzo_columnar.c
 *	  Module magic and start: one call per layer.
 */
#include "postgres.h"

#include "fmgr.h"

#include "admin/moverows.h"
#include "exec/aggmeta.h"
#include "exec/aggnode.h"
#include "exec/aggthreads.h"
#include "exec/arrival.h"
#include "exec/indexneeds.h"
#include "exec/retain.h"
#include "exec/scannode.h"
#include "exec/topn.h"
#include "plan/aggpath.h"
#include "plan/scanpath.h"
#include "read/groupcache.h"
#include "read/zonecache.h"
#include "rollup/ddl.h"
#include "rollup/note.h"
#include "rollup/stale.h"
#include "rollup/watch.h"
#include "storage/dircache.h"
#include "storage/forward.h"
#include "storage/heapview.h"
#include "storage/options.h"
#include "storage/store.h"
#include "write/bulk.h"
#include "write/sealer.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	hz_retain_init();
	hz_heapview_init();
	hz_store_init();
	hz_options_init();
	hz_dircache_init();
	hz_forward_init();
	hz_groupcache_init();
	hz_zonecache_init();
	hz_bulk_init();
	hz_sealer_init();
	hz_rollup_watch_init();
	hz_note_init();
	hz_rollup_ddl_init();
	hz_stale_init();
	hz_exec_init();
	hz_aggmeta_define();
	hz_topn_init();
	hz_arrival_init();
	hz_indexneeds_init();
	hz_aggnode_init();
	hz_aggthreads_init();
	hz_plan_init();
	hz_aggpath_init();
	hz_moverows_init();
}
