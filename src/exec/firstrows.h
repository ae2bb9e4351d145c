/*
 * exec/firstrows.h
 *	  The first row of each partition: a ColumnarScan leaves out rows that cannot be it.
 *
 * SELECT DISTINCT ON (k) … ORDER BY k, t, and a window whose row_number() (or rank()) must be 1, keep of all rows with the same k those that come
 * first by t. PostgreSQL sorts all rows for that. A scan that feeds such a Sort, with nothing between that drops rows, remembers for each k the
 * least key of t (read/topbound.h) that it has returned, and leaves out rows that come after it, before it decodes their
 * other columns. Of two rows with the same key none is left out: further sort keys, and the rest, remain PostgreSQL's.
 *
 * Only rows of the column store that pass all quals on vectors. It gives up where that saves too little, or takes more than half of
 * work_mem. The setting is that of exec/topn.h.
 */
#ifndef HZ_FIRSTROWS_H
#define HZ_FIRSTROWS_H

#include "exec/scanstate.h"

/* Tells the scans below a plan whose executor has started. */
extern void hz_firstrows_attach(PlanState *ps);

/* Takes rows that are not first from those of the current batch. */
extern void hz_firstrows_filter(HzScanNode *node);

extern void hz_firstrows_rescan(HzScanNode *node);

extern void hz_firstrows_explain(HzScanNode *node, struct ExplainState *es);
extern void hz_firstrows_explain_counts(HzScanNode *node, struct ExplainState *es);

#endif /* HZ_FIRSTROWS_H */
