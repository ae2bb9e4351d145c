/*
 * format/chunk_match.c
 *	  Which rows have a given value, without decoding them. See chunk.h.
 *
 * Dictionaries are in ascending order: an entry is found by interpolation, as a rule in one or two frames; the rows that
 * have it are those with its code. Fixed values are compared as they are encoded, runs once.
 */
#include "encoding/clones.h"
#include "format/chunk_reader.h"

/* Values looked for before all of a dictionary is decoded. */
#define SEARCHES_BEFORE_DICT 4

/* Vectors of which is remembered that they do not have a value: all of a row group's. */
#define KNOWN_VECTORS 64

/* Strings that are compared one by one are remembered up to this length: whatever is asked for would be copied for each chunk. */
#define LONGEST_REMEMBERED 4096

/* Rows of a vector of which is remembered that they have a value, at most, and of a chunk. */
#define FEW_ROWS 8
#define KNOWN_PLACES 256

/* Of a set: after so many vectors, a vector in so many must have been without its values, or no more are looked at. */
#define LOOKED_AT_LEAST 8
#define ABSENT_SHARE 4

/* Nor where it has more values than this part of the dictionary. */
#define LARGE_PART 16

/* Guesses by interpolation before the range is halved. */
#define GUESSES 6

/* ---- the entry of a dictionary */

/* Eight bytes from `skip` on as a number that orders as they do; zeroes behind the end. */
static uint64_t
leading_number(const uint8_t *data, uint64_t length, uint64_t skip)
{
	uint8_t bytes[8] = {0};
	uint64_t number;

	if (skip < length)
		memcpy(bytes, data + skip, length - skip < 8 ? length - skip : 8);
	memcpy(&number, bytes, sizeof(number));
	return __builtin_bswap64(number);
}

/* Of hexadecimal digits, and dashes that all strings have in the same places: sixteen of them. */
static uint64_t
leading_digits(const uint8_t *data, uint64_t length, uint64_t skip)
{
	uint64_t number = 0;
	int digits = 0;

	for (; digits < 16 && skip < length; skip++)
	{
		uint8_t c = data[skip];

		if (c == '-')
			continue;
		number = number << 4 | (c <= '0'   ? 0
								: c <= '9' ? c - '0'
								: c < 'a'  ? 10
								: c < 'f'  ? c - 'a' + 10
										   : 15);
		digits++;
	}
	return digits == 0 ? 0 : number << (4 * (16 - digits));
}

static uint64_t
number_of(const HzChunkReader *reader, const uint8_t *data, uint64_t length, uint64_t skip)
{
	return (reader->head.dict.form == HZ_DICT_HEX ? leading_digits : leading_number)(data, length,
																					 skip);
}

/* What is known of the entries that are left: those from `first` on, before `last`, lie between two numbers. */
typedef struct Range
{
	uint32_t first;
	uint32_t last;
	uint64_t low;
	uint64_t high;
	uint64_t skip; /* leading bytes that all have in common */
} Range;

/* All entries. From the zone map, which may know no more than the beginnings of the bounds: it is only asked for guesses. */
static void
begin_range(const HzChunkReader *reader, Range *range)
{
	const HzZone *zone = &reader->meta.zone;

	range->first = 0;
	range->last = reader->head.dict.count;
	range->low = 0;
	range->high = UINT64_MAX;
	range->skip = 0;
	if (!zone->has_bounds)
		return;
	while (range->skip < zone->min_length && range->skip < zone->max_length &&
		   zone->min.prefix[range->skip] == zone->max.prefix[range->skip])
		range->skip++;
	range->low = number_of(reader, zone->min.prefix, zone->min_length, range->skip);
	range->high = number_of(reader, zone->max.prefix, zone->max_length, range->skip);
}

static uint32_t
guess(const Range *range, uint64_t number)
{
	double part;

	if (number <= range->low || range->high <= range->low)
		return range->first;
	if (number >= range->high)
		return range->last - 1;
	part = (double) (number - range->low) / (double) (range->high - range->low);
	return range->first + (uint32_t) (part * (range->last - 1 - range->first));
}

/*
 * The entry with these bytes, among those of the range; HZ_NO_CODE: there is none. What is left of the range begins behind all entries that are
 * less.
 */
static HzStatus
search_entry(HzChunkReader *reader, const HzString *value, Range *range, uint32_t *code)
{
	uint64_t number = number_of(reader, value->data, value->length, range->skip);
	uint32_t guesses = 0;

	*code = HZ_NO_CODE;
	while (range->first < range->last)
	{
		uint32_t at = guesses++ < GUESSES ? guess(range, number)
										  : range->first + (range->last - range->first) / 2;
		HzString entry;
		int order;
		HzStatus status = hz_reader_entry(reader, at, &entry);

		if (status != HZ_OK)
			return status;
		order = hz_bytes_order(entry.data, entry.length, value->data, value->length);
		if (order == 0)
		{
			*code = range->first = at;
			return HZ_OK;
		}
		if (order < 0)
		{
			range->first = at + 1;
			range->low = number_of(reader, entry.data, entry.length, range->skip);
		}
		else
		{
			range->last = at;
			range->high = number_of(reader, entry.data, entry.length, range->skip);
		}
	}
	return HZ_OK;
}

/* What is known of a value, if it is one of those that were asked for last; or NULL. */
static HzSought *
recall_value(HzChunkReader *reader, const HzString *value)
{
	uint32_t known = reader->sought_count < HZ_SOUGHT ? reader->sought_count : HZ_SOUGHT;

	for (uint32_t i = 0; i < known; i++)
	{
		HzSought *sought = &reader->sought[i];

		if (sought->value.length == value->length &&
			hz_bytes_equal(sought->value.data, value->data, value->length))
			return sought;
	}
	return NULL;
}

/* The same; it is one of them from now on. */
static HzSought *
know_value(HzChunkReader *reader, const HzString *value)
{
	HzSought *sought = recall_value(reader, value);

	if (sought != NULL)
		return sought;
	sought = &reader->sought[reader->sought_count++ % HZ_SOUGHT];
	sought->value.length = 0;
	sought->searched = false;
	sought->absent = sought->few = 0;
	sought->places.length = 0;
	hz_bytes_append(&sought->value, value->data, value->length);
	return sought;
}

/* Its entry in the dictionary; who asks for many wants all of that. */
static HzStatus
find_entry(HzChunkReader *reader, HzSought *sought)
{
	const HzString value = {.data = sought->value.data, .length = sought->value.length};
	HzStatus status = HZ_OK;
	Range range;

	if (sought->searched)
		return HZ_OK;
	hz_frame_unpin(&reader->frames);
	if (reader->searches++ >= SEARCHES_BEFORE_DICT)
		status = hz_reader_dict(reader);
	begin_range(reader, &range);
	if (status == HZ_OK)
		status = search_entry(reader, &value, &range, &sought->code);
	sought->searched = status == HZ_OK;
	return status;
}

/* Bytes and fixed values, of which equal ones have equal bytes. */
static bool
has_bytes(const HzChunkHead *head, const HzString *value)
{
	return head->kind == HZ_KIND_BYTES ||
		   (head->kind == HZ_KIND_FIXED && value->length == head->width);
}

static bool
has_codes_only(const HzChunkHead *head)
{
	for (uint32_t v = 0; v < head->vectors; v++)
	{
		if (head->pieces[v].mode != HZ_PIECE_CODES && head->pieces[v].mode != HZ_PIECE_NULLS)
			return false;
	}
	return true;
}

HzStatus
hz_chunk_dictionary(HzChunkReader *reader, const HzString *value, bool *maybe)
{
	const HzChunkHead *head = &reader->head;
	HzSought *sought;
	HzStatus status;

	*maybe = true;
	if (!has_bytes(head, value) || (head->flags & HZ_CHUNK_HAS_DICT) == 0 || !has_codes_only(head))
		return HZ_OK;
	sought = know_value(reader, value);
	status = find_entry(reader, sought);
	*maybe = status == HZ_OK && sought->code != HZ_NO_CODE;
	return status;
}

/* ---- the rows of a vector */

HZ_CLONES static void
match_code(const uint16_t *codes, uint32_t count, uint16_t code, uint8_t *mask)
{
	/* whole blocks of a fixed size, so that it is vectorised at -O2 */
	for (uint32_t block = 0; block < count; block += 64)
		for (uint32_t i = 0; i < 64; i++)
			mask[block + i] = codes[block + i] == code;
}

static void
mask_nulls(uint8_t *mask, uint32_t count, const uint64_t *validity)
{
	if (validity == NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		mask[i] &= hz_bitmap_get(validity, i);
}

/* Loads the codes of a vector that has some, and its validity. */
static HzStatus
load_codes(HzChunkReader *reader, uint32_t v, const uint64_t **validity)
{
	HzStatus status = hz_reader_piece(reader, v);

	if (status == HZ_OK)
		status = hz_reader_validity(reader, v, validity);
	return status == HZ_OK ? hz_reader_codes(reader, v, *validity) : status;
}

static HzStatus
match_codes(HzChunkReader *reader, uint32_t v, HzSought *sought, uint8_t *mask)
{
	uint32_t count = reader->head.pieces[v].zone.rows;
	const uint64_t *validity;
	HzStatus status = find_entry(reader, sought);

	memset(mask, 0, count);
	if (status != HZ_OK || sought->code == HZ_NO_CODE)
		return status;
	status = load_codes(reader, v, &validity);
	if (status != HZ_OK)
		return status;
	match_code(reader->codes, count, (uint16_t) sought->code, mask);
	mask_nulls(mask, count, validity);
	return HZ_OK;
}

static HzStatus
match_fixed(HzChunkReader *reader, uint32_t v, const HzString *value, uint8_t *mask)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	const uint64_t *validity;
	HzStatus status = hz_reader_piece(reader, v);

	if (status == HZ_OK)
		status = hz_reader_validity(reader, v, &validity);
	if (status == HZ_OK)
		status = hz_fixed_match(hz_reader_data(reader, piece), piece->data_length, piece->zone.rows,
								reader->head.width, value->data, mask);
	if (status == HZ_OK)
		mask_nulls(mask, piece->zone.rows, validity);
	return status;
}

static HzStatus
match_hex(HzChunkReader *reader, uint32_t v, const HzString *value, uint8_t *mask)
{
	const HzChunkPiece *piece = &reader->head.pieces[v];
	const uint64_t *validity;
	HzHexShape shape;
	uint8_t bytes[HZ_HEX_MAX_WIDTH];
	const uint8_t *data;
	uint32_t length;
	HzStatus status = hz_reader_piece(reader, v);

	memset(mask, 0, piece->zone.rows);
	if (status == HZ_OK)
		status = hz_reader_validity(reader, v, &validity);
	if (status == HZ_OK)
		status = hz_reader_hex_shape(reader, piece, &shape, &data, &length);
	if (status != HZ_OK || !hz_hex_pack(&shape, value->data, value->length, bytes))
		return status;
	status = hz_fixed_match(data, length, piece->zone.rows, shape.width, bytes, mask);
	if (status == HZ_OK)
		mask_nulls(mask, piece->zone.rows, validity);
	return status;
}

HZ_CLONES static void
match_length(const int32_t *lengths, uint32_t count, int32_t length, uint8_t *mask)
{
	for (uint32_t block = 0; block < count; block += 64)
		for (uint32_t i = 0; i < 64; i++)
			mask[block + i] = lengths[block + i] == length;
}

/* The rows of a mask; returns how many. */
static uint32_t
rows_of(const uint8_t *mask, uint32_t count, uint16_t *at)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < count; i++)
	{
		at[n] = (uint16_t) i;
		n += mask[i];
	}
	return n;
}

/* By their lengths; what has the value's is compared, and frames that have no such string are not read. */
static HzStatus
match_strings(HzChunkReader *reader, uint32_t v, const HzString *value, uint8_t *mask)
{
	uint32_t count = reader->head.pieces[v].zone.rows;
	const uint64_t *validity;
	uint16_t at[HZ_VECTOR_ROWS];
	uint32_t candidates;
	HzVector vector;
	HzStatus status = hz_reader_piece(reader, v);

	if (status == HZ_OK)
		status = hz_reader_validity(reader, v, &validity);
	if (status == HZ_OK)
		status = hz_reader_lengths(reader, v, validity);
	if (status != HZ_OK)
		return status;
	if (value->length > INT32_MAX)
	{
		memset(mask, 0, count);
		return HZ_OK;
	}
	match_length(reader->lengths, count, (int32_t) value->length, mask);
	mask_nulls(mask, count, validity);
	candidates = rows_of(mask, count, at);
	if (candidates == 0 || value->length == 0)
		return HZ_OK;
	status = hz_chunk_vector_at(reader, v, at, candidates, &vector);
	for (uint32_t i = 0; i < candidates && status == HZ_OK; i++)
	{
		const HzString *string = (const HzString *) vector.values + at[i];

		mask[at[i]] = hz_bytes_equal(string->data, value->data, value->length);
	}
	return status;
}

static bool
is_absent(const HzSought *sought, uint32_t vector)
{
	return vector < KNOWN_VECTORS && (sought->absent >> vector & 1) != 0;
}

/* Remembers which rows of a vector have the value, if none or few do. */
static void
remember_rows(HzSought *sought, uint32_t vector, const uint8_t *mask, uint32_t rows)
{
	uint32_t places[FEW_ROWS];
	uint32_t count = 0;
	const uint8_t *end = mask + rows;

	if (vector >= KNOWN_VECTORS)
		return;
	for (const uint8_t *at = mask; (at = memchr(at, 1, (size_t) (end - at))) != NULL; at++)
	{
		if (count == FEW_ROWS)
			return;
		places[count++] = vector << 16 | (uint32_t) (at - mask);
	}
	if (count == 0)
		sought->absent |= UINT64_C(1) << vector;
	else if (sought->places.length / sizeof(uint32_t) + count <= KNOWN_PLACES)
	{
		hz_bytes_append(&sought->places, places, sizeof(uint32_t) * count);
		sought->few |= UINT64_C(1) << vector;
	}
}

/* Whether they are remembered; if so, in the mask. */
static bool
recall_rows(const HzSought *sought, uint32_t vector, uint8_t *mask, uint32_t rows)
{
	if (vector >= KNOWN_VECTORS || ((sought->absent | sought->few) >> vector & 1) == 0)
		return false;
	memset(mask, 0, rows);
	for (size_t at = 0; at < sought->places.length; at += sizeof(uint32_t))
	{
		uint32_t place;

		memcpy(&place, sought->places.data + at, sizeof(place));
		if (place >> 16 == vector)
			mask[place & 0xFFFF] = 1;
	}
	return true;
}

bool
hz_chunk_is_plain(const HzChunkReader *reader, uint32_t vector)
{
	return reader->head.pieces[vector].mode == HZ_PIECE_STRINGS;
}

bool
hz_chunk_lacks(HzChunkReader *reader, uint32_t vector, const HzString *value)
{
	const HzSought *sought = recall_value(reader, value);

	return sought != NULL && is_absent(sought, vector);
}

HzStatus
hz_chunk_match(HzChunkReader *reader, uint32_t vector, const HzString *value, bool *known,
			   uint8_t *mask)
{
	const HzChunkHead *head = &reader->head;
	HzPieceMode mode;
	HzSought *sought;
	uint32_t rows;
	HzStatus status;

	if (vector >= head->vectors)
		return HZ_CORRUPT;
	mode = head->pieces[vector].mode;
	rows = head->pieces[vector].zone.rows;
	*known = has_bytes(head, value) &&
			 (mode == HZ_PIECE_NULLS || mode == HZ_PIECE_CODES || mode == HZ_PIECE_STRINGS ||
			  mode == HZ_PIECE_HEX || (mode == HZ_PIECE_VALUES && head->kind == HZ_KIND_FIXED));
	if (!*known)
		return HZ_OK;
	if (mode == HZ_PIECE_NULLS)
	{
		memset(mask, 0, rows);
		return HZ_OK;
	}
	if (mode == HZ_PIECE_STRINGS && value->length > LONGEST_REMEMBERED)
		return match_strings(reader, vector, value, mask);
	sought = know_value(reader, value);
	if (recall_rows(sought, vector, mask, rows))
		return HZ_OK;
	status = mode == HZ_PIECE_CODES     ? match_codes(reader, vector, sought, mask)
			 : mode == HZ_PIECE_HEX     ? match_hex(reader, vector, value, mask)
			 : mode == HZ_PIECE_STRINGS ? match_strings(reader, vector, value, mask)
										: match_fixed(reader, vector, value, mask);
	if (status == HZ_OK)
		remember_rows(sought, vector, mask, rows);
	return status;
}

/* ---- several values */

/* Whether it is the set that is remembered. */
static bool
is_known_set(const HzSoughtSet *known, const HzValueSet *set)
{
	size_t at = 0;

	for (uint32_t i = 0; i < set->count; i++)
	{
		const HzString *value = &set->values[i];
		uint32_t length;

		if (known->values.length - at < sizeof(length))
			return false;
		memcpy(&length, known->values.data + at, sizeof(length));
		at += sizeof(length);
		if (length != value->length || known->values.length - at < length ||
			!hz_bytes_equal(known->values.data + at, value->data, length))
			return false;
		at += length;
	}
	return at == known->values.length;
}

static void
remember_set(HzSoughtSet *known, const HzValueSet *set)
{
	for (uint32_t i = 0; i < set->count; i++)
	{
		uint32_t length = (uint32_t) set->values[i].length;

		hz_bytes_append(&known->values, &length, sizeof(length));
		hz_bytes_append(&known->values, set->values[i].data, length);
	}
}

/*
 * Finds its values in the dictionary; *any: it has one. Sets the bits of their codes, or stops at the first one, if `codes` is
 * NULL.
 */
static HzStatus
find_entries(HzChunkReader *reader, const HzValueSet *set, uint64_t *codes, bool *any)
{
	HzStatus status = HZ_OK;
	Range whole;
	Range range;

	*any = false;
	if (set->count > SEARCHES_BEFORE_DICT)
		status = hz_reader_dict(reader);
	begin_range(reader, &whole);
	range = whole;
	for (uint32_t i = 0; i < set->count && status == HZ_OK && (codes != NULL || !*any); i++)
	{
		uint32_t code;

		if (!has_bytes(&reader->head, &set->values[i]))
			continue;
		hz_frame_unpin(&reader->frames);
		/* it is not before the value before it */
		range.last = whole.last;
		range.high = whole.high;
		status = search_entry(reader, &set->values[i], &range, &code);
		if (status != HZ_OK || code == HZ_NO_CODE)
			continue;
		*any = true;
		if (codes != NULL)
			hz_bitmap_set(codes, code);
	}
	return status;
}

/* Whether so many of the dictionary's entries are asked for that a vector hardly has none of them. */
static bool
is_large(const HzChunkReader *reader, const HzValueSet *set)
{
	return set->count > SEARCHES_BEFORE_DICT && set->count > reader->head.dict.count / LARGE_PART;
}

/* What is known of a set; its values are found in the dictionary, unless they have been. */
static HzStatus
know_set(HzChunkReader *reader, const HzValueSet *set, HzSoughtSet **result)
{
	HzSoughtSet *known = reader->sought_sets;
	HzStatus status;

	for (int i = 0; i < HZ_VALUE_SETS; i++)
	{
		*result = &known[i];
		if (known[i].values.length > 0 && is_known_set(&known[i], set))
			return HZ_OK;
	}
	*result = known = &reader->sought_sets[reader->set_count++ % HZ_VALUE_SETS];
	known->values.length = 0;
	known->asked = known->absent = 0;
	hz_free(known->codes);
	known->codes = NULL;
	known->codes = hz_alloc_zero(HZ_BITMAP_WORDS(reader->head.dict.count) * sizeof(uint64_t));
	status = find_entries(reader, set, known->codes, &known->any);
	/* last: the source may throw, and who catches come again */
	if (status == HZ_OK)
		remember_set(known, set);
	return status;
}

HzStatus
hz_chunk_dictionary_any(HzChunkReader *reader, const HzValueSet *set, bool *maybe)
{
	const HzChunkHead *head = &reader->head;
	HzSoughtSet *known;
	HzStatus status;

	*maybe = true;
	if ((head->flags & HZ_CHUNK_HAS_DICT) == 0 || !has_codes_only(head))
		return HZ_OK;
	if (is_large(reader, set))
		return find_entries(reader, set, NULL, maybe);
	status = know_set(reader, set, &known);
	*maybe = known->any;
	return status;
}

static bool
has_some(const uint64_t *wanted, const uint16_t *codes, uint32_t count)
{
	uint64_t found = 0;

	for (uint32_t i = 0; i < count; i++)
		found |= wanted[codes[i] / 64] >> codes[i] % 64;
	return (found & 1) != 0;
}

/* The same, but for nulls. */
static bool
has_some_not_null(const uint64_t *wanted, const uint16_t *codes, const uint64_t *validity,
				  uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (hz_bitmap_get(wanted, codes[i]) && hz_bitmap_get(validity, i))
			return true;
	return false;
}

/* Looks at the vector's codes, of which those of nulls are the first one's. */
static HzStatus
look_for_set(HzChunkReader *reader, HzSoughtSet *known, uint32_t v, bool *maybe)
{
	uint32_t rows = reader->head.pieces[v].zone.rows;
	const uint64_t *validity;
	HzStatus status = load_codes(reader, v, &validity);

	if (status != HZ_OK)
		return status;
	*maybe = has_some(known->codes, reader->codes, rows);
	if (*maybe && validity != NULL && hz_bitmap_get(known->codes, 0))
		*maybe = has_some_not_null(known->codes, reader->codes, validity, rows);
	if (v < KNOWN_VECTORS)
	{
		known->asked |= UINT64_C(1) << v;
		known->absent |= (uint64_t) !*maybe << v;
	}
	return HZ_OK;
}

HzStatus
hz_chunk_vector_any(HzChunkReader *reader, uint32_t vector, const HzValueSet *set, bool *maybe)
{
	HzSoughtSet *known;
	HzPieceMode mode;
	HzStatus status;
	int looked;

	*maybe = true;
	if (vector >= reader->head.vectors)
		return HZ_CORRUPT;
	mode = reader->head.pieces[vector].mode;
	if (mode != HZ_PIECE_CODES)
	{
		*maybe = mode != HZ_PIECE_NULLS;
		return HZ_OK;
	}
	if (is_large(reader, set))
		return HZ_OK;
	status = know_set(reader, set, &known);
	if (status != HZ_OK)
		return status;
	*maybe = known->any;
	if (!known->any)
		return HZ_OK;
	if (vector < KNOWN_VECTORS && (known->asked >> vector & 1) != 0)
	{
		*maybe = (known->absent >> vector & 1) == 0;
		return HZ_OK;
	}
	looked = __builtin_popcountll(known->asked);
	if (looked >= LOOKED_AT_LEAST && __builtin_popcountll(known->absent) * ABSENT_SHARE < looked)
		return HZ_OK;
	return look_for_set(reader, known, vector, maybe);
}
