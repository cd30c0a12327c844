/* SIFT's key points: extrema among 26 neighbours in differences of levels, refined (Lowe 2004, sections 3.1 and 4). */

#include "sift.h"

#include <string.h>

#define STEPS 5             /* of refinement: OpenCV's SIFT_MAX_INTERP_STEPS */
#define EDGE_THRESHOLD 10.0 /* greatest ratio of principal curvatures (Lowe 2004, section 4.1) */

INLINE int16_t larger(int16_t a, int16_t b)
{
    return a > b ? a : b;
}

INLINE int16_t smaller(int16_t a, int16_t b)
{
    return a < b ? a : b;
}

/* One difference in row y, and the highest and lowest of its neighbours in row y - 1. */
INLINE void differences_body(
    const int16_t *fine, const int16_t *coarse, const int16_t *above, const int16_t *middle, int16_t *below,
    int16_t *column_highest, int16_t *column_lowest, int16_t *highest, int16_t *lowest, int64_t n)
{
#pragma GCC ivdep
    for (int64_t x = 0; x < n; x++) {
        const int16_t here = (int16_t)(coarse[x] - fine[x]);
        below[x] = here;
        column_highest[x] = larger(here, larger(above[x], middle[x]));
        column_lowest[x] = smaller(here, smaller(above[x], middle[x]));
    }
#pragma GCC ivdep
    for (int64_t x = 0; x < n; x++) {
        highest[x] = larger(column_highest[x], larger(column_highest[x - 1], column_highest[x + 1]));
        lowest[x] = smaller(column_lowest[x], smaller(column_lowest[x - 1], column_lowest[x + 1]));
    }
}

/* Where is one difference further than `least` from 0, and none of its neighbours further? */
INLINE void extrema_body(
    const int16_t *difference, const int16_t *const *highest, const int16_t *const *lowest, int16_t least, int64_t n,
    int16_t *is_extremum)
{
    const int16_t *h0 = highest[0], *h1 = highest[1], *h2 = highest[2];
    const int16_t *l0 = lowest[0], *l1 = lowest[1], *l2 = lowest[2];
#pragma GCC ivdep
    for (int64_t x = 0; x < n; x++) {
        const int16_t here = difference[x];
        const int16_t is_top = (int16_t)((here > least) & (here == larger(h0[x], larger(h1[x], h2[x]))));
        const int16_t is_low = (int16_t)((here < -least) & (here == smaller(l0[x], smaller(l1[x], l2[x]))));
        is_extremum[x] = (int16_t)(is_top | is_low);
    }
}

VARIANTS(
    void, differences_body,
    (const int16_t *fine, const int16_t *coarse, const int16_t *above, const int16_t *middle, int16_t *below,
     int16_t *column_highest, int16_t *column_lowest, int16_t *highest, int16_t *lowest, int64_t n),
    (fine, coarse, above, middle, below, column_highest, column_lowest, highest, lowest, n))
VARIANTS(
    void, extrema_body,
    (const int16_t *difference, const int16_t *const *highest, const int16_t *const *lowest, int16_t least, int64_t n,
     int16_t *is_extremum),
    (difference, highest, lowest, least, n, is_extremum))

void next_differences(const Octave *octave, int64_t y, const Scan *scan)
{
    for (int d = 0; d < DIFFERENCES; d++) {
        int16_t *const *row = scan->difference[d];
        differences_body_on[processor()](
            row_of(octave, d, y), row_of(octave, d + 1, y), row[(y + 1) % 3], row[(y + 2) % 3], row[y % 3],
            scan->column_highest, scan->column_lowest, scan->highest[d], scan->lowest[d], octave->stride);
    }
}

/* Differences around one place, and the place that refinement starts from. */
typedef struct {
    int64_t y, x;
    int layer;
    double around[3][3][3];
} Place;

INLINE void read_around(const Octave *octave, Place *place)
{
    for (int d = 0; d < 3; d++)
        for (int r = 0; r < 3; r++) {
            const int64_t y = place->y + r - 1;
            const int16_t *fine = row_of(octave, place->layer + d - 1, y) + place->x - 1;
            const int16_t *coarse = row_of(octave, place->layer + d, y) + place->x - 1;
            for (int c = 0; c < 3; c++)
                place->around[d][r][c] = (double)(coarse[c] - fine[c]);
        }
}

/* Gradient and second derivatives at the place, in x, y and layer. */
typedef struct {
    double x, y, s, xx, yy, ss, xy, xs, ys;
} Derivatives;

static Derivatives derivatives_of(const Place *place)
{
    const double(*before)[3] = place->around[0], (*here)[3] = place->around[1], (*after)[3] = place->around[2];
    const double twice = 2.0 * here[1][1];
    return (Derivatives){
        .x = (here[1][2] - here[1][0]) / 2,
        .y = (here[2][1] - here[0][1]) / 2,
        .s = (after[1][1] - before[1][1]) / 2,
        .xx = here[1][2] + here[1][0] - twice,
        .yy = here[2][1] + here[0][1] - twice,
        .ss = after[1][1] + before[1][1] - twice,
        .xy = (here[2][2] - here[2][0] - here[0][2] + here[0][0]) / 4,
        .xs = (after[1][2] - after[1][0] - before[1][2] + before[1][0]) / 4,
        .ys = (after[2][1] - after[0][1] - before[2][1] + before[0][1]) / 4,
    };
}

/* Where the parabola through the neighbours has its extremum (Brown and Lowe 2002), by Cramer's rule; as OpenCV, no
   step where there is none. */
static void find_step(const Derivatives *d, double *step)
{
    const double a = d->yy * d->ss - d->ys * d->ys, b = d->xy * d->ss - d->ys * d->xs;
    const double c = d->xy * d->ys - d->yy * d->xs, determinant = d->xx * a - d->xy * b + d->xs * c;
    step[0] = step[1] = step[2] = 0.0;
    if (determinant == 0.0)
        return;
    step[0] = -(d->x * a - d->xy * (d->y * d->ss - d->ys * d->s) + d->xs * (d->y * d->ys - d->yy * d->s)) / determinant;
    step[1] = -(d->xx * (d->y * d->ss - d->ys * d->s) - d->x * b + d->xs * (d->xy * d->s - d->y * d->xs)) / determinant;
    step[2] = -(d->xx * (d->yy * d->s - d->y * d->ys) - d->xy * (d->xy * d->s - d->y * d->xs) + d->x * c) / determinant;
}

static int is_near(const double *step)
{
    return fabs(step[0]) < 0.5 && fabs(step[1]) < 0.5 && fabs(step[2]) < 0.5;
}

/* Moves to the pixel next to which the extremum lies; 0 where it leads away from all that is looked at. */
static int move(const Octave *octave, int64_t from_y, const double *step, Place *place)
{
    if (!(fabs(step[0]) < 1e6 && fabs(step[1]) < 1e6 && fabs(step[2]) < 1e6))
        return 0;
    place->x += (int64_t)rint(step[0]);
    place->y += (int64_t)rint(step[1]);
    place->layer += (int)rint(step[2]);
    return place->layer >= 1 && place->layer <= LAYERS && place->x >= BORDER && place->x < octave->width - BORDER &&
           place->y >= BORDER && place->y < octave->height - BORDER && llabs(place->y - from_y) <= WALK;
}

static int is_edge(const Derivatives *d)
{
    const double trace = d->xx + d->yy, determinant = d->xx * d->yy - d->xy * d->xy;
    const double most = (EDGE_THRESHOLD + 1) * (EDGE_THRESHOLD + 1);
    return determinant <= 0.0 || trace * trace * EDGE_THRESHOLD >= most * determinant;
}

/* Refines an extremum; returns whether it is a key point of at least this contrast. */
static int refine(const Octave *octave, int number, Place place, float contrast, Point *point)
{
    const int64_t from_y = place.y;
    Derivatives d;
    double step[3];
    for (int i = 0;; i++) {
        read_around(octave, &place);
        d = derivatives_of(&place);
        find_step(&d, step);
        if (is_near(step))
            break;
        if (i == STEPS - 1 || !move(octave, from_y, step, &place))
            return 0;
    }
    const double value = place.around[1][1][1] + (d.x * step[0] + d.y * step[1] + d.s * step[2]) / 2;
    const double response = fabs(value) / (255.0 * UNIT), times = (double)((int64_t)1 << number);
    if (response * LAYERS < contrast || is_edge(&d))
        return 0;
    const double sigma = SIGMA * exponential((place.layer + step[2]) / LAYERS * 0.6931471805599453);
    *point = (Point){
        .response = (float)response,
        .y = (float)(((double)place.y + step[1]) * times),
        .x = (float)(((double)place.x + step[0]) * times),
        .size = (float)(2.0 * sigma * times),
        .scale = (float)sigma,
        .octave = number,
        .layer = place.layer,
        .row = (int32_t)place.y,
        .column = (int32_t)place.x,
    };
    return 1;
}

/* Keeps the key points near the extrema of row y, whose neighbours `scan` holds, in one layer. */
static void refine_row(
    const Octave *octave, int number, int64_t y, int layer, float contrast, const int16_t *is_extremum,
    Strongest *strongest)
{
    for (int64_t block = 0; block < octave->stride; block += 4) {
        uint64_t four;
        memcpy(&four, is_extremum + block, sizeof four);
        for (int64_t x = block; four && x < block + 4; x++) {
            Point point;
            if (!is_extremum[x] || x < BORDER || x >= octave->width - BORDER)
                continue;
            if (refine(octave, number, (Place){.y = y, .x = x, .layer = layer}, contrast, &point))
                keep(strongest, &point);
        }
    }
}

/* Finds the key points of row y, of all layers; next_differences has just been called for row y + 1. Weaker extrema than
   half the contrast asked for are passed over, as in OpenCV, but without rounding to grey values. */
void find_extrema(const Octave *octave, int number, int64_t y, float contrast, const Scan *scan, Strongest *strongest)
{
    for (int layer = 1; layer <= LAYERS; layer++) {
        const float asked = contrast > LAYERS * strongest->least ? contrast : LAYERS * strongest->least;
        const float least = floorf(0.5f * asked / LAYERS * 255.0f * UNIT);
        extrema_body_on[processor()](
            scan->difference[layer][y % 3], (const int16_t *const *)scan->highest + layer - 1,
            (const int16_t *const *)scan->lowest + layer - 1, (int16_t)(least < 32767.0f ? least : 32767.0f),
            octave->stride, scan->is_extremum);
        refine_row(octave, number, y, layer, contrast, scan->is_extremum, strongest);
    }
}
