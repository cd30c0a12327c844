/* The levels of SIFT's pyramid, row by row: the doubled picture, and separable Gaussian blur in 16 bits. */

#include "sift.h"
#include "simd.h"

#define ONE 32768 /* the sum of the weights */
#define BITS 15

/* e^x for x from -700 to 700, the same on every processor: libraries differ in the last bits. */
double exponential(double x)
{
    const double whole = floor(x * 1.4426950408889634 + 0.5), rest = x - whole * 0.6931471805599453;
    double sum = 1.0;
    for (int n = 14; n; n--)
        sum = 1.0 + sum * rest / n;
    return ldexp(sum, (int)whole);
}

/* Cosine and sine of an angle from 0 to 360 degrees, the same on every processor. */
void direction(double degrees, double *cosine, double *sine)
{
    const int quarter = (int)floor(degrees / 90.0 + 0.5);
    const double x = (degrees - 90.0 * quarter) * 0.017453292519943295, square = x * x;
    double c = 1.0, s = 1.0;
    for (int n = 16; n; n -= 2) {
        c = 1.0 - c * square / (n * (n - 1));
        s = 1.0 - s * square / (n * (n + 1));
    }
    *cosine = (quarter & 1) ? ((quarter & 2) ? s * x : -s * x) : ((quarter & 2) ? -c : c);
    *sine = (quarter & 1) ? ((quarter & 2) ? -c : c) : ((quarter & 2) ? -s * x : s * x);
}

/* A weight and the next, as instructions for pairs take them. */
static int32_t two_weights(const int16_t *weight)
{
    return (int32_t)((uint16_t)weight[0] | (uint32_t)(uint16_t)weight[1] << 16);
}

/* Four sigmas to each side, as OpenCV takes for floats. */
void set_kernel(Kernel *kernel, double sigma)
{
    const int radius = ((int)floor(sigma * 8.0 + 1.5) | 1) / 2;
    double weight[MOST_RADIUS + 1], total = 0.0;
    for (int k = 0; k <= radius; k++) {
        weight[k] = exponential(-k * k / (2.0 * sigma * sigma));
        total += k ? 2.0 * weight[k] : weight[k];
    }
    *kernel = (Kernel){.radius = radius, .weight = kernel->padded + 1};
    int16_t *middle = kernel->padded + 1 + radius;
    int rest = ONE;
    for (int k = 1; k <= radius; k++) {
        middle[k] = middle[-k] = (int16_t)floor(ONE * weight[k] / total + 0.5);
        rest -= 2 * middle[k];
    }
    middle[0] = (int16_t)rest;
    for (int k = 0; k <= radius; k++) {
        kernel->pair[k] = two_weights(kernel->weight + 2 * k);
        kernel->shifted[k] = two_weights(kernel->weight + 2 * k - 1);
    }
}

/* Row y of the picture at twice its size: pixel 2x is pixel x, pixel 2x + 1 the mean of pixels x and x + 1. Positions
   so need no shift (OpenCV's enable_precise_upscale). The last row and column stand twice. */
INLINE void double_body(const uint8_t *pixels, int64_t width, int64_t height, int64_t y, int16_t *doubled)
{
    const int64_t low = y / 2, high = (y & 1) && low + 1 < height ? low + 1 : low;
    const uint8_t *above = pixels + low * width, *below = pixels + high * width;
#pragma GCC ivdep
    for (int64_t x = 0; x < width - 1; x++) {
        const int here = above[x] + below[x], next = above[x + 1] + below[x + 1];
        doubled[2 * x] = (int16_t)(here * (UNIT / 2) - GREY);
        doubled[2 * x + 1] = (int16_t)((here + next) * (UNIT / 4) - GREY);
    }
    doubled[2 * width - 2] = doubled[2 * width - 1] =
        (int16_t)((above[width - 1] + below[width - 1]) * (UNIT / 2) - GREY);
}

/* Sums of products in 32 bits, rounded once. Weights are positive and add up to one, so results stay in 16 bits. Two
   rows are made at a time: they read nearly the same rows. */
#if defined(__x86_64__)
/* With instructions that add up products of pairs: two rows are interleaved, two neighbours are as they lie, for even x
   and for odd x. V, W: prefix and bits of the vectors. */
#define DOWN(V, W, ADD_PRODUCTS)                                                                                      \
    const __m##W##i half = V##_set1_epi32(ONE / 2);                                                                   \
    for (int64_t x = 0; x < n; x += W / 16) {                                                                         \
        __m##W##i low = half, high = half, next_low = half, next_high = half;                                         \
        for (int k = 0; k <= 2 * kernel->radius; k += 2) {                                                            \
            const __m##W##i a = V##_loadu_si##W((const void *)(rows[k] + x));                                         \
            const __m##W##i b = V##_loadu_si##W((const void *)(rows[k + 1] + x));                                     \
            const __m##W##i first = V##_unpacklo_epi16(a, b), second = V##_unpackhi_epi16(a, b);                      \
            const __m##W##i here = V##_set1_epi32(kernel->pair[k / 2]);                                               \
            const __m##W##i shifted = V##_set1_epi32(kernel->shifted[k / 2]);                                         \
            low = ADD_PRODUCTS(low, first, here);                                                                     \
            high = ADD_PRODUCTS(high, second, here);                                                                  \
            next_low = ADD_PRODUCTS(next_low, first, shifted);                                                        \
            next_high = ADD_PRODUCTS(next_high, second, shifted);                                                     \
        }                                                                                                             \
        low = V##_packs_epi32(V##_srai_epi32(low, BITS), V##_srai_epi32(high, BITS));                                 \
        high = V##_packs_epi32(V##_srai_epi32(next_low, BITS), V##_srai_epi32(next_high, BITS));                      \
        V##_storeu_si##W((void *)(out + x), low);                                                                     \
        V##_storeu_si##W((void *)(next + x), high);                                                                   \
    }

#define ACROSS(V, W, ADD_PRODUCTS)                                                                                    \
    for (int64_t x = 0; x < n; x += W / 16) {                                                                         \
        __m##W##i even = V##_set1_epi32(ONE / 2), odd = even;                                                         \
        for (int k = 0; k <= 2 * kernel->radius; k += 2) {                                                            \
            const int16_t *first = line + x + k - kernel->radius;                                                     \
            const __m##W##i weights = V##_set1_epi32(kernel->pair[k / 2]);                                            \
            even = ADD_PRODUCTS(even, V##_loadu_si##W((const void *)first), weights);                                 \
            odd = ADD_PRODUCTS(odd, V##_loadu_si##W((const void *)(first + 1)), weights);                             \
        }                                                                                                             \
        even = V##_srli_epi32(V##_slli_epi32(even, 16 - BITS), 16);                                                   \
        odd = V##_slli_epi32(V##_srli_epi32(odd, BITS), 16);                                                          \
        V##_storeu_si##W((void *)(out + x), V##_add_epi32(even, odd));                                                \
    }

#define ADD_128(sum, a, b) _mm_add_epi32(sum, _mm_madd_epi16(a, b))
#define ADD_256(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))

/* A function for each instruction set: SSE2, which every such processor has, AVX2, and AVX-512. */
#define BLUR(name, parameters, LOOP)                                                                                  \
    static void name##_any parameters { LOOP(_mm, 128, ADD_128) }                                                     \
    NARROW static void name##_narrow parameters { LOOP(_mm256, 256, ADD_256) }                                        \
    WIDE static void name##_wide parameters { LOOP(_mm512, 512, _mm512_dpwssd_epi32) }                                \
    static void (*const name##_on[]) parameters = {name##_any, name##_narrow, name##_wide};
#else
/* Eight pixels at a time, in vectors of whatever kind the processor has. */
typedef int16_t Eight __attribute__((vector_size(16), aligned(2), may_alias));
typedef int32_t Sums __attribute__((vector_size(32)));

INLINE Sums eight_at(const int16_t *pixels)
{
    return __builtin_convertvector(*(const Eight *)pixels, Sums);
}

INLINE void put_eight(Sums sums, int16_t *pixels)
{
    *(Eight *)pixels = __builtin_convertvector(sums >> BITS, Eight);
}

#define DOWN                                                                                                          \
    for (int64_t x = 0; x < n; x += 8) {                                                                              \
        Sums here = (Sums){0} + ONE / 2, after = here;                                                                \
        for (int k = 0; k <= 2 * kernel->radius + 1; k++) {                                                           \
            const Sums row = eight_at(rows[k] + x);                                                                   \
            here += row * kernel->weight[k];                                                                          \
            after += row * kernel->weight[k - 1];                                                                     \
        }                                                                                                             \
        put_eight(here, out + x);                                                                                     \
        put_eight(after, next + x);                                                                                   \
    }

#define ACROSS                                                                                                        \
    for (int64_t x = 0; x < n; x += 8) {                                                                              \
        Sums here = (Sums){0} + ONE / 2;                                                                              \
        for (int k = 0; k <= 2 * kernel->radius; k++)                                                                 \
            here += eight_at(line + x + k - kernel->radius) * kernel->weight[k];                                      \
        put_eight(here, out + x);                                                                                     \
    }

#define BLUR(name, parameters, LOOP)                                                                                  \
    static void name##_any parameters { LOOP }                                                                        \
    static void (*const name##_on[]) parameters = {name##_any};
#endif

BLUR(down, (const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out, int16_t *next), DOWN)
BLUR(across, (const int16_t *line, const Kernel *kernel, int64_t n, int16_t *out), ACROSS)

/* Blurs along a line of `width` pixels, which has room for their mirror image on both sides. */
static void blur_line(int16_t *line, const Kernel *kernel, int64_t width, int64_t n, int16_t *blurred)
{
    for (int k = 1; k <= kernel->radius; k++) {
        line[-k] = line[reflected(-k, width)];
        line[width - 1 + k] = line[reflected(width - 1 + k, width)];
    }
    across_on[processor()](line, kernel, n, blurred);
}

/* Blurs down the columns into two lines, then along them. rows: those of the first line's weights, and one more; next
   may be 0. */
void blur_rows(
    const int16_t *const *rows, const Kernel *kernel, int64_t width, int16_t *lines, int16_t *blurred, int16_t *next)
{
    const int64_t n = (width + LANES - 1) / LANES * LANES;
    int16_t *line = lines + LANES, *next_line = line + n + 2 * LANES;
    down_on[processor()](rows, kernel, n, line, next_line);
    blur_line(line, kernel, width, n, blurred);
    if (next)
        blur_line(next_line, kernel, width, n, next);
}

VARIANTS(
    void, double_body,
    (const uint8_t *pixels, int64_t width, int64_t height, int64_t y, int16_t *doubled),
    (pixels, width, height, y, doubled))
void double_row(const uint8_t *pixels, int64_t width, int64_t height, int64_t y, int16_t *doubled)
{
    double_body_on[processor()](pixels, width, height, y, doubled);
}
