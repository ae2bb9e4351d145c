/*
 * encoding/hex.c
 *	  See hex.h.
 */
#include "encoding/hex.h"

#include <string.h>

#define UUID_TEXT 36
#define UUID_WIDTH 16

/* The two digits of each byte. */
static const char pairs[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
							"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
							"404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f"
							"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
							"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
							"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
							"c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
							"e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";

/* Bytes of a uuid before which there is a dash. */
static const uint8_t parts[] = {4, 2, 2, 2, 6};

bool
hz_hex_guess(const uint8_t *text, uint64_t length, HzHexShape *shape)
{
	if (length == UUID_TEXT && text[8] == '-')
	{
		shape->form = HZ_HEX_UUID;
		shape->width = UUID_WIDTH;
		return true;
	}
	shape->form = HZ_HEX_DIGITS;
	shape->width = (uint32_t) (length / 2);
	return length % 2 == 0 && length > 0 && length <= HZ_HEX_MAX_TEXT;
}

bool
hz_hex_is_shape(const HzHexShape *shape)
{
	if (shape->form == HZ_HEX_UUID)
		return shape->width == UUID_WIDTH;
	return shape->form == HZ_HEX_DIGITS && shape->width > 0 && shape->width <= HZ_HEX_MAX_WIDTH;
}

uint32_t
hz_hex_length(const HzHexShape *shape)
{
	return shape->form == HZ_HEX_UUID ? UUID_TEXT : 2 * shape->width;
}

/* The value of a digit; 16 and more: it is none. */
static inline uint32_t
digit(uint8_t c)
{
	uint32_t number = (uint32_t) c - '0';
	uint32_t letter = (uint32_t) c - 'a';

	return number < 10 ? number : letter < 6 ? letter + 10 : 16;
}

/* False: one of the characters is no digit. */
static bool
pack_digits(const uint8_t *text, uint32_t width, uint8_t *bytes)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < width; i++)
	{
		uint32_t high = digit(text[2 * i]);
		uint32_t low = digit(text[2 * i + 1]);

		all |= high | low;
		bytes[i] = (uint8_t) (high << 4 | low);
	}
	return all < 16;
}

bool
hz_hex_pack(const HzHexShape *shape, const uint8_t *text, uint64_t length, uint8_t *bytes)
{
	if (length != hz_hex_length(shape))
		return false;
	if (shape->form == HZ_HEX_DIGITS)
		return pack_digits(text, shape->width, bytes);
	for (size_t p = 0; p < sizeof(parts); p++)
	{
		if ((p > 0 && *text++ != '-') || !pack_digits(text, parts[p], bytes))
			return false;
		text += 2 * (size_t) parts[p];
		bytes += parts[p];
	}
	return true;
}

static inline uint8_t *
unpack_digits(const uint8_t *bytes, uint32_t width, uint8_t *text)
{
	for (uint32_t i = 0; i < width; i++)
		memcpy(text + 2 * i, pairs + 2 * (size_t) bytes[i], 2);
	return text + 2 * width;
}

static inline void
unpack_uuid(const uint8_t *bytes, uint8_t *text)
{
	text = unpack_digits(bytes, 4, text);
	*text++ = '-';
	text = unpack_digits(bytes + 4, 2, text);
	*text++ = '-';
	text = unpack_digits(bytes + 6, 2, text);
	*text++ = '-';
	text = unpack_digits(bytes + 8, 2, text);
	*text++ = '-';
	(void) unpack_digits(bytes + 10, 6, text);
}

void
hz_hex_unpack(const HzHexShape *shape, const uint8_t *bytes, uint32_t count, uint8_t *text)
{
	if (shape->form == HZ_HEX_UUID)
		for (uint32_t i = 0; i < count; i++, bytes += UUID_WIDTH, text += UUID_TEXT)
			unpack_uuid(bytes, text);
	else
		(void) unpack_digits(bytes, count * shape->width, text);
}
