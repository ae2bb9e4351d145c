/*
 * base/status.h
 *	  What the pure-C layers (encoding, compress, format) answer instead of throwing.
 *
 * Everything but HZ_OK leaves the outputs of the call undefined. HZ_CORRUPT and its kin never mean
 * "crashed": a decoder given any bytes whatever returns one of these or right-sized garbage-free data.
 */
#ifndef HZ_STATUS_H
#define HZ_STATUS_H

typedef enum HzStatus
{
	HZ_OK = 0,
	HZ_CORRUPT,     /* the bytes cannot be what the writer wrote */
	HZ_CHECKSUM,    /* the bytes do not match their checksum */
	HZ_VERSION,     /* written by a version this build does not read */
	HZ_LIMIT,       /* a size above what the format allows */
	HZ_CODEC_FAILED /* the compression library reported an error */
} HzStatus;

/* A short English phrase in lower case for an error message's detail; static storage. */
extern const char *hz_status_text(HzStatus status);

#endif /* HZ_STATUS_H */
