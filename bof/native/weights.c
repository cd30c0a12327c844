/* What an inverted index says of a collection: document frequencies, lengths, the postings of one image. */

#include "common.h"

/* In how many live images each of the words first to stop - 1 is. */
EXPORT int64_t bof_document_frequency(
    const int32_t *indptr, const int32_t *image, const uint8_t *live, int64_t first, int64_t stop, int64_t *frequency,
    int64_t n_postings, int64_t n_images)
{
    for (int64_t w = first; w < stop; w++) {
        int32_t before = -1;
        if (!are_offsets(indptr[w], indptr[w + 1], n_postings))
            return BAD_OFFSETS;
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (!exists(image[p], n_images))
                return NO_SUCH_IMAGE;
            frequency[w] += image[p] != before && live[image[p]];
            before = image[p];
        }
    }
    return 0;
}

/* Adds (tf idf)**2 of the words first to stop - 1 to each image's sum. */
EXPORT int64_t bof_squared_norms(
    const int32_t *indptr, const int32_t *image, const double *squared_idf, int64_t first, int64_t stop,
    double *squared_norm, int64_t n_postings, int64_t n_images)
{
    for (int64_t w = first; w < stop; w++) {
        if (!are_offsets(indptr[w], indptr[w + 1], n_postings))
            return BAD_OFFSETS;
        for (int64_t p = indptr[w], next; p < indptr[w + 1]; p = next) {
            for (next = p + 1; next < indptr[w + 1] && image[next] == image[p]; next++)
                ;
            if (!exists(image[p], n_images))
                return NO_SUCH_IMAGE;
            const double tf = (double)(next - p);
            squared_norm[image[p]] += tf * tf * squared_idf[w];
        }
    }
    return 0;
}

/* The posting of each of n features of one image: feature i has word[i]. Postings are sorted by image, then feature. */
EXPORT int64_t bof_find_postings(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, int64_t number, const int32_t *word,
    int64_t *row, int64_t n_words, int64_t n_postings, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!exists(word[i], n_words))
            return NO_SUCH_WORD;
        if (!are_offsets(indptr[word[i]], indptr[word[i] + 1], n_postings))
            return BAD_OFFSETS;
        int64_t low = indptr[word[i]], high = indptr[word[i] + 1];
        const int64_t stop = high; /* may be below low now, where the file became shorter since */
        while (low < high) {
            const int64_t middle = low + (high - low) / 2;
            if (image[middle] < number || (image[middle] == number && feature[middle] < i))
                low = middle + 1;
            else
                high = middle;
        }
        if (low >= stop || image[low] != number || feature[low] != i)
            return NO_POSTING;
        row[i] = low;
    }
    return 0;
}

/* Do the postings of words first to stop - 1 name only images and features that exist, and these just those words?
   word: of every feature, image by image, in numbers of word_bytes bytes, u16 or i32. */
EXPORT int64_t bof_check_postings(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, const int64_t *feature_indptr,
    const void *word, int64_t word_bytes, int64_t first, int64_t stop, int64_t n_postings, int64_t n_images,
    int64_t n_features)
{
    for (int64_t w = first; w < stop; w++) {
        if (!are_offsets(indptr[w], indptr[w + 1], n_postings))
            return BAD_OFFSETS;
        for (int64_t p = indptr[w]; p < indptr[w + 1]; p++) {
            if (!exists(image[p], n_images))
                return NO_SUCH_IMAGE;
            const int64_t start = feature_indptr[image[p]], end = feature_indptr[image[p] + 1];
            if (!are_offsets(start, end, n_features))
                return BAD_OFFSETS;
            const int64_t row = start + feature[p];
            if (row >= end)
                return NO_SUCH_FEATURE;
            const int64_t named = word_bytes == 2 ? ((const uint16_t *)word)[row] : ((const int32_t *)word)[row];
            if (named != w)
                return NO_SUCH_WORD;
        }
    }
    return 0;
}
