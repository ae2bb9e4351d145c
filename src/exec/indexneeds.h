/*
 * exec/indexneeds.h
 *	  Index scans of columnar tables decode only the columns that their plan reads.
 */
#ifndef HZ_INDEXNEEDS_H
#define HZ_INDEXNEEDS_H

/* Hooks into the executor's start; called once by _PG_init. */
extern void hz_indexneeds_init(void);

#endif /* HZ_INDEXNEEDS_H */
