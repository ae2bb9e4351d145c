/*
 * generate_table.h
 *		The tables: each function writes world->options.rows rows.
 *
 * The order of the columns is that of the lists in generate.c.
 */
#ifndef GENERATE_TABLE_H
#define GENERATE_TABLE_H

#include "generate_out.h"
#include "generate_world.h"

typedef void GenTable(const GenWorld *w, GenOut *o);

extern GenTable gen_organizations;
extern GenTable gen_projects;
extern GenTable gen_model_catalog;
extern GenTable gen_website_events;
extern GenTable gen_event_properties;
extern GenTable gen_session_properties;
extern GenTable gen_ai_traces;
extern GenTable gen_ai_observations;
extern GenTable gen_ai_scores;
extern GenTable gen_business_events;
extern GenTable gen_api_metrics;
extern GenTable gen_base_metrics;
extern GenTable gen_app_metrics;

/*
 * How many rows of a child table should be written when so many rows of its
 * parent table have been: slightly ahead, so that all fit before the parents
 * end.
 */
static inline uint64_t
gen_quota(const GenWorld *w, uint64_t parents)
{
	uint64_t rows = w->options.rows;
	uint64_t quota;

	quota =
		(uint64_t) ((unsigned __int128) parents * (rows + rows / 1000 + 20) / w->options.parents);
	return quota < rows ? quota : rows;
}

#endif /* GENERATE_TABLE_H */
