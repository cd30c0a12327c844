/* Votes in bins of turn and scale: how much do those weigh that turn and scale about alike? */

#include "common.h"

/* heaviest[i]: the most that those votes of pair i weigh, indptr[i] to indptr[i + 1] - 1, which lie in `width` bins of
   turn that follow each other, around the circle, and as many of scale. bin: turn * n_scales + scale of each vote.
   total: room for the bins, zero, and zero again afterwards. Weights are whole multiples of a power of two. */
EXPORT int64_t bof_heaviest_windows(
    const int64_t *indptr, const int32_t *bin, const double *weight, int64_t width, double *total, double *across,
    double *heaviest, int64_t n_pairs, int64_t m, int64_t n_turns, int64_t n_scales)
{
    if (width > n_turns || width > n_scales)
        return OUT_OF_RANGE;
    for (int64_t i = 0; i < n_pairs; i++) {
        if (!are_offsets(indptr[i], indptr[i + 1], m))
            return BAD_OFFSETS;
        for (int64_t v = indptr[i]; v < indptr[i + 1]; v++) {
            if (!exists(bin[v], n_turns * n_scales))
                return OUT_OF_RANGE;
            total[bin[v]] += weight[v];
        }
        heaviest[i] = 0.0;
        for (int64_t turn = 0; turn < n_turns; turn++) {
            for (int64_t s = 0; s < n_scales; s++)
                across[s] = 0.0;
            for (int64_t t = 0; t < width; t++) {
                const double *row = total + (turn + t) % n_turns * n_scales;
                for (int64_t s = 0; s < n_scales; s++)
                    across[s] += row[s];
            }
            for (int64_t s = 0; s + width <= n_scales; s++) {
                double sum = 0.0;
                for (int64_t w = 0; w < width; w++)
                    sum += across[s + w];
                heaviest[i] = sum > heaviest[i] ? sum : heaviest[i];
            }
        }
        for (int64_t v = indptr[i]; v < indptr[i + 1]; v++)
            total[bin[v]] = 0.0;
    }
    return 0;
}
