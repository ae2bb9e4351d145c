/*
 * generate_model.h
 *		The models of model_catalog, used and priced by ai_observations.
 */
#ifndef GENERATE_MODEL_H
#define GENERATE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "generate_rand.h"

typedef struct GenModel
{
	const char *provider;
	const char *id;
	const char *name;
	const char *display;
	int64_t input_price; /* millionths of a dollar per 1M tokens */
	int64_t output_price;
	int context; /* tokens */
	int max_output;
	bool vision;
	bool functions;
	int speed;  /* tokens a second */
	int weight; /* how much it is used */
} GenModel;

extern const GenModel gen_models[];
extern const int gen_model_count;

/* One of the few models that a project uses. */
extern const GenModel *gen_model_draw(uint64_t project_hash, GenRand *r);

extern void gen_models_init(void);

#endif /* GENERATE_MODEL_H */
