/* The levels of SIFT's pyramid, row by row: the doubled picture, and separable Gaussian blur in 16 bits. */

#include "sift.h"

#define MARGIN LANES

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

/* Four sigmas to each side, as OpenCV takes for floats; the weights add up to 65536. */
Kernel kernel_of(double sigma)
{
    Kernel kernel = {((int)floor(sigma * 8.0 + 1.5) | 1) / 2, {0}};
    double weight[MOST_RADIUS + 1], total = 0.0;
    for (int k = 0; k <= kernel.radius; k++) {
        weight[k] = exponential(-k * k / (2.0 * sigma * sigma));
        total += k ? 2.0 * weight[k] : weight[k];
    }
    int rest = 65536;
    for (int k = 1; k <= kernel.radius; k++) {
        kernel.weight[k] = (uint16_t)floor(65536.0 * weight[k] / total + 0.5);
        rest -= 2 * kernel.weight[k];
    }
    kernel.weight[0] = (uint16_t)rest;
    return kernel;
}

/* Row y of the picture at twice its size: pixel 2x is pixel x, pixel 2x + 1 the mean of pixels x and x + 1. Positions
   so need no shift (OpenCV's enable_precise_upscale). The last row and column stand twice. */
INLINE void double_body(const uint8_t *pixels, int64_t width, int64_t height, int64_t y, uint16_t *doubled)
{
    const int64_t low = y / 2, high = (y & 1) && low + 1 < height ? low + 1 : low;
    const uint8_t *above = pixels + low * width, *below = pixels + high * width;
#pragma GCC ivdep
    for (int64_t x = 0; x < width - 1; x++) {
        const uint16_t here = (uint16_t)(above[x] + below[x]), next = (uint16_t)(above[x + 1] + below[x + 1]);
        doubled[2 * x] = (uint16_t)(here * (UNIT / 2));
        doubled[2 * x + 1] = (uint16_t)((here + next) * (UNIT / 4));
    }
    doubled[2 * width - 2] = doubled[2 * width - 1] =
        (uint16_t)((above[width - 1] + below[width - 1]) * (UNIT / 2));
}

INLINE uint16_t times(uint16_t value, uint16_t weight)
{
    return (uint16_t)((uint32_t)value * weight >> 16);
}

/* Products lose half a unit on average when they are cut to 16 bits; half their number makes up for it. */
INLINE void down_body(int radius, const uint16_t *const *rows, const uint16_t *weight, int64_t n, uint16_t *out)
{
#pragma GCC ivdep
    for (int64_t x = 0; x < n; x++) {
        uint16_t sum = (uint16_t)((radius + 1) / 2 + times(rows[radius][x], weight[0]));
#pragma GCC unroll 16
        for (int k = 1; k <= radius; k++)
            sum = (uint16_t)(sum + times((uint16_t)(rows[radius - k][x] + rows[radius + k][x]), weight[k]));
        out[x] = sum;
    }
}

INLINE void across_body(int radius, const uint16_t *line, const uint16_t *weight, int64_t n, uint16_t *out)
{
#pragma GCC ivdep
    for (int64_t x = 0; x < n; x++) {
        uint16_t sum = (uint16_t)((radius + 1) / 2 + times(line[x], weight[0]));
#pragma GCC unroll 16
        for (int k = 1; k <= radius; k++)
            sum = (uint16_t)(sum + times((uint16_t)(line[x - k] + line[x + k]), weight[k]));
        out[x] = sum;
    }
}

/* Blurs down the columns into a line, then along it. */
INLINE void blur_radius(
    int radius, const uint16_t *const *rows, const Kernel *kernel, int64_t width, uint16_t *line, uint16_t *blurred)
{
    const int64_t n = (width + LANES - 1) / LANES * LANES;
    uint16_t *middle = line + MARGIN;
    down_body(radius, rows, kernel->weight, n, middle);
    for (int k = 1; k <= radius; k++) {
        middle[-k] = middle[reflected(-k, width)];
        middle[width - 1 + k] = middle[reflected(width - 1 + k, width)];
    }
    across_body(radius, middle, kernel->weight, n, blurred);
}

/* Compiled for each radius that OpenCV's sigmas have, so that loops over weights are unrolled. */
INLINE void blur_body(
    const uint16_t *const *rows, const Kernel *kernel, int64_t width, uint16_t *line, uint16_t *blurred)
{
    switch (kernel->radius) {
    case 5: blur_radius(5, rows, kernel, width, line, blurred); break;
    case 6: blur_radius(6, rows, kernel, width, line, blurred); break;
    case 8: blur_radius(8, rows, kernel, width, line, blurred); break;
    case 10: blur_radius(10, rows, kernel, width, line, blurred); break;
    default: blur_radius(13, rows, kernel, width, line, blurred);
    }
}

VARIANTS(
    void, double_body,
    (const uint8_t *pixels, int64_t width, int64_t height, int64_t y, uint16_t *doubled),
    (pixels, width, height, y, doubled))
VARIANTS(
    void, blur_body,
    (const uint16_t *const *rows, const Kernel *kernel, int64_t width, uint16_t *line, uint16_t *blurred),
    (rows, kernel, width, line, blurred))

void double_row(const uint8_t *pixels, int64_t width, int64_t height, int64_t y, uint16_t *doubled)
{
    double_body_on[processor()](pixels, width, height, y, doubled);
}

void blur_row(const uint16_t *const *rows, const Kernel *kernel, int64_t width, uint16_t *line, uint16_t *blurred)
{
    blur_body_on[processor()](rows, kernel, width, line, blurred);
}
