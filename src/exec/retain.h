/*
 * exec/retain.h
 *	  Memory that a backend keeps when it has freed it.
 *
 * A query frees its dictionaries and frames when it ends, and the C library gives what lies at the top of its heap back to the kernel; the next
 * query gets the same pages again, one fault and 4 kB of zeroes each.
 */
#ifndef HZ_RETAIN_H
#define HZ_RETAIN_H

/* Defines hanzo_datastore.retained_memory; called once by _PG_init. */
extern void hz_retain_init(void);

#endif /* HZ_RETAIN_H */
