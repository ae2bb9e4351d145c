/*
 * generate_visitor.h
 *		Who visits: country, language, region and city that fit together, and a
 *		device whose system, browser and screen do.
 */
#ifndef GENERATE_VISITOR_H
#define GENERATE_VISITOR_H

#include <stdint.h>

/* All strings are kept for ever. */
typedef struct GenVisitor
{
	const char *country;
	const char *language;
	const char *region;
	const char *city;
	const char *os;
	const char *browser;
	const char *device;
	const char *screen;
} GenVisitor;

extern void gen_visitors_init(void);

/* The visitor with this hash of a site with that hash. */
extern GenVisitor gen_visitor(uint64_t site_hash, uint64_t hash);

#endif /* GENERATE_VISITOR_H */
