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
static void down_any(const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out, int16_t *next)
{
    for (int64_t x = 0; x < n; x++) {
        int32_t sum = ONE / 2, next_sum = ONE / 2;
        for (int k = 0; k <= 2 * kernel->radius; k++) {
            sum += rows[k][x] * kernel->weight[k];
            next_sum += rows[k + 1][x] * kernel->weight[k];
        }
        out[x] = (int16_t)(sum >> BITS);
        next[x] = (int16_t)(next_sum >> BITS);
    }
}

static void across_any(const int16_t *line, const Kernel *kernel, int64_t n, int16_t *out)
{
    for (int64_t x = 0; x < n; x++) {
        int32_t sum = ONE / 2;
        for (int k = 0; k <= 2 * kernel->radius; k++)
            sum += line[x + k - kernel->radius] * kernel->weight[k];
        out[x] = (int16_t)(sum >> BITS);
    }
}

#if defined(__x86_64__)
/* The weights k and k + 1. */
static inline int32_t two_weights(const int16_t *weight, int k)
{
    return (int32_t)((uint16_t)weight[k] | (uint32_t)(uint16_t)weight[k + 1] << 16);
}

/* The same with instructions that add up products of pairs: two rows are interleaved, two neighbours are as they lie,
   for even x and for odd x. */
#define DOWN(W, ADD_PRODUCTS)                                                                                         \
    const __m##W##i half = _mm##W##_set1_epi32(ONE / 2);                                                              \
    for (int64_t x = 0; x < n; x += W / 16) {                                                                         \
        __m##W##i low = half, high = half, next_low = half, next_high = half;                                         \
        for (int k = 0; k <= 2 * kernel->radius; k += 2) {                                                            \
            const __m##W##i a = _mm##W##_loadu_si##W((const void *)(rows[k] + x));                                    \
            const __m##W##i b = _mm##W##_loadu_si##W((const void *)(rows[k + 1] + x));                                \
            const __m##W##i first = _mm##W##_unpacklo_epi16(a, b), second = _mm##W##_unpackhi_epi16(a, b);            \
            const __m##W##i here = _mm##W##_set1_epi32(two_weights(kernel->weight, k));                               \
            const __m##W##i shifted = _mm##W##_set1_epi32(two_weights(kernel->weight - 1, k));                        \
            low = ADD_PRODUCTS(low, first, here);                                                                     \
            high = ADD_PRODUCTS(high, second, here);                                                                  \
            next_low = ADD_PRODUCTS(next_low, first, shifted);                                                        \
            next_high = ADD_PRODUCTS(next_high, second, shifted);                                                     \
        }                                                                                                             \
        low = _mm##W##_packs_epi32(_mm##W##_srai_epi32(low, BITS), _mm##W##_srai_epi32(high, BITS));                  \
        high = _mm##W##_packs_epi32(_mm##W##_srai_epi32(next_low, BITS), _mm##W##_srai_epi32(next_high, BITS));       \
        _mm##W##_storeu_si##W((void *)(out + x), low);                                                                \
        _mm##W##_storeu_si##W((void *)(next + x), high);                                                              \
    }

#define ACROSS(W, ADD_PRODUCTS, AND, OR)                                                                              \
    for (int64_t x = 0; x < n; x += W / 16) {                                                                         \
        __m##W##i even = _mm##W##_set1_epi32(ONE / 2), odd = even;                                                    \
        for (int k = 0; k <= 2 * kernel->radius; k += 2) {                                                            \
            const int16_t *first = line + x + k - kernel->radius;                                                     \
            const __m##W##i weights = _mm##W##_set1_epi32(two_weights(kernel->weight, k));                                    \
            even = ADD_PRODUCTS(even, _mm##W##_loadu_si##W((const void *)first), weights);                            \
            odd = ADD_PRODUCTS(odd, _mm##W##_loadu_si##W((const void *)(first + 1)), weights);                        \
        }                                                                                                             \
        even = AND(_mm##W##_srli_epi32(even, BITS), _mm##W##_set1_epi32(0xFFFF));                                     \
        odd = _mm##W##_slli_epi32(_mm##W##_srli_epi32(odd, BITS), 16);                                                \
        _mm##W##_storeu_si##W((void *)(out + x), OR(even, odd));                                                      \
    }

#define ADD_NARROW(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))

NARROW static void down_narrow(
    const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out, int16_t *next)
{
    DOWN(256, ADD_NARROW)
}

NARROW static void across_narrow(const int16_t *line, const Kernel *kernel, int64_t n, int16_t *out)
{
    ACROSS(256, ADD_NARROW, _mm256_and_si256, _mm256_or_si256)
}

WIDE static void down_wide(
    const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out, int16_t *next)
{
    DOWN(512, _mm512_dpwssd_epi32)
}

WIDE static void across_wide(const int16_t *line, const Kernel *kernel, int64_t n, int16_t *out)
{
    ACROSS(512, _mm512_dpwssd_epi32, _mm512_and_si512, _mm512_or_si512)
}
#define ON(name) {name##_any, name##_narrow, name##_wide}
#else
#define ON(name) {name##_any}
#endif

static void (*const down_on[])(const int16_t *const *, const Kernel *, int64_t, int16_t *, int16_t *) = ON(down);
static void (*const across_on[])(const int16_t *, const Kernel *, int64_t, int16_t *) = ON(across);

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
