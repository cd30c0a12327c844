/* What the loops share. bof/native/__init__.py says what each is for; table.py declares its parameters, whose types and
   shapes are checked before it is entered. Numbers that arrays hold are checked here, where they are used.

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

/* What a function returns instead of a count, 0 or more: library.py makes an error of each. */
enum {
    NO_MEMORY = -1,
    BAD_OFFSETS = -2,
    NO_SUCH_IMAGE = -3,
    NO_SUCH_FEATURE = -4,
    NO_SUCH_WORD = -5,
    NO_POSTING = -6,
    OUT_OF_RANGE = -7,
};

/* Hamming distances of two signatures: 0 to 64. */
#define N_DISTANCES 65

/* Does entry i exist among n? */
static inline int exists(int64_t i, int64_t n)
{
    return (uint64_t)i < (uint64_t)n;
}

/* Do two offsets that follow each other lead into n entries? */
static inline int are_offsets(int64_t start, int64_t stop, int64_t n)
{
    return 0 <= start && start <= stop && stop <= n;
}

/* The most entries between two of the offsets `first` to `stop`, which lead into n entries; negative where they do not. */
static inline int64_t longest_of(const int64_t *indptr, int64_t first, int64_t stop, int64_t n)
{
    int64_t longest = 0;
    for (int64_t i = first; i < stop; i++) {
        if (!are_offsets(indptr[i], indptr[i + 1], n))
            return -1;
        longest = indptr[i + 1] - indptr[i] > longest ? indptr[i + 1] - indptr[i] : longest;
    }
    return longest;
}

/* Variants of one loop: for any processor, for AVX2, and for AVX-512 with its counts of bits and products of bytes. Files
   that name vector instructions include simd.h; it takes a compiler long to read. */
#if defined(__x86_64__)
#define NARROW __attribute__((target("avx2,popcnt")))
#define WIDE __attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512vpopcntdq,avx512vnni")))
#endif

/* Which variant this processor runs fastest: 0 any, 1 AVX2, 2 AVX-512. */
int processor(void);

#endif
