/*
 * load/json.h
 *	  JSON, as far as a loader must understand it: where a value ends, and what a string says.
 */
#ifndef HZ_LOAD_JSON_H
#define HZ_LOAD_JSON_H

#include "base/bytes.h"
#include "load/copytext.h"
#include "load/field.h"

/* The first byte at or after p that is not JSON's white space. */
extern const uint8_t *hz_json_skip_space(const uint8_t *p, const uint8_t *end);

/*
 * The value at p (white space before it skipped) as a field. Returns where it ends, or NULL and a reason. Strings of an
 * object or array inside are not looked into, and brackets must match; the rest of its grammar is left to the server.
 */
extern const uint8_t *hz_json_value(const uint8_t *p, const uint8_t *end, HzField *field,
									const char **reason);

/*
 * Appends what a string says; data are the bytes between its quotes. NULL, or the reason why it says nothing. A surrogate
 * without its other half is an error, or U+FFFD, as rules say.
 */
extern const char *hz_json_unescape(HzBytes *out, const uint8_t *data, size_t length,
									const HzTextRules *rules);

/* Appends bytes as a JSON string with its quotes. */
extern void hz_json_put_string(HzBytes *out, const uint8_t *data, size_t length);

/* Appends JSON text without the escapes \u0000 in it. */
extern void hz_json_put_without_nul(HzBytes *out, const uint8_t *data, size_t length);

#endif /* HZ_LOAD_JSON_H */
