/*
 * fuzz/fuzz_rowgroup.c
 *	  Descriptions of row groups: what is read and written again reads as the same.
 */
#include <stdlib.h>

#include "format/rowgroup.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	HzRowGroupMeta first;
	HzRowGroupMeta second;
	HzBytes once = {NULL, 0, 0};
	HzBytes twice = {NULL, 0, 0};

	if (hz_rowgroup_read(data, size, &first) != HZ_OK)
		return 0;
	hz_rowgroup_write(&first, &once);
	if (hz_rowgroup_read(once.data, once.length, &second) != HZ_OK)
		abort();
	hz_rowgroup_write(&second, &twice);
	if (first.rows != second.rows || first.column_count != second.column_count ||
		once.length != twice.length || memcmp(once.data, twice.data, once.length) != 0)
		abort();
	hz_free(first.columns);
	hz_free(second.columns);
	hz_bytes_free(&once);
	hz_bytes_free(&twice);
	return 0;
}
