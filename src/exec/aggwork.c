/*
 * exec/aggwork.c
 *	  See aggwork.h.
 */
#include "exec/aggwork.h"

static bool
evaluation_failed(HzAggWork *work, const HzEval *eval)
{
	work->failure = hz_eval_failure(eval);
	return false;
}

static bool
group_rows(HzAggWork *work, const HzAggProgram *program, HzEval *eval, const HzRows *rows)
{
	HzVector keys[HZ_KEY_MAX];

	for (int k = 0; k < program->key_count; k++)
	{
		if (!hz_eval_value(eval, program->keys[k], rows, &keys[k]))
			return evaluation_failed(work, eval);
	}
	work->status = hz_aggregator_group(&work->aggregator, keys, rows->at, rows->count);
	return work->status == HZ_AGG_OK;
}

static bool
update_call(HzAggWork *work, const HzAggProgram *program, HzEval *eval, HzRows rows, int call)
{
	HzVector argument;
	bool has_argument = program->arguments[call] != NULL;

	if (program->call_filters[call] != NULL &&
		!hz_eval_filter(eval, program->call_filters[call], &rows))
		return evaluation_failed(work, eval);
	if (rows.count == 0)
		return true;
	if (has_argument && !(work->aggregator.aggregates[call].kind == HZ_AGG_COUNT
							  ? hz_eval_nulls
							  : hz_eval_value)(eval, program->arguments[call], &rows, &argument))
		return evaluation_failed(work, eval);
	work->status = hz_aggregator_update(&work->aggregator, call, has_argument ? &argument : NULL,
										rows.at, rows.count);
	return work->status == HZ_AGG_OK;
}

bool
hz_aggwork_batch(HzAggWork *work, const HzAggProgram *program, HzEval *eval, uint32_t rows,
				 const uint64_t *deleted, uint64_t passing)
{
	uint16_t room[HZ_VECTOR_ROWS];
	HzRows live = hz_rows_live(rows, deleted, room);

	hz_eval_batch(eval, rows);
	for (int i = 0; i < program->filter_count && live.count > 0; i++)
	{
		if (!hz_eval_is_certain(passing, program->filter_places[i]) &&
			!hz_eval_filter(eval, program->filters[i], &live))
			return evaluation_failed(work, eval);
	}
	work->matched += hz_eval_matched(eval);
	work->joining = live;
	for (int i = 0; i < program->join_filter_count && live.count > 0; i++)
	{
		if (!hz_eval_filter(eval, program->join_filters[i], &live))
			return evaluation_failed(work, eval);
	}
	if (live.count == 0)
		return true;
	if (!group_rows(work, program, eval, &live))
		return false;
	for (int call = 0; call < program->call_count; call++)
	{
		if (!update_call(work, program, eval, live, call))
			return false;
	}
	return true;
}
