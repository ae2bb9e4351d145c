/*
 * load/progress.h
 *	  How far the load is: a bar on a terminal, a line every ten seconds elsewhere, nothing with --quiet.
 */
#ifndef HZ_LOAD_PROGRESS_H
#define HZ_LOAD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct HzProgress
{
	const char *name;
	int64_t started; /* milliseconds */
	int64_t shown;
	bool terminal;
} HzProgress;

/* Milliseconds of a clock that only goes forward. */
extern int64_t hz_now(void);

extern void hz_progress_start(HzProgress *progress, const char *name);

/* `share` of the file is read, from 0 to 1; negative: nobody knows. `bytes` and `rows` since the start. */
extern void hz_progress_show(HzProgress *progress, double share, uint64_t bytes, uint64_t rows,
							 uint64_t rejected);

extern void hz_progress_end(HzProgress *progress);

#endif /* HZ_LOAD_PROGRESS_H */
