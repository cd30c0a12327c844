/* Near signatures: which of some signatures lie within a number of bits of a query's? */

#ifndef BOF_NEAR_H
#define BOF_NEAR_H

#include "common.h"

/* The most signatures that are looked at together. */
#define BLOCK 256

/* Of n <= BLOCK signatures those within `limit` bits of a query's: their places and distances, in order, and how many
   they are. Both columns need room for 8 more, into which anything may be written. */
typedef int (*near_fn)(
    const uint64_t *signature, int n, uint64_t query, int limit, int32_t *place, int32_t *distance);

/* The variant that this processor runs fastest. */
near_fn fastest_near(void);

/* Postings by word: those of word w are indptr[w] to indptr[w + 1] - 1. */
typedef struct {
    const int32_t *indptr, *image;
    const uint16_t *feature;
    const uint64_t *signature;
    int64_t n_words, n_postings;
} Postings;

/* What keeps the postings of a word from being read; 0 where nothing does. */
static inline int damage_of(Postings of, int32_t word)
{
    if (!exists(word, of.n_words))
        return NO_SUCH_WORD;
    return are_offsets(of.indptr[word], of.indptr[word + 1], of.n_postings) ? 0 : BAD_OFFSETS;
}

/* To a whole multiple of 2**-32, for values below 2**19: such sums are exact. */
static inline double on_grid(double x)
{
    const double large = 1572864.0; /* 1.5 * 2**20: its last bit is 2**-32 */
    return (x + large) - large;
}

#endif
