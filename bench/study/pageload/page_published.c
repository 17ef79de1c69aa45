/*
 * study/pageload/page_published.c: the paper's tables.
 */
#include "study/pageload/page_published.h"

#include <errno.h>

#define ROUND_TRIPS_MAX 32

const struct page_network page_networks[PAGE_NETWORKS] = {
    {"fixed-assignment satellite", 650, {10.4, 7.8, 4.55}},
    {"demand-assigned satellite", 1300, {20.8, 15.6, 9.1}},
    {"East Coast to India", 300, {4.8, 3.6, 2.1}},
    {"East Coast to Moscow", 180, {2.88, 2.16, 1.26}},
    {"Washington to New York", 30, {0.48, 0.36, 0.21}},
    {"local area network", 1, {0.016, 0.01, 0.01}},
};

/* clang-format off */
static const struct page_event unoptimized[] = {
    {1, {0}, {{1, 1}}, 1, 1},
    {2, {1}, {{1, 1}}, 2, 3},
    {3, {2}, {{1, 1}}, 1, 4},
    {4, {3}, {{1, 1}}, 1, 5},
    {5, {3}, {{2, 2}}, 1, 5},
    {6, {4}, {{1, 1}}, 1, 6},
    {7, {5}, {{2, 2}}, 1, 6},
    {8, {6}, {{1, 1}}, 1, 7},
    {9, {7}, {{2, 2}}, 1, 7},
    {10, {6}, {{3, 3}}, 1, 7},
    {11, {8}, {{1, 1}}, 1, 8},
    {12, {10}, {{3, 3}}, 1, 8},
    {13, {11}, {{1, 1}}, 1, 9},
    {14, {11}, {{2, 2}}, 1, 9},
    {15, {12}, {{3, 3}}, 1, 9},
    {16, {13, 14}, {{1, 1}}, 1, 10},
    {17, {14, 15}, {{2, 2}}, 1, 10},
    {18, {16, 17}, {{1, 1}}, 1, 11},
    {19, {16, 17}, {{2, 2}}, 1, 11},
    {20, {15, 17}, {{3, 3}}, 1, 11},
    {21, {17}, {{4, 9}}, 1, 11},
    {22, {16}, {{10, 16}}, 1, 11},
    {23, {21}, {{4, 9}}, 1, 12},
    {24, {22}, {{10, 16}}, 1, 12},
    {25, {18}, {{17, 17}}, 1, 12},
    {26, {19}, {{18, 18}}, 1, 12},
    {27, {23}, {{4, 9}}, 1, 13},
    {28, {24}, {{10, 16}}, 1, 13},
    {29, {25}, {{17, 17}}, 1, 13},
    {30, {26}, {{18, 18}}, 1, 13},
    {31, {29}, {{17, 17}}, 2, 15},
    {32, {30}, {{18, 18}}, 2, 15},
    {33, {31}, {{17, 17}}, 1, 16},
    {34, {32}, {{18, 18}}, 1, 16},
};
static const struct page_event first[] = {
    {1, {0}, {{1, 1}}, 1, 1},
    {2, {1}, {{1, 1}}, 2, 3},
    {3, {2}, {{2, 4}}, 1, 4},
    {4, {2}, {{1, 1}}, 1, 4},
    {5, {4}, {{1, 1}}, 1, 5},
    {6, {3}, {{2, 4}}, 1, 5},
    {7, {4}, {{5, 16}}, 1, 5},
    {8, {6}, {{1, 1}}, 1, 6},
    {9, {6, 4}, {{2, 2}}, 1, 6},
    {10, {6, 4}, {{3, 4}}, 1, 6},
    {11, {7}, {{5, 16}}, 1, 6},
    {12, {8, 9}, {{1, 1}}, 1, 7},
    {13, {9, 10}, {{2, 3}}, 1, 7},
    {14, {10, 5}, {{4, 4}}, 1, 7},
    {15, {11, 9}, {{5, 5}}, 1, 7},
    {16, {11, 5}, {{6, 12}}, 1, 7},
    {17, {11, 9}, {{13, 16}}, 1, 7},
    {18, {12, 13, 5}, {{1, 3}}, 1, 8},
    {19, {14, 8}, {{4, 4}}, 1, 8},
    {20, {14}, {{17, 17}}, 1, 8},
    {21, {15}, {{18, 18}}, 1, 8},
    {22, {20}, {{17, 17}}, 1, 9},
    {23, {21}, {{18, 18}}, 1, 9},
    {24, {22}, {{17, 17}}, 2, 11},
    {25, {23}, {{18, 18}}, 2, 11},
    {26, {24}, {{17, 17}}, 1, 12},
    {27, {25}, {{18, 18}}, 1, 12},
};
static const struct page_event repeat[] = {
    {1, {0}, {{1, 1}}, 1, 1},
    {2, {0}, {{2, 2}}, 1, 1},
    {3, {0}, {{3, 3}}, 1, 1},
    {4, {2}, {{2, 2}}, 1, 2},
    {5, {3}, {{3, 3}}, 1, 2},
    {6, {1}, {{1, 1}}, 2, 3},
    {7, {6}, {{1, 1}}, 1, 4},
    {8, {4}, {{2, 2}}, 2, 4},
    {9, {5}, {{3, 3}}, 2, 4},
    {10, {6}, {{4, 18}}, 1, 4},
    {11, {7}, {{1, 1}}, 1, 5},
    {12, {8}, {{2, 2}}, 1, 5},
    {13, {9}, {{3, 3}}, 1, 5},
    {14, {10}, {{4, 18}}, 1, 5},
    {15, {11, 14}, {{1, 1}, {4, 7}}, 1, 6},
    {16, {14}, {{8, 13}}, 1, 6},
    {17, {14}, {{14, 18}}, 1, 6},
    {18, {15}, {{1, 1}, {4, 4}}, 1, 7},
    {19, {15, 16}, {{5, 11}}, 1, 7},
};
/* clang-format on */

#define TABLE(name)                                                                                \
    {                                                                                              \
        name, (int)(sizeof(name) / sizeof((name)[0]))                                              \
    }

const struct page_events *page_published_events(enum browser_visit visit)
{
    static const struct page_events tables[BROWSER_VISITS] = {TABLE(unoptimized), TABLE(first),
                                                              TABLE(repeat)};

    return &tables[visit];
}

/* Events are numbered as they stand, from 1, and stand behind those that they follow. */
int page_replay(const struct page_events *events)
{
    int end[64] = {0}, last = 0;

    for (int i = 0; i < events->count; i++) {
        const struct page_event *e = &events->event[i];
        int start = 0;

        for (int k = 0; k < 3 && e->after[k]; k++)
            start = end[e->after[k]] > start ? end[e->after[k]] : start;
        end[e->id] = start + e->cost;
        if (end[e->id] != e->prints)
            return -EINVAL;
        last = e->prints > last ? e->prints : last;
    }
    return last;
}

/* Which connections have an end at which round trip. */
struct grid {
    bool end[ROUND_TRIPS_MAX + 1][BROWSER_CONNECTIONS_MAX + 1];
};

static void mark_published(const struct page_events *events, struct grid *grid)
{
    for (int i = 0; i < events->count; i++) {
        const struct page_event *e = &events->event[i];

        for (int k = 0; k < 2; k++) {
            for (int c = e->connections[k].first; c && c <= e->connections[k].last; c++)
                grid->end[e->prints][c] = true;
        }
    }
}

static void mark_loaded(const struct browser_load *load, struct grid *grid)
{
    for (int i = 0; i < load->events; i++) {
        if (load->event[i].end <= ROUND_TRIPS_MAX)
            grid->end[load->event[i].end][load->event[i].connection] = true;
    }
}

void page_compare(const struct page_events *events, const struct browser_load *load, int *missing,
                  int *extra)
{
    struct grid published = {0}, loaded = {0};

    mark_published(events, &published);
    mark_loaded(load, &loaded);
    *missing = *extra = 0;
    for (int t = 0; t <= ROUND_TRIPS_MAX; t++) {
        for (int c = 0; c <= BROWSER_CONNECTIONS_MAX; c++) {
            *missing += !published.end[t][c] && loaded.end[t][c];
            *extra += published.end[t][c] && !loaded.end[t][c];
        }
    }
}
