/*
 * base/status.c
 *	  Texts of the status codes.
 */
#include "base/status.h"

const char *
hz_status_text(HzStatus status)
{
	switch (status)
	{
		case HZ_OK:
			return "no error";
		case HZ_CORRUPT:
			return "malformed bytes";
		case HZ_CHECKSUM:
			return "checksum mismatch";
		case HZ_VERSION:
			return "unknown format version";
		case HZ_LIMIT:
			return "size beyond the format's limits";
		case HZ_CODEC_FAILED:
			return "the compression library reported an error";
	}
	return "unknown status";
}
