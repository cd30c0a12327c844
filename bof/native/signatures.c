/* Hamming signatures: on which side of its word's thresholds does a descriptor lie, in 64 directions? */

#include "simd.h"

#define DIMENSIONS 128
#define BITS 64

/* Directions are whole multiples of 1/4096, so sums are exact in any order. */
INLINE void project(const uint8_t *descriptor, const float *projection, float *projected)
{
    float sum[BITS] = {0};
    for (int d = 0; d < DIMENSIONS; d++)
        for (int b = 0; b < BITS; b++)
            sum[b] += (float)descriptor[d] * projection[d * BITS + b];
    for (int b = 0; b < BITS; b++)
        projected[b] = sum[b];
}

/* Bit b is set where projection b exceeds threshold b. */
INLINE uint64_t compare_any(const float *projected, const float *threshold)
{
    uint64_t bits = 0;
    for (int b = 0; b < BITS; b++)
        bits |= (uint64_t)(projected[b] > threshold[b]) << b;
    return bits;
}

typedef int (*sign_fn)(const uint8_t *, const float *, const int32_t *, int64_t, const float *, uint64_t *, int64_t);

#define SIGN(compare)                                                                                                 \
    float projected[BITS];                                                                                            \
    project(descriptor, projection, projected);                                                                       \
    for (int64_t j = 0; j < k; j++) {                                                                                 \
        if (!exists(word[j], n_words))                                                                                \
            return NO_SUCH_WORD;                                                                                      \
        signature[j] = compare(projected, thresholds + (int64_t)word[j] * BITS);                                      \
    }                                                                                                                 \
    return 0;

static int sign_any(
    const uint8_t *descriptor, const float *projection, const int32_t *word, int64_t k, const float *thresholds,
    uint64_t *signature, int64_t n_words)
{
    SIGN(compare_any)
}

#if defined(__x86_64__)
NARROW static inline uint64_t compare_narrow(const float *projected, const float *threshold)
{
    uint64_t bits = 0;
    for (int b = 0; b < BITS; b += 8) {
        const __m256 p = _mm256_loadu_ps(projected + b), t = _mm256_loadu_ps(threshold + b);
        bits |= (uint64_t)(uint8_t)_mm256_movemask_ps(_mm256_cmp_ps(p, t, _CMP_GT_OQ)) << b;
    }
    return bits;
}

WIDE static inline uint64_t compare_wide(const float *projected, const float *threshold)
{
    uint64_t bits = 0;
    for (int b = 0; b < BITS; b += 16) {
        const __m512 p = _mm512_loadu_ps(projected + b), t = _mm512_loadu_ps(threshold + b);
        bits |= (uint64_t)_mm512_cmp_ps_mask(p, t, _CMP_GT_OQ) << b;
    }
    return bits;
}

NARROW static int sign_narrow(
    const uint8_t *descriptor, const float *projection, const int32_t *word, int64_t k, const float *thresholds,
    uint64_t *signature, int64_t n_words)
{
    SIGN(compare_narrow)
}

WIDE static int sign_wide(
    const uint8_t *descriptor, const float *projection, const int32_t *word, int64_t k, const float *thresholds,
    uint64_t *signature, int64_t n_words)
{
    SIGN(compare_wide)
}

static const sign_fn sign_on[] = {sign_any, sign_narrow, sign_wide};
#else
static const sign_fn sign_on[] = {sign_any};
#endif

/* Signatures of n descriptors in each of their k words. */
EXPORT int64_t bof_sign(
    const uint8_t *descriptors, const float *projection, const int32_t *word, const float *thresholds,
    uint64_t *signature, int64_t n, int64_t k, int64_t n_words)
{
    const sign_fn sign = sign_on[processor()];
    int result = 0;
    for (int64_t i = 0; !result && i < n; i++)
        result = sign(descriptors + i * DIMENSIONS, projection, word + i * k, k, thresholds, signature + i * k, n_words);
    return result;
}
