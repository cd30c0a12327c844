/* The features of many pictures are looked for at once: which pictures of the collection have near ones?

   Rows are the pictures' features, one word each, best sorted by word: then the postings of a word are read for all of
   them while they are in the cache. Row j is of picture owner[j]. Postings of a word are sorted by image. */

#include "near.h"
#include "vote.h"

typedef struct {
    Postings postings;
    const int32_t *word, *owner;
    const uint64_t *signature;
    int64_t max_hamming, n_images, n, n_pictures;
} Join;

/* What is done with a near posting of row j, of an image that exists; 0, or what keeps it from being done. */
typedef int (*visit_fn)(const Join *join, int64_t j, int64_t posting, int32_t distance, void *state);

/* Visits the near postings of every row, in order. Inlined, and so is what is done with each. */
INLINE int64_t visit_near(const Join *join, visit_fn visit, void *state)
{
    const near_fn near = fastest_near();
    const Postings of = join->postings;
    int32_t place[BLOCK + 8], distance[BLOCK + 8];
    for (int64_t j = 0; j < join->n; j++) {
        int damage = exists(join->owner[j], join->n_pictures) ? damage_of(of, join->word[j]) : OUT_OF_RANGE;
        if (damage)
            return damage;
        const int64_t end = of.indptr[join->word[j] + 1];
        for (int64_t p = of.indptr[join->word[j]]; p < end; p += BLOCK) {
            const int size = end - p < BLOCK ? (int)(end - p) : BLOCK;
            const int found = near(of.signature + p, size, join->signature[j], (int)join->max_hamming, place, distance);
            for (int f = 0; f < found; f++) {
                if (!exists(of.image[p + place[f]], join->n_images))
                    return NO_SUCH_IMAGE;
                damage = visit(join, j, p + place[f], distance[f], state);
                if (damage)
                    return damage;
            }
        }
    }
    return 0;
}

/* Where the entry of row j's picture and a posting's image lies in a table of all pictures and images. */
INLINE int64_t entry_of(const Join *join, int64_t j, int64_t posting)
{
    return join->owner[j] * join->n_images + join->postings.image[posting];
}

/* The votes of one row for one image, which follow each other: n of them, which add up to total. */
typedef struct {
    const double *weight_of_distance, *weight_of_word;
    double *score, total;
    int64_t row, entry, n;
} Scoring;

INLINE void settle(const Scoring *of)
{
    if (of->n)
        of->score[of->entry] += on_grid(of->total / sqrt((double)of->n));
}

INLINE int add_to_score(const Join *join, int64_t j, int64_t posting, int32_t distance, void *state)
{
    Scoring *of = state;
    const int64_t entry = entry_of(join, j, posting);
    if (j != of->row || entry != of->entry) {
        settle(of);
        of->total = 0.0;
        of->n = 0;
        of->row = j;
        of->entry = entry;
    }
    of->total += of->weight_of_distance[distance] * of->weight_of_word[join->word[j]];
    of->n++;
    return 0;
}

/* Adds to score[picture][image] what each row votes for each image: the sum of its votes' weights, divided by the square
   root of their number, on a grid of 2**-32. */
EXPORT int64_t bof_join_scores(
    const int32_t *indptr, const int32_t *image, const uint64_t *signature, const int32_t *word,
    const uint64_t *row_signature, const int32_t *owner, int64_t max_hamming, const double *weight_of_distance,
    const double *weight_of_word, double *score, int64_t n_words, int64_t n_postings, int64_t n_images, int64_t n,
    int64_t n_pictures)
{
    const Postings postings = {indptr, image, 0, signature, n_words, n_postings};
    const Join join = {postings, word, owner, row_signature, max_hamming, n_images, n, n_pictures};
    Scoring scoring = {weight_of_distance, weight_of_word, score, 0.0, 0, 0, 0};
    const int64_t damage = visit_near(&join, add_to_score, &scoring);
    settle(&scoring);
    return damage;
}

typedef struct {
    const int32_t *place;
    int64_t n_places, *count;
} Counting;

INLINE int add_to_count(const Join *join, int64_t j, int64_t posting, int32_t distance, void *state)
{
    const Counting *of = state;
    const int32_t at = of->place[entry_of(join, j, posting)];
    (void)distance;
    if (at >= of->n_places)
        return OUT_OF_RANGE;
    if (at >= 0)
        of->count[at]++;
    return 0;
}

/* place[picture][image]: the number of a pair of which votes are counted, negative where they are not. */
EXPORT int64_t bof_join_counts(
    const int32_t *indptr, const int32_t *image, const uint64_t *signature, const int32_t *word,
    const uint64_t *row_signature, const int32_t *owner, int64_t max_hamming, const int32_t *place, int64_t *count,
    int64_t n_words, int64_t n_postings, int64_t n_images, int64_t n, int64_t n_pictures, int64_t n_places)
{
    const Postings postings = {indptr, image, 0, signature, n_words, n_postings};
    const Join join = {postings, word, owner, row_signature, max_hamming, n_images, n, n_pictures};
    Counting counting = {place, n_places, count};
    return visit_near(&join, add_to_count, &counting);
}

typedef struct {
    const double *weight_of_distance, *weight_of_word;
    const int32_t *number, *place;
    int64_t n_places, n_room, *next;
    Vote *votes;
} Collecting;

INLINE int add_vote(const Join *join, int64_t j, int64_t posting, int32_t distance, void *state)
{
    const Collecting *of = state;
    const int32_t at = of->place[entry_of(join, j, posting)];
    if (at < 0)
        return 0;
    if (at >= of->n_places || !exists(of->next[at], of->n_room))
        return OUT_OF_RANGE;
    const double weight = of->weight_of_distance[distance] * of->weight_of_word[join->word[j]];
    of->votes[of->next[at]++] = (Vote){weight, (int64_t)of->number[j] << 16 | join->postings.feature[posting]};
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
    const Postings postings = {indptr, image, feature, signature, n_words, n_postings};
    const Join join = {postings, word, owner, row_signature, max_hamming, n_images, n, n_pictures};
    Collecting collecting = {weight_of_distance, weight_of_word, number, place, n_places, n_room, next, votes};
    return visit_near(&join, add_vote, &collecting);
}
