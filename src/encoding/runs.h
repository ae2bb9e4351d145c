/*
 * encoding/runs.h
 *	  Runs of equal values: the part that run-length pieces of every type share.
 *
 * Internal to encoding/. On disk: the number of runs, then their lengths as a sized integer leaf.
 */
#ifndef HZ_RUNS_H
#define HZ_RUNS_H

#include "encoding/encoding.h"

typedef struct HzRuns
{
	uint32_t count;                   /* runs */
	uint16_t lengths[HZ_VECTOR_ROWS]; /* each at least 1, their sum the vector's count */
} HzRuns;

/* Appends the runs: u16 count, u16 length of the piece, piece. */
extern void hz_runs_write(const HzRuns *runs, HzBytes *out);

/* Reads what hz_runs_write() wrote and checks that the runs make up `total` values. */
extern HzStatus hz_runs_read(HzCursor *cursor, uint32_t total, HzRuns *runs);

/* The run in which value i lies; i is below the runs' sum. */
extern uint32_t hz_runs_find(const HzRuns *runs, uint32_t i);

/*
 * Repeats values of 1, 2, 4 or 8 bytes, one a run; both pointers are aligned to the width. Writes within
 * `total` slots (the runs' sum) rounded up to a multiple of 64.
 */
extern void hz_runs_expand(const HzRuns *runs, const void *values, uint32_t width, uint32_t total,
						   void *target);

/* Repeats values of any width at any address; writes the runs' sum of slots exactly. */
extern void hz_runs_repeat(const HzRuns *runs, const uint8_t *values, uint32_t width,
						   uint8_t *target);

#endif /* HZ_RUNS_H */
