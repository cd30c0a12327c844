/* Which features of a query do other pictures have at the same place? */

#include "common.h"

/* Where n features lie: x, y and scale as fractions of a side of their picture, angle in degrees, column after column. */
typedef struct {
    const double *x, *y, *scale, *angle;
} Placed;

/* Pictures that are laid over each other, or moved by (x, y): what lies within `place` there, is turned by less than
   `turn` degrees and scaled by less than `scale`, lies at the same place. */
typedef struct {
    double place, turn, scale;
} Limits;

INLINE Placed columns_of(const double *placed, int64_t n)
{
    return (Placed){placed, placed + n, placed + 2 * n, placed + 3 * n};
}

INLINE int is_near(double x, double y, double place)
{
    return fabs(x) < place && fabs(y) < place;
}

INLINE int is_at_same_place(Placed one, int64_t i, Placed other, int64_t j, double x, double y, Limits limits)
{
    const double moved_x = other.x[j] - one.x[i], moved_y = other.y[j] - one.y[i];
    if (!is_near(moved_x, moved_y, limits.place) && !is_near(moved_x - x, moved_y - y, limits.place))
        return 0;
    const double apart = fmod(one.angle[i] - other.angle[j] + 180.0, 360.0);
    const double turn = fabs((apart < 0.0 ? apart + 360.0 : apart) - 180.0);
    return turn < limits.turn && one.scale[i] < limits.scale * other.scale[j]
        && other.scale[j] < limits.scale * one.scale[i];
}

/* Marks in shared[p][i] that feature i of the query has a vote for the chosen image p whose feature lies at the same
   place. place: where an image stands among those chosen, negative where it is not; features of the chosen image p lie
   at indptr[p] to indptr[p + 1] in placed; shift: by how much each of these may be moved. The votes and ends are those
   of bof_collect_votes. */
EXPORT int64_t bof_share_features(
    const int32_t *place, const int32_t *image, const uint16_t *feature, const double *query, int64_t first,
    int64_t stop, const int64_t *ends, const int64_t *indptr, const double *placed, const double *shift,
    const double *limits, uint8_t *shared, int64_t n_images, int64_t n_votes, int64_t k, int64_t n_places, int64_t m,
    int64_t n)
{
    const Placed one = columns_of(query, n), other = columns_of(placed, m);
    const Limits within = {limits[0], limits[1], limits[2]};
    int64_t v = 0;
    for (int64_t j = first * k; j < stop * k; j++) {
        const int64_t end = ends[j - first * k], i = j / k;
        if (!are_offsets(v, end, n_votes))
            return BAD_OFFSETS;
        for (; v < end; v++) {
            if (!exists(image[v], n_images))
                return NO_SUCH_IMAGE;
            const int64_t p = place[image[v]];
            if (p < 0)
                continue;
            if (p >= n_places)
                return OUT_OF_RANGE;
            if (!are_offsets(indptr[p], indptr[p + 1], m) || indptr[p] + feature[v] >= indptr[p + 1])
                return NO_SUCH_FEATURE;
            if (is_at_same_place(one, i, other, indptr[p] + feature[v], shift[p], shift[n_places + p], within))
                shared[p * n + i] = 1;
        }
    }
    return 0;
}
