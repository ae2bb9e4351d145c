/*
 * encoding/candidate.h
 *	  Encoders that cannot tell a size beforehand write, look, and keep the smaller.
 *
 * Internal to encoding/.
 */
#ifndef HZ_CANDIDATE_H
#define HZ_CANDIDATE_H

#include "base/bytes.h"

/*
 * The piece to beat starts at `start` (none yet if start == second), another one was appended at
 * `second`. Leaves the smaller at `start` and nothing behind it; the first one stays when they tie.
 */
static inline void
hz_candidate_keep_smaller(HzBytes *out, size_t start, size_t second)
{
	size_t first_size = second - start;
	size_t second_size = out->length - second;

	if (first_size > 0 && second_size >= first_size)
	{
		out->length = second;
		return;
	}
	if (first_size > 0)
		memmove(out->data + start, out->data + second, second_size);
	out->length = start + second_size;
}

#endif /* HZ_CANDIDATE_H */
