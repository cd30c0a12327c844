/* One vote while votes are collected and sorted. */

#ifndef BOF_VOTE_H
#define BOF_VOTE_H

#include <stdint.h>

/* key orders votes of one weight: query feature, then database feature. */
typedef struct {
    double weight;
    int64_t key;
} Vote;

#endif
