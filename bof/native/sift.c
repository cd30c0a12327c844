/* SIFT features of a grey picture. One sweep over each octave blurs rows, takes differences of levels and refines their
   extrema while all of it lies in the cache; a large octave is cut into bands of rows, which threads sweep side by side.
   Then the strongest points are oriented and described. lay_out divides the room alike for each step of one picture. */

#include "sift.h"

#include <string.h>

#define RING 128      /* rows of the levels that no feature is described in: blur, scan and refinement reach over fewer */
#define STRIP 16      /* rows by which the sweep moves on */
#define MOST_OCTAVES 20
#define MOST_BANDS 16
#define LEAST_ROWS 256 /* of a band: the rows of its neighbours that it makes too, some 130, are few then */
#define REACH 40       /* rows around a key point that its descriptor reads: 38, and one for gradients */
#define AHEAD 96       /* rows that the first level may be ahead of the search */
#define COARSEST 3.6   /* sigma in its octave of a key point: 1.6 * 2^(3.5 / 3) at most */

/* An odd number of the cache's lines: rows below each other then lie in different sets of it. */
static int64_t padded(int64_t width)
{
    return ((width + LANES - 1) / LANES | 1) * LANES;
}

/* Space that is given out piece by piece; counts only where there is none. */
typedef struct {
    uint8_t *base;
    int64_t used;
} Room;

static void *piece(Room *room, int64_t n_bytes)
{
    const int64_t start = room->used;
    room->used += (n_bytes + 63) / 64 * 64;
    return room->base ? room->base + start : 0;
}

/* Where the sweep over a band works. */
typedef struct {
    int16_t *doubled, *lines, *ring[LEVELS];
} Bench;

/* All that an extraction works on. */
typedef struct {
    int n_octaves, n_bands[MOST_OCTAVES];
    Octave band[MOST_OCTAVES][MOST_BANDS];
    Bench bench[MOST_BANDS];
    Kernel kernel[LEVELS];
} Pyramid;

/* A sweep over one band: how many rows of the doubled picture, of each level and of the search are done. */
typedef struct {
    const Pyramid *pyramid;
    const Octave *band;
    const Bench *bench;
    int octave;
    int64_t doubled, level[LEVELS], searched;
} Sweep;

/* Of the first level, which the doubled picture is blurred to (OpenCV takes the camera's own blur to be 0.5 pixels), and
   of each level from the one before it. */
static void make_kernels(Kernel *kernel)
{
    const double ratio = exponential(0.6931471805599453 / LAYERS);
    set_kernel(kernel, sqrt(SIGMA * SIGMA - 1.0));
    double sigma = SIGMA;
    for (int level = 1; level < LEVELS; level++, sigma *= ratio)
        set_kernel(kernel + level, sigma * sqrt(ratio * ratio - 1.0));
}

/* The row that is so many above another, or the first. */
static int64_t above(int64_t y, int64_t n)
{
    return y > n ? y - n : 0;
}

/* Where a band begins: each level with the first row that the next level, the search or a descriptor reads. */
static Sweep beginning(int64_t first, const Kernel *kernel)
{
    Sweep sweep = {.searched = first};
    int64_t y = above(first, WALK + 1);
    for (int level = LEVELS - 1; level >= 0; level--) {
        if (level == LAYERS && y > above(first, REACH))
            y = above(first, REACH);
        sweep.level[level] = y;
        y = above(y, kernel[level].radius);
    }
    sweep.doubled = y;
    return sweep;
}

static void lay_out_band(Room *room, const Pyramid *pyramid, int b, int n_bands, Octave *band)
{
    const int64_t height = band->height, n = height - 2 * BORDER;
    band->first = BORDER + n * b / n_bands;
    band->stop = BORDER + n * (b + 1) / n_bands;
    band->low = beginning(band->first, pyramid->kernel).level[1];
    band->high = band->stop + AHEAD < height ? band->stop + AHEAD : height;
    for (int level = 0; level < LEVELS; level++) {
        int16_t *ring = pyramid->bench[b].ring[level];
        band->mask[level] = level >= 1 && level <= LAYERS ? -1 : RING - 1;
        band->level[level] = band->mask[level] < 0 ? piece(room, 2 * band->stride * (band->high - band->low)) : ring;
    }
}

/* Gives every part of the work its place in the room, and returns how much of it is used. Octaves in which there is no
   pixel to look at are none; OpenCV's further ones are empty. */
static int64_t lay_out(uint8_t *base, int64_t width, int64_t height, int64_t n_bands, Pyramid *pyramid)
{
    Room room = {.base = base};
    make_kernels(pyramid->kernel);
    width *= 2, height *= 2;
    for (Bench *bench = pyramid->bench; bench < pyramid->bench + n_bands; bench++) {
        bench->doubled = piece(&room, 2 * padded(width) * RING);
        bench->lines = piece(&room, 4 * (padded(width) + 2 * LANES));
        for (int level = 0; level < LEVELS; level += level ? 1 : LAYERS + 1)
            bench->ring[level] = piece(&room, 2 * padded(width) * RING);
    }
    int o = 0;
    for (; o < MOST_OCTAVES && width > 2 * BORDER && height > 2 * BORDER; o++, width /= 2, height /= 2) {
        const int64_t most = height / LEAST_ROWS > 1 ? height / LEAST_ROWS : 1;
        pyramid->n_bands[o] = (int)(n_bands < most ? n_bands : most);
        for (int b = 0; b < pyramid->n_bands[o]; b++) {
            pyramid->band[o][b] = (Octave){.width = width, .height = height, .stride = padded(width)};
            lay_out_band(&room, pyramid, b, pyramid->n_bands[o], pyramid->band[o] + b);
        }
    }
    pyramid->n_octaves = o;
    piece(&room, 2 * TILE);
    return room.used;
}

/* The band of an octave that a row lies in. */
static const Octave *band_at(const Pyramid *pyramid, int octave, int64_t y)
{
    const Octave *band = pyramid->band[octave];
    for (int b = 1; b < pyramid->n_bands[octave] && y >= band->stop; b++)
        band++;
    return band;
}

/* Makes what rows of a level can be made when `n` of those that are blurred are done, two at a time. These lie at `base`,
   where mask chooses them. */
static void blur_level(Sweep *sweep, int level, const int16_t *base, int64_t mask, int64_t n)
{
    const Kernel *kernel = sweep->pyramid->kernel + level;
    const Octave *band = sweep->band;
    const int64_t ready = n == band->height ? n : n - kernel->radius - 1;
    const int64_t until = ready < band->high ? ready : band->high;
    for (int64_t *y = sweep->level + level; *y < until; *y += *y + 1 < until ? 2 : 1) {
        const int16_t *rows[2 * MOST_RADIUS + 2];
        for (int k = 0; k <= 2 * kernel->radius + 1; k++)
            rows[k] =
                base + ((reflected(*y + k - kernel->radius, band->height) - band->low) & mask) * band->stride;
        blur_rows(
            rows, kernel, band->width, sweep->bench->lines, row_of(band, level, *y),
            *y + 1 < until ? row_of(band, level, *y + 1) : 0);
    }
}

static void first_level(const uint8_t *pixels, Sweep *sweep)
{
    const Octave *band = sweep->band;
    int16_t *doubled = sweep->bench->doubled;
    int64_t *y = &sweep->doubled;
    for (int n = 0; n < STRIP && *y < band->height; n++, (*y)++)
        double_row(
            pixels, band->width / 2, band->height / 2, *y, doubled + ((*y - band->low) & (RING - 1)) * band->stride);
    blur_level(sweep, 0, doubled, RING - 1, *y);
}

/* Every second pixel of the level that has twice the sigma of the first. */
static void halve(Sweep *sweep)
{
    const Octave *band = sweep->band;
    int64_t *y = sweep->level;
    for (int n = 0; n < STRIP && *y < band->height; n++, (*y)++) {
        const int16_t *source = row_of(band_at(sweep->pyramid, sweep->octave - 1, 2 * *y), LAYERS, 2 * *y);
        int16_t *row = row_of(band, 0, *y);
        for (int64_t x = 0; x < band->width; x++)
            row[x] = source[2 * x];
    }
}

/* Looks for key points in one band, after the whole of the octave before. */
static void sweep_band(const uint8_t *pixels, const Pyramid *pyramid, int octave, int b, float contrast, Strongest *found)
{
    const Octave *band = pyramid->band[octave] + b;
    const int64_t described = band->stop + REACH < band->height ? band->stop + REACH : band->height;
    Sweep sweep = beginning(band->first, pyramid->kernel);
    sweep.pyramid = pyramid, sweep.octave = octave, sweep.band = band, sweep.bench = pyramid->bench + b;
    while (sweep.searched < band->stop || sweep.level[LAYERS] < described) {
        if (octave)
            halve(&sweep);
        else
            first_level(pixels, &sweep);
        for (int l = 1; l < LEVELS; l++)
            blur_level(&sweep, l, band->level[l - 1], band->mask[l - 1], sweep.level[l - 1]);
        const int64_t n = sweep.level[LEVELS - 1], ready = n == band->height ? n - BORDER : n - WALK - 1;
        const int64_t until = ready < band->stop ? ready : band->stop;
        find_points(band, octave, sweep.searched, until, contrast, found);
        sweep.searched = until > sweep.searched ? until : sweep.searched;
    }
}

/* Bytes of room that a picture needs. */
EXPORT int64_t bof_sift_room(int64_t width, int64_t height, int64_t n_bands)
{
    Pyramid pyramid;
    return lay_out(0, width, height, n_bands, &pyramid);
}

/* Into how many bands an octave is cut; 0 where there is none. */
EXPORT int64_t bof_sift_bands(int64_t width, int64_t height, int64_t n_bands, int64_t octave)
{
    Pyramid pyramid;
    lay_out(0, width, height, n_bands, &pyramid);
    return octave < pyramid.n_octaves ? pyramid.n_bands[octave] : 0;
}

/* Looks for the strongest points in one band of some octaves, after all octaves before them; returns how many. */
EXPORT int64_t bof_sift_points(
    const uint8_t *pixels, const float *limits, uint8_t *room, Point *point, int64_t first, int64_t stop, int64_t band,
    int64_t n_bands, int64_t height, int64_t width, int64_t n_room, int64_t n_points)
{
    Pyramid pyramid;
    Strongest found = {.most = n_points / 2, .room = n_points, .least = limits[1], .point = point};
    if (lay_out(room, width, height, n_bands, &pyramid) > n_room || n_points < 2)
        return OUT_OF_RANGE;
    for (int64_t octave = first; octave < stop && octave < pyramid.n_octaves; octave++)
        if (band < pyramid.n_bands[octave])
            sweep_band(pixels, &pyramid, (int)octave, (int)band, limits[0], &found);
    sort_points(&found);
    return found.n;
}

/* Sorts points, strongest first, each once, and returns how many of them are the strongest `most`. */
EXPORT int64_t bof_sift_strongest(Point *point, int64_t most, int64_t n)
{
    Strongest all = {.n = n, .most = most, .room = n, .point = point};
    sort_points(&all);
    return all.n;
}

static int is_sound(const Pyramid *pyramid, const Point *point)
{
    if (!exists(point->octave, pyramid->n_octaves) || point->layer < 1 || point->layer > LAYERS)
        return 0;
    const Octave *octave = pyramid->band[point->octave];
    return point->row >= BORDER && point->row < octave->height - BORDER && point->column >= BORDER &&
           point->column < octave->width - BORDER && point->scale > 0.0f && point->scale < (float)COARSEST;
}

/* Finds the directions of the points from `first` to stop - 1, at most MOST_ANGLES each. */
EXPORT int64_t bof_sift_orient(
    uint8_t *room, const Point *point, int64_t first, int64_t stop, float *angles, int32_t *n_angles, int64_t width,
    int64_t height, int64_t n_bands, int64_t n_room)
{
    Pyramid pyramid;
    if (lay_out(room, width, height, n_bands, &pyramid) > n_room)
        return OUT_OF_RANGE;
    for (int64_t i = first; i < stop; i++) {
        if (!is_sound(&pyramid, point + i))
            return OUT_OF_RANGE;
        n_angles[i] = orient(band_at(&pyramid, point[i].octave, point[i].row), point + i, angles + i * MOST_ANGLES);
    }
    return stop - first;
}

/* Describes the points from `first` to stop - 1 in those of their directions that are among the first n_most features;
   start[i] is where those of point i stand. */
EXPORT int64_t bof_sift_describe(
    uint8_t *room, const Point *point, int64_t first, int64_t stop, const float *angles, const int32_t *n_angles,
    const int32_t *start, float *keypoints, uint8_t *descriptors, int64_t width, int64_t height, int64_t n_bands,
    int64_t n_room, int64_t n_most)
{
    Pyramid pyramid;
    if (lay_out(room, width, height, n_bands, &pyramid) > n_room)
        return OUT_OF_RANGE;
    for (int64_t i = first; i < stop; i++) {
        if (!is_sound(&pyramid, point + i) || start[i] < 0 || !exists(n_angles[i], MOST_ANGLES + 1))
            return OUT_OF_RANGE;
        const Octave *band = band_at(&pyramid, point[i].octave, point[i].row);
        for (int64_t a = 0; a < n_angles[i] && start[i] + a < n_most; a++) {
            const float angle = angles[i * MOST_ANGLES + a];
            const float keypoint[4] = {point[i].x / 2, point[i].y / 2, point[i].size / 2, angle};
            memcpy(keypoints + 4 * (start[i] + a), keypoint, sizeof keypoint);
            describe(band, point + i, angle, descriptors + (start[i] + a) * N_BINS);
        }
    }
    return stop - first;
}
