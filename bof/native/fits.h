/* Planar transforms fitted to matches: 3 x 3, row by row, database_from_query, in fractions of the long sides. */

#ifndef BOF_FITS_H
#define BOF_FITS_H

#include "common.h"

/* Columns of one picture's m pairs, strongest first, and which of them turn and scale about as the seed does. */
typedef struct {
    const double *x, *y, *u, *v, *weight;
    const int32_t *query_cell, *database_cell;
    uint8_t *behind;
    int64_t m;
} Matches;

/* Room for the rows of one picture's inliers at each step. */
typedef struct {
    int64_t *row, n;
} Rows;

static inline double squared(double a, double b)
{
    return a * a + b * b;
}

/* Squared distance of where the transform puts a point (x, y) from (u, v); infinite behind the horizon. */
static inline double residual(const double *t, double x, double y, double u, double v)
{
    const double depth = t[6] * x + t[7] * y + t[8];
    if (!(depth > 1e-9))
        return INFINITY;
    return squared((t[0] * x + t[1] * y + t[2]) / depth - u, (t[3] * x + t[4] * y + t[5]) / depth - v);
}

/* The least-squares affine transform of some pairs; 0 where they lie on a line. */
int fit_affine(const Matches *p, Rows rows, double *t);

/* Does it mirror, or stretch one direction too much more than the other? */
int is_degenerate(const double *t, double max_stretch);

/* Robust least squares: Cauchy weights, their scale from the median; algebraic residuals of the normalised direct linear
   transform, divided by the depth of the round before so that they become geometric. 0 where it is not determined.
   room: 6 values a row. */
int fit_homography(const Matches *p, Rows rows, double *t, double *room);

/* Does it put a corner of the frame (x0, y0, x1, y1) behind the horizon, or turn its surroundings over? */
int folds(const double *t, const double *frame);

#endif
