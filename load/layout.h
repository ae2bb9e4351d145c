/*
 * load/layout.h
 *	  What a file is: its format, by what the command line says, its name and its first bytes, and where its fields go.
 */
#ifndef HZ_LOAD_LAYOUT_H
#define HZ_LOAD_LAYOUT_H

#include "load/batch.h"
#include "load/record.h"
#include "load/target.h"

/*
 * Makes the layout of a stream whose beginning lies in reader->carry, and takes its header off. What the file has and
 * the table has not, or the other way round, is fatal.
 */
extern void hz_layout_make(HzLayout *layout, HzReader *reader, const char *path,
						   const HzTarget *target, const HzOptions *options);

/* Is `path` a reject file, or is there none? */
extern bool hz_layout_may_overwrite(const char *path);

/* The first line of a reject file for records of this layout, without its line feed. */
extern void hz_layout_put_reject_header(const HzLayout *layout, HzBytes *out);

#endif /* HZ_LOAD_LAYOUT_H */
