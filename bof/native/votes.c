/* Query features vote for images, by the Hamming distance of signatures. */

#include "near.h"

typedef struct {
    double total;
    int64_t count;
} Slot;

/* 1 / sqrt(n) for small n: an image rarely has more votes of one query feature. */
#define ROOTS 256

static inline double inverse_root(const double *roots, int64_t n)
{
    return exists(n, ROOTS) ? roots[n] : 1.0 / sqrt((double)n);
}

/* Starts to fetch the postings of a word, of which there may be hundreds, before they are needed. */
static inline void announce(Postings of, int32_t word)
{
    if (damage_of(of, word))
        return;
    const int64_t start = of.indptr[word], stop = of.indptr[word + 1], ahead = stop - start < 64 ? stop : start + 64;
    for (int64_t p = start; p < ahead; p += 8)
        __builtin_prefetch(of.signature + p);
    for (int64_t p = start; p < ahead; p += 16)
        __builtin_prefetch(of.image + p);
    for (int64_t p = start; p < ahead; p += 32)
        __builtin_prefetch(of.feature + p);
}

/* Adds the votes of one query feature for each image, divided by the square root of their number, to the image's score.
   slots: zero, one an image, zero again afterwards. */
static void settle(const double *roots, const int32_t *image, int64_t n, Slot *slots, double *score)
{
    for (int64_t v = 0; v < n; v++) {
        Slot *slot = slots + image[v];
        if (slot->count) {
            score[image[v]] += on_grid(slot->total * inverse_root(roots, slot->count));
            *slot = (Slot){0.0, 0};
        }
    }
}

/* Takes back what one query feature has added to the slots. */
static void forget(const int32_t *image, int64_t n, Slot *slots)
{
    for (int64_t v = 0; v < n; v++)
        slots[image[v]] = (Slot){0.0, 0};
}

/* The near postings of query features first, first + 1, ... below stop, until `room` is used up.

   Returns the number of votes, *reached the first feature that was not asked; ends: for each word of each feature from
   `first` on, where its votes end. slots: zero, one an image. */
EXPORT int64_t bof_near_postings(
    const int32_t *indptr, const int32_t *image, const uint16_t *feature, const uint64_t *signature,
    const uint8_t *live, const int32_t *word, const uint64_t *query_signature, int64_t first, int64_t stop,
    int64_t max_hamming, const double *weight_of_distance, const double *weight_of_word, Slot *slots, double *score,
    int32_t *vote_image, uint16_t *vote_feature, uint8_t *vote_distance, int64_t *ends, int64_t *reached,
    int64_t n_words, int64_t n_postings, int64_t n_images, int64_t k, int64_t room)
{
    const near_fn near = fastest_near();
    const Postings postings = {indptr, image, feature, signature, n_words, n_postings};
    int32_t place[BLOCK + 8], distance[BLOCK + 8];
    double roots[ROOTS] = {0};
    int64_t n = 0;
    for (int i = 1; i < ROOTS; i++)
        roots[i] = 1.0 / sqrt((double)i);
    for (*reached = first; *reached < stop; ++*reached) {
        const int64_t begin = n;
        for (int64_t j = *reached * k; j < (*reached + 1) * k; j++) {
            const int damage = damage_of(postings, word[j]);
            if (damage)
                return damage;
            if (j + 1 < stop * k)
                announce(postings, word[j + 1]);
            const int64_t end = indptr[word[j] + 1];
            for (int64_t p = indptr[word[j]]; p < end; p += BLOCK) {
                if (n + BLOCK > room) {
                    forget(vote_image + begin, n - begin, slots);
                    return begin;
                }
                const int size = end - p < BLOCK ? (int)(end - p) : BLOCK;
                const int found = near(signature + p, size, query_signature[j], (int)max_hamming, place, distance);
                const int64_t before = n;
                for (int f = 0; f < found; f++) {
                    const int32_t target = image[p + place[f]];
                    if (!exists(target, n_images))
                        return NO_SUCH_IMAGE;
                    __builtin_prefetch(slots + target, 1);
                    vote_image[n] = target;
                    vote_feature[n] = feature[p + place[f]];
                    vote_distance[n] = (uint8_t)distance[f];
                    n += live[target] != 0;
                }
                for (int64_t v = before; v < n; v++) {
                    slots[vote_image[v]].count++;
                    slots[vote_image[v]].total += weight_of_distance[vote_distance[v]] * weight_of_word[word[j]];
                }
            }
            ends[j - first * k] = n;
        }
        settle(roots, vote_image + begin, n - begin, slots, score);
    }
    return n;
}
