/*
 * plan/lookuppath.h
 *	  A join as one large input whose rows look up what the other sides have for them.
 *
 * That is what ColumnarAgg can do of a join (exec/agglookup.h): inner, left, semi and anti joins of one columnar table with small sides, by keys
 * that are unique there, or need not be. Whether they are is only known when they are read; where they are not, PostgreSQL's own plan runs.
 */
#ifndef HZ_LOOKUPPATH_H
#define HZ_LOOKUPPATH_H

#include "nodes/pathnodes.h"

/* One of the other sides. */
typedef struct HzLookupSide
{
	Path *path;
	List *input_keys; /* IntList: places in the input's target, from 1 */
	List *own_keys;   /* IntList: places in the path's target, from 1 */
	List *operators;  /* OidList: by which keys are equal */
	bool once;        /* no table: only one plan can have its path (exec/aggside.h) */
	JoinType
		jointype; /* of the input, on the left, and the side: JOIN_INNER, JOIN_LEFT, JOIN_SEMI, JOIN_ANTI */
} HzLookupSide;

typedef struct HzLookupJoin
{
	RelOptInfo *input; /* the columnar table */
	List *sides;       /* HzLookupSide */
	List *exprs;       /* of the input's target, then of all sides' */
	List *clauses;     /* all that join, as they were written, for EXPLAIN */
	List *rest;        /* of them, what is more than equal keys */
} HzLookupJoin;

/* Finds the input's path in a relation; NULL: it has none that will do. */
typedef Path *(*HzFindInput)(RelOptInfo *rel);

/* False: the join cannot be done so, or is better not. */
extern bool hz_lookuppath_find(PlannerInfo *root, RelOptInfo *joinrel, HzFindInput find_input,
							   HzLookupJoin *result);

/*
 * PostgreSQL's own way to join all, in which a plan of its own stands for each side that is to be planned once; NULL: none
 * of its paths will do.
 */
extern Path *hz_lookuppath_plain(RelOptInfo *joinrel, const HzLookupJoin *join);

/*
 * A subquery whose rows are the groups of another ColumnarAgg: *input is its path, which only one plan can have, *plain what stands for
 * it in PostgreSQL's own. False: it is none.
 */
extern bool hz_lookuppath_groups(PlannerInfo *root, RelOptInfo *rel, Path **input, Path **plain);

#endif /* HZ_LOOKUPPATH_H */
