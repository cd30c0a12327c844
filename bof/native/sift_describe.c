/* Directions and descriptors of SIFT's key points, in their level of the pyramid (Lowe 2004, sections 5 and 6). */

/* Without masks a compiler makes vectors of choices between floats only if it need not mind floating-point traps. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

#include "sift.h"

#include <string.h>

#define PEAKS 36              /* directions of the histogram that orients a key point (Lowe 2004, section 5) */
#define PEAK_SIGMA 1.5        /* of its window, in sigmas of the key point (same) */
#define PEAK_RADIUS 4.5       /* of its window: three times that, as in OpenCV */
#define PEAK_RATIO 0.8f       /* of the highest peak: others as high are features of their own (same) */
#define CELLS 4               /* a row of a descriptor, and a column (Lowe 2004, section 6) */
#define DIRECTIONS 8          /* of each cell (same) */
#define CELL_SIGMAS 3.0       /* sigmas of the key point in the width of a cell: OpenCV's SIFT_DESCR_SCL_FCTR */
#define MOST_SHARE 0.2f       /* of one element in the length of a descriptor (Lowe 2004, section 6.1) */
#define BYTE_LENGTH 512.0f    /* of a descriptor in bytes: OpenCV's SIFT_INT_DESCR_FCTR */
#define MOST_SAMPLES 128      /* in a row of a window: its radius is at most 41 pixels */
#define SAMPLE_LANES 16       /* in the widest vector */
#define MIDDLE 64             /* of the weights of a window, which go down to both sides */
#define HISTOGRAMS 4          /* filled in turn, so that samples next to each other need not wait for each other */
#define PITCH ((CELLS + 2) * DIRECTIONS)
#define HISTOGRAM ((CELLS + 2) * PITCH)

/* Loops over samples run over whole vectors; compilers see that. */
INLINE int whole_lanes(int n)
{
    return (n + SAMPLE_LANES - 1) & -SAMPLE_LANES;
}

/* Gradients in a row of pixels: lengths, and directions in degrees by OpenCV's polynomial (fastAtan2). */
INLINE void gradients(
    const int16_t *above, const int16_t *here, const int16_t *below, int n, float *length, float *degrees)
{
#pragma GCC ivdep
    for (int i = 0; i < whole_lanes(n); i++) {
        const float dx = (float)(here[i + 1] - here[i - 1]), dy = (float)(above[i] - below[i]);
        const float ax = fabsf(dx), ay = fabsf(dy);
        const float shorter = ax < ay ? ax : ay, longer = ax < ay ? ay : ax;
        const float c = shorter / (longer + 2.2204460e-16f), s = c * c;
        float angle = (((-2.5397246f * s + 8.914000f) * s - 18.667446f) * s + 57.283627f) * c;
        const float turned = 90.0f - angle;
        angle = ax < ay ? turned : angle;
        const float other = 180.0f - angle;
        angle = dx < 0.0f ? other : angle;
        const float under = 360.0f - angle;
        degrees[i] = dy < 0.0f ? under : angle;
        length[i] = sqrtf(dx * dx + dy * dy);
    }
}

/* exp(-i^2 * rate) for i from -n to n, around the middle; more of it is read, but not used. */
static void bell(double rate, int n, float *weight)
{
    const double ratio = exponential(-2.0 * rate);
    double step = exponential(-rate), value = 1.0;
    memset(weight, 0, MOST_SAMPLES * sizeof *weight);
    for (int i = 0; i <= n; i++) {
        weight[MIDDLE - i] = weight[MIDDLE + i] = (float)value;
        value *= step;
        step *= ratio;
    }
}

/* The window of a key point: pixels that have all four neighbours, relative to its own. */
typedef struct {
    int top, bottom, left, right;
} Window;

static Window window_of(const Octave *octave, const Point *point, int radius)
{
    const int64_t up = 1 - point->row, down = octave->height - 2 - point->row;
    const int64_t back = 1 - point->column, on = octave->width - 2 - point->column;
    return (Window){
        .top = up > -radius ? (int)up : -radius,
        .bottom = down < radius ? (int)down : radius,
        .left = back > -radius ? (int)back : -radius,
        .right = on < radius ? (int)on : radius,
    };
}

INLINE void peaks_body(
    const Octave *octave, const Point *point, Window window, const float *weight, float *histogram)
{
    const int n = window.right - window.left + 1;
    const float *across = weight + MIDDLE + window.left;
    float length[MOST_SAMPLES], degrees[MOST_SAMPLES];
    int32_t bin[MOST_SAMPLES];
    for (int i = window.top; i <= window.bottom; i++) {
        const int16_t *here = row_of(octave, point->layer, point->row + i) + point->column + window.left;
        gradients(here - octave->stride, here, here + octave->stride, n, length, degrees);
        const float down = weight[MIDDLE + i];
        for (int j = 0; j < whole_lanes(n); j++) {
            length[j] *= down * across[j];
            bin[j] = (int32_t)(degrees[j] * (PEAKS / 360.0f) + 0.5f);
        }
        for (int j = 0; j < n; j++)
            histogram[bin[j]] += length[j];
    }
}

/* Bins of the smoothed histogram that are peaks; returns how many. */
static int find_peaks(const float *raw, float *angles)
{
    float smooth[PEAKS], highest = 0.0f;
    for (int b = 0; b < PEAKS; b++) {
        const float near = raw[(b + PEAKS - 1) % PEAKS] + raw[(b + 1) % PEAKS];
        const float far = raw[(b + PEAKS - 2) % PEAKS] + raw[(b + 2) % PEAKS];
        smooth[b] = far * (1.0f / 16) + near * (4.0f / 16) + raw[b] * (6.0f / 16);
        highest = smooth[b] > highest ? smooth[b] : highest;
    }
    int n = 0;
    for (int b = PEAKS; b-- > 0;) {
        const float before = smooth[(b + PEAKS - 1) % PEAKS], here = smooth[b], after = smooth[(b + 1) % PEAKS];
        if (here <= before || here <= after || here < highest * PEAK_RATIO)
            continue;
        const float place = (float)b + 0.5f * (before - after) / (before - 2.0f * here + after);
        const float angle = 360.0f - place * (360.0f / PEAKS);
        angles[n++] = angle >= 360.0f ? angle - 360.0f : angle;
    }
    return n;
}

/* A descriptor's frame: how cells turn with a pixel to the right, the pixels that a cell takes if there are not
   too many, and its own direction. */
typedef struct {
    float cosine, sine, degrees, by_cosine, by_sine;
    int radius;
} Frame;

static Frame frame_of(const Point *point, float angle)
{
    const double width = CELL_SIGMAS * (double)point->scale;
    double cosine, sine;
    direction(360.0 - (double)angle, &cosine, &sine);
    return (Frame){
        .cosine = (float)(cosine / width),
        .sine = (float)(sine / width),
        .degrees = angle > 0.0f ? 360.0f - angle : 0.0f,
        .by_cosine = fabs(cosine) < 1e-3 ? 0.0f : (float)(width / cosine),
        .by_sine = fabs(sine) < 1e-3 ? 0.0f : (float)(width / sine),
        .radius = (int)rint(width * 1.4142135623730951 * (CELLS + 1) * 0.5),
    };
}

/* Narrows first to last to the pixels j for which start + j / pixels lies between 0 and CELLS + 1; one more at each
   end. */
INLINE void narrow(float start, float pixels, int *first, int *last)
{
    const float a = -start * pixels, b = a + (CELLS + 1) * pixels;
    const int low = (int)(a < b ? a : b) - 1, high = (int)(a < b ? b : a) + 1;
    *first = pixels != 0.0f && low > *first ? low : *first;
    *last = pixels != 0.0f && high < *last ? high : *last;
}

/* Samples of a row of pixels: where each falls in the histogram, in what part of their lengths for the two rows of cells
   and two columns that it lies between, and how much of that for each of two directions. */
typedef struct {
    float length[MOST_SAMPLES], degrees[MOST_SAMPLES], straight[MOST_SAMPLES], turned[MOST_SAMPLES];
    float part[2][2][MOST_SAMPLES];
    int32_t place[MOST_SAMPLES], direction[MOST_SAMPLES];
} Samples;

/* row, column: of the histogram's cells, of which one more lies around the descriptor's, at the row's first pixel. */
INLINE void place_samples(
    const Frame *frame, float row, float column, float weight, const float *across, int n, Samples *s)
{
#pragma GCC ivdep
    for (int j = 0; j < whole_lanes(n); j++) {
        const float r = row + (float)j * frame->sine, c = column + (float)j * frame->cosine;
        const int is_inside = (j < n) & (r > 0.0f) & (r < CELLS + 1.0f) & (c > 0.0f) & (c < CELLS + 1.0f);
        const int32_t whole_r = (int32_t)r, whole_c = (int32_t)c;
        const float bins = (s->degrees[j] - frame->degrees) * (DIRECTIONS / 360.0f) + (float)DIRECTIONS;
        const int32_t whole = (int32_t)bins;
        const float length = is_inside ? s->length[j] * (weight * across[j]) : 0.0f;
        const float low_r = r - (float)whole_r, low_c = c - (float)whole_c;
        s->place[j] = is_inside ? whole_r * PITCH + whole_c * DIRECTIONS : 0;
        s->turned[j] = length * (bins - (float)whole);
        s->straight[j] = length - s->turned[j];
        s->direction[j] = (whole & (DIRECTIONS - 1)) * DIRECTIONS;
        s->part[0][0][j] = (1.0f - low_r) * (1.0f - low_c);
        s->part[0][1][j] = (1.0f - low_r) * low_c;
        s->part[1][0][j] = low_r * (1.0f - low_c);
        s->part[1][1][j] = low_r * low_c;
    }
}

/* Row d: 1 for direction d. */
static const float AT_DIRECTION[(DIRECTIONS + 1) * DIRECTIONS] __attribute__((aligned(64))) = {
    1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0,
};

/* One cell. Wider vectors would lie across two lines of the cache. */
typedef float Cell __attribute__((vector_size(4 * DIRECTIONS), may_alias));

INLINE void add_sample(const Samples *s, int j, float *histogram)
{
    const Cell *here = (const Cell *)(AT_DIRECTION + s->direction[j]);
    const Cell length = here[0] * s->straight[j] + here[1] * s->turned[j];
    Cell *upper = (Cell *)(histogram + s->place[j]), *lower = upper + CELLS + 2;
    upper[0] += length * s->part[0][0][j];
    upper[1] += length * s->part[0][1][j];
    lower[0] += length * s->part[1][0][j];
    lower[1] += length * s->part[1][1][j];
}

INLINE void cells_body(
    const Octave *octave, const Point *point, const Frame *frame, Window window, const float *weight,
    float (*histogram)[HISTOGRAM + DIRECTIONS])
{
    Samples s;
    for (int i = window.top; i <= window.bottom; i++) {
        const float middle = CELLS / 2 + 0.5f;
        const float row = (float)i * frame->cosine + middle, column = middle - (float)i * frame->sine;
        int first = window.left, last = window.right;
        narrow(row, frame->by_sine, &first, &last);
        narrow(column, frame->by_cosine, &first, &last);
        const int n = last - first + 1;
        if (n <= 0)
            continue;
        const int16_t *here = row_of(octave, point->layer, point->row + i) + point->column + first;
        gradients(here - octave->stride, here, here + octave->stride, n, s.length, s.degrees);
        place_samples(
            frame, row + (float)first * frame->sine, column + (float)first * frame->cosine, weight[MIDDLE + i],
            weight + MIDDLE + first, n, &s);
        for (int j = 0; j < n; j += HISTOGRAMS)
#pragma GCC unroll 4
            for (int h = 0; h < HISTOGRAMS; h++)
                add_sample(&s, j + h, histogram[h]);
    }
}

VARIANTS(
    void, peaks_body,
    (const Octave *octave, const Point *point, Window window, const float *weight, float *histogram),
    (octave, point, window, weight, histogram))
VARIANTS(
    void, cells_body,
    (const Octave *octave, const Point *point, const Frame *frame, Window window, const float *weight,
     float (*histogram)[HISTOGRAM + DIRECTIONS]),
    (octave, point, frame, window, weight, histogram))

/* The directions of a point, in degrees clockwise, smallest first; returns how many. */
int orient(const Octave *octave, const Point *point, float *angles)
{
    const int radius = (int)rint(PEAK_RADIUS * (double)point->scale);
    const double sigma = PEAK_SIGMA * (double)point->scale;
    float weight[MOST_SAMPLES], histogram[PEAKS + 1] = {0};
    bell(0.5 / (sigma * sigma), radius, weight);
    peaks_body_on[processor()](octave, point, window_of(octave, point, radius), weight, histogram);
    histogram[0] += histogram[PEAKS];
    return find_peaks(histogram, angles);
}

/* Bytes as OpenCV's, then RootSIFT's as root_sift in bof/features/sift.py makes them (Arandjelovic and Zisserman 2012). */
static void to_bytes(float *element, uint8_t *descriptor)
{
    float square = 0.0f, total = 0.0f;
    for (int k = 0; k < N_BINS; k++)
        square += element[k] * element[k];
    const float most = sqrtf(square) * MOST_SHARE;
    square = 0.0f;
    for (int k = 0; k < N_BINS; k++) {
        element[k] = element[k] < most ? element[k] : most;
        square += element[k] * element[k];
    }
    const float scale = BYTE_LENGTH / (sqrtf(square) + 1.1920929e-7f);
    for (int k = 0; k < N_BINS; k++) {
        const float byte = rintf(element[k] * scale);
        element[k] = byte < 255.0f ? byte : 255.0f;
        total += element[k];
    }
    total = total > 1.0f ? total : 1.0f;
    for (int k = 0; k < N_BINS; k++) {
        const float root = rintf(sqrtf(element[k] / total) * BYTE_LENGTH);
        descriptor[k] = (uint8_t)(root < 255.0f ? root : 255.0f);
    }
}

/* The RootSIFT bytes of a point in one of its directions. */
void describe(const Octave *octave, const Point *point, float angle, uint8_t *descriptor)
{
    const Frame frame = frame_of(point, angle);
    float weight[MOST_SAMPLES], element[N_BINS];
    float histogram[HISTOGRAMS][HISTOGRAM + DIRECTIONS] __attribute__((aligned(64)));
    memset(histogram, 0, sizeof histogram);
    bell(2.0 / (CELLS * CELLS) * (double)(frame.cosine * frame.cosine + frame.sine * frame.sine), frame.radius, weight);
    cells_body_on[processor()](octave, point, &frame, window_of(octave, point, frame.radius), weight, histogram);
    for (int r = 0; r < CELLS; r++)
        for (int k = 0; k < CELLS * DIRECTIONS; k++) {
            const int from = (r + 1) * PITCH + DIRECTIONS + k;
            element[r * CELLS * DIRECTIONS + k] =
                (histogram[0][from] + histogram[1][from]) + (histogram[2][from] + histogram[3][from]);
        }
    to_bytes(element, descriptor);
}
