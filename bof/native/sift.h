/* SIFT (Lowe 2004) with OpenCV's parameters and conventions. sift.c says what happens when.

   Levels of the pyramid are grey values times UNIT, less GREY so that they fill 16 bits; the mean of four pixels is a
   whole number, so doubling is exact. A difference of levels is at most a quarter of the range, for the kernel's positive
   part has weight 1/4. */

#ifndef BOF_SIFT_H
#define BOF_SIFT_H

#include "common.h"

#define UNIT 256
#define GREY (255 * UNIT / 2)
#define LAYERS 3 /* in which key points are looked for, an octave (Lowe 2004, section 3.2) */
#define LEVELS (LAYERS + 3)
#define DIFFERENCES (LEVELS - 1)
#define SIGMA 1.6 /* of the first level (Lowe 2004, section 3.3) */
#define BORDER 5  /* pixels in which no key points are looked for: OpenCV's SIFT_IMG_BORDER */
#define WALK 8    /* pixels that refinement may lead away from an extremum, so that a strip holds all it reads */
#define LANES 32  /* rows are padded to whole vectors */
#define TILE 256  /* pixels of a row that are searched together; as many behind the last row may be read */
#define N_BINS 128

/* One octave, or a band of it: key points are looked for in the rows `first` to stop - 1. Levels 1 to 3, where features
   are described, hold all rows from `low` to high - 1; of the others a ring of rows is kept, which mask chooses. */
typedef struct {
    int64_t width, height, stride;
    int64_t first, stop, low, high;
    int16_t *level[LEVELS];
    int64_t mask[LEVELS];
} Octave;

static inline int16_t *row_of(const Octave *octave, int level, int64_t y)
{
    return octave->level[level] + ((y - octave->low) & octave->mask[level]) * octave->stride;
}

/* A key point: in pixels of the doubled picture as OpenCV gives it, and in its octave, where scale is its sigma. */
typedef struct {
    float response, y, x, size, scale;
    int32_t octave, layer, row, column;
} Point;

/* The strongest points so far, at most `room`; when they fill it, the strongest `most` stay. */
typedef struct {
    int64_t n, most, room;
    float least; /* response of the weakest that could still be kept */
    Point *point;
} Strongest;

void keep(Strongest *strongest, const Point *point);
void sort_points(Strongest *strongest);

/* Of one point: at most every second bin of the histogram of 36 directions. */
#define MOST_ANGLES 18

/* Gaussian weights, which add up to 2^15, with a 0 before and behind them. */
#define MOST_RADIUS 13
typedef struct {
    int radius;
    int16_t padded[2 * MOST_RADIUS + 3];
    const int16_t *weight;
    int32_t pair[MOST_RADIUS + 1], shifted[MOST_RADIUS + 1]; /* weights 2k and 2k + 1; weights 2k - 1 and 2k */
} Kernel;

void set_kernel(Kernel *kernel, double sigma);
double exponential(double x);
void direction(double degrees, double *cosine, double *sine);

/* Where row y of n rows is read beyond the first and last: OpenCV's BORDER_REFLECT_101. */
static inline int64_t reflected(int64_t y, int64_t n)
{
    if (n == 1)
        return 0;
    while (y < 0 || y >= n)
        y = y < 0 ? -y : 2 * (n - 1) - y;
    return y;
}

void double_row(const uint8_t *pixels, int64_t width, int64_t height, int64_t y, int16_t *doubled);
void blur_rows(
    const int16_t *const *rows, const Kernel *kernel, int64_t width, int16_t *lines, int16_t *blurred, int16_t *next);
void find_points(
    const Octave *octave, int number, int64_t first, int64_t stop, float contrast, Strongest *strongest);
int orient(const Octave *octave, const Point *point, float *angles);
void describe(const Octave *octave, const Point *point, float angle, uint8_t *descriptor);

/* A function for each instruction set from one body, and a table of them. */
#if defined(__x86_64__)
#if defined(__clang__)
#define WIDEST WIDE __attribute__((min_vector_width(512)))
#else
#define WIDEST WIDE __attribute__((target("prefer-vector-width=512")))
#endif
#define VARIANTS(result, name, parameters, arguments)                                                                 \
    static result name##_any parameters { return name arguments; }                                                    \
    NARROW static result name##_narrow parameters { return name arguments; }                                          \
    WIDEST static result name##_wide parameters { return name arguments; }                                            \
    static result(*const name##_on[]) parameters = {name##_any, name##_narrow, name##_wide};
#else
#define VARIANTS(result, name, parameters, arguments)                                                                 \
    static result name##_any parameters { return name arguments; }                                                    \
    static result(*const name##_on[]) parameters = {name##_any};
#endif

#endif
