/* Near signatures, for each kind of processor. */

#include "near.h"
#include "simd.h"

INLINE int near_plain(
    const uint64_t *signature, int n, uint64_t query, int limit, int32_t *place, int32_t *distance)
{
    int found = 0;
    for (int i = 0; i < n; i++) {
        int d = __builtin_popcountll(signature[i] ^ query);
        place[found] = i;
        distance[found] = d;
        found += d <= limit;
    }
    return found;
}

static int near_any(const uint64_t *s, int n, uint64_t q, int limit, int32_t *place, int32_t *distance)
{
    return near_plain(s, n, q, limit, place, distance);
}

#if defined(__x86_64__)
NARROW static int near_narrow(const uint64_t *s, int n, uint64_t q, int limit, int32_t *place, int32_t *distance)
{
    return near_plain(s, n, q, limit, place, distance);
}

WIDE static int near_wide(const uint64_t *s, int n, uint64_t q, int limit, int32_t *place, int32_t *distance)
{
    const __m512i query = _mm512_set1_epi64((long long)q), most = _mm512_set1_epi64(limit);
    __m256i at = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    int found = 0;
    for (int i = 0; i < n; i += 8) {
        const __mmask8 there = n - i >= 8 ? 0xFF : (__mmask8)((1 << (n - i)) - 1);
        const __m512i bits = _mm512_popcnt_epi64(_mm512_xor_si512(_mm512_maskz_loadu_epi64(there, s + i), query));
        const __mmask8 near = _mm512_mask_cmple_epi64_mask(there, bits, most);
        _mm256_storeu_si256((__m256i *)(place + found), _mm256_maskz_compress_epi32(near, at));
        _mm256_storeu_si256((__m256i *)(distance + found), _mm256_maskz_compress_epi32(near, _mm512_cvtepi64_epi32(bits)));
        found += __builtin_popcount(near);
        at = _mm256_add_epi32(at, _mm256_set1_epi32(8));
    }
    return found;
}

static const near_fn near_on[] = {near_any, near_narrow, near_wide};
#else
static const near_fn near_on[] = {near_any};
#endif

near_fn fastest_near(void)
{
    return near_on[processor()];
}
