/*
 * load/rejectfile.c
 *	  The file of --reject: what the ledger holds of rejected records, written anew at the end of each run.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "load/layout.h"
#include "load/message.h"
#include "load/rejectfile.h"

static const char *path = NULL;
static char *new_path = NULL;
static FILE *file = NULL;
static HzBytes header = {0};

static void
remove_new(void)
{
	if (file != NULL)
		unlink(new_path);
}

static void __attribute__((noreturn)) fail_write(void)
{
	hz_fatal("the rejected records are in the table rejects of the ledger, too",
			 "cannot write %s: %s", new_path, strerror(errno));
}

void
hz_rejectfile_begin(const char *name)
{
	if (!hz_layout_may_overwrite(name))
		hz_fatal("name another file in --reject", "%s exists and is no reject file", name);
	path = name;
	new_path = hz_format("%s.new", name);
	file = fopen(new_path, "w");
	if (file == NULL)
		fail_write();
	atexit(remove_new);
}

void
hz_rejectfile_check(const HzLayout *layout)
{
	HzBytes other = {0};

	if (file == NULL)
		return;
	hz_layout_put_reject_header(layout, &other);
	if (header.length == 0)
	{
		header = other;
		return;
	}
	if (header.length != other.length || memcmp(header.data, other.data, other.length) != 0)
		hz_fatal("load them one by one, each with a reject file of its own",
				 "the files have different formats or columns");
	hz_bytes_free(&other);
}

typedef struct Writer
{
	HzEncoder encoder;
	HzBytes line;
} Writer;

static void
put_line(void *arg, const char *name, const char *line, const char *sqlstate, const char *reason,
		 const uint8_t *record, size_t length)
{
	Writer *writer = arg;
	const char *fields[] = {name, line, sqlstate, reason};

	writer->line.length = 0;
	for (int i = 0; i < 4; i++)
	{
		hz_copytext_put_raw(&writer->line, (const uint8_t *) fields[i], strlen(fields[i]));
		hz_bytes_put8(&writer->line, '\t');
	}
	hz_record_trim(&writer->encoder, &record, &length);
	hz_copytext_put_raw(&writer->line, record, length);
	hz_bytes_put8(&writer->line, '\n');
	if (fwrite(writer->line.data, 1, writer->line.length, file) != writer->line.length)
		fail_write();
}

void
hz_rejectfile_add(HzLedger *ledger, const HzLoad *load, const HzLayout *layout)
{
	Writer writer = {0};

	if (file == NULL)
		return;
	if (ftell(file) == 0 &&
		(fwrite(header.data, 1, header.length, file) != header.length || fputc('\n', file) == EOF))
		fail_write();
	hz_encoder_init(&writer.encoder, layout);
	hz_ledger_rejects(ledger, load, put_line, &writer);
	hz_encoder_free(&writer.encoder);
	hz_bytes_free(&writer.line);
}

void
hz_rejectfile_end(void)
{
	if (file == NULL)
		return;
	if (fflush(file) != 0 || fsync(fileno(file)) != 0 || rename(new_path, path) != 0)
		fail_write();
	fclose(file);
	file = NULL;
}
