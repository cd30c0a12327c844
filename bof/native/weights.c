/* What an inverted index says of a collection: document frequencies, lengths, the postings of one image. */

#include "common.h"

/* In how many live images each of the words first to last - 1 is. */
EXPORT int bof_document_frequency(
    const int32_t *indptr, const int32_t *image, int64_t n_images, const uint8_t *live, int64_t first, int64_t last,
    int64_t *frequency)
{
    for (int64_t w = first; w < last; w++) {
        int32_t before = -1;
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (image[p] < 0 || image[p] >= n_images)
                return DAMAGED;
            frequency[w] += image[p] != before && live[image[p]];
            before = image[p];
        }
    }
    return 0;
}

/* Adds (tf idf)**2 of the words first to last - 1 to each image's sum. */
EXPORT int bof_squared_norms(
    const int32_t *indptr, const int32_t *image, int64_t n_images, const double *squared_idf, int64_t first, int64_t last,
    double *squared_norm)
{
    for (int64_t w = first; w < last; w++)
        for (int64_t p = indptr[w], next; p < indptr[w + 1]; p = next) {
            for (next = p + 1; next < indptr[w + 1] && image[next] == image[p]; next++)
                ;
            if (image[p] < 0 || image[p] >= n_images)
                return DAMAGED;
            const double tf = (double)(next - p);
            squared_norm[image[p]] += tf * tf * squared_idf[w];
        }
    return 0;
}

/* The posting of each of n features of one image: feature i has word[i]. Postings are sorted by image, then feature. */
EXPORT int bof_find_postings(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, int32_t wanted, const int32_t *word, int64_t n,
    int64_t *row)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t low = indptr[word[i]], high = indptr[word[i] + 1];
        const int64_t stop = high;
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (image[middle] < wanted || (image[middle] == wanted && feature[middle] < i))
                low = middle + 1;
            else
                high = middle;
        }
        if (low == stop || image[low] != wanted || feature[low] != i)
            return DAMAGED;
        row[i] = low;
    }
    return 0;
}

/* Do the postings of words first to last - 1 name only images and features that exist, and these just those words?
   word: of every feature, image by image, in numbers of word_bytes bytes. */
EXPORT int bof_check_postings(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, const int64_t *feature_indptr,
    int64_t n_images, const void *word, int word_bytes, int64_t first, int64_t last)
{
    for (int64_t w = first; w < last; w++)
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (image[p] < 0 || image[p] >= n_images)
                return DAMAGED;
            const int64_t row = feature_indptr[image[p]] + feature[p];
            if (row >= feature_indptr[image[p] + 1])
                return DAMAGED;
            const int64_t named = word_bytes == 2 ? ((const uint16_t *)word)[row] : ((const int32_t *)word)[row];
            if (named != w)
                return DAMAGED;
        }
    return 0;
}
