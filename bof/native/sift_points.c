/* The strongest key points, in an order that depends on the picture alone. */

#include "sift.h"

/* By response, strongest first, then by place and size. */
static int compare(const void *first, const void *second)
{
    const Point *a = first, *b = second;
    const float before[] = {b->response, a->y, a->x, a->size}, after[] = {a->response, b->y, b->x, b->size};
    for (int i = 0; i < 4; i++)
        if (before[i] != after[i])
            return before[i] < after[i] ? -1 : 1;
    return 0;
}

/* Sorts points; of those that refinement has led to the same place one stays; and of all the strongest `most`. */
void sort_points(Strongest *strongest)
{
    Point *point = strongest->point;
    int64_t n = 0;
    qsort(point, (size_t)strongest->n, sizeof *point, compare);
    for (int64_t i = 0; i < strongest->n && n < strongest->most; i++)
        if (!n || compare(point + n - 1, point + i))
            point[n++] = point[i];
    strongest->n = n;
    if (n == strongest->most)
        strongest->least = point[n - 1].response;
}

void keep(Strongest *strongest, const Point *point)
{
    if (point->response < strongest->least)
        return;
    if (strongest->n == strongest->room)
        sort_points(strongest);
    strongest->point[strongest->n++] = *point;
}
