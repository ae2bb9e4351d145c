/*
 * base/compat.h
 *	  The only place that knows PostgreSQL's version: older servers get the newest names.
 *
 * Include after postgres.h. Backend code only.
 */
#ifndef HZ_COMPAT_H
#define HZ_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "hanzo_datastore needs PostgreSQL 15 or newer"
#endif

/* 16: RelFileNode became RelFileLocator. */
#if PG_VERSION_NUM < 160000
#define hz_compat_build_join_rel(root, relids, left, right, info, clauses) \
	build_join_rel(root, relids, left, right, info, clauses)
#else
#define hz_compat_build_join_rel(root, relids, left, right, info, clauses) \
	build_join_rel(root, relids, left, right, info, NIL, clauses)
#endif

/* 16: outer joins have numbers among the relations that are joined, and columns say which of them make them null. */
#if PG_VERSION_NUM < 160000
#define hz_compat_add_outer_join(relids, info) ((void) (info), relids)
#define hz_compat_without_outer_joins(root, relids) (relids)
#define hz_compat_outer_joins(root) ((Relids) NULL)
#define hz_compat_nulled(exprs, info) (exprs)
#else
#include "rewrite/rewriteManip.h"
#define hz_compat_add_outer_join(relids, info) \
	((info)->ojrelid != 0 ? bms_add_member(relids, (int) (info)->ojrelid) : (relids))
#define hz_compat_without_outer_joins(root, relids) bms_intersect(relids, (root)->all_baserels)
#define hz_compat_outer_joins(root) ((root)->outer_join_rels)
#define hz_compat_nulled(exprs, info)                                           \
	((info) == NULL || (info)->ojrelid == 0                                     \
		 ? (exprs)                                                              \
		 : (List *) add_nulling_relids((Node *) (exprs), (info)->syn_righthand, \
									   bms_make_singleton((int) (info)->ojrelid)))
#endif

#if PG_VERSION_NUM < 160000
#include "storage/relfilenode.h"
#define RelFileLocator RelFileNode
#define rd_locator rd_node
#define relNumber relNode
#define RelFileLocatorEquals(a, b) RelFileNodeEquals(a, b)
#endif

/* 16: one ownership check for all kinds of objects. Here: only of relations. */
#if PG_VERSION_NUM < 160000
#define object_ownercheck(class, object, role) pg_class_ownercheck(object, role)
#endif

/* 16: one check of privileges for all kinds of objects. Here: only of functions. */
#if PG_VERSION_NUM < 160000
#define hz_compat_function_aclcheck(function, role, mode) pg_proc_aclcheck(function, role, mode)
#else
#define hz_compat_function_aclcheck(function, role, mode) \
	object_aclcheck(ProcedureRelationId, function, role, mode)
#endif

/* 16: the planner's own list of what is grouped by, without what is equal to others or constant. */
#if PG_VERSION_NUM < 160000
#define hz_compat_group_clause(root) ((root)->parse->groupClause)
#define hz_compat_distinct_clause(root) ((root)->parse->distinctClause)
#else
#define hz_compat_group_clause(root) ((root)->processed_groupClause)
#define hz_compat_distinct_clause(root) ((root)->processed_distinctClause)
#endif

/* 16: members of the counters were renamed. Counts rows that a scan has returned; needs pgstat.h. */
#if PG_VERSION_NUM < 160000
#define hz_compat_count_returned(rel, n)                           \
	do                                                             \
	{                                                              \
		if (pgstat_should_count_relation(rel))                     \
			(rel)->pgstat_info->t_counts.t_tuples_returned += (n); \
	} while (0)
#else
#define hz_compat_count_returned(rel, n)                       \
	do                                                         \
	{                                                          \
		if (pgstat_should_count_relation(rel))                 \
			(rel)->pgstat_info->counts.tuples_returned += (n); \
	} while (0)
#endif

/* 18: the partitions' range table entries come out as well. */
#if PG_VERSION_NUM < 180000
#define hz_compat_matching_subplans(state) ExecFindMatchingSubPlans(state, false)
#else
#define hz_compat_matching_subplans(state) ExecFindMatchingSubPlans(state, false, NULL)
#endif

/* 18: generated columns that are not stored. */
#if PG_VERSION_NUM < 180000
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* 18: heap_inplace_update() went; the caller serialises writers of the tuple by a lock of its own. */
#if PG_VERSION_NUM < 180000
#define hz_compat_inplace_update(relation, tuple) heap_inplace_update(relation, tuple)
#endif

/* 17: the local transaction id moved within PGPROC. */
#if PG_VERSION_NUM < 170000
#define hz_compat_lxid() (MyProc->lxid)
#else
#define hz_compat_lxid() (MyProc->vxid.lxid)
#endif

/* 16: macros of variable-length values went to a header of their own. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 17: heapgetpage() became heap_prepare_pagescan(), which wants the buffer read. For scans in page mode. */
#if PG_VERSION_NUM < 170000
#define hz_compat_heap_read_page(scan, block) heapgetpage(scan, block)
#else
#include "access/heapam.h"
#include "storage/bufmgr.h"
static inline void
hz_compat_heap_read_page(TableScanDesc sscan, BlockNumber block)
{
	HeapScanDesc scan = (HeapScanDesc) sscan;

	if (BufferIsValid(scan->rs_cbuf))
		ReleaseBuffer(scan->rs_cbuf);
	scan->rs_cbuf = InvalidBuffer;
	scan->rs_cbuf =
		ReadBufferExtended(sscan->rs_rd, MAIN_FORKNUM, block, RBM_NORMAL, scan->rs_strategy);
	scan->rs_cblock = block;
	heap_prepare_pagescan(sscan);
}
#endif

/*
 * 17: ANALYZE's blocks come out of a stream, of which only the numbers are taken. Defines the callback `name`, which
 * calls work(scan, block, strategy).
 */
#if PG_VERSION_NUM < 170000
#define HZ_COMPAT_ANALYZE_NEXT_BLOCK(name, work)                                           \
	static bool name(TableScanDesc scan, BlockNumber block, BufferAccessStrategy strategy) \
	{                                                                                      \
		return work(scan, block, strategy);                                                \
	}
#else
#include "storage/read_stream.h"
#define HZ_COMPAT_ANALYZE_NEXT_BLOCK(name, work)                         \
	static bool name(TableScanDesc scan, ReadStream *stream)             \
	{                                                                    \
		BufferAccessStrategy strategy;                                   \
		BlockNumber block = read_stream_next_block(stream, &strategy);   \
                                                                         \
		return BlockNumberIsValid(block) && work(scan, block, strategy); \
	}
#endif

/* 16: tuplesort_getdatum() says whether it copies. */
#if PG_VERSION_NUM < 160000
#define hz_compat_tuplesort_getdatum(state, value, isnull) \
	tuplesort_getdatum(state, true, value, isnull, NULL)
#else
#define hz_compat_tuplesort_getdatum(state, value, isnull) \
	tuplesort_getdatum(state, true, true, value, isnull, NULL)
#endif

/* 16: table_tuple_update() says which indexes to update, not only whether. */
#if PG_VERSION_NUM < 160000
#define HzCompatUpdateIndexes bool
#define HZ_COMPAT_UPDATE_ALL true
#define HZ_COMPAT_UPDATE_NONE false
#else
#define HzCompatUpdateIndexes TU_UpdateIndexes
#define HZ_COMPAT_UPDATE_ALL TU_All
#define HZ_COMPAT_UPDATE_NONE TU_None
#endif

/*
 * 16: columns that keep an update from being HOT are a set of their own. hz_compat_block_hot() makes it `columns`, for a
 * private copy of a relcache entry.
 */
#if PG_VERSION_NUM < 160000
#define HZ_COMPAT_INDEXED_COLUMNS INDEX_ATTR_BITMAP_ALL
#define hz_compat_block_hot(rel, columns) ((rel)->rd_indexattr = (columns))
#else
#define HZ_COMPAT_INDEXED_COLUMNS INDEX_ATTR_BITMAP_HOT_BLOCKING
#define hz_compat_block_hot(rel, columns)                          \
	((rel)->rd_attrsvalid = true, (rel)->rd_summarizedattr = NULL, \
	 (rel)->rd_hotblockingattr = (columns))
#endif

/* 17: relations pin the storage manager's entry, which had one owner. A private copy of `rel` lets go of it. */
#if PG_VERSION_NUM < 170000
#define hz_compat_give_back_smgr(copy, rel) ((void) RelationGetSmgr(rel))
#else
#define hz_compat_give_back_smgr(copy, rel) \
	((copy)->rd_smgr == NULL ? (void) 0     \
							 : (smgrunpin((copy)->rd_smgr), (void) ((copy)->rd_smgr = NULL)))
#endif

/* 16: rd_newRelfilenodeSubid became rd_newRelfilelocatorSubid. Storage is new in this transaction. */
#if PG_VERSION_NUM < 160000
#define hz_compat_is_new_storage(rel)                    \
	((rel)->rd_createSubid != InvalidSubTransactionId || \
	 (rel)->rd_firstRelfilenodeSubid != InvalidSubTransactionId)
#else
#define hz_compat_is_new_storage(rel)                    \
	((rel)->rd_createSubid != InvalidSubTransactionId || \
	 (rel)->rd_firstRelfilelocatorSubid != InvalidSubTransactionId)
#endif

/* 16: the callback was renamed with RelFileLocator. */
#if PG_VERSION_NUM < 160000
#define hz_compat_set_new_filelocator relation_set_new_filenode
#else
#define hz_compat_set_new_filelocator relation_set_new_filelocator
#endif

/* 18: vac_update_relstats() also counts all-frozen pages. */
#if PG_VERSION_NUM < 180000
#define hz_compat_update_relstats(rel, pages, tuples, all_visible, hasindex)             \
	vac_update_relstats(rel, pages, tuples, all_visible, hasindex, InvalidTransactionId, \
						InvalidMultiXactId, NULL, NULL, false)
#else
#define hz_compat_update_relstats(rel, pages, tuples, all_visible, hasindex)                \
	vac_update_relstats(rel, pages, tuples, all_visible, 0, hasindex, InvalidTransactionId, \
						InvalidMultiXactId, NULL, NULL, false)
#endif

/* 16: IndexVacuumInfo names the table. */
#if PG_VERSION_NUM < 160000
#define hz_compat_vacuum_heaprel(info, rel) ((void) 0)
#else
#define hz_compat_vacuum_heaprel(info, rel) ((info).heaprel = (rel))
#endif

/* 18: paths that a setting forbids are counted, not made dear. */
#if PG_VERSION_NUM < 180000
#define hz_compat_disable_path(path) \
	((path)->startup_cost += disable_cost, (path)->total_cost += disable_cost)
#else
#define hz_compat_disable_path(path) ((path)->disabled_nodes = 1)
#endif

/* 16: a member of xl_heap_lock was renamed. */
#if PG_VERSION_NUM < 160000
#define hz_compat_lock_xmax locking_xid
#else
#define hz_compat_lock_xmax xmax
#endif

/* 18: EXPLAIN's state and printing got headers of their own. */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 18: what is known of a collation's locale stands in the locale. */
#include "utils/pg_locale.h"
#if PG_VERSION_NUM < 180000
#define hz_compat_collate_is_c(collation) lc_collate_is_c(collation)
#else
#define hz_compat_collate_is_c(collation) (pg_newlocale_from_collation(collation)->collate_is_c)
#endif

/*
 * 18: an iterator of a TID bitmap fills a struct of the caller's, and the offsets of a block are asked for. Blocks come
 * in ascending order; of a lossy one every row has to be looked at.
 */
#include "nodes/tidbitmap.h"
#define HZ_COMPAT_BITMAP_OFFSETS 2048 /* of one block, at most: as tidbitmap.c, htup_details.h */
typedef struct HzCompatBitmapBlock
{
	BlockNumber number;
	bool lossy;
	bool recheck; /* the index is not sure that the rows satisfy its conditions */
	int count;    /* offsets; none in a lossy block */
	OffsetNumber offsets[HZ_COMPAT_BITMAP_OFFSETS];
} HzCompatBitmapBlock;
#if PG_VERSION_NUM < 180000
typedef TBMIterator HzCompatBitmapIterator;
#define hz_compat_bitmap_begin(bitmap) tbm_begin_iterate(bitmap)
#define hz_compat_bitmap_end(iterator) tbm_end_iterate(iterator)
static inline bool
hz_compat_bitmap_next(HzCompatBitmapIterator *iterator, HzCompatBitmapBlock *block)
{
	TBMIterateResult *result = tbm_iterate(iterator);

	if (result == NULL)
		return false;
	block->number = result->blockno;
	block->lossy = result->ntuples < 0;
	block->recheck = result->recheck;
	block->count = Max(result->ntuples, 0);
	Assert(block->count <= HZ_COMPAT_BITMAP_OFFSETS);
	memcpy(block->offsets, result->offsets, sizeof(OffsetNumber) * block->count);
	return true;
}
#else
typedef TBMPrivateIterator HzCompatBitmapIterator;
#define hz_compat_bitmap_begin(bitmap) tbm_begin_private_iterate(bitmap)
#define hz_compat_bitmap_end(iterator) tbm_end_private_iterate(iterator)
static inline bool
hz_compat_bitmap_next(HzCompatBitmapIterator *iterator, HzCompatBitmapBlock *block)
{
	TBMIterateResult result;

	if (!tbm_private_iterate(iterator, &result))
		return false;
	block->number = result.blockno;
	block->lossy = result.lossy;
	block->recheck = result.recheck;
	block->count = 0;
	if (!result.lossy)
		block->count = tbm_extract_page_tuple(&result, block->offsets, HZ_COMPAT_BITMAP_OFFSETS);
	return true;
}
#endif

/* 16: make_range() can report an error softly; ExecInsertIndexTuples() can leave out all but summarizing indexes. */
#if PG_VERSION_NUM < 160000
#define hz_compat_make_range(cache, lower, upper) make_range(cache, lower, upper, false)
#define hz_compat_insert_index_tuples(info, slot, estate) \
	ExecInsertIndexTuples(info, slot, estate, false, false, NULL, NIL)
#else
#define hz_compat_make_range(cache, lower, upper) make_range(cache, lower, upper, false, NULL)
#define hz_compat_insert_index_tuples(info, slot, estate) \
	ExecInsertIndexTuples(info, slot, estate, false, false, NULL, NIL, false)
#endif

/* 17: there is no old_snapshot_threshold any more. */
#if PG_VERSION_NUM < 170000
#define hz_compat_snapshots_grow_too_old() OldSnapshotThresholdActive()
#else
#define hz_compat_snapshots_grow_too_old() false
#endif

/* 17: no backend has another number; 18: GetRelationPath() returns a struct. */
#if PG_VERSION_NUM < 170000
#define HZ_COMPAT_NO_BACKEND InvalidBackendId
#else
#define HZ_COMPAT_NO_BACKEND INVALID_PROC_NUMBER
#endif
#if PG_VERSION_NUM < 180000
#define hz_compat_relation_path(path, room, tablespace, filenode)                                \
	strlcpy(                                                                                     \
		path,                                                                                    \
		GetRelationPath(MyDatabaseId, tablespace, filenode, HZ_COMPAT_NO_BACKEND, MAIN_FORKNUM), \
		room)
#else
#define hz_compat_relation_path(path, room, tablespace, filenode)                               \
	strlcpy(                                                                                    \
		path,                                                                                   \
		GetRelationPath(MyDatabaseId, tablespace, filenode, HZ_COMPAT_NO_BACKEND, MAIN_FORKNUM) \
			.str,                                                                               \
		room)
#endif

#endif /* HZ_COMPAT_H */
