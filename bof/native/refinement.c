/* From a similarity that matches agree with to an affine transform, and to a homography where perspective shows. */

#include "fits.h"

#include <string.h>

typedef struct {
    double tolerance, max_stretch, perspective_f, cosine, log_scale, min_fit, min_located, min_homography;
} Rules;

static const double tightening[] = {1.0, 0.7, 0.5};

/* The pairs behind the gate that a transform puts within the tolerance, one to one, strongest first. */
static Rows agreeing(const Matches *p, const double *t, double tolerance, int64_t *room)
{
    Rows rows = {room, 0};
    const double scale = sqrt(fabs(t[0] * t[4] - t[1] * t[3])), limit = tolerance * fmin(1.0, scale);
    for (int64_t i = 0; i < p->m; i++) {
        int fits = p->behind[i] && residual(t, p->x[i], p->y[i], p->u[i], p->v[i]) < limit * limit;
        for (int64_t j = 0; fits && j < rows.n; j++)
            fits = p->query_cell[rows.row[j]] != p->query_cell[i]
                && p->database_cell[rows.row[j]] != p->database_cell[i];
        if (fits)
            rows.row[rows.n++] = i;
    }
    return rows;
}

static void keep(Rows *retained, Rows rows)
{
    memcpy(retained->row, rows.row, sizeof(int64_t) * (size_t)rows.n);
    retained->n = rows.n;
}

/* Local optimisation (Chum et al. 2003): fit, count again more strictly, as long as most inliers stay. */
static void refine_affine(const Matches *p, Rules rules, double *t, Rows *inliers, int64_t *room)
{
    for (int step = 0; step < 3 && (double)inliers->n >= rules.min_fit; step++) {
        double fitted[9];
        if (!fit_affine(p, *inliers, fitted) || is_degenerate(fitted, rules.max_stretch))
            break;
        const Rows rows = agreeing(p, fitted, rules.tolerance * tightening[step], room);
        if ((double)rows.n < rules.min_fit || (double)rows.n < 0.7 * (double)inliers->n)
            break;
        memcpy(t, fitted, sizeof fitted);
        keep(inliers, rows);
    }
}

static double total_residual(const Matches *p, Rows rows, const double *t)
{
    double total = 0;
    for (int64_t i = 0; i < rows.n; i++) {
        const int64_t r = rows.row[i];
        total += residual(t, p->x[r], p->y[r], p->u[r], p->v[r]);
    }
    return total;
}

/* Does a homography fit better than an affine transform, by more than two parameters earn by chance (F-test)? */
static int perspective_shows(const Matches *p, Rows rows, const double *homography, double f)
{
    double affine[9];
    if (!fit_affine(p, rows, affine))
        return 0;
    const double without = total_residual(p, rows, affine), left = total_residual(p, rows, homography);
    const double freedom = (double)(2 * rows.n - 8);
    return (without - left) / 2 > f * left / fmax(freedom, 1.0);
}

/* Perspective where it explains at least as many matches as the affine transform. */
static void refine_homography(
    const Matches *p, Rules rules, const double *frame, double *t, Rows *inliers, int64_t *room, double *numbers)
{
    if ((double)inliers->n < rules.min_homography)
        return;
    double fitted[9];
    if (!fit_homography(p, agreeing(p, t, rules.tolerance, room), fitted, numbers) || folds(fitted, frame))
        return;
    const Rows rows = agreeing(p, fitted, rules.tolerance * tightening[2], room);
    if (rows.n < inliers->n || !perspective_shows(p, rows, fitted, rules.perspective_f))
        return;
    memcpy(t, fitted, sizeof fitted);
    keep(inliers, rows);
}

/* The smaller eigenvalue of the covariance of some points. */
static double narrowest(const double *x, const double *y, Rows rows)
{
    double mx = 0, my = 0, xx = 0, xy = 0, yy = 0;
    for (int64_t i = 0; i < rows.n; i++)
        mx += x[rows.row[i]], my += y[rows.row[i]];
    mx /= (double)rows.n, my /= (double)rows.n;
    for (int64_t i = 0; i < rows.n; i++) {
        const double dx = x[rows.row[i]] - mx, dy = y[rows.row[i]] - my;
        xx += dx * dx, xy += dx * dy, yy += dy * dy;
    }
    const double n = (double)(rows.n - 1), half = (xx + yy) / 2 / n;
    return fmax(0.0, half - sqrt(squared((xx - yy) / 2 / n, xy / n)));
}

static void find_behind(const Matches *p, Rules rules, const double *turn, int64_t width, int64_t start, int64_t seed)
{
    const double *scale = turn + start, *cosine = scale + width, *sine = cosine + width;
    for (int64_t i = 0; i < p->m; i++)
        p->behind[i] = fabs(log(scale[i] / scale[seed])) < rules.log_scale
            && cosine[i] * cosine[seed] + sine[i] * sine[seed] > rules.cosine;
}

/* The transform that pair `seed` alone proposes. */
static void similarity(const Matches *p, const double *turn, int64_t width, int64_t start, int64_t seed, double *t)
{
    const int64_t i = start + seed;
    const double a = turn[i] * turn[width + i], b = turn[i] * turn[2 * width + i];
    const double x = p->x[seed], y = p->y[seed];
    const double proposed[] = {a, -b, p->u[seed] - (a * x - b * y), b, a, p->v[seed] - (b * x + a * y), 0, 0, 1};
    memcpy(t, proposed, sizeof proposed);
}

/* A box that holds the query, in fractions: of a cut-out only the size is known, and where its features lie. */
static void find_frame(const Matches *p, const double *size, double *frame)
{
    frame[0] = frame[1] = 0.0;
    frame[2] = size[0], frame[3] = size[1];
    for (int64_t i = 0; i < p->m; i++) {
        frame[0] = fmin(frame[0], p->x[i]), frame[1] = fmin(frame[1], p->y[i]);
        frame[2] = fmax(frame[2], p->x[i]), frame[3] = fmax(frame[3], p->y[i]);
    }
}

/* Are the pair that picture i's transform comes from, and those that agree with it, pairs of that picture? */
static int are_its_own(const int64_t *indptr, int64_t i, int64_t seed, int64_t n, const int64_t *agreeing)
{
    const int64_t start = indptr[i], n_pairs = indptr[i + 1] - start;
    if (n < 0 || n > n_pairs || !exists(seed - start, n_pairs))
        return 0;
    for (int64_t j = 0; j < n; j++)
        if (!exists(agreeing[start + j] - start, n_pairs))
            return 0;
    return 1;
}

/* For pictures first to stop - 1: see refine in bof/native/__init__.py. Row c of `places` (x, y, u, v) and of `turns`
   (scale, cosine, sine) starts c * m further. */
EXPORT int64_t bof_refine(
    const int64_t *indptr, int64_t first, int64_t stop, const double *places, const double *turns, const double *weight,
    const int32_t *cells, const double *size, const double *rules, const int64_t *seed, int64_t *n_inliers,
    int64_t *inliers, double *transform, double *inlier_weight, double *spread, int64_t m)
{
    const Rules rule = {rules[0], rules[1], rules[2], rules[3], rules[4], rules[5], rules[6], rules[7]};
    const int64_t longest = longest_of(indptr, first, stop, m);
    if (longest < 0)
        return BAD_OFFSETS;
    int64_t *room = malloc(sizeof(int64_t) * (size_t)(longest + 1));
    double *numbers = malloc(sizeof(double) * 6 * (size_t)(longest + 1));
    uint8_t *behind = malloc((size_t)(longest + 1));
    int result = room && numbers && behind ? 0 : NO_MEMORY;
    for (int64_t i = first; !result && i < stop; i++) {
        const int64_t start = indptr[i];
        double *t = transform + 9 * i, frame[4];
        Rows retained = {inliers + start, n_inliers[i]};
        inlier_weight[i] = spread[i] = 0.0;
        if ((double)retained.n < rule.min_fit)
            continue;
        if (!are_its_own(indptr, i, seed[i], retained.n, inliers)) {
            result = OUT_OF_RANGE;
            break;
        }
        const double *at = places + start;
        const Matches p = {at, at + m, at + 2 * m, at + 3 * m, weight + start,
                           cells + start, cells + m + start, behind, indptr[i + 1] - start};
        for (int64_t j = 0; j < retained.n; j++)
            retained.row[j] -= start;
        find_behind(&p, rule, turns, m, start, seed[i] - start);
        similarity(&p, turns, m, start, seed[i] - start, t);
        refine_affine(&p, rule, t, &retained, room);
        if ((double)retained.n >= rule.min_located) {
            find_frame(&p, size, frame);
            refine_homography(&p, rule, frame, t, &retained, room, numbers);
            spread[i] = sqrt(fmin(narrowest(p.x, p.y, retained), narrowest(p.u, p.v, retained)));
        }
        for (int64_t j = 0; j < retained.n; j++) {
            inlier_weight[i] += p.weight[retained.row[j]];
            retained.row[j] += start;
        }
        n_inliers[i] = retained.n;
    }
    free(room);
    free(numbers);
    free(behind);
    return result;
}
