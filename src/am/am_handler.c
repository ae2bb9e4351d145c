/*
 * am/am_handler.c
 *	  The handler function of access method hanzo_columnar.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "fmgr.h"

#include "am/columnar_am.h"

PG_FUNCTION_INFO_V1(hanzo_columnar_handler);

const TableAmRoutine *
hz_am_routine(void)
{
	static TableAmRoutine routine;

	if (routine.type == T_Invalid)
	{
		routine.type = T_TableAmRoutine;
		hz_am_scan_callbacks(&routine);
		hz_am_sample_callbacks(&routine);
		hz_am_index_callbacks(&routine);
		hz_am_build_callbacks(&routine);
		hz_am_modify_callbacks(&routine);
		hz_am_relation_callbacks(&routine);
		hz_am_vacuum_callbacks(&routine);
	}
	return &routine;
}

bool
hz_am_is_columnar(Relation rel)
{
	return rel->rd_tableam == hz_am_routine();
}

Datum
hanzo_columnar_handler(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(hz_am_routine());
}
