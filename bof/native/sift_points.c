/* The strongest key points, in an order that depends on the picture alone. */

#include "sift.h"

static int sign_of(float a, float b)
{
    return (a > b) - (a < b);
}

/* By response, strongest first, then by place and size. */
static int compare(const void *first, const void *second)
{
    const Point *a = first, *b = second;
    const int order[] = {
        sign_of(b->response, a->response), sign_of(a->y, b->y), sign_of(a->x, b->x), sign_of(a->size, b->size)};
    for (int i = 0; i < 4; i++)
        if (order[i])
            return order[i];
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

/* By octave, level and place in it: points next to each other are read from the same lines of the cache. */
static int compare_places(const void *first, const void *second)
{
    const Point *a = first, *b = second;
    const int64_t order[] = {
        a->octave - b->octave, a->layer - b->layer, a->row - b->row, a->column - b->column, a->rank - b->rank};
    for (int i = 0; i < 5; i++)
        if (order[i])
            return order[i] < 0 ? -1 : 1;
    return 0;
}

void sort_by_place(Point *point, int64_t n)
{
    qsort(point, (size_t)n, sizeof *point, compare_places);
}

void keep(Strongest *strongest, const Point *point)
{
    if (point->response < strongest->least)
        return;
    if (strongest->n == strongest->room)
        sort_points(strongest);
    strongest->point[strongest->n++] = *point;
}
