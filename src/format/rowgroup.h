/*
 * format/rowgroup.h
 *	  The description of a row group that the directory keeps: its columns' HzChunkMeta as bytes.
 *
 * Column i of the description is attribute i + 1 of the table; a dropped attribute, or one whose type
 * stores nothing, has kind 0 and no chunk. Attributes added later are not described at all.
 */
#ifndef HZ_ROWGROUP_H
#define HZ_ROWGROUP_H

#include "format/chunk.h"

#define HZ_ROWGROUP_VERSION 1
#define HZ_ROWGROUP_MAX_COLUMNS 1664

typedef struct HzRowGroupMeta
{
	uint32_t rows; /* 1 .. HZ_CHUNK_MAX_ROWS */
	uint32_t column_count;
	HzChunkMeta *columns; /* column_count of them; kind 0: no chunk */
} HzRowGroupMeta;

/* Appends version, description and checksum. */
extern void hz_rowgroup_write(const HzRowGroupMeta *meta, HzBytes *out);

/* Reads a whole description of exactly `length` bytes; columns are allocated. */
extern HzStatus hz_rowgroup_read(const uint8_t *bytes, size_t length, HzRowGroupMeta *meta);

#endif /* HZ_ROWGROUP_H */
