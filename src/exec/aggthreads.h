/*
 * exec/aggthreads.h
 *	  Threads that aggregate row groups beside the leader (PROTOCOLS 8.4).
 *
 * The leader, which alone may read pages, copies the chunks of a row group into a job; a thread decodes, filters, groups.
 * A job that no thread has begun can be done by the leader. Threads are started when there is enough to do, live within one
 * C frame of the leader's, and are joined by hz_aggthreads_stop(), which also runs before the process exits.
 */
#ifndef HZ_AGGTHREADS_H
#define HZ_AGGTHREADS_H

#include "exec/aggleaf.h"

typedef struct HzAggThreads HzAggThreads;

/* For tests: no input is too small, no machine. */
extern bool hz_force_threads;

/* How many threads may run beside the leader, by settings and machine. */
extern int hz_aggthreads_limit(void);

/* Called in the leader when an aggregator has grown beyond its limit: empties it. Not HZ_AGG_OK: it cannot be. */
typedef HzAggStatus (*HzAggEmpty)(void *arg, HzAggregator *aggregator);

/*
 * Starts up to `count` threads with aggregators of this layout, each of which may take `limit` bytes until empty(arg, …) is
 * called for it. NULL: none is to be had. In the current context.
 */
extern HzAggThreads *hz_aggthreads_start(int count, const HzGroupLayout *layout,
										 const HzAggregate *aggregates, int aggregate_count,
										 Size limit, HzAggEmpty empty, void *arg);

/*
 * Empties the aggregators of threads that wait for it, and evaluates what they have left to the leader, with its `work`; between two groups of
 * its own.
 */
extern void hz_aggthreads_serve(HzAggThreads *threads, HzAggWork *work);

/* Whether enough of a row group is left for the threads to take it. */
extern bool hz_aggthreads_takes(const HzAggVectors *vectors);

/* Gives a row group to the threads; false: they have enough to do, or the group is not for threads. */
extern bool hz_aggthreads_offer(HzAggThreads *threads, HzAggLeaf *leaf,
								const HzAggVectors *vectors);

/*
 * Waits for all jobs, doing those that nobody has begun with the leader's `work`. False: something failed, as the threads'
 * shares or hz_aggthreads_damage() say, and the threads are stopped.
 */
extern bool hz_aggthreads_finish(HzAggThreads *threads, HzAggWork *work);

/* Whether some thread has failed: then go to hz_aggthreads_finish() at once. */
extern bool hz_aggthreads_failed(HzAggThreads *threads);

/* One share of what all do together, pure C. go_on(arg) is asked now and then: false where all is over. */
typedef void (*HzAggTask)(void *task_arg, uint32_t share, bool (*go_on)(void *arg), void *arg);

/* After hz_aggthreads_finish() was true: share 0 here, the others in the threads; waits for all, but after an error, which leaves threads at work with task_arg until they are stopped. Shares: one, or one more than there are threads. */
extern void hz_aggthreads_together(HzAggThreads *threads, uint32 shares, HzAggTask task, void *arg);

/* The threads' shares, after hz_aggthreads_finish(); their memory lives until hz_aggthreads_free(). */
extern HzAggWork *hz_aggthreads_work(HzAggThreads *threads, int i);
extern int hz_aggthreads_count(HzAggThreads *threads);

/* Where a thread found damage; NULL: nowhere. The leader reads it again and says what is wrong. */
extern HzAggLeaf *hz_aggthreads_damage(HzAggThreads *threads, HzAggVectors *vectors);

/* Ends all threads; may be called twice. */
extern void hz_aggthreads_stop(HzAggThreads *threads);

/* Gives all memory back. The threads are stopped. */
extern void hz_aggthreads_free(HzAggThreads *threads);

extern void hz_aggthreads_init(void);

#endif /* HZ_AGGTHREADS_H */
