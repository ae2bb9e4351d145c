/*
 * load/worker.c
 *	  A connection that loads batches, one after the other, without ever waiting: poll() tells when to call it.
 */
#include <ctype.h>
#include <stdlib.h>

#include "load/message.h"
#include "load/worker.h"

#define STAGE "pg_temp.hanzo_load_stage"

/* Of rows, before the socket and the other connections are looked after. */
#define OUT_SIZE ((size_t) 128 * 1024)

/* After deadlocks and the like. */
#define MAX_ATTEMPTS 10
#define PAUSE_MS 200

static const char go_on_hint[] =
	"what was committed is recorded: run the same command again to go on";

static void
fail(HzWorker *w, const char *hint, char *message)
{
	if (w->job->failure == NULL)
	{
		w->job->failure = message;
		w->job->failure_hint = hint;
	}
	else
		free(message);
}

static void
put(HzBytes *sql, const char *text)
{
	hz_bytes_append(sql, text, strlen(text));
}

/* ---- Sending */

static void
flush(HzWorker *w)
{
	int result = PQflush(w->conn);

	if (result < 0)
		fail(w, go_on_hint,
			 hz_format("the connection is gone: %s", hz_result_message(NULL, w->conn)));
	w->write_blocked = result == 1;
}

static void
send_statement(HzWorker *w, HzWorkerState state, const char *sql)
{
	PQclear(w->error);
	w->error = NULL;
	w->tuples = 0;
	w->state = state;
	if (PQsendQuery(w->conn, sql) != 1)
		fail(w, go_on_hint,
			 hz_format("the connection is gone: %s", hz_result_message(NULL, w->conn)));
	else
		flush(w);
}

/* ---- Statements */

static void
put_names(HzBytes *sql, const HzWorker *w, const char *prefix)
{
	for (int i = 0; i < w->encoder.shape_count; i++)
	{
		if (i > 0)
			put(sql, ", ");
		put(sql, prefix);
		put(sql, w->job->target->columns[w->encoder.shape[i]].quoted);
	}
}

static void
put_list(HzBytes *sql, const HzList *list, PGconn *conn)
{
	for (int i = 0; i < list->count; i++)
	{
		char *quoted = hz_quote_name(conn, list->items[i]);

		if (i > 0)
			put(sql, ", ");
		put(sql, quoted);
		PQfreemem(quoted);
	}
}

static bool
is_key(const HzTarget *target, const char *name)
{
	for (int i = 0; i < target->key.count; i++)
	{
		if (strcmp(target->key.items[i], name) == 0)
			return true;
	}
	return false;
}

/* ON CONFLICT (key) DO UPDATE … WHERE the row there is not newer. */
static void
put_update(HzBytes *sql, const HzWorker *w)
{
	const HzTarget *target = w->job->target;
	bool first = true;

	put(sql, " ON CONFLICT (");
	put_list(sql, &target->key, w->conn);
	put(sql, ") DO ");
	for (int i = 0; i < w->encoder.shape_count; i++)
	{
		const HzTargetColumn *column = &target->columns[w->encoder.shape[i]];

		if (is_key(target, column->name))
			continue;
		put(sql, first ? "UPDATE SET " : ", ");
		put(sql, column->quoted);
		put(sql, " = excluded.");
		put(sql, column->quoted);
		first = false;
	}
	if (first)
		put(sql, "NOTHING");
	else if (target->version != NULL)
	{
		char *version = hz_quote_name(w->conn, target->version);
		char *condition =
			hz_format(" WHERE old.%s IS NULL OR old.%s <= excluded.%s", version, version, version);

		put(sql, condition);
		free(condition);
		PQfreemem(version);
	}
}

/* From the temporary table into the real one: of rows with the same key, the newest, and of those, the last. */
static void
merge_statement(HzBytes *sql, const HzWorker *w)
{
	const HzTarget *target = w->job->target;
	bool update = w->job->options->conflict == HZ_CONFLICT_UPDATE;

	sql->length = 0;
	put(sql, "INSERT INTO ");
	put(sql, target->name);
	put(sql, " AS old (");
	put_names(sql, w, "");
	put(sql, target->identity_always ? ") OVERRIDING SYSTEM VALUE SELECT " : ") SELECT ");
	if (update)
	{
		put(sql, "DISTINCT ON (");
		put_list(sql, &target->key, w->conn);
		put(sql, ") ");
	}
	put_names(sql, w, "");
	put(sql, " FROM " STAGE);
	if (update)
	{
		put(sql, " ORDER BY ");
		put_list(sql, &target->key, w->conn);
		if (target->version != NULL)
		{
			char *version = hz_quote_name(w->conn, target->version);

			put(sql, ", ");
			put(sql, version);
			put(sql, " DESC NULLS LAST");
			PQfreemem(version);
		}
		put(sql, ", ctid DESC");
		put_update(sql, w);
	}
	else
		put(sql, " ON CONFLICT DO NOTHING");
	hz_bytes_append(sql, ";TRUNCATE " STAGE, strlen(";TRUNCATE " STAGE) + 1);
}

static bool
uses_stage(const HzWorker *w)
{
	return w->job->options->conflict != HZ_CONFLICT_ERROR;
}

static char *
stage_statement(const HzJob *job)
{
	HzBytes sql = {0};

	put(&sql, "CREATE TEMP TABLE hanzo_load_stage USING heap ON COMMIT DELETE ROWS AS SELECT ");
	for (int i = 0; i < job->target->column_count; i++)
	{
		if (i > 0)
			put(&sql, ", ");
		put(&sql, job->target->columns[i].quoted);
	}
	put(&sql, " FROM ");
	put(&sql, job->target->name);
	put(&sql, " WITH NO DATA");
	hz_bytes_put8(&sql, '\0');
	return (char *) sql.data;
}

void
hz_worker_start(HzWorker *w, HzJob *job)
{
	memset(w, 0, sizeof(*w));
	w->job = job;
	w->conn = hz_connect(job->options);
	hz_execute(w->conn, NULL, hz_ledger_session_lock(job->ledger, job->load));
	if (uses_stage(w))
		hz_execute(w->conn, NULL, stage_statement(job));
	hz_encoder_init(&w->encoder, job->layout);
	if (PQsetnonblocking(w->conn, 1) != 0)
		hz_fatal(NULL, "%s", PQerrorMessage(w->conn));
}

void
hz_worker_stop(HzWorker *w)
{
	if (w->state != HZ_WORKER_IDLE && w->conn != NULL)
	{
		PGcancel *cancel = PQgetCancel(w->conn);
		char buffer[256];

		if (cancel != NULL)
			PQcancel(cancel, buffer, sizeof(buffer));
		PQfreeCancel(cancel);
	}
	PQclear(w->error);
	PQfinish(w->conn);
	hz_encoder_free(&w->encoder);
	hz_batch_free(&w->batch);
	hz_free(w->segments);
	hz_bytes_free(&w->out);
	memset(w, 0, sizeof(*w));
}

/* ---- Segments */

static void
push(HzWorker *w, uint32_t from, uint32_t to)
{
	if (from >= to)
		return;
	if (w->segment_count == w->segment_capacity)
	{
		w->segment_capacity = w->segment_capacity == 0 ? 64 : w->segment_capacity * 2;
		w->segments = hz_realloc(w->segments, (size_t) w->segment_capacity * sizeof(HzSegment));
	}
	w->segments[w->segment_count++] = (HzSegment){from, to};
}

static void
commit(HzWorker *w)
{
	HzJob *job = w->job;

	if (job->rejected + w->batch.reject_count > job->max_rejects)
	{
		const HzReject *reject = &w->batch.rejects[0];
		uint64_t line;

		hz_batch_sort_rejects(&w->batch);
		line = hz_batch_line(&w->batch, reject->record);
		if (job->options->reject_file == NULL)
			fail(w, "--reject FILE writes such lines to FILE and goes on with the others",
				 hz_format("line %llu: %s%s%s", (unsigned long long) line, reject->sqlstate,
						   *reject->sqlstate ? " " : "", reject->reason));
		else
			fail(w, "--max-rejects sets another limit; the same command goes on from here",
				 hz_format("more lines were rejected than --max-rejects allows; line %llu: %s",
						   (unsigned long long) line, reject->reason));
		return;
	}
	hz_batch_sort_rejects(&w->batch);
	w->out.length = 0;
	hz_ledger_commit(job->ledger, job->load, &w->batch, w->sent, w->stored, w->conn, &w->out);
	send_statement(w, HZ_WORKER_COMMIT, (const char *) w->out.data);
}

/* Makes the columns of the segment's first record the shape; records that cannot be read are rejected on the way. */
static bool
shape_segment(HzWorker *w, const HzSegment *segment)
{
	for (w->at = segment->from; w->at < segment->to; w->at++)
	{
		size_t length;
		const uint8_t *data = hz_batch_record(&w->batch, w->at, &length);
		HzRecordStatus status;

		if (w->batch.states[w->at] != HZ_STATE_NEW)
			continue;
		status = hz_record_shape(&w->encoder, data, length);
		if (status == HZ_RECORD_ROW)
			return true;
		if (status == HZ_RECORD_BAD)
			hz_batch_reject(&w->batch, w->at, "", w->encoder.reason);
		else
			w->batch.states[w->at] = HZ_STATE_BLANK;
	}
	return false;
}

/* The next segment that has a record, or the end of the batch. */
static void
open_segment(HzWorker *w, const char *before)
{
	HzBytes sql = {0};

	while (w->segment_count > 0 && !shape_segment(w, &w->segments[w->segment_count - 1]))
		w->segment_count--;
	put(&sql, before);
	if (w->segment_count == 0)
	{
		/* The transaction may not have begun yet. */
		hz_bytes_put8(&sql, '\0');
		if (sql.length > 1)
			send_statement(w, HZ_WORKER_RELEASE, (const char *) sql.data);
		else
			commit(w);
		hz_bytes_free(&sql);
		return;
	}
	if (w->searching)
		put(&sql, "SAVEPOINT hanzo_load;");
	put(&sql, "COPY ");
	put(&sql, uses_stage(w) ? STAGE : w->job->target->name);
	put(&sql, " (");
	put_names(&sql, w, "");
	hz_bytes_append(&sql, ") FROM STDIN", strlen(") FROM STDIN") + 1);
	w->segment_rows = 0;
	send_statement(w, HZ_WORKER_OPEN, (const char *) sql.data);
	hz_bytes_free(&sql);
}

/* A deferred constraint would speak at COMMIT, when no record can be blamed any more. */
static const char begin[] = "BEGIN;SET CONSTRAINTS ALL IMMEDIATE;";

static void
start_batch(HzWorker *w)
{
	w->segment_count = 0;
	w->sent = 0;
	w->stored = 0;
	push(w, 0, w->batch.count);
	open_segment(w, begin);
}

void
hz_worker_give(HzWorker *w, HzBatch *batch)
{
	HzBatch empty = w->batch;

	w->batch = *batch;
	*batch = empty;
	w->searching = false;
	w->attempts = 0;
	w->encoded = 0;
	start_batch(w);
}

/* ---- COPY */

/* Ends the segment before `to`; the rest of it, if any, is another. */
static void
end_copy(HzWorker *w, uint32_t to)
{
	HzSegment *segment = &w->segments[w->segment_count - 1];
	uint32_t rest = segment->to;

	segment->to = to;
	if (to < rest)
	{
		HzSegment this = *segment;

		w->segment_count--;
		push(w, to, rest);
		push(w, this.from, this.to);
	}
	if (PQputCopyEnd(w->conn, NULL) != 1)
		fail(w, go_on_hint,
			 hz_format("the connection is gone: %s", hz_result_message(NULL, w->conn)));
	w->state = HZ_WORKER_CLOSE;
	flush(w);
}

/* Rows of the next records; true: the segment ends before w->at. */
static bool
encode_some(HzWorker *w, const HzSegment *segment)
{
	w->out.length = 0;
	while (w->at < segment->to && w->out.length < OUT_SIZE)
	{
		size_t length;
		const uint8_t *data = hz_batch_record(&w->batch, w->at, &length);

		if (w->batch.states[w->at] == HZ_STATE_NEW)
		{
			switch (hz_record_encode(&w->encoder, data, length, &w->out))
			{
				case HZ_RECORD_ROW:
					w->segment_rows++;
					break;
				case HZ_RECORD_BLANK:
					w->batch.states[w->at] = HZ_STATE_BLANK;
					break;
				case HZ_RECORD_BAD:
					hz_batch_reject(&w->batch, w->at, "", w->encoder.reason);
					break;
				case HZ_RECORD_OTHER:
					return true;
			}
		}
		w->at++;
	}
	return w->at == segment->to;
}

static void
copy_some(HzWorker *w)
{
	const HzSegment *segment = &w->segments[w->segment_count - 1];
	uint64_t done;
	bool ends;

	flush(w);
	if (w->write_blocked || w->job->failure != NULL)
		return;
	ends = encode_some(w, segment);
	done = w->at > 0 ? w->batch.ends[w->at - 1] : 0;
	if (done > w->encoded)
	{
		w->job->encoded += done - w->encoded;
		w->encoded = done;
	}
	if (w->out.length > 0 &&
		PQputCopyData(w->conn, (const char *) w->out.data, (int) w->out.length) != 1)
	{
		fail(w, go_on_hint,
			 hz_format("the connection is gone: %s", hz_result_message(NULL, w->conn)));
		return;
	}
	if (ends)
		end_copy(w, w->at);
	else
		flush(w);
}

/* ---- Errors */

/* Can another attempt succeed? Deadlocks, serialization failures, a lock that was not to be had. */
static bool
is_temporary(const char *state)
{
	return strncmp(state, "40", 2) == 0 || strcmp(state, "55P03") == 0;
}

/* Is it the record's fault? The classes of data exceptions, constraints, limits, and of what triggers and functions raise. */
static bool
is_of_record(const char *state)
{
	static const char *const classes[] = {"20", "21", "22", "23", "2F",
										  "38", "39", "44", "54", "P0"};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
	{
		if (strncmp(state, classes[i], 2) == 0)
			return true;
	}
	return false;
}

/*
 * The record that the error's context names ("COPY table, line 7, column c: …", in the server's language), or UINT32_MAX. Only
 * a hint: whether that record is to blame is found out by loading it alone.
 */
static uint32_t
named_record(const HzWorker *w, const HzSegment *segment)
{
	const char *context = PQresultErrorField(w->error, PG_DIAG_CONTEXT);
	const char *relation = uses_stage(w) ? "hanzo_load_stage" : w->job->target->relation;
	char *start = hz_format("COPY %s, ", relation);
	const char *p = context != NULL ? strstr(context, start) : NULL;
	uint64_t line;

	if (p != NULL)
		p += strlen(start);
	free(start);
	if (p == NULL)
		return UINT32_MAX;
	while (*p != '\0' && *p != '\n' && !isdigit((unsigned char) *p))
		p++;
	line = strtoull(p, NULL, 10);
	for (uint32_t i = segment->from; i < segment->to && line > 0; i++)
	{
		if (w->batch.states[i] == HZ_STATE_NEW && --line == 0)
			return i;
	}
	return UINT32_MAX;
}

static void
split_segment(HzWorker *w)
{
	HzSegment segment = w->segments[--w->segment_count];
	uint32_t named = named_record(w, &segment);

	if (named != UINT32_MAX)
	{
		push(w, named + 1, segment.to);
		push(w, named, named + 1);
		push(w, segment.from, named);
	}
	else
	{
		uint32_t middle = segment.from + (segment.to - segment.from) / 2;

		push(w, middle, segment.to);
		push(w, segment.from, middle);
	}
}

/* The server refused something in the segment. */
static void
step_failed(HzWorker *w, int64_t now)
{
	const char *state = hz_result_sqlstate(w->error);
	char *message = hz_result_message(w->error, w->conn);
	HzSegment *segment = w->segment_count > 0 ? &w->segments[w->segment_count - 1] : NULL;

	if (PQstatus(w->conn) == CONNECTION_BAD)
		fail(w, go_on_hint, hz_format("the connection is gone: %s", message));
	else if (is_temporary(state) && ++w->attempts < MAX_ATTEMPTS)
	{
		hz_detail("trying again: %s", message);
		w->searching = false;
		w->pause_until = now + PAUSE_MS * w->attempts;
		w->segment_count = 0;
		send_statement(w, HZ_WORKER_UNDO, "ROLLBACK");
	}
	else if (!is_of_record(state) || segment == NULL || w->state == HZ_WORKER_COMMIT ||
			 w->state == HZ_WORKER_OPEN)
		fail(w, go_on_hint, hz_format("%s (SQLSTATE %s)", message, state));
	else if (!w->searching)
	{
		uint32_t before = segment->from;

		/* Segments that had been taken are rolled back, too. */
		split_segment(w);
		push(w, 0, before);
		w->searching = true;
		w->sent = 0;
		w->stored = 0;
		send_statement(w, HZ_WORKER_UNDO, "ROLLBACK;BEGIN;SET CONSTRAINTS ALL IMMEDIATE");
	}
	else
	{
		if (segment->to - segment->from == 1)
		{
			if (w->batch.states[segment->from] == HZ_STATE_NEW)
				hz_batch_reject(&w->batch, segment->from, state, message);
			w->segment_count--;
		}
		else
			split_segment(w);
		send_statement(w, HZ_WORKER_UNDO, "ROLLBACK TO SAVEPOINT hanzo_load");
	}
	free(message);
}

/* ---- Steps */

static void
segment_done(HzWorker *w)
{
	w->segment_count--;
	w->sent += w->segment_rows;
	if (w->searching)
		send_statement(w, HZ_WORKER_RELEASE, "RELEASE SAVEPOINT hanzo_load");
	else
		open_segment(w, "");
}

static void
batch_done(HzWorker *w)
{
	HzJob *job = w->job;

	job->rejected += w->batch.reject_count;
	job->rows += w->sent;
	job->stored += w->stored;
	job->bytes += w->batch.raw.length;
	job->encoded += w->batch.raw.length - w->encoded;
	hz_detail("committed lines %llu to %llu: %llu rows, %u rejected",
			  (unsigned long long) w->batch.first_line,
			  (unsigned long long) (w->batch.first_line + w->batch.lines - (w->batch.lines > 0)),
			  (unsigned long long) w->sent, w->batch.reject_count);
	hz_batch_clear(&w->batch);
	w->state = HZ_WORKER_IDLE;
}

/* All results of the present step are there, and none is an error. */
static void
step_done(HzWorker *w, int64_t now)
{
	switch (w->state)
	{
		case HZ_WORKER_CLOSE:
			if (!uses_stage(w))
			{
				w->stored += w->tuples;
				segment_done(w);
				break;
			}
			merge_statement(&w->out, w);
			send_statement(w, HZ_WORKER_MERGE, (const char *) w->out.data);
			break;
		case HZ_WORKER_MERGE:
			w->stored += w->tuples;
			segment_done(w);
			break;
		case HZ_WORKER_RELEASE:
			open_segment(w, "");
			break;
		case HZ_WORKER_UNDO:
			if (w->pause_until > now)
				w->state = HZ_WORKER_PAUSE;
			else if (w->segment_count > 0 || w->searching)
				open_segment(w, "");
			else
				start_batch(w);
			break;
		case HZ_WORKER_COMMIT:
			batch_done(w);
			break;
		default:
			fail(w, NULL, hz_format("the server ended a COPY that had not begun"));
			break;
	}
}

/* Takes results as they come. */
static void
take_results(HzWorker *w, int64_t now)
{
	while (w->job->failure == NULL && !PQisBusy(w->conn))
	{
		PGresult *result = PQgetResult(w->conn);
		ExecStatusType status;

		if (result == NULL)
		{
			if (w->error != NULL)
				step_failed(w, now);
			else
				step_done(w, now);
			return;
		}
		status = PQresultStatus(result);
		if (status == PGRES_COPY_IN)
		{
			PQclear(result);
			w->state = HZ_WORKER_COPY;
			return;
		}
		if (status == PGRES_COMMAND_OK)
		{
			/* Of INSERT and COPY; TRUNCATE, which follows INSERT, counts nothing. */
			if (*PQcmdTuples(result) != '\0')
				w->tuples = strtoull(PQcmdTuples(result), NULL, 10);
			PQclear(result);
		}
		else if (status == PGRES_TUPLES_OK || w->error != NULL)
			PQclear(result);
		else
			w->error = result;
	}
}

void
hz_worker_run(HzWorker *w, bool readable, int64_t now)
{
	if (w->state == HZ_WORKER_IDLE)
	{
		if (readable && PQconsumeInput(w->conn) != 1)
			fail(w, go_on_hint,
				 hz_format("the connection is gone: %s", hz_result_message(NULL, w->conn)));
		return;
	}
	if (w->state == HZ_WORKER_PAUSE)
	{
		if (now >= w->pause_until)
			start_batch(w);
		return;
	}
	if (w->state == HZ_WORKER_COPY)
	{
		/* Within a COPY the server speaks to report an error, or a notice: either way, what it says comes after the end. */
		if (readable)
			end_copy(w, w->at);
		else
			copy_some(w);
		return;
	}
	flush(w);
	if (w->job->failure == NULL && PQconsumeInput(w->conn) != 1)
		fail(w, go_on_hint,
			 hz_format("the connection is gone: %s", hz_result_message(NULL, w->conn)));
	if (w->job->failure == NULL)
		take_results(w, now);
}
