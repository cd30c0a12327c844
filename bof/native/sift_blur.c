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
Kernel kernel_of(double sigma)
{
    Kernel kernel = {((int)floor(sigma * 8.0 + 1.5) | 1) / 2, {0}};
    double weight[MOST_RADIUS + 1], total = 0.0;
    for (int k = 0; k <= kernel.radius; k++) {
        weight[k] = exponential(-k * k / (2.0 * sigma * sigma));
        total += k ? 2.0 * weight[k] : weight[k];
    }
    int rest = ONE;
    for (int k = 1; k <= kernel.radius; k++) {
        const int16_t rounded = (int16_t)floor(ONE * weight[k] / total + 0.5);
        kernel.weight[kernel.radius - k] = kernel.weight[kernel.radius + k] = rounded;
        rest -= 2 * rounded;
    }
    kernel.weight[kernel.radius] = (int16_t)rest;
    return kernel;
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

/* Sums of products in 32 bits, rounded once. Weights are positive and add up to one, so results stay in 16 bits. */
static void down_any(const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out)
{
    for (int64_t x = 0; x < n; x++) {
        int32_t sum = ONE / 2;
        for (int k = 0; k <= 2 * kernel->radius; k++)
            sum += rows[k][x] * kernel->weight[k];
        out[x] = (int16_t)(sum >> BITS);
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
static inline int32_t two_weights(const Kernel *kernel, int k)
{
    return kernel->weight[k] | (int32_t)((uint32_t)kernel->weight[k + 1] << 16);
}

/* The same with instructions that add up products of pairs: two rows are interleaved, two neighbours are as they lie,
   for even x and for odd x. */
#define DOWN(W, ADD_PRODUCTS)                                                                                         \
    for (int64_t x = 0; x < n; x += W / 16) {                                                                         \
        __m##W##i low = _mm##W##_set1_epi32(ONE / 2), high = low;                                                     \
        for (int k = 0; k <= 2 * kernel->radius; k += 2) {                                                            \
            const __m##W##i a = _mm##W##_loadu_si##W((const void *)(rows[k] + x));                                    \
            const __m##W##i b = _mm##W##_loadu_si##W((const void *)(rows[k + 1] + x));                                \
            const __m##W##i weights = _mm##W##_set1_epi32(two_weights(kernel, k));                                    \
            low = ADD_PRODUCTS(low, _mm##W##_unpacklo_epi16(a, b), weights);                                          \
            high = ADD_PRODUCTS(high, _mm##W##_unpackhi_epi16(a, b), weights);                                        \
        }                                                                                                             \
        low = _mm##W##_srai_epi32(low, BITS);                                                                         \
        high = _mm##W##_srai_epi32(high, BITS);                                                                       \
        _mm##W##_storeu_si##W((void *)(out + x), _mm##W##_packs_epi32(low, high));                                    \
    }

#define ACROSS(W, ADD_PRODUCTS, AND, OR)                                                                              \
    for (int64_t x = 0; x < n; x += W / 16) {                                                                         \
        __m##W##i even = _mm##W##_set1_epi32(ONE / 2), odd = even;                                                    \
        for (int k = 0; k <= 2 * kernel->radius; k += 2) {                                                            \
            const int16_t *first = line + x + k - kernel->radius;                                                     \
            const __m##W##i weights = _mm##W##_set1_epi32(two_weights(kernel, k));                                    \
            even = ADD_PRODUCTS(even, _mm##W##_loadu_si##W((const void *)first), weights);                            \
            odd = ADD_PRODUCTS(odd, _mm##W##_loadu_si##W((const void *)(first + 1)), weights);                        \
        }                                                                                                             \
        even = AND(_mm##W##_srli_epi32(even, BITS), _mm##W##_set1_epi32(0xFFFF));                                     \
        odd = _mm##W##_slli_epi32(_mm##W##_srli_epi32(odd, BITS), 16);                                                \
        _mm##W##_storeu_si##W((void *)(out + x), OR(even, odd));                                                      \
    }

#define ADD_NARROW(sum, a, b) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))

NARROW static void down_narrow(const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out)
{
    DOWN(256, ADD_NARROW)
}

NARROW static void across_narrow(const int16_t *line, const Kernel *kernel, int64_t n, int16_t *out)
{
    ACROSS(256, ADD_NARROW, _mm256_and_si256, _mm256_or_si256)
}

WIDE static void down_wide(const int16_t *const *rows, const Kernel *kernel, int64_t n, int16_t *out)
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

static void (*const down_on[])(const int16_t *const *, const Kernel *, int64_t, int16_t *) = ON(down);
static void (*const across_on[])(const int16_t *, const Kernel *, int64_t, int16_t *) = ON(across);

/* Blurs down the columns into a line, then along it. rows: one more than there are weights. */
void blur_row(const int16_t *const *rows, const Kernel *kernel, int64_t width, int16_t *line, int16_t *blurred)
{
    const int64_t n = (width + LANES - 1) / LANES * LANES;
    int16_t *middle = line + LANES;
    down_on[processor()](rows, kernel, n, middle);
    for (int k = 1; k <= kernel->radius; k++) {
        middle[-k] = middle[reflected(-k, width)];
        middle[width - 1 + k] = middle[reflected(width - 1 + k, width)];
    }
    across_on[processor()](middle, kernel, n, blurred);
}

VARIANTS(
    void, double_body,
    (const uint8_t *pixels, int64_t width, int64_t height, int64_t y, int16_t *doubled),
    (pixels, width, height, y, doubled))
void double_row(const uint8_t *pixels, int64_t width, int64_t height, int64_t y, int16_t *doubled)
{
    double_body_on[processor()](pixels, width, height, y, doubled);
}
