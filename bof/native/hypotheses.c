/* Which similarity do most matches of two pictures agree with? */

#include "common.h"

/* Columns of m pairs: place in the query and in the database picture, scale, cosine and sine of the turn, log scale. */
typedef struct {
    const float *x, *y, *u, *v, *scale, *cosine, *sine, *log_scale;
} Pairs;

typedef struct {
    float tolerance, cosine, log_scale;
} Limits;

typedef int32_t (*gather_fn)(Pairs, const int32_t *, Limits, int64_t, int64_t);

/* A similarity u = a x - b y + x0, v = b x + a y + y0, and the squared residual that it allows: the tolerance must
   hold in both pictures, so it shrinks with the scale. */
typedef struct {
    float a, b, x0, y0, allowed;
} Similarity;

INLINE Similarity propose(Pairs p, Limits limits, int64_t h)
{
    const float a = p.scale[h] * p.cosine[h], b = p.scale[h] * p.sine[h];
    const float limit = limits.tolerance * (p.scale[h] < 1.0f ? p.scale[h] : 1.0f);
    return (Similarity){
        a, b, p.u[h] - (a * p.x[h] - b * p.y[h]), p.v[h] - (b * p.x[h] + a * p.y[h]), limit * limit};
}

INLINE int agrees(Pairs p, Similarity s, Limits limits, int64_t h, int64_t j)
{
    const float du = s.a * p.x[j] - s.b * p.y[j] + s.x0 - p.u[j], dv = s.b * p.x[j] + s.a * p.y[j] + s.y0 - p.v[j];
    return (du * du + dv * dv < s.allowed) & (p.cosine[h] * p.cosine[j] + p.sine[h] * p.sine[j] > limits.cosine)
        & (fabsf(p.log_scale[h] - p.log_scale[j]) < limits.log_scale);
}

/* The weight of the pairs that agree with the similarity of pair h in place, turn and scale. */
INLINE int32_t gather_plain(
    Pairs p, const int32_t *weight, Limits limits, int64_t m, int64_t h)
{
    const Similarity s = propose(p, limits, h);
    uint32_t gathered = 0;
    for (int64_t j = 0; j < m; j++)
        gathered += agrees(p, s, limits, h, j) ? (uint32_t)weight[j] : 0;
    return (int32_t)gathered;
}

static int32_t gather_any(Pairs p, const int32_t *w, Limits l, int64_t m, int64_t h)
{
    return gather_plain(p, w, l, m, h);
}

#if defined(__x86_64__)
NARROW static int32_t gather_narrow(Pairs p, const int32_t *w, Limits l, int64_t m, int64_t h)
{
    return gather_plain(p, w, l, m, h);
}

WIDE static int32_t gather_wide(Pairs p, const int32_t *w, Limits l, int64_t m, int64_t h)
{
    return gather_plain(p, w, l, m, h);
}

static const gather_fn gather_on[] = {gather_any, gather_narrow, gather_wide};
#else
static const gather_fn gather_on[] = {gather_any};
#endif

/* The pairs that agree with pair h, strongest first, each of whose two grid cells is still free; returns how many. */
static int64_t follow(
    Pairs p, const int32_t *query_cell, const int32_t *database_cell, Limits limits, int64_t m, int64_t h, int64_t *retained)
{
    const Similarity s = propose(p, limits, h);
    int64_t n = 0;
    for (int64_t j = 0; j < m; j++) {
        int is_free = agrees(p, s, limits, h, j);
        for (int64_t i = 0; is_free && i < n; i++)
            is_free = query_cell[retained[i]] != query_cell[j] && database_cell[retained[i]] != database_cell[j];
        retained[n] = j;
        n += is_free;
    }
    return n;
}

#define FINALISTS 3

/* For pictures first to stop - 1: see best_hypotheses in bof/native/__init__.py. Row c of `pairs` starts at
   pairs + c * m. */
EXPORT int64_t bof_best_hypotheses(
    const int64_t *indptr, int64_t first, int64_t stop, const float *pairs, const int32_t *weight, const int32_t *cells,
    const float *limits, int64_t n_hypotheses, int64_t min_fit, int64_t *seed, int64_t *n_agreeing, int64_t *agreeing,
    int64_t m)
{
    const gather_fn gather = gather_on[processor()];
    const Limits limit = {limits[0], limits[1], limits[2]};
    const int64_t longest = longest_of(indptr, first, stop, m);
    if (longest < 0)
        return BAD_OFFSETS;
    int64_t *followers = malloc(sizeof(int64_t) * (size_t)(longest + 1));
    if (!followers)
        return NO_MEMORY;
    for (int64_t i = first; i < stop; i++) {
        const int64_t start = indptr[i], n_pairs = indptr[i + 1] - start;
        const float *at = pairs + start;
        const Pairs p = {at, at + m, at + 2 * m, at + 3 * m, at + 4 * m, at + 5 * m, at + 6 * m, at + 7 * m};
        int64_t best[FINALISTS], heaviest[FINALISTS];
        for (int f = 0; f < FINALISTS; f++)
            best[f] = heaviest[f] = -1;
        for (int64_t h = 0; h < n_pairs && h < n_hypotheses; h++) {
            const int32_t gathered = gather(p, weight + start, limit, n_pairs, h);
            int rank = FINALISTS;
            for (; rank > 0 && gathered > heaviest[rank - 1]; rank--)
                if (rank < FINALISTS) {
                    best[rank] = best[rank - 1];
                    heaviest[rank] = heaviest[rank - 1];
                }
            if (rank < FINALISTS) {
                best[rank] = h;
                heaviest[rank] = gathered;
            }
        }
        seed[i] = -1;
        n_agreeing[i] = 0;
        for (int f = 0; f < FINALISTS && best[f] >= 0 && (f == 0 || n_agreeing[i] >= min_fit); f++) {
            const int64_t n = follow(p, cells + start, cells + m + start, limit, n_pairs, best[f], followers);
            if (f == 0 || n > n_agreeing[i]) {
                seed[i] = best[f] + start;
                n_agreeing[i] = n;
                for (int64_t j = 0; j < n; j++)
                    agreeing[start + j] = followers[j] + start;
            }
        }
    }
    free(followers);
    return 0;
}

/* ---- From matches to pairs -------------------------------------------------------------------------------------- */

#define FULL 65535.0
#define OCTAVES 16.0

/* Where feature[j] of image position[p] lies, for the m matches j from indptr[p] to indptr[p + 1] - 1 of the pictures
   p = pictures[0], pictures[1], ...: columns x, y, scale in fractions, angle in degrees. */
EXPORT int64_t bof_place_features(
    const int64_t *pictures, const int64_t *indptr, const int64_t *position, const uint16_t *feature,
    const int64_t *feature_indptr, const uint16_t *xy, const uint16_t *scale_angle, double *placed, int64_t n,
    int64_t n_pictures, int64_t n_images, int64_t n_features, int64_t m)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t p = pictures[i];
        if (!exists(p, n_pictures))
            return OUT_OF_RANGE;
        if (!exists(position[p], n_images))
            return NO_SUCH_IMAGE;
        const int64_t start = feature_indptr[position[p]], stop = feature_indptr[position[p] + 1];
        if (!are_offsets(start, stop, n_features) || !are_offsets(indptr[p], indptr[p + 1], m))
            return BAD_OFFSETS;
        for (int64_t j = indptr[p]; j < indptr[p + 1]; j++) {
            const int64_t row = start + feature[j];
            if (row >= stop)
                return NO_SUCH_FEATURE;
            placed[j] = xy[2 * row] / FULL;
            placed[m + j] = xy[2 * row + 1] / FULL;
            placed[2 * m + j] = exp2(scale_angle[2 * row] * (OCTAVES / FULL) - OCTAVES);
            placed[3 * m + j] = scale_angle[2 * row + 1] * (360.0 / 65536.0);
        }
    }
    return 0;
}

/* The cell of a grid in which a point lies along one axis; far outside of every picture all points share one. */
static inline uint32_t axis_cell(double x, double size)
{
    const double farthest = 1 << 30;
    return (uint32_t)(int32_t)fmax(-farthest, fmin(farthest, floor(x / size)));
}

static inline int32_t cell_of(double x, double y, double size)
{
    return (int32_t)(axis_cell(y, size) << 16 ^ (axis_cell(x, size) & 0xFFFF));
}

/* For matches first to stop - 1: see pair_up in bof/native/__init__.py. query holds columns x, y, scale, angle, each n_query
   long, of the query's features; all other columns are m long. */
EXPORT int64_t bof_pair_up(
    const double *query, const int32_t *row, const double *database, int64_t first, int64_t stop, double cell_size,
    double *places, double *turns, int32_t *cells, float *columns, int64_t n_query, int64_t m)
{
    const double degree = 3.14159265358979323846 / 180.0;
    for (int64_t i = first; i < stop; i++) {
        if (!exists(row[i], n_query))
            return NO_SUCH_FEATURE;
        const double x = query[row[i]], y = query[n_query + row[i]], u = database[i], v = database[m + i];
        const double scale = database[2 * m + i] / query[2 * n_query + row[i]];
        const double angle = (database[3 * m + i] - query[3 * n_query + row[i]]) * degree;
        const double pair[] = {x, y, u, v, scale, cos(angle), sin(angle), log(scale)};
        for (int c = 0; c < 8; c++)
            columns[c * m + i] = (float)pair[c];
        for (int c = 0; c < 4; c++)
            places[c * m + i] = pair[c];
        for (int c = 0; c < 3; c++)
            turns[c * m + i] = pair[4 + c];
        cells[i] = cell_of(x, y, cell_size);
        cells[m + i] = cell_of(u, v, cell_size);
    }
    return 0;
}
