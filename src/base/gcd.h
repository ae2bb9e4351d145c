/*
 * base/gcd.h
 *	  The greatest common divisor.
 */
#ifndef HZ_GCD_H
#define HZ_GCD_H

#include <stdint.h>

/* Of a and 0 it is a. */
static inline uint64_t
hz_gcd(uint64_t a, uint64_t b)
{
	while (b != 0)
	{
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

#endif /* HZ_GCD_H */
