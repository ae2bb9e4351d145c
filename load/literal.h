/*
 * load/literal.h
 *	  Arrays, maps and tuples: in ClickHouse's notation, as TSV and CSV have them, and in JSON's.
 *
 *	  ['it\'s', NULL, 1]    {'key':'value', 2:[1,2]}    (1,'a')
 *
 * Both notations are read by one grammar: strings in single quotes have backslash escapes, those in double quotes are
 * JSON's; NULL and null, numbers and words stand alone.
 */
#ifndef HZ_LOAD_LITERAL_H
#define HZ_LOAD_LITERAL_H

#include "load/value.h"

/* Is this ClickHouse's notation rather than JSON? By the bracket and the first quote; where it has no quotes it is both. */
extern bool hz_literal_is_native(const uint8_t *data, size_t length);

/* Appends it as JSON; tuples become arrays. NULL, or a reason. */
extern const char *hz_literal_to_json(HzBytes *out, const uint8_t *data, size_t length);

/*
 * Appends an array as PostgreSQL's array literal. Elements are converted for their kind; what is no scalar is JSON's text.
 * NULL, or a reason.
 */
extern const char *hz_literal_to_array(HzBytes *out, const uint8_t *data, size_t length,
									   HzValueKind kind, const HzTextRules *rules,
									   HzScratch *scratch);

#endif /* HZ_LOAD_LITERAL_H */
