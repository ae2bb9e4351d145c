/*
 * storage/sort_key.h
 *	  Sort keys of columnar tables: from the text of an order_by to expressions and back.
 *
 * An order_by is what may follow ORDER BY, but for USING: expressions with ASC, DESC, NULLS FIRST and
 * NULLS LAST. An expression is over columns of the one table, immutable, without subqueries, aggregates,
 * window functions and set-returning functions, and its type has a default btree order.
 *
 * It is stored with columns as parameters ($1, $2, ...) and otherwise as pg_dump would write it: names
 * outside pg_catalog are schema-qualified, literals do not depend on DateStyle and the like, and it is
 * read under the same fixed settings. Hence it means the same in every session, and nobody's search_path
 * decides which function maintenance will call.
 *
 * Nothing here evaluates an expression but hz_sort_key_parse() and the thorough hz_sort_key_load(), whose
 * caller supplied it: they plan it, which may fold constants.
 */
#ifndef HZ_SORT_KEY_H
#define HZ_SORT_KEY_H

#include "access/tupdesc.h"
#include "nodes/bitmapset.h"
#include "nodes/primnodes.h"
#include "utils/relcache.h"

typedef struct HzSortKey
{
	Node *expr;        /* over Vars of varno 1; not planned: ExecPrepareExpr() it, as the owner */
	AttrNumber attnum; /* of the column, when the expression is a column and nothing more; else 0 */
	Oid type;          /* of the expression */
	Oid collation;
	Oid sort_operator; /* its < or, descending, its >, as PrepareSortSupportFromOrderingOp() wants it */
	bool descending;
	bool nulls_first;
} HzSortKey;

/* Everything below allocates in the current context; Lists are of HzSortKey. */

/* What a user wrote, with columns by name. `rel` is locked by the caller. */
extern List *hz_sort_key_parse(Relation rel, const char *text);

/*
 * The stored form. inputs, zeroed by the caller, has an int per attribute of the relation; that of the
 * column that became $n is set to n.
 */
extern char *hz_sort_key_store(List *keys, int *inputs);

/* The numbers in a stored form; an error unless it is one. Does not look at what functions it calls. */
extern Bitmapset *hz_sort_key_inputs(const char *text);

/*
 * The stored form for a relation: $n is attribute bound[n], for n up to MaxHeapAttributeNumber, and
 * bound[n] <= 0 is an error. Errors about the text are of the classes that hz_sort_key_blames() knows.
 * thorough: looks also into SQL functions and default arguments, as CREATE INDEX does.
 */
extern List *hz_sort_key_load(TupleDesc desc, const char *text, const AttrNumber *bound,
							  bool thorough);

/* Whether an error of hz_sort_key_load() says that the text does not fit the relation any more. */
extern bool hz_sort_key_blames(int sqlerrcode);

/* The stored form with names[n] (quoted where needed) for $n, and <dropped> where that is NULL. */
extern char *hz_sort_key_show(const char *text, char **names);

#endif /* HZ_SORT_KEY_H */
