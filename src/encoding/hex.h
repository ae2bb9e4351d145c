/*
 * encoding/hex.h
 *	  Strings of hexadecimal digits as the bytes they stand for: uuids, trace and span ids, digests that are kept as text.
 *
 * Only what comes back the same: small letters, an even number of digits, and dashes where a uuid has them or nowhere.
 */
#ifndef HZ_HEX_H
#define HZ_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HZ_HEX_MAX_WIDTH 32 /* bytes that a string stands for */
#define HZ_HEX_MAX_TEXT (2 * HZ_HEX_MAX_WIDTH)

/* On disk: never renumber. */
typedef enum HzHexForm
{
	HZ_HEX_UUID = 1,  /* 8-4-4-4-12 digits */
	HZ_HEX_DIGITS = 2 /* digits only */
} HzHexForm;

/* What all strings of a vector have in common. */
typedef struct HzHexShape
{
	HzHexForm form;
	uint32_t width; /* bytes; of a uuid 16 */
} HzHexShape;

/* The shape that a string has by its length and dashes; false: none. hz_hex_pack() tells whether the rest are digits. */
extern bool hz_hex_guess(const uint8_t *text, uint64_t length, HzHexShape *shape);

/* Whether a shape read from a disk is one. */
extern bool hz_hex_is_shape(const HzHexShape *shape);

/* Characters of a string. */
extern uint32_t hz_hex_length(const HzHexShape *shape);

/* Stores the bytes of a string (shape->width of them); false: it is of another shape. */
extern bool hz_hex_pack(const HzHexShape *shape, const uint8_t *text, uint64_t length,
						uint8_t *bytes);

/* The strings of `count` values one after the other, hz_hex_length() characters each. */
extern void hz_hex_unpack(const HzHexShape *shape, const uint8_t *bytes, uint32_t count,
						  uint8_t *text);

#endif /* HZ_HEX_H */
