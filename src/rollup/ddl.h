/*
 * rollup/ddl.h
 *	  Marks for what commands do to the partitions and children of a rollup's table.
 *
 * ATTACH and DETACH PARTITION, INHERIT and NO INHERIT, and DROP of a partition make rows come and go that nobody inserts or deletes. They are
 * seen through object_access_hook; the extension's event trigger sees to it that the library is loaded before such a command starts
 * (src/sql/00_schema.sql). TRUNCATE comes through the table AM, or through the triggers of heaps.
 */
#ifndef HZ_DDL_H
#define HZ_DDL_H

/* Installs the hook. */
extern void hz_rollup_ddl_init(void);

#endif /* HZ_DDL_H */
