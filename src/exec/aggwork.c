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
evaluate_keys(HzAggWork *work, const HzAggProgram *program, HzEval *eval, const HzRows *rows,
			  HzVector *keys)
{
	for (int k = 0; k < program->key_count; k++)
	{
		if (!hz_eval_value(eval, program->keys[k], rows, &keys[k]))
			return evaluation_failed(work, eval);
	}
	return true;
}

/* The rows of the batch that a call's filter leaves of *rows, and their argument. */
static bool
evaluate_call(HzAggWork *work, const HzAggProgram *program, HzEval *eval, const HzRows *rows,
			  int call, HzAggInput *input)
{
	HzVexpr *argument = program->arguments[call];

	input->rows = *rows;
	if (program->call_filters[call] != NULL &&
		!hz_eval_filter(eval, program->call_filters[call], &input->rows))
		return evaluation_failed(work, eval);
	if (argument == NULL || input->rows.count == 0)
		return true;
	if (!(work->aggregator.aggregates[call].kind == HZ_AGG_COUNT ? hz_eval_nulls : hz_eval_value)(
			eval, argument, &input->rows, &input->argument))
		return evaluation_failed(work, eval);
	return true;
}

static bool
update_call(HzAggWork *work, const HzAggProgram *program, int call, const HzAggInput *input)
{
	if (input->rows.count > 0)
		work->status = hz_aggregator_update(
			&work->aggregator, call, program->arguments[call] != NULL ? &input->argument : NULL,
			input->rows.at, input->rows.count);
	return work->status == HZ_AGG_OK;
}

static bool
evaluate_calls(HzAggWork *work, const HzAggProgram *program, HzEval *eval, const HzRows *rows)
{
	for (int call = 0; call < program->call_count; call++)
	{
		if (!evaluate_call(work, program, eval, rows, call, &work->inputs[call]))
			return false;
	}
	return true;
}

static bool
update_calls(HzAggWork *work, const HzAggProgram *program, HzEval *eval, const HzRows *rows)
{
	for (int call = 0; call < program->call_count; call++)
	{
		HzAggInput input;

		if (work->inputs == NULL && !evaluate_call(work, program, eval, rows, call, &input))
			return false;
		if (!update_call(work, program, call, work->inputs != NULL ? &work->inputs[call] : &input))
			return false;
	}
	return true;
}

bool
hz_aggwork_batch(HzAggWork *work, const HzAggProgram *program, HzEval *eval, uint32_t rows,
				 const uint64_t *deleted, uint64_t passing)
{
	uint16_t room[HZ_VECTOR_ROWS];
	HzRows live = hz_rows_live(rows, deleted, room);
	HzVector keys[HZ_KEY_MAX];
	bool matched;

	hz_eval_batch(eval, rows);
	for (int i = 0; i < program->filter_count && live.count > 0; i++)
	{
		if (!hz_eval_is_certain(passing, program->filter_places[i]) &&
			!hz_eval_filter(eval, program->filters[i], &live))
			return evaluation_failed(work, eval);
	}
	matched = hz_eval_matched(eval);
	work->joining = live;
	for (int i = 0; i < program->join_filter_count && live.count > 0; i++)
	{
		if (!hz_eval_filter(eval, program->join_filters[i], &live))
			return evaluation_failed(work, eval);
	}
	if (live.count > 0 && (!evaluate_keys(work, program, eval, &live, keys) ||
						   (work->inputs != NULL && !evaluate_calls(work, program, eval, &live))))
		return false;
	work->matched += matched;
	if (live.count == 0)
		return true;
	work->status = hz_aggregator_group(&work->aggregator, keys, live.at, live.count);
	return work->status == HZ_AGG_OK && update_calls(work, program, eval, &live);
}
