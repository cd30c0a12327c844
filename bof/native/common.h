/* What the loops share. bof/loops/__init__.py says what each is for and checks its arguments.

   Only additions whose result does not depend on their order are spread over vector lanes, and the compiler may not
   fuse multiplications into them: every processor gives the same bits. */

#ifndef BOF_COMMON_H
#define BOF_COMMON_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT __attribute__((visibility("default")))
#endif

#define INLINE static inline __attribute__((always_inline))
#define DAMAGED (-1)

/* Twins of one loop: for any processor, for AVX2, and for AVX-512 with its counts of bits and products of bytes. */
#if defined(__x86_64__)
#include <immintrin.h>
#define NARROW __attribute__((target("avx2,popcnt")))
#define WIDE __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512vpopcntdq,avx512vnni")))
#endif

/* Which twin this processor runs fastest: 0 any, 1 AVX2, 2 AVX-512. */
int processor(void);

#endif
