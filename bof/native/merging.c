/* The postings of several segments become those of one. */

#include "common.h"

/* new_number: what each image is called from now on, -1 where it is left out. Adds to `count` how many postings of each of
   n_words words stay. */
EXPORT int bof_count_kept(
    const int32_t *indptr, const int32_t *image, int64_t n_images, const int32_t *new_number, int64_t n_words,
    int64_t *count)
{
    for (int64_t w = 0; w < n_words; w++)
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (image[p] < 0 || image[p] >= n_images)
                return DAMAGED;
            count[w] += new_number[image[p]] >= 0;
        }
    return 0;
}

/* Copies the postings of words first to last - 1 that stay: those of word w to next[w - first] and the places behind it,
   after which next[w - first] is the first free place. */
EXPORT void bof_copy_kept(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, const uint64_t *signature,
    const int32_t *new_number, int64_t first, int64_t last, int64_t *next, int32_t *to_image, uint16_t *to_feature,
    uint64_t *to_signature)
{
    for (int64_t w = first; w < last; w++) {
        int64_t at = next[w - first];
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++)
            if (new_number[image[p]] >= 0) {
                to_image[at] = new_number[image[p]];
                to_feature[at] = feature[p];
                to_signature[at++] = signature[p];
            }
        next[w - first] = at;
    }
}
