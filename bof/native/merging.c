/* The postings of several segments become those of one. */

#include "common.h"

/* new_number: what each image is called from now on, negative where it is left out. Adds to `count` how many postings of
   each word stay. */
EXPORT int64_t bof_count_retained(
    const int32_t *indptr, const int32_t *image, const int32_t *new_number, int64_t *count, int64_t n_words,
    int64_t n_postings, int64_t n_images)
{
    for (int64_t w = 0; w < n_words; w++) {
        if (!are_offsets(indptr[w], indptr[w + 1], n_postings))
            return BAD_OFFSETS;
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (!exists(image[p], n_images))
                return NO_SUCH_IMAGE;
            count[w] += new_number[image[p]] >= 0;
        }
    }
    return 0;
}

/* Copies the postings of words first to stop - 1 that stay: those of word w to next[w - first] and the places behind it,
   after which next[w - first] is the first free place. */
EXPORT int64_t bof_copy_retained(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, const uint64_t *signature,
    const int32_t *new_number, int64_t first, int64_t stop, int64_t *next, int32_t *to_image, uint16_t *to_feature,
    uint64_t *to_signature, int64_t n_postings, int64_t n_images, int64_t n_merged)
{
    for (int64_t w = first; w < stop; w++) {
        int64_t at = next[w - first];
        if (!are_offsets(indptr[w], indptr[w + 1], n_postings))
            return BAD_OFFSETS;
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (!exists(image[p], n_images))
                return NO_SUCH_IMAGE;
            if (new_number[image[p]] < 0)
                continue;
            if (!exists(at, n_merged))
                return OUT_OF_RANGE;
            to_image[at] = new_number[image[p]];
            to_feature[at] = feature[p];
            to_signature[at++] = signature[p];
        }
        next[w - first] = at;
    }
    return 0;
}
