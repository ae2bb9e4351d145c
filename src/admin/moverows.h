/*
 * admin/moverows.h
 *	  Start of what moves rows between partitions.
 */
#ifndef HZ_MOVEROWS_H
#define HZ_MOVEROWS_H

/* Registers the transaction callbacks. _PG_init calls it. */
extern void hz_moverows_init(void);

#endif /* HZ_MOVEROWS_H */
