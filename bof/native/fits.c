/* Planar transforms fitted to matches. */

#include "fits.h"

#include <string.h>

#define ROUNDS 6
#define SINGULAR 1e-12

/* Solves the n <= 8 symmetric equations a z = b in place (Cholesky); 0 where they do not determine z. */
static int solve(double *a, double *b, int n)
{
    double largest = 0.0;
    for (int i = 0; i < n; i++)
        largest = a[i * n + i] > largest ? a[i * n + i] : largest;
    for (int j = 0; j < n; j++) {
        for (int k = 0; k < j; k++)
            a[j * n + j] -= a[j * n + k] * a[j * n + k];
        if (!(a[j * n + j] > SINGULAR * largest))
            return 0;
        a[j * n + j] = sqrt(a[j * n + j]);
        for (int i = j + 1; i < n; i++) {
            for (int k = 0; k < j; k++)
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            a[i * n + j] /= a[j * n + j];
        }
    }
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (int i = n; i-- > 0;) {
        for (int k = i + 1; k < n; k++)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return 1;
}

int fit_affine(const Matches *p, Rows rows, double *t)
{
    double mx = 0, my = 0, mu = 0, mv = 0;
    for (int64_t i = 0; i < rows.n; i++) {
        const int64_t r = rows.row[i];
        mx += p->x[r], my += p->y[r], mu += p->u[r], mv += p->v[r];
    }
    mx /= (double)rows.n, my /= (double)rows.n, mu /= (double)rows.n, mv /= (double)rows.n;
    double xx = 0, xy = 0, yy = 0, xu = 0, yu = 0, xv = 0, yv = 0;
    for (int64_t i = 0; i < rows.n; i++) {
        const int64_t r = rows.row[i];
        const double x = p->x[r] - mx, y = p->y[r] - my, u = p->u[r] - mu, v = p->v[r] - mv;
        xx += x * x, xy += x * y, yy += y * y;
        xu += x * u, yu += y * u, xv += x * v, yv += y * v;
    }
    double a[] = {xx, xy, xy, yy}, row_u[] = {xu, yu}, again[] = {xx, xy, xy, yy}, row_v[] = {xv, yv};
    if (!solve(a, row_u, 2) || !solve(again, row_v, 2))
        return 0;
    const double fitted[] = {row_u[0], row_u[1], mu - row_u[0] * mx - row_u[1] * my,
                             row_v[0], row_v[1], mv - row_v[0] * mx - row_v[1] * my, 0.0, 0.0, 1.0};
    memcpy(t, fitted, sizeof fitted);
    return 1;
}

int is_degenerate(const double *t, double max_stretch)
{
    const double det = t[0] * t[4] - t[1] * t[3];
    if (det <= 0)
        return 1;
    const double half = squared(t[0], t[1]) / 2 + squared(t[3], t[4]) / 2;
    const double root = sqrt(fmax(0.0, half * half - det * det));
    return half + root > max_stretch * max_stretch * fmax(0.0, half - root);
}

/* Moves points to mean 0 and mean distance sqrt(2): x becomes scale * (x - x0) (Hartley 1997, section 4). */
typedef struct {
    double scale, x0, y0;
} Normaliser;

static Normaliser normaliser(const double *x, const double *y, Rows rows)
{
    Normaliser n = {0, 0, 0};
    double spread = 0;
    for (int64_t i = 0; i < rows.n; i++)
        n.x0 += x[rows.row[i]], n.y0 += y[rows.row[i]];
    n.x0 /= (double)rows.n, n.y0 /= (double)rows.n;
    for (int64_t i = 0; i < rows.n; i++)
        spread += sqrt(squared(x[rows.row[i]] - n.x0, y[rows.row[i]] - n.y0));
    n.scale = sqrt(2.0) / fmax(spread / (double)rows.n, 1e-12);
    return n;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int64_t n)
{
    qsort(values, (size_t)n, sizeof(double), ascending);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Adds weight**2 times the outer product of a row with eight elements, and its share of the right side. */
static void accumulate(double *a, double *b, const double *row, double right, double weight)
{
    for (int i = 0; i < 8; i++) {
        const double scaled = weight * row[i];
        for (int j = 0; j <= i; j++)
            a[i * 8 + j] += scaled * row[j];
        b[i] += scaled * right;
    }
}

int fit_homography(const Matches *p, Rows rows, double *t, double *room)
{
    const Normaliser s = normaliser(p->x, p->y, rows), d = normaliser(p->u, p->v, rows);
    const int64_t n = rows.n;
    double *x = room, *y = x + n, *u = y + n, *v = u + n, *weight = v + n, *sorted = weight + n, h[9];
    for (int64_t i = 0; i < n; i++) {
        x[i] = s.scale * (p->x[rows.row[i]] - s.x0), y[i] = s.scale * (p->y[rows.row[i]] - s.y0);
        u[i] = d.scale * (p->u[rows.row[i]] - d.x0), v[i] = d.scale * (p->v[rows.row[i]] - d.y0);
        weight[i] = 1.0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double a[64] = {0}, b[8] = {0};
        for (int64_t i = 0; i < n; i++) {
            const double row_u[] = {x[i], y[i], 1, 0, 0, 0, -u[i] * x[i], -u[i] * y[i]};
            const double row_v[] = {0, 0, 0, x[i], y[i], 1, -v[i] * x[i], -v[i] * y[i]};
            accumulate(a, b, row_u, u[i], weight[i]);
            accumulate(a, b, row_v, v[i], weight[i]);
        }
        if (!solve(a, b, 8))
            return 0;
        memcpy(h, b, sizeof b);
        h[8] = 1.0;
        for (int64_t i = 0; i < n; i++)
            sorted[i] = residual(h, x[i], y[i], u[i], v[i]);
        const double spread = fmax(median(sorted, n), 1e-12);
        if (!isfinite(spread))
            return 0;
        for (int64_t i = 0; i < n; i++) {
            const double depth = fabs(h[6] * x[i] + h[7] * y[i] + 1.0);
            weight[i] = 1.0 / ((1.0 + residual(h, x[i], y[i], u[i], v[i]) / (2.0 * spread)) * fmax(depth, 0.1));
        }
    }
    /* Undo both moves: t = inverse(target) h source. */
    double moved[9];
    for (int r = 0; r < 3; r++) {
        moved[3 * r] = h[3 * r] * s.scale;
        moved[3 * r + 1] = h[3 * r + 1] * s.scale;
        moved[3 * r + 2] = h[3 * r + 2] - s.scale * (h[3 * r] * s.x0 + h[3 * r + 1] * s.y0);
    }
    for (int c = 0; c < 3; c++) {
        t[c] = moved[c] / d.scale + d.x0 * moved[6 + c];
        t[3 + c] = moved[3 + c] / d.scale + d.y0 * moved[6 + c];
        t[6 + c] = moved[6 + c];
    }
    if (!(fabs(t[8]) > 1e-12))
        return 0;
    for (int i = 0; i < 9; i++)
        t[i] /= i < 8 ? t[8] : 1.0;
    t[8] = 1.0;
    return 1;
}

int folds(const double *t, const double *frame)
{
    const double det = t[0] * (t[4] * t[8] - t[5] * t[7]) - t[1] * (t[3] * t[8] - t[5] * t[6])
        + t[2] * (t[3] * t[7] - t[4] * t[6]);
    double nearest = INFINITY, farthest = -INFINITY;
    for (int corner = 0; corner < 4; corner++) {
        const double depth = t[6] * frame[corner & 1 ? 2 : 0] + t[7] * frame[corner & 2 ? 3 : 1] + t[8];
        nearest = fmin(nearest, depth);
        farthest = fmax(farthest, depth);
    }
    return det <= 0 || nearest < 0.2 * farthest;
}
