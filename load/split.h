/*
 * load/split.h
 *	  Where records end in a stream of bytes that comes in pieces.
 */
#ifndef HZ_LOAD_SPLIT_H
#define HZ_LOAD_SPLIT_H

#include "load/field.h"

typedef struct HzSplitter
{
	HzFormat format;
	bool rejects; /* lines of a reject file: no line feed in them but at the end */
	uint8_t delimiter;
	int state;    /* of CSV, at `at` */
	size_t start; /* of the record */
	size_t at;    /* as far as it has been looked at */
} HzSplitter;

extern void hz_split_start(HzSplitter *splitter, HzFormat format, bool rejects, uint8_t delimiter);

/*
 * The end of the record that begins at splitter->start: one past its line feed; the next record begins there. 0 if the
 * `length` bytes known so far do not hold it: call again with more of them, wherever they lie then.
 */
extern size_t hz_split_next(HzSplitter *splitter, const uint8_t *data, size_t length);

/* The bytes before `by` are gone: what is known of positions moves. */
extern void hz_split_shift(HzSplitter *splitter, size_t by);

/* Line feeds in the bytes. */
extern uint64_t hz_count_lines(const uint8_t *data, size_t length);

#endif /* HZ_LOAD_SPLIT_H */
