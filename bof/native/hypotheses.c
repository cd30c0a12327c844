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
    int32_t gathered = 0;
    for (int64_t j = 0; j < m; j++)
        gathered += agrees(p, s, limits, h, j) ? weight[j] : 0;
    return gathered;
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

/* The pairs that agree with pair h, strongest first, each of whose two spots is still free; returns how many. */
static int64_t follow(
    Pairs p, const int32_t *query_spot, const int32_t *database_spot, Limits limits, int64_t m, int64_t h, int64_t *kept)
{
    const Similarity s = propose(p, limits, h);
    int64_t n = 0;
    for (int64_t j = 0; j < m; j++) {
        int is_free = agrees(p, s, limits, h, j);
        for (int64_t i = 0; is_free && i < n; i++)
            is_free = query_spot[kept[i]] != query_spot[j] && database_spot[kept[i]] != database_spot[j];
        kept[n] = j;
        n += is_free;
    }
    return n;
}

#define FINALISTS 3

/* For pictures first to last - 1: see best_hypotheses in bof/loops/__init__.py. Row c of `columns` starts at
   columns + c * width. */
EXPORT int bof_best_hypotheses(
    const int64_t *indptr, int64_t first, int64_t last, const float *columns, const int32_t *weight,
    const int32_t *spots, int64_t width, const float *limit, int64_t n_hypotheses, int64_t min_fit, int64_t *seed,
    int64_t *n_agreeing, int64_t *agreeing)
{
    const gather_fn gather = gather_on[processor()];
    const Limits limits = {limit[0], limit[1], limit[2]};
    int64_t longest = 0;
    for (int64_t i = first; i < last; i++)
        longest = indptr[i + 1] - indptr[i] > longest ? indptr[i + 1] - indptr[i] : longest;
    int64_t *followers = malloc(sizeof(int64_t) * (size_t)(longest + 1));
    if (!followers)
        return DAMAGED;
    for (int64_t i = first; i < last; i++) {
        const int64_t start = indptr[i], m = indptr[i + 1] - start;
        const float *at = columns + start;
        const Pairs p = {at, at + width, at + 2 * width, at + 3 * width,
                         at + 4 * width, at + 5 * width, at + 6 * width, at + 7 * width};
        int64_t best[FINALISTS], heaviest[FINALISTS];
        for (int f = 0; f < FINALISTS; f++)
            best[f] = heaviest[f] = -1;
        for (int64_t h = 0; h < m && h < n_hypotheses; h++) {
            const int32_t gathered = gather(p, weight + start, limits, m, h);
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
            const int64_t n = follow(p, spots + start, spots + width + start, limits, m, best[f], followers);
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

/* Where feature[i] of image position[p] lies, for the matches i from indptr[p] to indptr[p + 1] - 1 of the pictures
   p = picture[0], picture[1], ...: columns x, y, scale in fractions, angle in degrees, each `width` long. */
EXPORT int bof_place_features(
    const int64_t *picture, int64_t n, const int64_t *indptr, const int64_t *position, const uint16_t *feature,
    const int64_t *feature_indptr, const uint16_t *xy, const uint16_t *scale_angle, int64_t width, double *placed)
{
    for (int64_t i = 0; i < n; i++) {
        const int64_t p = picture[i], start = feature_indptr[position[p]], stop = feature_indptr[position[p] + 1];
        for (int64_t j = indptr[p]; j < indptr[p + 1]; j++) {
            const int64_t row = start + feature[j];
            if (row >= stop)
                return DAMAGED;
            placed[j] = xy[2 * row] / FULL;
            placed[width + j] = xy[2 * row + 1] / FULL;
            placed[2 * width + j] = exp2(scale_angle[2 * row] * (OCTAVES / FULL) - OCTAVES);
            placed[3 * width + j] = scale_angle[2 * row + 1] * (360.0 / 65536.0);
        }
    }
    return 0;
}

static inline int32_t spot_of(double x, double y, double size)
{
    return (int32_t)floor(y / size) * 65536 ^ ((int32_t)floor(x / size) & 0xFFFF);
}

/* For matches first to last - 1: see pair_up in bof/loops/__init__.py. query holds columns x, y, scale, angle, each n_query
   long, of the query's features; all other columns are `width` long. */
EXPORT void bof_pair_up(
    const double *query, int64_t n_query, const int32_t *row, const double *database, int64_t first, int64_t last,
    int64_t width, double spot, double *places, double *turns, int32_t *spots, float *columns)
{
    const double degree = 3.14159265358979323846 / 180.0;
    for (int64_t i = first; i < last; i++) {
        const double x = query[row[i]], y = query[n_query + row[i]], u = database[i], v = database[width + i];
        const double scale = database[2 * width + i] / query[2 * n_query + row[i]];
        const double angle = (database[3 * width + i] - query[3 * n_query + row[i]]) * degree;
        const double pair[] = {x, y, u, v, scale, cos(angle), sin(angle), log(scale)};
        for (int c = 0; c < 8; c++)
            columns[c * width + i] = (float)pair[c];
        for (int c = 0; c < 4; c++)
            places[c * width + i] = pair[c];
        for (int c = 0; c < 3; c++)
            turns[c * width + i] = pair[4 + c];
        spots[i] = spot_of(x, y, spot);
        spots[width + i] = spot_of(u, v, spot);
    }
}
