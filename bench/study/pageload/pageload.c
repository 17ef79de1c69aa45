/*
 * study/pageload/pageload.c: counting, and the words for it.
 */
#include "study/pageload/pageload.h"

#include "study/pageload/page_published.h"

const char *pageload_step_name(enum load_step step)
{
    static const char *const names[] = {"DNS", "TCP", "TLS", "TLS, resumed", "GET"};

    return names[step];
}

static int check(struct pageload *p, enum browser_visit visit)
{
    const struct page_events *published = page_published_events(visit);
    struct pageload_check *c = &p->check[visit];
    struct browser_load load;
    const struct browser_kind kind = {.handshake = &browser_handshakes[0], .visit = visit};
    int error = browser_load_page(&p->page, &kind, &load);

    c->published = page_replay(published);
    if (error < 0 || c->published < 0)
        return error < 0 ? error : c->published;
    c->counted = load.round_trips;
    page_compare(published, &load, &c->missing, &c->extra);
    return 0;
}

int pageload_count(struct pageload *pageload, const struct pageload_options *options)
{
    int error = 0;

    *pageload = (struct pageload){.options = *options};
    if (options->page)
        pageload->page = *options->page;
    else
        page_typical(&pageload->page);
    for (int i = 0; error == 0 && i < BROWSER_HTTPS * BROWSER_HANDSHAKES * BROWSER_VISITS; i++) {
        int http = i / BROWSER_VISITS / BROWSER_HANDSHAKES;
        int handshake = i / BROWSER_VISITS % BROWSER_HANDSHAKES, visit = i % BROWSER_VISITS;
        struct pageload_row *row = &pageload->row[pageload->rows];

        if (!(options->http >> http & 1) ||
            (options->handshake >= 0 && options->handshake != handshake) ||
            (options->visit >= 0 && options->visit != visit))
            continue;
        pageload->rows++;
        row->kind = (struct browser_kind){.handshake = &browser_handshakes[handshake],
                                          .visit = (enum browser_visit)visit,
                                          .http = (enum browser_http)http};
        error = browser_load_page(&pageload->page, &row->kind, &row->load);
    }
    for (int visit = 0; error == 0 && !options->page && visit < BROWSER_VISITS; visit++)
        error = check(pageload, (enum browser_visit)visit);
    return error;
}

const struct browser_load *pageload_find(const struct pageload *pageload,
                                         const struct browser_kind *kind)
{
    for (int i = 0; i < pageload->rows; i++) {
        const struct pageload_row *row = &pageload->row[i];

        if (row->kind.handshake == kind->handshake && row->kind.visit == kind->visit &&
            row->kind.http == kind->http)
            return &row->load;
    }
    return NULL;
}

static bool belong_together(const struct browser_event *a, const struct browser_event *b)
{
    return a->step == b->step && a->start == b->start && a->end == b->end;
}

/* "4-9" and the like, appended. */
static void add_range(char *text, size_t size, int first, int last)
{
    size_t length = 0;

    while (text[length])
        length++;
    (void)snprintf(text + length, size - length, first == last ? "%s%d" : "%s%d-%d",
                   length ? ", " : "", first, last);
}

int pageload_group(const struct browser_load *load, int from, char *connections, size_t size)
{
    const struct browser_event *event = load->event;
    int first = event[from].connection, last = first, i = from + 1;

    connections[0] = '\0';
    for (; i < load->events && belong_together(&event[from], &event[i]); i++) {
        if (event[i].connection == last) /* side by side on one connection: HTTP/2 */
            continue;
        if (event[i].connection != last + 1) {
            add_range(connections, size, first, last);
            first = event[i].connection;
        }
        last = event[i].connection;
    }
    add_range(connections, size, first, last);
    return i;
}
