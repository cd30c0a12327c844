/* The strongest votes for each of some images. */

#include "common.h"
#include "vote.h"

/* place: where an image stands among those chosen, negative where it is not. Counts the votes for each place. */
EXPORT int64_t bof_count_votes(
    const int32_t *place, const int32_t *image, int64_t *count, int64_t n_images, int64_t n_votes, int64_t n_places)
{
    for (int64_t v = 0; v < n_votes; v++) {
        if (!exists(image[v], n_images))
            return NO_SUCH_IMAGE;
        const int64_t at = place[image[v]];
        if (at < 0)
            continue;
        if (at >= n_places)
            return OUT_OF_RANGE;
        count[at]++;
    }
    return 0;
}

/* Copies the votes for chosen images to `votes`, those of place i from next[i] on, in the order of query features.

   ends: where the votes of each of the k words of the query features first to stop - 1 end. */
EXPORT int64_t bof_collect_votes(
    const int32_t *place, const int32_t *image, const uint16_t *feature, const uint8_t *distance, const int32_t *word,
    int64_t first, int64_t stop, const int64_t *ends, const double *weight_of_distance, const double *weight_of_word,
    int64_t *next, Vote *votes, int64_t n_images, int64_t n_votes, int64_t k, int64_t n_words, int64_t n_places,
    int64_t n_room)
{
    int64_t v = 0;
    for (int64_t j = first * k; j < stop * k; j++) {
        const int64_t end = ends[j - first * k];
        if (!are_offsets(v, end, n_votes))
            return BAD_OFFSETS;
        if (!exists(word[j], n_words))
            return NO_SUCH_WORD;
        for (; v < end; v++) {
            if (!exists(image[v], n_images))
                return NO_SUCH_IMAGE;
            const int64_t at = place[image[v]];
            if (at < 0)
                continue;
            if (at >= n_places || distance[v] >= N_DISTANCES || !exists(next[at], n_room))
                return OUT_OF_RANGE;
            const double weight = weight_of_distance[distance[v]] * weight_of_word[word[j]];
            votes[next[at]++] = (Vote){weight, j / k << 16 | feature[v]};
        }
    }
    return 0;
}

/* Burstiness: what a query feature says n times of one image counts as square root of n (Jegou et al. 2009). */
static void damp(Vote *vote, int64_t n)
{
    for (int64_t i = 0, next; i < n; i = next) {
        for (next = i + 1; next < n && vote[next].key >> 16 == vote[i].key >> 16; next++)
            ;
        const double share = 1.0 / sqrt((double)(next - i));
        for (int64_t v = i; v < next; v++)
            vote[v].weight *= share;
    }
}

static inline int stronger(const Vote *a, const Vote *b)
{
    return a->weight > b->weight || (a->weight == b->weight && a->key < b->key);
}

static void sift_down(Vote *heap, int64_t n, int64_t at)
{
    const Vote moved = heap[at];
    for (int64_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && stronger(heap + child, heap + child + 1))
            child++;
        if (!stronger(&moved, heap + child))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

/* The strongest `limit` of n votes, strongest first, to the front: a heap with the weakest retained one on top. */
static int64_t keep_strongest(Vote *vote, int64_t n, int64_t limit)
{
    const int64_t retained = n < limit ? n : limit;
    for (int64_t i = retained / 2; i-- > 0;)
        sift_down(vote, retained, i);
    for (int64_t i = retained; i < n; i++)
        if (retained && stronger(vote + i, vote)) {
            vote[0] = vote[i];
            sift_down(vote, retained, 0);
        }
    for (int64_t i = retained; i-- > 1;) {
        const Vote weakest = vote[0];
        vote[0] = vote[i];
        vote[i] = weakest;
        sift_down(vote, i, 0);
    }
    return retained;
}

/* For places first to stop - 1: damps and sorts the votes starts[i] to starts[i + 1] - 1, and writes the strongest `limit`
   of them as columns from indptr[i] to indptr[i + 1] - 1. */
EXPORT int64_t bof_sort_votes(
    const int64_t *starts, const int64_t *indptr, int64_t first, int64_t stop, int64_t limit, Vote *votes,
    int32_t *query, uint16_t *feature, double *weight, int64_t n_votes, int64_t m)
{
    for (int64_t i = first; i < stop; i++) {
        if (!are_offsets(starts[i], starts[i + 1], n_votes) || !are_offsets(indptr[i], indptr[i + 1], m))
            return BAD_OFFSETS;
        const int64_t n = starts[i + 1] - starts[i], at = indptr[i];
        if ((n < limit ? n : limit) != indptr[i + 1] - at)
            return BAD_OFFSETS;
        Vote *vote = votes + starts[i];
        damp(vote, n);
        const int64_t retained = keep_strongest(vote, n, limit);
        for (int64_t v = 0; v < retained; v++) {
            query[at + v] = (int32_t)(vote[v].key >> 16);
            feature[at + v] = (uint16_t)(vote[v].key & 0xFFFF);
            weight[at + v] = vote[v].weight;
        }
    }
    return 0;
}
