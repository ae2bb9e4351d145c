/*
 * generate_model.c
 *		The models of model_catalog.  Prices are in the order of real ones.
 */
#include "generate_model.h"

#include "generate_table.h"

#define LENGTH(a) ((int) (sizeof(a) / sizeof((a)[0])))
#define CENTS(n) ((n) *INT64_C(10000))
#define K(n) ((n) *1000)

const GenModel gen_models[] = {
	{"openai", "gpt-4o", "gpt-4o", "GPT-4o", CENTS(250), CENTS(1000), K(128), 16384, true, true, 85,
	 140},
	{"openai", "gpt-4o-mini", "gpt-4o-mini", "GPT-4o mini", CENTS(15), CENTS(60), K(128), 16384,
	 true, true, 120, 230},
	{"openai", "gpt-4.1", "gpt-4.1", "GPT-4.1", CENTS(200), CENTS(800), 1047576, 32768, true, true,
	 80, 90},
	{"openai", "gpt-4.1-mini", "gpt-4.1-mini", "GPT-4.1 mini", CENTS(40), CENTS(160), 1047576,
	 32768, true, true, 110, 130},
	{"openai", "gpt-4.1-nano", "gpt-4.1-nano", "GPT-4.1 nano", CENTS(10), CENTS(40), 1047576, 32768,
	 true, true, 160, 60},
	{"openai", "gpt-5", "gpt-5", "GPT-5", CENTS(125), CENTS(1000), K(400), 128000, true, true, 70,
	 110},
	{"openai", "gpt-5-mini", "gpt-5-mini", "GPT-5 mini", CENTS(25), CENTS(200), K(400), 128000,
	 true, true, 105, 120},
	{"openai", "o3", "o3", "o3", CENTS(200), CENTS(800), K(200), 100000, true, true, 45, 25},
	{"openai", "o4-mini", "o4-mini", "o4-mini", CENTS(110), CENTS(440), K(200), 100000, true, true,
	 75, 40},
	{"openai", "gpt-3.5-turbo", "gpt-3.5-turbo", "GPT-3.5 Turbo", CENTS(50), CENTS(150), 16385,
	 4096, false, true, 130, 15},
	{"anthropic", "claude-3-5-haiku-20241022", "claude-3-5-haiku", "Claude 3.5 Haiku", CENTS(80),
	 CENTS(400), K(200), 8192, true, true, 110, 70},
	{"anthropic", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet", "Claude 3.5 Sonnet",
	 CENTS(300), CENTS(1500), K(200), 8192, true, true, 75, 60},
	{"anthropic", "claude-3-7-sonnet-20250219", "claude-3-7-sonnet", "Claude 3.7 Sonnet",
	 CENTS(300), CENTS(1500), K(200), 64000, true, true, 75, 40},
	{"anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4", "Claude Sonnet 4", CENTS(300),
	 CENTS(1500), K(200), 64000, true, true, 78, 150},
	{"anthropic", "claude-opus-4-20250514", "claude-opus-4", "Claude Opus 4", CENTS(1500),
	 CENTS(7500), K(200), 32000, true, true, 45, 20},
	{"anthropic", "claude-haiku-4-5-20251001", "claude-haiku-4-5", "Claude Haiku 4.5", CENTS(100),
	 CENTS(500), K(200), 64000, true, true, 140, 110},
	{"together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", "llama-3.3-70b",
	 "Llama 3.3 70B Instruct Turbo", CENTS(88), CENTS(88), 131072, 8192, false, true, 95, 55},
	{"together", "meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo", "llama-3.1-8b",
	 "Llama 3.1 8B Instruct Turbo", CENTS(18), CENTS(18), 131072, 8192, false, true, 170, 45},
	{"together", "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8", "llama-4-maverick",
	 "Llama 4 Maverick", CENTS(27), CENTS(85), 1048576, 8192, true, true, 115, 25},
	{"together", "mistralai/Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b", "Mixtral 8x7B Instruct",
	 CENTS(60), CENTS(60), 32768, 4096, false, false, 90, 12},
	{"together", "mistralai/Mistral-Small-24B-Instruct-2501", "mistral-small-24b",
	 "Mistral Small 24B", CENTS(80), CENTS(80), 32768, 8192, false, true, 100, 10},
	{"together", "Qwen/Qwen2.5-72B-Instruct-Turbo", "qwen2.5-72b", "Qwen2.5 72B Instruct Turbo",
	 CENTS(120), CENTS(120), 32768, 8192, false, true, 80, 15},
	{"together", "Qwen/Qwen3-235B-A22B-fp8-tput", "qwen3-235b", "Qwen3 235B A22B", CENTS(20),
	 CENTS(60), 40960, 16384, false, true, 60, 20},
	{"together", "deepseek-ai/DeepSeek-V3", "deepseek-v3", "DeepSeek V3", CENTS(125), CENTS(125),
	 131072, 12288, false, true, 65, 45},
	{"together", "deepseek-ai/DeepSeek-R1", "deepseek-r1", "DeepSeek R1", CENTS(300), CENTS(700),
	 163840, 32768, false, false, 40, 20},
	{"together", "google/gemma-3-27b-it", "gemma-3-27b", "Gemma 3 27B", CENTS(10), CENTS(20),
	 131072, 8192, true, false, 90, 10},
	{"hanzo", "zen-nano", "zen-nano", "Zen Nano", CENTS(5), CENTS(10), 32768, 8192, false, true,
	 220, 60},
	{"hanzo", "zen-eco", "zen-eco", "Zen Eco", CENTS(10), CENTS(30), 131072, 16384, false, true,
	 180, 75},
	{"hanzo", "zen-coder", "zen-coder", "Zen Coder", CENTS(45), CENTS(180), 262144, 32768, false,
	 true, 100, 60},
	{"hanzo", "zen-omni", "zen-omni", "Zen Omni", CENTS(60), CENTS(240), 131072, 16384, true, true,
	 90, 45},
	{"hanzo", "zen-next", "zen-next", "Zen Next", CENTS(100), CENTS(400), 262144, 65536, true, true,
	 75, 40},
	{"hanzo", "zen-designer", "zen-designer", "Zen Designer", CENTS(120), CENTS(480), 65536, 8192,
	 true, false, 70, 8},
	{"hanzo", "zen-guard", "zen-guard", "Zen Guard", CENTS(3), CENTS(3), 16384, 1024, false, false,
	 300, 15}};

const int gen_model_count = LENGTH(gen_models);

static GenAlias model_alias;

void
gen_models_init(void)
{
	uint64_t weights[LENGTH(gen_models)];

	for (int i = 0; i < gen_model_count; i++)
		weights[i] = (uint64_t) gen_models[i].weight;
	model_alias = gen_alias(weights, (uint32_t) gen_model_count);
}

const GenModel *
gen_model_draw(uint64_t project_hash, GenRand *r)
{
	uint32_t favourite = gen_rand_skewed(r, 5);

	return &gen_models[gen_alias_at(&model_alias, gen_hash(project_hash + 11, favourite))];
}

/* Past the list come dated editions of its models, at somewhat other prices. */
void
gen_model_catalog(const GenWorld *w, GenOut *o)
{
	for (uint64_t i = 0; i < w->options.rows; i++)
	{
		const GenModel *m = &gen_models[i % (uint64_t) gen_model_count];
		uint64_t edition = i / (uint64_t) gen_model_count;
		uint64_t hash = gen_world_hash(w, GEN_STREAM_MODEL, i);
		int64_t percent = edition > 0 ? 60 + (int64_t) (hash % 90) : 100;
		char text[128];
		char *end = gen_put(text, m->id);

		if (edition > 0)
			end = gen_put_int(gen_put(end, "-r"), (int64_t) edition);
		gen_out_text(o, text, (size_t) (end - text));
		gen_out_string(o, m->provider);
		gen_out_string(o, m->name);
		gen_out_string(o, m->display);
		gen_out_decimal(o, m->input_price * percent / 100 * 1000000, 12);
		gen_out_decimal(o, m->output_price * percent / 100 * 1000000, 12);
		gen_out_int(o, m->context);
		gen_out_int(o, m->max_output);
		gen_out_bool(o, m->vision);
		gen_out_bool(o, m->functions);
		gen_out_time(o, w->options.start - (int64_t) (hash >> 20) % (200 * GEN_DAY));
		gen_out_end_row(o);
	}
}
