/* SIFT features of a grey picture: one sweep over each octave blurs rows, takes differences of levels and refines their
   extrema while all of it lies in the cache; then the strongest key points are oriented and described. */

#include "sift.h"

#include <string.h>

#define RING 128  /* rows of the levels that no feature is described in: blur, scan and refinement reach over fewer */
#define STRIP 16  /* rows by which the sweep moves on */
#define MOST_OCTAVES 20
#define SPARE 512 /* points beyond those asked for, before they fill up */

/* An odd number of the cache's lines: rows below each other then lie in different sets of it. */
static int64_t padded(int64_t width)
{
    return ((width + LANES - 1) / LANES | 1) * LANES;
}

/* Octaves of a doubled picture in which there is a pixel to look at; OpenCV's further ones are empty. */
static int octaves_of(int64_t width, int64_t height)
{
    int n = 0;
    for (; n < MOST_OCTAVES && width > 2 * BORDER && height > 2 * BORDER; n++, width /= 2, height /= 2)
        ;
    return n;
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

/* All that an extraction works on. */
typedef struct {
    int n_octaves;
    Octave octave[MOST_OCTAVES];
    Kernel kernel[LEVELS];
    int16_t *doubled, *lines;
    Strongest strongest;
    Point **by_rank;
    float *angles;
} Work;

static void lay_out_octave(Room *room, int64_t width, int64_t height, Octave *octave, int16_t **ring)
{
    *octave = (Octave){.width = width, .height = height, .stride = padded(width)};
    for (int level = 0; level < LEVELS; level++) {
        const int is_whole = level >= 1 && level <= LAYERS;
        octave->mask[level] = is_whole ? -1 : RING - 1;
        octave->level[level] = is_whole ? piece(room, 2 * octave->stride * height) : ring[level];
    }
}

/* Gives every part of the work its place in the room. */
static void lay_out(Room *room, int64_t width, int64_t height, int64_t most, Work *work)
{
    const int64_t stride = padded(2 * width);
    int16_t *ring[LEVELS];
    for (int level = 0; level < LEVELS; level++)
        ring[level] = level >= 1 && level <= LAYERS ? 0 : piece(room, 2 * stride * RING);
    work->doubled = piece(room, 2 * stride * RING);
    work->lines = piece(room, 4 * (stride + 2 * LANES));
    work->strongest = (Strongest){.most = most + SPARE, .room = 2 * (most + SPARE)};
    work->strongest.point = piece(room, work->strongest.room * (int64_t)sizeof(Point));
    work->by_rank = piece(room, (most + SPARE) * (int64_t)sizeof(Point *));
    work->angles = piece(room, (most + SPARE) * MOST_ANGLES * (int64_t)sizeof(float));
    work->n_octaves = octaves_of(2 * width, 2 * height);
    for (int o = 0; o < work->n_octaves; o++)
        lay_out_octave(room, (2 * width) >> o, (2 * height) >> o, work->octave + o, ring);
    piece(room, 2 * TILE);
}

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

/* A sweep over one octave: how many rows of the doubled picture, of each level and of the search are done. */
typedef struct {
    int64_t doubled, level[LEVELS], searched;
} Progress;

/* Makes what rows of a level can be made when `n` of those that are blurred are done, two at a time. These lie at `base`,
   where mask chooses them. */
static void blur_level(
    const int16_t *base, int64_t mask, int64_t n, const Octave *octave, int level, Work *work, Progress *done)
{
    const Kernel *kernel = work->kernel + level;
    const int64_t height = octave->height, until = n == height ? height : n - kernel->radius - 1;
    for (int64_t *y = done->level + level; *y < until; *y += *y + 1 < height ? 2 : 1) {
        const int16_t *rows[2 * MOST_RADIUS + 2];
        for (int k = 0; k <= 2 * kernel->radius + 1; k++)
            rows[k] = base + (reflected(*y + k - kernel->radius, height) & mask) * octave->stride;
        blur_rows(
            rows, kernel, octave->width, work->lines, row_of(octave, level, *y),
            *y + 1 < height ? row_of(octave, level, *y + 1) : 0);
    }
}

static void first_level(const uint8_t *pixels, Work *work, Progress *done)
{
    const Octave *octave = work->octave;
    const int64_t until = done->doubled + STRIP < octave->height ? done->doubled + STRIP : octave->height;
    for (; done->doubled < until; done->doubled++)
        double_row(
            pixels, octave->width / 2, octave->height / 2, done->doubled,
            work->doubled + (done->doubled & (RING - 1)) * octave->stride);
    blur_level(work->doubled, RING - 1, until, octave, 0, work, done);
}

/* Every second pixel of the level that has twice the sigma of the first. */
static void halve(const Octave *from, const Octave *octave, Progress *done)
{
    const int64_t until = done->level[0] + STRIP < octave->height ? done->level[0] + STRIP : octave->height;
    for (int64_t y = done->level[0]; y < until; y++) {
        const int16_t *source = row_of(from, LAYERS, 2 * y);
        int16_t *row = row_of(octave, 0, y);
        for (int64_t x = 0; x < octave->width; x++)
            row[x] = source[2 * x];
    }
    done->level[0] = until;
}

static void sweep(const uint8_t *pixels, int number, float contrast, Work *work)
{
    const Octave *octave = work->octave + number;
    Progress done = {.searched = BORDER};
    while (done.searched < octave->height - BORDER) {
        if (number)
            halve(octave - 1, octave, &done);
        else
            first_level(pixels, work, &done);
        for (int level = 1; level < LEVELS; level++)
            blur_level(
                octave->level[level - 1], octave->mask[level - 1], done.level[level - 1], octave, level, work, &done);
        const int64_t n = done.level[LEVELS - 1];
        const int64_t until = n == octave->height ? n - BORDER : n - WALK - 1;
        find_points(octave, number, done.searched, until, contrast, &work->strongest);
        done.searched = until > done.searched ? until : done.searched;
    }
}

/* Orients the points from `first` to stop - 1, strongest first, in the order in which they lie, and says where their
   features stand; returns how many features there are then. */
static int64_t orient_points(Work *work, int64_t first, int64_t stop, int64_t n_features)
{
    Point *point = work->strongest.point;
    for (int64_t i = first; i < stop; i++)
        point[i].rank = (int32_t)i;
    sort_by_place(point + first, stop - first);
    for (int64_t i = first; i < stop; i++) {
        float *angles = work->angles + point[i].rank * MOST_ANGLES;
        point[i].n_angles = orient(work->octave + point[i].octave, point + i, angles);
        work->by_rank[point[i].rank] = point + i;
    }
    for (int64_t i = first; i < stop; i++) {
        work->by_rank[i]->start = (int32_t)n_features;
        n_features += work->by_rank[i]->n_angles;
    }
    return n_features;
}

/* Describes a point in those of its directions that are among the strongest `most` features. */
static void describe_point(const Work *work, const Point *point, int64_t most, float *keypoints, uint8_t *descriptors)
{
    for (int64_t a = 0; a < point->n_angles && point->start + a < most; a++) {
        const float angle = work->angles[point->rank * MOST_ANGLES + a];
        const float keypoint[4] = {point->x / 2, point->y / 2, point->size / 2, angle};
        memcpy(keypoints + 4 * (point->start + a), keypoint, sizeof keypoint);
        describe(work->octave + point->octave, point, angle, descriptors + (point->start + a) * N_BINS);
    }
}

/* Orients and describes the strongest points until there are `most` features; columns x, y, size, angle. */
static int64_t describe_strongest(Work *work, int64_t most, float *keypoints, uint8_t *descriptors)
{
    int64_t n_features = 0, n = 0, stop;
    for (; n < work->strongest.n && n_features < most; n = stop) {
        stop = n + most - n_features < work->strongest.n ? n + most - n_features : work->strongest.n;
        n_features = orient_points(work, n, stop, n_features);
    }
    for (int64_t i = 0; i < n; i++)
        describe_point(work, work->strongest.point + i, most, keypoints, descriptors);
    return n_features < most ? n_features : most;
}

/* Bytes of room that a picture needs. */
EXPORT int64_t bof_sift_room(int64_t width, int64_t height, int64_t most)
{
    Room room = {0};
    Work work;
    lay_out(&room, width, height, most, &work);
    return room.used;
}

/* The strongest features of a picture, at most n_most; returns how many. */
EXPORT int64_t bof_sift(
    const uint8_t *pixels, const float *contrast, uint8_t *room, float *keypoints, uint8_t *descriptors, int64_t height,
    int64_t width, int64_t n_room, int64_t n_most)
{
    Room places = {.base = room};
    Work work;
    lay_out(&places, width, height, n_most, &work);
    if (places.used > n_room)
        return OUT_OF_RANGE;
    make_kernels(work.kernel);
    for (int number = 0; number < work.n_octaves; number++)
        sweep(pixels, number, *contrast, &work);
    sort_points(&work.strongest);
    return describe_strongest(&work, n_most, keypoints, descriptors);
}
