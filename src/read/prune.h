/*
 * read/prune.h
 *	  Which row groups and vectors a condition can skip, by zone maps, bloom filters and dictionaries.
 *
 * A HzPrune is what a scan's quals say about single columns: a list of trees, all of which a row has to satisfy. A
 * node that says nothing (HZ_PRUNE_UNKNOWN) stands for what is not understood: it skips nothing and is never certain.
 *
 * The answer for a set of rows: NONE satisfies it (false and null are the same here), ALL do, or SOME may. Deleted rows
 * count, so both certainties hold for the rows that are left. All three are right for whatever the zone maps
 * say; a wide zone only makes for more SOME.
 *
 * Whoever makes the nodes sets what holds for the whole scan; hz_prunecompile_bind() sets the constants, for which `values`
 * must live until the next bind. The owner of the memory is the maker.
 */
#ifndef HZ_PRUNE_H
#define HZ_PRUNE_H

#include "format/chunk.h"
#include "read/prunevalue.h"

typedef enum HzPruneResult
{
	HZ_PRUNE_NONE,
	HZ_PRUNE_SOME,
	HZ_PRUNE_ALL
} HzPruneResult;

typedef enum HzPruneOp
{
	HZ_PRUNE_UNKNOWN,
	HZ_PRUNE_NEVER,  /* false or null for every row */
	HZ_PRUNE_ALWAYS, /* true for every row */
	HZ_PRUNE_AND,
	HZ_PRUNE_OR,
	HZ_PRUNE_IS_NULL,
	HZ_PRUNE_NOT_NULL,
	HZ_PRUNE_LESS,
	HZ_PRUNE_LESS_EQUAL,
	HZ_PRUNE_EQUAL, /* to one of the values */
	HZ_PRUNE_GREATER_EQUAL,
	HZ_PRUNE_GREATER,
	HZ_PRUNE_NOT_EQUAL, /* to any of the values */
	HZ_PRUNE_PREFIX     /* begins with the value's bytes */
} HzPruneOp;

typedef struct HzPruneNode
{
	HzPruneOp op;
	/* AND, OR */
	int child_count;
	struct HzPruneNode **children;
	/* the others: a column, and how its values compare */
	int attno; /* 0-based */
	HzColumnType column;
	HzPruneDomain domain;
	bool bloom; /* EQUAL: bloom filters can be asked */
	bool loose; /* the condition asks for more than this node: never ALL */
	uint32 value_count;
	HzPruneValue *values; /* EQUAL, NOT_EQUAL: ascending */
	HzValueSet set;       /* EQUAL: several values that a dictionary can have; or none */
	bool uses_set;        /* chunks are asked for it */
	/* the answer for the group that hz_prune_group() was last asked about */
	HzPruneResult group;
} HzPruneNode;

/* Of so many quals it is told one by one which are satisfied by all rows. */
#define HZ_PASSING_QUALS 64

/* What has been skipped: whole groups, and vectors of groups that were not. */
typedef struct HzPruneCount
{
	uint64 groups;
	uint64 vectors;
} HzPruneCount;

typedef struct HzPrune
{
	int count;
	HzPruneNode **quals;
	int certain;          /* that ALL speaks of; the others say of vectors NONE or nothing */
	HzPruneCount *pruned; /* by each qual: the first that says NONE counts it */
	int pruner;           /* the qual that has last said NONE */
	uint64 passing;       /* of what was asked about last: bit i, every row satisfies qual i */
	bool has_sets;        /* some node uses its set */
} HzPrune;

/*
 * Where the answers come from. bloom, dictionary: whether a value may be in the group; memory: whether it may be in the vector, as far as that is
 * remembered; dictionary_any, codes: whether any value of a node's set may be in the group, in the vector. NULL: do not ask.
 */
typedef struct HzPruneSource
{
	const HzZone *(*zone)(void *arg, const HzPruneNode *node);
	bool (*bloom)(void *arg, const HzPruneNode *node, const HzPruneValue *value);
	bool (*dictionary)(void *arg, const HzPruneNode *node, const HzPruneValue *value);
	bool (*memory)(void *arg, const HzPruneNode *node, const HzPruneValue *value);
	bool (*dictionary_any)(void *arg, const HzPruneNode *node);
	bool (*codes)(void *arg, const HzPruneNode *node);
	void *arg;
} HzPruneSource;

/*
 * Sorts the values of a node that were just set and drops doubles; makes its set, in the current context. Those of others but EQUAL and NOT_EQUAL are
 * single.
 */
extern void hz_prune_sort_values(HzPruneNode *node);

/* What the conditions say of a row group, by the zones of its chunks; and with its bloom filters, after the former. */
extern HzPruneResult hz_prune_group(HzPrune *prune, const HzPruneSource *source);
extern HzPruneResult hz_prune_group_bloom(HzPrune *prune, const HzPruneSource *source);

/* The same with its dictionaries, after either, where columns of strings or of fixed bytes have one; `wants`: whether it can say more. */
extern HzPruneResult hz_prune_group_dictionary(HzPrune *prune, const HzPruneSource *source);
extern bool hz_prune_wants_dictionary(const HzPrune *prune);

/* Whether bloom filters can tell more than hz_prune_group() has told: `has` says which columns of the group have one. */
extern bool hz_prune_wants_bloom(const HzPrune *prune,
								 bool (*has)(void *arg, const HzPruneNode *node), void *arg);

/* What they say of a vector of the group that hz_prune_group() was last asked about. */
extern HzPruneResult hz_prune_vector(HzPrune *prune, const HzPruneSource *source);

/* NONE: the codes of a vector that hz_prune_vector() has not ruled out have none of the values of some node's set. Else SOME. */
extern HzPruneResult hz_prune_codes(HzPrune *prune, const HzPruneSource *source);

/* Counts what was skipped because of the last NONE. */
extern void hz_prune_count(HzPrune *prune, uint64 groups, uint64 vectors);

#endif /* HZ_PRUNE_H */
