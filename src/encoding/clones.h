/*
 * encoding/clones.h
 *	  What the kernels ask of the compiler and of the machine.
 *
 * HZ_CLONES before a function compiles it twice, for the baseline and for AVX2 (from GCC 12 on with all else of
 * x86-64-v3, such as lzcnt), and lets the loader pick (ifunc). Only GCC on x86-64 with glibc: clang also compiles this code to bitcode for PostgreSQL's JIT,
 * which has no use for ifuncs, and sanitizers are not ready yet when the resolvers run. HZ_NO_CLONES turns
 * it off by hand. Helpers of such a function are HZ_INLINE, or they would keep the baseline's code.
 *
 * Formats are little-endian and kernels copy arrays as they are, so big-endian machines are refused here.
 */
#ifndef HZ_CLONES_H
#define HZ_CLONES_H

#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the encodings are written for little-endian machines"
#endif

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && \
	!defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(HZ_NO_CLONES)
#if __GNUC__ >= 12
#define HZ_CLONES __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define HZ_CLONES __attribute__((target_clones("default", "avx2")))
#endif
#else
#define HZ_CLONES
#endif

#define HZ_INLINE static inline __attribute__((always_inline))

/* Integers that may sit at any address: what pointers into encoded bytes point to. */
typedef uint16_t __attribute__((aligned(1), may_alias)) HzLoose16;
typedef uint32_t __attribute__((aligned(1), may_alias)) HzLoose32;
typedef uint64_t __attribute__((aligned(1), may_alias)) HzLoose64;

#endif /* HZ_CLONES_H */
