/*
 * expr/compile_time.c
 *	  Functions of dates and timestamps that have kernels.
 */
#include "postgres.h"

#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/timestamp.h"

#include "expr/compile_internal.h"

int64
hz_date_as_timestamp(int32 date)
{
	if (DATE_IS_NOBEGIN(date))
		return DT_NOBEGIN;
	if (DATE_IS_NOEND(date))
		return DT_NOEND;
	/* later than every timestamp, but not infinite */
	if (date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		return PG_INT64_MAX - 1;
	return date * USECS_PER_DAY;
}

HzVexpr *
hz_compile_time(HzCompiler *compiler, Oid function, Oid result, List *args)
{
	return NULL;
}
