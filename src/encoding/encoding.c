/*
 * encoding/encoding.c
 *	  Names of the encodings.
 */
#include "encoding/encoding.h"

const char *
hz_encoding_name(HzEncoding encoding)
{
	switch (encoding)
	{
		case HZ_ENCODING_CONSTANT:
			return "constant";
		case HZ_ENCODING_RUN_LENGTH:
			return "run-length";
		case HZ_ENCODING_FOR:
			return "for";
		case HZ_ENCODING_DELTA:
			return "delta";
		case HZ_ENCODING_PATCHED:
			return "patched";
		case HZ_ENCODING_PLAIN:
			return "plain";
		case HZ_ENCODING_ALP:
			return "alp";
		case HZ_ENCODING_ALP_RD:
			return "alp-rd";
		case HZ_ENCODING_SPLIT:
			return "split";
	}
	return NULL;
}
