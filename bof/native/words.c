/* The nearest visual words of descriptors.

   Words come in blocks of 16, packed so that one vector register holds 4 dimensions of all 16: block b, dimensions
   4 g to 4 g + 3 and word w at bytes ((b * 32 + g) * 16 + w) * 4. Elements are moved by -128 to fit signed bytes; for
   one descriptor that moves all products alike. Distances are whole numbers, so every processor finds the same words. */

#include "simd.h"

#include <string.h>

#define LANES 16
#define GROUPS 32
#define BLOCK_BYTES (LANES * GROUPS * 4)

/* The keys of a block's 16 words, squared distances but for a constant of the descriptor; returns a bit for each that is
   at most `worst`. length: the words' squared lengths. */
static inline uint32_t keys_any(
    const uint8_t *query, const int8_t *block, const int32_t *length, int32_t worst, int32_t *key)
{
    uint32_t near = 0;
    int32_t product[LANES] = {0};
    for (int g = 0; g < GROUPS; g++)
        for (int w = 0; w < LANES; w++)
            for (int d = 0; d < 4; d++)
                product[w] += (int32_t)query[4 * g + d] * block[(g * LANES + w) * 4 + d];
    for (int w = 0; w < LANES; w++) {
        key[w] = (int32_t)((uint32_t)length[w] - 2 * (uint32_t)product[w]);
        near |= (uint32_t)(key[w] <= worst) << w;
    }
    return near;
}

#if defined(__x86_64__)
NARROW static inline uint32_t keys_narrow(
    const uint8_t *query, const int8_t *block, const int32_t *length, int32_t worst, int32_t *key)
{
    uint32_t near = 0;
    __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int g = 0; g < GROUPS; g++) {
        const __m256i q = _mm256_cvtepu8_epi16(_mm_broadcastd_epi32(_mm_loadu_si32(query + 4 * g)));
        for (int i = 0; i < 4; i++) {
            const __m128i words = _mm_loadu_si128((const __m128i *)(block + g * LANES * 4) + i);
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(q, _mm256_cvtepi8_epi16(words)));
        }
    }
    for (int i = 0; i < 2; i++) {
        const __m256i halves = _mm256_hadd_epi32(sum[2 * i], sum[2 * i + 1]);
        const __m256i product = _mm256_permute4x64_epi64(halves, _MM_SHUFFLE(3, 1, 2, 0));
        const __m256i lengths = _mm256_loadu_si256((const __m256i *)length + i);
        const __m256i keys = _mm256_sub_epi32(lengths, _mm256_slli_epi32(product, 1));
        const __m256i far = _mm256_cmpgt_epi32(keys, _mm256_set1_epi32(worst));
        _mm256_storeu_si256((__m256i *)key + i, keys);
        near |= (uint32_t)(uint8_t)~_mm256_movemask_ps(_mm256_castsi256_ps(far)) << 8 * i;
    }
    return near;
}

/* The same of two blocks at once, which share what is read of the descriptor. */
WIDE static inline uint32_t keys_wide(
    const uint8_t *query, const int8_t *block, const int32_t *length, int32_t worst, int32_t *key)
{
    __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int g = 0; g < GROUPS; g += 2) {
        const __m512i q = _mm512_broadcastd_epi32(_mm_loadu_si32(query + 4 * g));
        const __m512i r = _mm512_broadcastd_epi32(_mm_loadu_si32(query + 4 * g + 4));
        const int8_t *at = block + g * LANES * 4;
        sum[0] = _mm512_dpbusd_epi32(sum[0], q, _mm512_loadu_si512(at));
        sum[1] = _mm512_dpbusd_epi32(sum[1], r, _mm512_loadu_si512(at + LANES * 4));
        sum[2] = _mm512_dpbusd_epi32(sum[2], q, _mm512_loadu_si512(at + BLOCK_BYTES));
        sum[3] = _mm512_dpbusd_epi32(sum[3], r, _mm512_loadu_si512(at + BLOCK_BYTES + LANES * 4));
    }
    uint32_t near = 0;
    for (int i = 0; i < 2; i++) {
        const __m512i product = _mm512_add_epi32(sum[2 * i], sum[2 * i + 1]);
        const __m512i lengths = _mm512_loadu_si512(length + i * LANES);
        const __m512i keys = _mm512_sub_epi32(lengths, _mm512_slli_epi32(product, 1));
        _mm512_storeu_si512(key + i * LANES, keys);
        near |= (uint32_t)_mm512_cmple_epi32_mask(keys, _mm512_set1_epi32(worst)) << i * LANES;
    }
    return near;
}
#endif

/* The k smallest so far, ascending, `n` of them: a key in the upper half, the number, which breaks ties, in the lower. */
typedef struct {
    int64_t k, n, *best;
} Nearest;

static inline void offer(Nearest *nearest, int32_t key, int32_t number)
{
    const int64_t offered = (int64_t)key * ((int64_t)1 << 32) + number;
    const int is_full = nearest->n == nearest->k;
    if (is_full && offered > nearest->best[nearest->n - 1])
        return;
    int64_t at = is_full ? nearest->n - 1 : nearest->n++;
    for (; at > 0 && offered < nearest->best[at - 1]; at--)
        nearest->best[at] = nearest->best[at - 1];
    nearest->best[at] = offered;
}

static inline int32_t number_of(int64_t best)
{
    return (int32_t)(best & 0x7FFFFFFF);
}

/* Vectors in blocks, their squared lengths and numbers, -1 for padding. */
typedef struct {
    const int8_t *block;
    const int32_t *length, *number;
} Packed;

typedef void (*scan_fn)(const uint8_t *, Packed, int64_t, int64_t, Nearest *);

/* Offers the vectors of blocks first to stop - 1, `step` blocks at a time; there is always a block to read behind them. */
#define SCAN(step, keys)                                                                                              \
    for (int64_t b = first; b < stop; b += step) {                                                                    \
        int32_t key[step * LANES];                                                                                    \
        const int32_t worst =                                                                                         \
            nearest->n == nearest->k ? (int32_t)(nearest->best[nearest->n - 1] >> 32) : INT32_MAX;                    \
        uint32_t near = keys(query, packed.block + b * BLOCK_BYTES, packed.length + b * LANES, worst, key);           \
        if (b + step > stop)                                                                                          \
            near &= (1u << LANES) - 1;                                                                                \
        for (; near; near &= near - 1) {                                                                              \
            const int w = __builtin_ctz(near);                                                                        \
            if (packed.number[b * LANES + w] >= 0)                                                                    \
                offer(nearest, key[w], packed.number[b * LANES + w]);                                                 \
        }                                                                                                             \
    }

static void scan_any(const uint8_t *query, Packed packed, int64_t first, int64_t stop, Nearest *nearest)
{
    SCAN(1, keys_any)
}

#if defined(__x86_64__)
NARROW static void scan_narrow(const uint8_t *query, Packed packed, int64_t first, int64_t stop, Nearest *nearest)
{
    SCAN(1, keys_narrow)
}

WIDE static void scan_wide(const uint8_t *query, Packed packed, int64_t first, int64_t stop, Nearest *nearest)
{
    SCAN(2, keys_wide)
}

static const scan_fn scan_on[] = {scan_any, scan_narrow, scan_wide};
#else
static const scan_fn scan_on[] = {scan_any};
#endif

/* Fills probes with the descriptors that shall meet each cell, cell by cell: those of cell c from start[c] on. cell: of
   n descriptors n_probed cells each, of which first to last - 1 count. */
static void by_cell(
    const int64_t *cell, int64_t n, int64_t n_probed, int64_t first, int64_t last, int64_t n_cells, int64_t *start,
    int32_t *probes)
{
    for (int64_t c = 0; c <= n_cells + 1; c++)
        start[c] = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = first; j < last; j++)
            start[number_of(cell[i * n_probed + j]) + 2]++;
    for (int64_t c = 1; c <= n_cells; c++)
        start[c + 1] += start[c];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = first; j < last; j++)
            probes[start[number_of(cell[i * n_probed + j]) + 1]++] = (int32_t)i;
}

/* The k nearest words of n descriptors: looked for in the n_probed nearest of the cells, in all of them where these hold
   fewer than k words. Cell c is blocks cell_start[c] to cell_start[c + 1] - 1 of the words. The nearest cell comes first,
   so that little else is retained for long; all descriptors that meet in a cell are compared while it is at hand. */
EXPORT int64_t bof_nearest_words(
    const uint8_t *descriptors, const int8_t *cells, const int32_t *cell_length, const int32_t *cell_number,
    const int64_t *cell_start, int64_t n_probed, const int8_t *words, const int32_t *word_length,
    const int32_t *word_number, int32_t *word, int64_t n, int64_t k, int64_t n_cell_blocks, int64_t n_cells,
    int64_t n_word_blocks)
{
    if (!k)
        return 0;
    if (longest_of(cell_start, 0, n_cells, n_word_blocks) < 0)
        return BAD_OFFSETS;
    for (int64_t c = 0; c < n_cell_blocks * LANES; c++)
        if (cell_number[c] >= n_cells)
            return OUT_OF_RANGE;
    const scan_fn scan = scan_on[processor()];
    const Packed all_cells = {cells, cell_length, cell_number}, all_words = {words, word_length, word_number};
    int64_t *cell = malloc(sizeof(int64_t) * (size_t)(n * (n_probed + k) + 1));
    int64_t *count = calloc((size_t)(n + n_cells + 2), sizeof(int64_t));
    int32_t *probes = malloc(sizeof(int32_t) * (size_t)(n * n_probed + 1));
    int result = cell && count && probes ? 0 : NO_MEMORY;
    int64_t *best = cell + n * n_probed, *start = count + n;
    for (int64_t i = 0; !result && i < n; i++) {
        Nearest probed = {n_probed, 0, cell + i * n_probed};
        scan(descriptors + i * 4 * GROUPS, all_cells, 0, n_cell_blocks, &probed);
        result = probed.n < n_probed ? OUT_OF_RANGE : 0;
    }
    for (int round = 0; !result && round < 2; round++) {
        by_cell(cell, n, n_probed, round ? 1 : 0, round ? n_probed : 1, n_cells, start, probes);
        for (int64_t c = 0; c < n_cells; c++)
            for (int64_t j = start[c]; j < start[c + 1]; j++) {
                const int64_t i = probes[j];
                Nearest found = {k, count[i], best + i * k};
                scan(descriptors + i * 4 * GROUPS, all_words, cell_start[c], cell_start[c + 1], &found);
                count[i] = found.n;
            }
    }
    for (int64_t i = 0; !result && i < n; i++) {
        Nearest found = {k, 0, best + i * k};
        if (count[i] < k) {
            scan(descriptors + i * 4 * GROUPS, all_words, 0, n_word_blocks, &found);
            result = found.n < k ? NO_SUCH_WORD : 0;
        }
        for (int64_t j = 0; !result && j < k; j++)
            word[i * k + j] = number_of(best[i * k + j]);
    }
    free(cell);
    free(count);
    free(probes);
    return result;
}
