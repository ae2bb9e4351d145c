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
#include "storage/relfilenode.h"
#define RelFileLocator RelFileNode
#define rd_locator rd_node
#define RelFileLocatorEquals(a, b) RelFileNodeEquals(a, b)
#endif

/* 16: one ownership check for all kinds of objects. Here: only of relations. */
#if PG_VERSION_NUM < 160000
#define object_ownercheck(class, object, role) pg_class_ownercheck(object, role)
#endif

/* 18: generated columns that are not stored. */
#if PG_VERSION_NUM < 180000
#define ATTRIBUTE_GENERATED_VIRTUAL 'v'
#endif

/* 18: heap_inplace_update() went; the caller serialises writers of the tuple by a lock of its own. */
#if PG_VERSION_NUM < 180000
#define hz_compat_inplace_update(relation, tuple) heap_inplace_update(relation, tuple)
#endif

/* 17: heapgetpage() became heap_prepare_pagescan(), which wants the buffer read. */
#if PG_VERSION_NUM < 170000
#define hz_compat_heap_read_page(scan, block) heapgetpage(scan, block)
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

#endif /* HZ_COMPAT_H */
