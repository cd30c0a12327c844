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

/* Rows are looked at in tiles, so that what is read again stays at hand. A tile's first column and last are there only as
   neighbours. */
#define TILE_STEP (TILE - LANES)

typedef int16_t Row[TILE + 2 * LANES]; /* from LANES on */

/* The last three rows of each difference, the highest of three neighbours in each of these rows, and the lowest. */
typedef struct {
    Row here[DIFFERENCES][3], highest[DIFFERENCES][3], lowest[DIFFERENCES][3];
} Tile;

INLINE void add_row_body(const int16_t *const *level, int slot, Tile *tile)
{
    for (int d = 0; d < DIFFERENCES; d++) {
        const int16_t *fine = level[d], *coarse = level[d + 1];
        int16_t *here = tile->here[d][slot] + LANES;
#pragma GCC ivdep
        for (int x = 0; x < TILE; x++)
            here[x] = (int16_t)(coarse[x] - fine[x]);
    }
    for (int d = 0; d < DIFFERENCES; d++) {
        const int16_t *here = tile->here[d][slot] + LANES;
        int16_t *highest = tile->highest[d][slot] + LANES, *lowest = tile->lowest[d][slot] + LANES;
#pragma GCC ivdep
        for (int x = 0; x < TILE; x++) {
            highest[x] = larger(here[x], larger(here[x - 1], here[x + 1]));
            lowest[x] = smaller(here[x], smaller(here[x - 1], here[x + 1]));
        }
    }
}

INLINE int16_t highest_of(const Tile *tile, int d, int x)
{
    return larger(tile->highest[d][0][x], larger(tile->highest[d][1][x], tile->highest[d][2][x]));
}

INLINE int16_t lowest_of(const Tile *tile, int d, int x)
{
    return smaller(tile->lowest[d][0][x], smaller(tile->lowest[d][1][x], tile->lowest[d][2][x]));
}

/* Where is a difference further than `least` from 0, and none of its neighbours further? Of equal neighbours, which 16
   bits make more of than OpenCV's floats, one stays: none of those before it in level, row and column may be equal.
   slot: of the middle row. */
INLINE void find_extrema_body(const Tile *tile, int slot, int16_t least, Row *is_extremum)
{
    const int above = (slot + 2) % 3, below = (slot + 1) % 3;
#pragma GCC ivdep
    for (int x = LANES; x < TILE + LANES; x++) {
        int16_t highest[DIFFERENCES], lowest[DIFFERENCES];
#pragma GCC unroll 8
        for (int d = 0; d < DIFFERENCES; d++) {
            highest[d] = highest_of(tile, d, x);
            lowest[d] = lowest_of(tile, d, x);
        }
#pragma GCC unroll 8
        for (int l = 0; l < LAYERS; l++) {
            const int16_t *row = tile->here[l + 1][slot] + x, here = *row;
            const int16_t high_before = larger(highest[l], larger(tile->highest[l + 1][above][x], row[-1]));
            const int16_t high_after = larger(highest[l + 2], larger(tile->highest[l + 1][below][x], row[1]));
            const int16_t low_before = smaller(lowest[l], smaller(tile->lowest[l + 1][above][x], row[-1]));
            const int16_t low_after = smaller(lowest[l + 2], smaller(tile->lowest[l + 1][below][x], row[1]));
            is_extremum[l][x] = (int16_t)(((here > least) & (here > high_before) & (here >= high_after)) |
                                          ((here < -least) & (here < low_before) & (here <= low_after)));
        }
    }
}

VARIANTS(void, add_row_body, (const int16_t *const *level, int slot, Tile *tile), (level, slot, tile))
VARIANTS(
    void, find_extrema_body,
    (const Tile *tile, int slot, int16_t least, Row *is_extremum),
    (tile, slot, least, is_extremum))

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

/* What is looked for, where. */
typedef struct {
    const Octave *octave;
    int number;
    float contrast;
    Strongest *strongest;
} Search;

/* Keeps the key points near the extrema in row y of a tile that starts at column `left`. */
static void refine_row(const Search *search, int64_t y, int64_t left, int layer, const int16_t *is_extremum)
{
    const int64_t first = left > BORDER ? left + 1 : BORDER, most = search->octave->width - BORDER;
    const int64_t stop = left + TILE_STEP + 1 < most ? left + TILE_STEP + 1 : most;
    for (int64_t block = first; block < stop; block += 4) {
        uint64_t four;
        memcpy(&four, is_extremum + LANES + (block - left), sizeof four);
        for (int64_t x = block; four && x < block + 4 && x < stop; x++) {
            Point point;
            if (is_extremum[LANES + (x - left)] &&
                refine(search->octave, search->number, (Place){y, x, layer, {{{0}}}}, search->contrast, &point))
                keep(search->strongest, &point);
        }
    }
}

/* Weaker extrema than half the contrast asked for are passed over, as in OpenCV, but without rounding to grey values; so
   are those that could not be among the strongest. */
static int16_t least_difference(const Search *search)
{
    const float weakest = search->contrast / LAYERS, kept = search->strongest->least;
    const float least = floorf(0.5f * (weakest > kept ? weakest : kept) * 255.0f * UNIT);
    return (int16_t)(least < 32767.0f ? least : 32767.0f);
}

static void search_tile(const Search *search, int64_t first, int64_t stop, int64_t left)
{
    Tile tile;
    Row is_extremum[LAYERS];
    memset(&tile, 0, sizeof tile);
    for (int64_t y = first - 1; y <= stop; y++) {
        const int16_t *level[LEVELS];
        for (int l = 0; l < LEVELS; l++)
            level[l] = row_of(search->octave, l, y) + left;
        add_row_body_on[processor()](level, (int)(y % 3), &tile);
        if (y <= first)
            continue;
        find_extrema_body_on[processor()](&tile, (int)((y - 1) % 3), least_difference(search), is_extremum);
        for (int layer = 1; layer <= LAYERS; layer++)
            refine_row(search, y - 1, left, layer, is_extremum[layer - 1]);
    }
}

/* Keeps the key points near the extrema in rows first to stop - 1. */
void find_points(
    const Octave *octave, int number, int64_t first, int64_t stop, float contrast, Strongest *strongest)
{
    const Search search = {octave, number, contrast, strongest};
    for (int64_t left = 0; first < stop && left < octave->width; left += TILE_STEP)
        search_tile(&search, first, stop, left);
}
