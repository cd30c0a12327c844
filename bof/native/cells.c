/* A picture cut into square cells. */

#include "common.h"

/* Adds to sum[row][column] the values of each cell of side x side pixels that the mask covers: those of a row of pixels
   first, in order. What is left at the right and the bottom is not looked at. */
EXPORT int64_t bof_sum_cells(
    const float *values, const uint8_t *mask, int64_t side, double *sum, int64_t height, int64_t width,
    int64_t n_rows, int64_t n_columns)
{
    if (n_rows * side > height || n_columns * side > width)
        return OUT_OF_RANGE;
    for (int64_t y = 0; y < n_rows * side; y++) {
        const float *value = values + y * width;
        const uint8_t *covers = mask + y * width;
        double *sums = sum + y / side * n_columns;
        for (int64_t column = 0; column < n_columns; column++) {
            double total = 0.0;
            for (int64_t x = column * side; x < (column + 1) * side; x++)
                total += covers[x] ? (double)value[x] : 0.0;
            sums[column] += total;
        }
    }
    return 0;
}
