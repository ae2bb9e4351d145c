/*
 * expr/vexpr_json.c
 *	  jsonb ->> 'key': the value of an object's key as text.
 *
 * The bytes are those of PostgreSQL's JsonbContainer (src/include/utils/jsonb.h): a header with the number of elements and what it is, an
 * entry for each element (for each key, then for each value), then their bytes. An entry has the length of its bytes or, here and
 * there, where they end. Keys are in order of length, then of bytes. Numbers and containers begin at multiples of four.
 *
 * Text of numbers and of containers is what numeric_out() and jsonb_out() make of them.
 */
#include "base/bytes.h"
#include "expr/vexpr_node.h"

#define COUNT_MASK UINT32_C(0x0FFFFFFF)
#define IS_SCALAR UINT32_C(0x10000000)
#define IS_OBJECT UINT32_C(0x20000000)

#define PLACE_MASK UINT32_C(0x0FFFFFFF) /* of an entry: length or end */
#define HAS_END UINT32_C(0x80000000)

typedef enum ValueType
{
	TYPE_STRING = 0,
	TYPE_NUMBER = 1,
	TYPE_FALSE = 2,
	TYPE_TRUE = 3,
	TYPE_NULL = 4,
	TYPE_CONTAINER = 5
} ValueType;

#define DIGITS 4            /* decimal ones of a numeric's digit */
#define MAX_TEXT 0x3FFFFFFF /* bytes that PostgreSQL makes a string of, at most */

typedef struct Container
{
	const uint8_t *entries;
	const uint8_t *bytes; /* of the elements */
	uint64_t length;      /* of these */
	uint32_t elements;    /* entries */
	uint32_t count;       /* pairs of an object, elements of an array */
	bool object;
	bool scalar; /* an array of one that stands for its element */
} Container;

typedef struct Value
{
	ValueType type;
	const uint8_t *data;
	uint32_t length;
} Value;

/* ---- the bytes of a jsonb */

static bool
open_container(const uint8_t *data, uint64_t length, Container *container)
{
	uint32_t header;

	if (length < sizeof(header))
		return false;
	header = hz_load32(data);
	container->object = (header & IS_OBJECT) != 0;
	container->scalar = (header & IS_SCALAR) != 0;
	container->count = header & COUNT_MASK;
	container->elements = container->count << container->object;
	container->entries = data + sizeof(header);
	if ((uint64_t) container->elements * sizeof(uint32_t) > length - sizeof(header))
		return false;
	container->bytes = container->entries + (size_t) container->elements * sizeof(uint32_t);
	container->length = length - (uint64_t) (container->bytes - data);
	return true;
}

static inline uint32_t
entry_at(const Container *container, uint32_t i)
{
	return hz_load32(container->entries + (size_t) i * sizeof(uint32_t));
}

/* Where the bytes of element i begin. */
static uint64_t
offset_of(const Container *container, uint32_t i)
{
	uint64_t offset = 0;

	while (i-- > 0)
	{
		uint32_t entry = entry_at(container, i);

		offset += entry & PLACE_MASK;
		if (entry & HAS_END)
			break;
	}
	return offset;
}

/* Element i; false: its bytes are not within the container's. */
static bool
value_at(const Container *container, uint32_t i, Value *value)
{
	uint32_t entry = entry_at(container, i);
	uint64_t start = offset_of(container, i);
	uint64_t end = entry & HAS_END ? entry & PLACE_MASK : start + (entry & PLACE_MASK);
	uint64_t begin = start;

	value->type = (ValueType) (entry >> 28 & 7);
	if (value->type == TYPE_NUMBER || value->type == TYPE_CONTAINER)
		begin = (start + 3) & ~UINT64_C(3);
	if (end < begin || end > container->length)
		return false;
	value->data = container->bytes + begin;
	value->length = (uint32_t) (end - begin);
	return value->type <= TYPE_CONTAINER;
}

/* Whether the key of pair i is less (< 0), the same (0), or greater; false: damaged. */
static bool
compare_key(const Container *container, uint32_t i, HzString key, int *order)
{
	Value candidate;

	if (!value_at(container, i, &candidate))
		return false;
	if (candidate.length != key.length)
		*order = candidate.length < key.length ? -1 : 1;
	else
		*order = key.length == 0 ? 0 : memcmp(candidate.data, key.data, key.length);
	return true;
}

/*
 * 1: *value is that of the key, 0: there is none, -1: damaged. *place: where it was in the object before, which as a rule has the same
 * keys; where it is.
 */
static int
find_key(const Container *container, HzString key, uint32_t *place, Value *value)
{
	uint32_t low = 0;
	uint32_t high = container->count;
	uint32_t next = *place;

	while (low < high)
	{
		uint32_t middle = next < high ? next : low + (high - low) / 2;
		int order;

		if (!compare_key(container, middle, key, &order))
			return -1;
		if (order == 0)
		{
			*place = middle;
			return value_at(container, container->count + middle, value) ? 1 : -1;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
		next = UINT32_MAX;
	}
	return 0;
}

/* ---- text of numbers */

typedef struct Number
{
	bool negative;
	int weight; /* of the first digit, in powers of 10,000 */
	uint32_t scale;
	uint32_t count;
	const uint8_t *digits; /* two bytes each */
} Number;

/* Of a numeric's bytes with its header; not what is no number, which JSON has not. */
static bool
open_number(const Value *value, Number *number)
{
	const uint8_t *data = value->data + sizeof(uint32_t);
	uint32_t length = value->length;
	uint16_t header;

	if (length < sizeof(uint32_t) + 2 || (value->data[0] & 3) != 0 ||
		hz_load32(value->data) >> 2 > length)
		return false;
	length = (hz_load32(value->data) >> 2) - (uint32_t) sizeof(uint32_t);
	header = hz_load16(data);
	if (length < 2 || length > value->length || (header & 0xC000) == 0xC000)
		return false;
	if (header & 0x8000)
	{
		number->negative = (header & 0x2000) != 0;
		number->scale = header >> 7 & 0x3F;
		number->weight = (header & 0x40 ? ~0x3F : 0) | (header & 0x3F);
		number->digits = data + 2;
		number->count = (length - 2) / 2;
		return true;
	}
	if (length < 4)
		return false;
	number->negative = (header & 0xC000) == 0x4000;
	number->scale = header & 0x3FFF;
	number->weight = (int16_t) hz_load16(data + 2);
	number->digits = data + 4;
	number->count = (length - 4) / 2;
	return true;
}

/* The digit of this weight behind the first: four decimal ones. */
static void
put_digit(const Number *number, int place, char text[DIGITS])
{
	uint32_t digit = place >= 0 && place < (int) number->count
						 ? hz_load16(number->digits + 2 * (size_t) place)
						 : 0;

	for (int i = DIGITS - 1; i >= 0; i--, digit /= 10)
		text[i] = (char) ('0' + digit % 10);
}

/* The first digit without leading zeroes, the others whole. */
static void
append_whole(const Number *number, HzBytes *out)
{
	char text[DIGITS];

	if (number->weight < 0)
		hz_bytes_put8(out, '0');
	for (int place = 0; place <= number->weight; place++)
	{
		int first = 0;

		put_digit(number, place, text);
		while (place == 0 && first < DIGITS - 1 && text[first] == '0')
			first++;
		hz_bytes_append(out, text + first, (size_t) (DIGITS - first));
	}
}

static bool
append_number(const Value *value, HzBytes *out)
{
	Number number;
	char text[DIGITS];

	if (!open_number(value, &number))
		return false;
	if (number.negative)
		hz_bytes_put8(out, '-');
	append_whole(&number, out);
	if (number.scale > 0)
		hz_bytes_put8(out, '.');
	for (uint32_t done = 0; done < number.scale; done += DIGITS)
	{
		uint32_t left = number.scale - done;

		put_digit(&number, number.weight + 1 + (int) (done / DIGITS), text);
		hz_bytes_append(out, text, left < DIGITS ? left : DIGITS);
	}
	return true;
}

/* ---- text of containers */

static void
append_text(const char *text, HzBytes *out)
{
	hz_bytes_append(out, text, strlen(text));
}

static void
append_escaped(uint8_t c, HzBytes *out)
{
	static const char hex[] = "0123456789abcdef";
	static const char known[] = "\b\f\n\r\t\"\\";
	static const char letters[] = "bfnrt\"\\";
	const char *found = c != 0 ? strchr(known, c) : NULL;

	if (found == NULL && c >= ' ')
	{
		hz_bytes_put8(out, c);
		return;
	}
	hz_bytes_put8(out, '\\');
	if (found != NULL)
	{
		hz_bytes_put8(out, (uint8_t) letters[found - known]);
		return;
	}
	append_text("u00", out);
	hz_bytes_put8(out, (uint8_t) hex[c >> 4]);
	hz_bytes_put8(out, (uint8_t) hex[c & 15]);
}

static void
append_string(const Value *value, HzBytes *out)
{
	hz_bytes_put8(out, '"');
	for (uint32_t i = 0; i < value->length; i++)
		append_escaped(value->data[i], out);
	hz_bytes_put8(out, '"');
}

/* What is no container. */
static bool
append_scalar(const Value *value, HzBytes *out)
{
	switch (value->type)
	{
		case TYPE_STRING:
			append_string(value, out);
			return true;
		case TYPE_NUMBER:
			return append_number(value, out);
		case TYPE_NULL:
			append_text("null", out);
			return true;
		default:
			append_text(value->type == TYPE_TRUE ? "true" : "false", out);
			return true;
	}
}

/* A container that is being written, and the next of its elements. */
typedef struct Level
{
	Container container;
	uint32_t next;
} Level;

static bool
open_level(const Value *value, HzBytes *levels, HzBytes *out)
{
	Level level = {.next = 0};

	if (!open_container(value->data, value->length, &level.container))
		return false;
	hz_bytes_append(levels, &level, sizeof(level));
	hz_bytes_put8(out, level.container.object ? '{' : '[');
	return true;
}

/* Writes the key and what is between elements; *value is the next one's. */
static bool
next_element(Level *level, Value *value, HzBytes *out)
{
	uint32_t i = level->next++;
	Value key;

	if (i > 0)
		append_text(", ", out);
	if (!level->container.object)
		return value_at(&level->container, i, value);
	if (!value_at(&level->container, i, &key) ||
		!value_at(&level->container, level->container.count + i, value))
		return false;
	append_string(&key, out);
	append_text(": ", out);
	return true;
}

/* However deep: levels are kept on a stack of their own. */
static bool
append_container(const Value *value, HzBytes *out)
{
	HzBytes levels = {NULL, 0, 0};
	bool good = open_level(value, &levels, out);

	/* a number of some bytes may have 131,072 digits */
	while (good && levels.length > 0 && out->length < MAX_TEXT)
	{
		Level *level = (Level *) (void *) (levels.data + levels.length - sizeof(Level));
		Value element;

		if (level->next == level->container.count)
		{
			hz_bytes_put8(out, level->container.object ? '}' : ']');
			levels.length -= sizeof(Level);
			continue;
		}
		good = next_element(level, &element, out);
		if (good)
			good = element.type == TYPE_CONTAINER ? open_level(&element, &levels, out)
												  : append_scalar(&element, out);
	}
	hz_bytes_free(&levels);
	return good && out->length < MAX_TEXT;
}

/* ---- the operator */

/* What the kernel goes on with from row to row. */
typedef struct Walk
{
	HzString key;
	uint32_t place; /* where it was found last */
	bool lasting;   /* results must outlive their arguments */
	HzBytes room;
} Walk;

/* The value as text, or null; false: damaged. */
static bool
put_text(const Value *value, Walk *walk, HzLane *lane, uint32_t row)
{
	HzString *slot = (HzString *) lane->values + row;
	HzBytes *room = &walk->room;

	room->length = 0;
	switch (value->type)
	{
		case TYPE_NULL:
			hz_lane_null(lane, row);
			return true;
		case TYPE_STRING:
			*slot = (HzString){.data = walk->lasting
										   ? hz_bump_bytes(lane->memory, value->data, value->length)
										   : value->data,
							   .length = value->length};
			return true;
		case TYPE_CONTAINER:
			if (!append_container(value, room))
				return false;
			break;
		default:
			if (!append_scalar(value, room))
				return false;
	}
	*slot = (HzString){.data = hz_bump_bytes(lane->memory, room->data, room->length),
					   .length = room->length};
	return true;
}

/*
 * Objects only: an array, or a value by itself, has no keys. Nor has an empty string, which is no jsonb but stands for a null where a dictionary
 * has an entry for one.
 */
static bool
put_field(HzString json, Walk *walk, HzLane *lane, uint32_t row)
{
	Container container;
	Value value;
	int found;

	if (json.length == 0)
	{
		hz_lane_null(lane, row);
		return true;
	}
	if (!open_container(json.data, json.length, &container))
		return false;
	found = container.object ? find_key(&container, walk->key, &walk->place, &value) : 0;
	if (found > 0)
		return put_text(&value, walk, lane, row);
	hz_lane_null(lane, row);
	return found == 0;
}

static bool
field_kernel(HzEval *eval, const HzVexpr *expr, const HzVector *in, const HzRows *rows,
			 HzLane *lane)
{
	Walk walk = {.key = *(const HzString *) expr->args[1]->constant.values,
				 .lasting = lane->memory != &eval->batch};
	const HzString *strings = in->values;
	HzEvalFailure failure = HZ_EVAL_JSON;
	bool good = true;

	for (uint32_t i = 0; i < rows->count && good; i++)
	{
		uint32_t row = hz_rows_at(rows, i);

		if (hz_vector_valid(in, row))
			good = put_field(strings[row], &walk, lane, row);
		else
			hz_lane_null(lane, row);
	}
	if (walk.room.length >= MAX_TEXT)
		failure = HZ_EVAL_LENGTH;
	hz_bytes_free(&walk.room);
	return good || hz_eval_fail(eval, failure);
}

bool
hz_vexpr_json_field_value(HzEval *eval, const HzVexpr *expr, const HzRows *rows, HzVector *out)
{
	if (expr->args[1]->constant.validity != NULL)
		return hz_eval_null_constant(eval, expr, rows, out);
	return hz_eval_map_arg(eval, expr, field_kernel, rows, out);
}
