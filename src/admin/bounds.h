/*
 * admin/bounds.h
 *	  Bounds of zone maps as text, for people.
 */
#ifndef HZ_BOUNDS_H
#define HZ_BOUNDS_H

#include "storage/coltype.h"

/*
 * The least (or greatest) value of a zone as the type's output function writes it; palloc'd. A text or bytea cut
 * at the zone's prefix ends with "...". NULL when the zone has no bounds.
 */
extern char *hz_bounds_text(const HzColumnType *type, const HzZone *zone, bool greatest);

#endif /* HZ_BOUNDS_H */
