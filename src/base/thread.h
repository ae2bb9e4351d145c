/*
 * base/thread.h
 *	  Threads beside the backend.
 *
 * A thread runs pure C: no palloc, ereport, catalog, latch or malloc (its memory comes from base/memory.h's arenas or from
 * mappings). It is born with every signal blocked, since signals are the backend's.
 */
#ifndef HZ_THREAD_H
#define HZ_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts main(arg); false: no thread is to be had. Whoever starts it joins it. */
extern bool hz_thread_start(pthread_t *thread, void *(*main)(void *arg), void *arg);

#endif /* HZ_THREAD_H */
