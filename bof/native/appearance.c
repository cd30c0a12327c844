/* How far are pictures as a whole: bits that differ between hashes, and distances of histograms. */

#include "simd.h"

#include <string.h>

typedef void (*differing_fn)(const uint64_t *, int64_t, const uint64_t *, int64_t, int64_t, uint16_t *);

/* The bits in which rows first to stop - 1, of w words each, differ from the query. */
INLINE void differing(
    const uint64_t *query, int64_t w, const uint64_t *rows, int64_t first, int64_t stop, uint16_t *distance)
{
    for (int64_t i = first; i < stop; i++) {
        int bits = 0;
        for (int64_t j = 0; j < w; j++)
            bits += __builtin_popcountll(rows[i * w + j] ^ query[j]);
        distance[i] = (uint16_t)bits;
    }
}

/* Compiled once for the two usual widths, for which the loop over words goes away. */
#define DIFFERING                                                                                                     \
    if (w == 1)                                                                                                       \
        differing(query, 1, rows, first, stop, distance);                                                             \
    else if (w == 4)                                                                                                  \
        differing(query, 4, rows, first, stop, distance);                                                             \
    else                                                                                                              \
        differing(query, w, rows, first, stop, distance);

static void differing_any(
    const uint64_t *query, int64_t w, const uint64_t *rows, int64_t first, int64_t stop, uint16_t *distance)
{
    DIFFERING
}

#if defined(__x86_64__)
NARROW static void differing_narrow(
    const uint64_t *query, int64_t w, const uint64_t *rows, int64_t first, int64_t stop, uint16_t *distance)
{
    DIFFERING
}

WIDE static void differing_wide(
    const uint64_t *query, int64_t w, const uint64_t *rows, int64_t first, int64_t stop, uint16_t *distance)
{
    DIFFERING
}

static const differing_fn differing_on[] = {differing_any, differing_narrow, differing_wide};
#else
static const differing_fn differing_on[] = {differing_any};
#endif

EXPORT int64_t bof_differing_bits(
    const uint64_t *query, const uint64_t *rows, int64_t first, int64_t stop, uint16_t *distance, int64_t w)
{
    differing_on[processor()](query, w, rows, first, stop, distance);
    return 0;
}

/* Histograms are codes, roots of shares: the share of a bin is the square of its code, a whole number. A row holds those
   of one region of a picture or of several, one after the other.

   Sums over a region are of floats. Each of 16 lanes adds up its own bins, in one order, and then the lanes are added in
   one order; what follows from the sums is computed in doubles, by one order too: similarities have the same bits on
   every processor. AVX-512 divides no faster than AVX2, so there is no variant for it. */
#define BINS 16
#define HALF (BINS / 2)

enum { CHI_SQUARE, EUCLIDEAN, CORRELATION, INTERSECTION, BHATTACHARYYA };

/* By lane: of what query and row have together, of the row's shares, of their squares. */
typedef struct {
    float both[BINS], share[BINS], square[BINS];
} Sums;

INLINE float total(const float *lane)
{
    float left[HALF];
    for (int l = 0; l < HALF; l++)
        left[l] = lane[l] + lane[l + HALF];
    for (int width = HALF / 2; width; width /= 2)
        for (int l = 0; l < width; l++)
            left[l] += left[l + width];
    return left[0];
}

/* Four lanes, which every processor of 64 bits has; and sums, by quarters of a block. */
typedef float Four __attribute__((vector_size(16)));
typedef int32_t Four32 __attribute__((vector_size(16)));

typedef struct {
    Four both[4], share[4], square[4];
} SumsAny;

INLINE Four one_if(Four32 chosen)
{
    const Four one = {1.0f, 1.0f, 1.0f, 1.0f};
    return (Four)(chosen & (Four32)one);
}

INLINE Four least(Four p, Four q)
{
    const Four32 less = p < q;
    return (Four)((less & (Four32)p) | (~less & (Four32)q));
}

/* The chi-square distance of two bins: a / b + c / d as one quotient, since to divide takes longest. Shares are whole
   numbers; where there are none, 0 / 1. */
INLINE Four chi_square_any(Four p, Four q, Four other_p, Four other_q)
{
    const Four nothing = {0}, a = (p - q) * (p - q), c = (other_p - other_q) * (other_p - other_q);
    const Four b = p + q + one_if(p + q == nothing), d = other_p + other_q + one_if(other_p + other_q == nothing);
    return (a * d + c * b) / (b * d);
}

/* Adds a block of bins in which the query has shares, for Bhattacharyya their roots. */
INLINE void meet_any(int metric, const float *query, const Four *root, const Four *q, SumsAny *sums)
{
    Four p[4];
    memcpy(p, query, sizeof p);
    for (int h = 0; h < (metric == CHI_SQUARE ? 2 : 4); h++)
        switch (metric) {
        case CHI_SQUARE: sums->both[h] += chi_square_any(p[h], q[h], p[h + 2], q[h + 2]); break;
        case EUCLIDEAN: sums->both[h] += (p[h] - q[h]) * (p[h] - q[h]); break;
        case CORRELATION: sums->both[h] += p[h] * q[h]; break;
        case INTERSECTION: sums->both[h] += least(p[h], q[h]); break;
        default: sums->both[h] += p[h] * root[h];
        }
}

/* Adds a block of bins; is_met: has the query shares there? If not, the chi-square distance of a bin is its q. */
INLINE void add_any(int metric, int is_met, const float *query, const uint8_t *code, SumsAny *sums)
{
    Four root[4], q[4];
    for (int h = 0; h < 4; h++) {
        const uint8_t *at = code + 4 * h;
        root[h] = (Four){at[0], at[1], at[2], at[3]};
        q[h] = root[h] * root[h];
    }
    if (is_met)
        meet_any(metric, query, root, q, sums);
    for (int h = 0; h < 4; h++) {
        if (!is_met && (metric == CHI_SQUARE || metric == EUCLIDEAN))
            sums->both[h] += metric == CHI_SQUARE ? q[h] : q[h] * q[h];
        if (metric == CORRELATION || metric == BHATTACHARYYA)
            sums->share[h] += q[h];
        if (metric == CORRELATION)
            sums->square[h] += q[h] * q[h];
    }
}

#if defined(__x86_64__)
NARROW INLINE __m256 chi_square_narrow(__m256 p, __m256 q, __m256 other_p, __m256 other_q)
{
    const __m256 apart = _mm256_sub_ps(p, q), other_apart = _mm256_sub_ps(other_p, other_q), one = _mm256_set1_ps(1.0f);
    const __m256 a = _mm256_mul_ps(apart, apart), c = _mm256_mul_ps(other_apart, other_apart);
    const __m256 b = _mm256_max_ps(_mm256_add_ps(p, q), one), d = _mm256_max_ps(_mm256_add_ps(other_p, other_q), one);
    return _mm256_div_ps(_mm256_add_ps(_mm256_mul_ps(a, d), _mm256_mul_ps(c, b)), _mm256_mul_ps(b, d));
}

/* Sums, by halves of a block. */
typedef struct {
    __m256 both[2], share[2], square[2];
} SumsNarrow;

NARROW INLINE void meet_narrow(int metric, const float *query, const __m256 *root, const __m256 *q, SumsNarrow *sums)
{
    const __m256 p[2] = {_mm256_loadu_ps(query), _mm256_loadu_ps(query + HALF)};
    if (metric == CHI_SQUARE)
        sums->both[0] = _mm256_add_ps(sums->both[0], chi_square_narrow(p[0], q[0], p[1], q[1]));
    for (int h = 0; h < (metric == CHI_SQUARE ? 0 : 2); h++) {
        const __m256 apart = _mm256_sub_ps(p[h], q[h]);
        switch (metric) {
        case EUCLIDEAN: sums->both[h] = _mm256_add_ps(sums->both[h], _mm256_mul_ps(apart, apart)); break;
        case CORRELATION: sums->both[h] = _mm256_add_ps(sums->both[h], _mm256_mul_ps(p[h], q[h])); break;
        case INTERSECTION: sums->both[h] = _mm256_add_ps(sums->both[h], _mm256_min_ps(p[h], q[h])); break;
        default: sums->both[h] = _mm256_add_ps(sums->both[h], _mm256_mul_ps(p[h], root[h]));
        }
    }
}

NARROW INLINE void add_narrow(int metric, int is_met, const float *query, const uint8_t *code, SumsNarrow *sums)
{
    __m256 root[2], q[2];
    for (int h = 0; h < 2; h++) {
        root[h] = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadu_si64(code + h * HALF)));
        q[h] = _mm256_mul_ps(root[h], root[h]);
    }
    if (is_met)
        meet_narrow(metric, query, root, q, sums);
    for (int h = 0; h < 2; h++) {
        if (!is_met && (metric == CHI_SQUARE || metric == EUCLIDEAN))
            sums->both[h] = _mm256_add_ps(sums->both[h], metric == CHI_SQUARE ? q[h] : _mm256_mul_ps(q[h], q[h]));
        if (metric == CORRELATION || metric == BHATTACHARYYA)
            sums->share[h] = _mm256_add_ps(sums->share[h], q[h]);
        if (metric == CORRELATION)
            sums->square[h] = _mm256_add_ps(sums->square[h], _mm256_mul_ps(q[h], q[h]));
    }
}
#endif

/* A query: its shares, for Bhattacharyya their roots; by region the numbers of its blocks, those first where the query has
   shares, how many these are, and facts: the region's weight, the query's shares in it, their squares. */
typedef struct {
    const float *bin;
    const int32_t *block, *n_met;
    const double *fact;
    int64_t n_blocks, n_regions;
} Terms;

/* What a region adds to the similarity, before its weight: see color.py. */
INLINE double alike_in(int metric, double n_bins, const double *fact, const Sums *sums)
{
    const double whole = 255.0 * 255.0, share = fact[1], square = fact[2], both = total(sums->both);
    switch (metric) {
    case CHI_SQUARE: return 1.0 - both / (2.0 * share);
    case EUCLIDEAN: return 1.0 - both / (2.0 * whole * share);
    case INTERSECTION: return both / share;
    case BHATTACHARYYA: return both / sqrt(share * fmax(total(sums->share), 1.0));
    default: break;
    }
    const double of_row = total(sums->share), apart = n_bins * total(sums->square) - of_row * of_row;
    return (n_bins * both - share * of_row) / sqrt(fmax((n_bins * square - share * share) * apart, 1.0));
}

/* Euclidean and Bhattacharyya are roots of what adds up over regions. */
INLINE float finished(int metric, double sum)
{
    const int is_root = metric == EUCLIDEAN || metric == BHATTACHARYYA;
    return (float)(is_root ? 1.0 - sqrt(fmax(1.0 - sum, 0.0)) : sum);
}

#define COMPARE_ROWS(Kind, add, metric)                                                                               \
    for (int64_t i = first; i < stop; i++) {                                                                          \
        const uint8_t *row = rows + i * terms.n_blocks * BINS;                                                        \
        double sum = 0.0;                                                                                             \
        for (int64_t r = 0; r < terms.n_regions; r++) {                                                               \
            const int32_t *block = terms.block + r * n_each;                                                          \
            if (terms.fact[3 * r] <= 0.0)                                                                             \
                continue;                                                                                             \
            Kind of_region = {0};                                                                                     \
            for (int64_t b = 0; b < terms.n_met[r]; b++)                                                              \
                add(metric, 1, terms.bin + block[b] * BINS, row + block[b] * BINS, &of_region);                       \
            for (int64_t b = terms.n_met[r]; b < (metric == INTERSECTION ? 0 : n_each); b++)                          \
                add(metric, 0, terms.bin + block[b] * BINS, row + block[b] * BINS, &of_region);                       \
            Sums lanes;                                                                                               \
            memcpy(&lanes, &of_region, sizeof lanes);                                                                 \
            const double found = alike_in(metric, (double)(n_each * BINS), terms.fact + 3 * r, &lanes);               \
            sum += terms.fact[3 * r] * fmin(fmax(found, 0.0), 1.0);                                                   \
        }                                                                                                             \
        alike[i] = finished(metric, sum);                                                                             \
    }

/* The loop over rows compiled once for each metric. */
#define COMPARE(Kind, add)                                                                                            \
    const int64_t n_each = terms.n_blocks / terms.n_regions;                                                          \
    switch (metric) {                                                                                                 \
    case CHI_SQUARE: COMPARE_ROWS(Kind, add, CHI_SQUARE) break;                                                       \
    case EUCLIDEAN: COMPARE_ROWS(Kind, add, EUCLIDEAN) break;                                                         \
    case CORRELATION: COMPARE_ROWS(Kind, add, CORRELATION) break;                                                     \
    case INTERSECTION: COMPARE_ROWS(Kind, add, INTERSECTION) break;                                                   \
    default: COMPARE_ROWS(Kind, add, BHATTACHARYYA)                                                                   \
    }

static void compare_any(int metric, Terms terms, const uint8_t *rows, int64_t first, int64_t stop, float *alike)
{
    COMPARE(SumsAny, add_any)
}

#if defined(__x86_64__)
NARROW static void compare_narrow(
    int metric, Terms terms, const uint8_t *rows, int64_t first, int64_t stop, float *alike)
{
    COMPARE(SumsNarrow, add_narrow)
}
#endif

/* How alike the rows first to stop - 1 are to a query, from 0 to 1: of regions by their weights, which add up to one. */
EXPORT int64_t bof_compare_histograms(
    int64_t metric, const float *query, const int32_t *block, const int32_t *n_met, const double *facts,
    const uint8_t *rows, int64_t first, int64_t stop, float *alike, int64_t n_blocks, int64_t n_regions)
{
    const Terms terms = {query, block, n_met, facts, n_blocks, n_regions};
    if (n_regions < 1 || n_blocks % n_regions)
        return OUT_OF_RANGE;
    for (int64_t b = 0; b < n_blocks; b++)
        if (!exists(block[b], n_blocks))
            return OUT_OF_RANGE;
    for (int64_t r = 0; r < n_regions; r++)
        if (n_met[r] < 0 || n_met[r] > n_blocks / n_regions)
            return OUT_OF_RANGE;
#if defined(__x86_64__)
    if (processor() >= 1) {
        compare_narrow((int)metric, terms, rows, first, stop, alike);
        return 0;
    }
#endif
    compare_any((int)metric, terms, rows, first, stop, alike);
    return 0;
}
