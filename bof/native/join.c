/* The features of many pictures are looked for at once: which pictures of the collection have near ones?

   Rows are the pictures' features, one word each, best sorted by word: then the postings of a word are read for all of
   them while they are in the cache. Row j is of picture owner[j]. Postings of a word are sorted by image. */

#include "near.h"
#include "vote.h"

typedef struct {
    const int32_t *word, *owner;
    const uint64_t *signature;
    int64_t n;
} Joined;

/* What is done with the near postings of one row, n of them from posting `start` + place[0] on. */
typedef struct {
    int32_t place[BLOCK + 8], distance[BLOCK + 8];
    int64_t start;
    int n;
} Found;

/* Looks for row j in the postings of its word, from *next on, a block at a time; 0 when there is no further block. */
static inline int find_block(
    near_fn near, const Postings *of, const Joined *rows, int64_t j, int64_t max_hamming, int64_t *next, Found *found)
{
    const int64_t end = of->indptr[rows->word[j] + 1];
    if (*next >= end)
        return 0;
    const int size = end - *next < BLOCK ? (int)(end - *next) : BLOCK;
    found->start = *next;
    found->n = near(of->signature + *next, size, rows->signature[j], (int)max_hamming, found->place, found->distance);
    *next += size;
    return 1;
}

/* What keeps row j from being looked for. */
static inline int damage_of_row(const Postings *of, const Joined *rows, int64_t j, int64_t n_pictures)
{
    return exists(rows->owner[j], n_pictures) ? damage_of(*of, rows->word[j]) : OUT_OF_RANGE;
}

/* Adds to score[picture][image] what each row votes for each image: the sum of its votes' weights, divided by the square
   root of their number, on a grid of 2**-32. */
EXPORT int64_t bof_join_scores(
    const int32_t *indptr, const int32_t *image, const uint64_t *signature, const int32_t *word,
    const uint64_t *row_signature, const int32_t *owner, int64_t max_hamming, const double *weight_of_distance,
    const double *weight_of_word, double *score, int64_t n_words, int64_t n_postings, int64_t n_images, int64_t n,
    int64_t n_pictures)
{
    const near_fn near = fastest_near();
    const Postings postings = {indptr, image, 0, signature, n_words, n_postings};
    const Joined rows = {word, owner, row_signature, n};
    Found found;
    for (int64_t j = 0; j < n; j++) {
        const int damage = damage_of_row(&postings, &rows, j, n_pictures);
        if (damage)
            return damage;
        double *scores = score + owner[j] * n_images, total = 0.0;
        int64_t next = indptr[word[j]], count = 0;
        int32_t target = -1;
        while (find_block(near, &postings, &rows, j, max_hamming, &next, &found)) {
            for (int f = 0; f < found.n; f++) {
                const int32_t voted = image[found.start + found.place[f]];
                if (!exists(voted, n_images))
                    return NO_SUCH_IMAGE;
                if (voted != target && count)
                    scores[target] += on_grid(total / sqrt((double)count));
                total = (voted == target ? total : 0.0) + weight_of_distance[found.distance[f]] * weight_of_word[word[j]];
                count = (voted == target ? count : 0) + 1;
                target = voted;
            }
        }
        if (count)
            scores[target] += on_grid(total / sqrt((double)count));
    }
    return 0;
}

/* place[picture][image]: the number of a pair of which votes are counted, negative where they are not. */
EXPORT int64_t bof_join_counts(
    const int32_t *indptr, const int32_t *image, const uint64_t *signature, const int32_t *word,
    const uint64_t *row_signature, const int32_t *owner, int64_t max_hamming, const int32_t *place, int64_t *count,
    int64_t n_words, int64_t n_postings, int64_t n_images, int64_t n, int64_t n_pictures, int64_t n_places)
{
    const near_fn near = fastest_near();
    const Postings postings = {indptr, image, 0, signature, n_words, n_postings};
    const Joined rows = {word, owner, row_signature, n};
    Found found;
    for (int64_t j = 0; j < n; j++) {
        const int damage = damage_of_row(&postings, &rows, j, n_pictures);
        if (damage)
            return damage;
        const int32_t *places = place + owner[j] * n_images;
        int64_t next = indptr[word[j]];
        while (find_block(near, &postings, &rows, j, max_hamming, &next, &found))
            for (int f = 0; f < found.n; f++) {
                const int32_t voted = image[found.start + found.place[f]];
                if (!exists(voted, n_images))
                    return NO_SUCH_IMAGE;
                if (places[voted] >= n_places)
                    return OUT_OF_RANGE;
                if (places[voted] >= 0)
                    count[places[voted]]++;
            }
    }
    return 0;
}

/* Copies the votes of such pairs to `votes`, those of pair i from next[i] on. Row j is feature number[j] of its picture,
   or of all of them: what a vote's key names. */
EXPORT int64_t bof_join_votes(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, const uint64_t *signature,
    const int32_t *word, const uint64_t *row_signature, const int32_t *owner, const int32_t *number,
    int64_t max_hamming, const double *weight_of_distance, const double *weight_of_word, const int32_t *place,
    int64_t *next, Vote *votes, int64_t n_words, int64_t n_postings, int64_t n_images, int64_t n, int64_t n_pictures,
    int64_t n_places, int64_t n_room)
{
    const near_fn near = fastest_near();
    const Postings postings = {indptr, image, feature, signature, n_words, n_postings};
    const Joined rows = {word, owner, row_signature, n};
    Found found;
    for (int64_t j = 0; j < n; j++) {
        const int damage = damage_of_row(&postings, &rows, j, n_pictures);
        if (damage)
            return damage;
        const int32_t *places = place + owner[j] * n_images;
        int64_t posting = indptr[word[j]];
        while (find_block(near, &postings, &rows, j, max_hamming, &posting, &found))
            for (int f = 0; f < found.n; f++) {
                const int64_t p = found.start + found.place[f];
                if (!exists(image[p], n_images))
                    return NO_SUCH_IMAGE;
                const int32_t at = places[image[p]];
                if (at < 0)
                    continue;
                if (at >= n_places || !exists(next[at], n_room))
                    return OUT_OF_RANGE;
                const double weight = weight_of_distance[found.distance[f]] * weight_of_word[word[j]];
                votes[next[at]++] = (Vote){weight, (int64_t)number[j] << 16 | feature[p]};
            }
    }
    return 0;
}
