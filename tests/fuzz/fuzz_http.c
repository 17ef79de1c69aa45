/*
 * fuzz_http: requests of HTTP/1.1 on a connection, as a server reads them. The first octet says how
 * they are cut into pieces: whatever it says, they mean the same.
 */
#include <string.h>

#include "support/must.h"
#include "web/h1_request.h"

#define REQUESTS_MAX 64

/* What was understood: a sum over outcomes, lengths and names. */
struct meaning {
    unsigned requests, outcome;
    uint64_t sum;
};

static void add(struct meaning *m, const char *text)
{
    for (; *text; text++)
        m->sum = m->sum * 31 + (unsigned char)*text;
}

static void understood(struct meaning *m, const struct h1_request *r)
{
    char path[REQUEST_TARGET_MAX + 1];
    bool directory = false;
    uint64_t first = 0, last = 0;

    add(m, r->asked.method);
    add(m, r->asked.target);
    add(m, r->asked.host);
    add(m, r->asked.range);
    m->sum += r->keep_alive + 2u * r->asked.has_body + 4u * r->asked.expect_continue;
    if (request_path(r->asked.target, path, sizeof(path), &directory) == 0)
        must(path[0] != '/' && !strstr(path, "/../") && strncmp(path, "../", 3) != 0);
    if (request_range(r->asked.range, 1000, &first, &last) == RANGE_PART)
        must(first <= last && last < 1000);
}

static void read_all(const char *bytes, size_t n, size_t piece, struct meaning *m)
{
    struct h1_request r;
    size_t at = 0;

    memset(&r, 0, sizeof(r));
    h1_request_begin(&r);
    while (at < n && m->requests < REQUESTS_MAX) {
        size_t take = piece && n - at > piece ? piece : n - at, used = 0;
        m->outcome = h1_request_feed(&r, bytes + at, take, &used);
        must(used <= take);
        at += used;
        if (m->outcome == H1_BAD) {
            must(r.status >= 400 && r.status < 600); /* of two faults, either may be the first */
            return;
        }
        must(used == take || m->outcome != H1_MORE);
        if (m->outcome == H1_HEAD)
            understood(m, &r);
        if (m->outcome == H1_COMPLETE) {
            m->requests++;
            h1_request_begin(&r);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct meaning whole = {0}, cut = {0};

    if (size < 2)
        return 0;
    read_all((const char *)data + 1, size - 1, 0, &whole);
    read_all((const char *)data + 1, size - 1, data[0] % 16 + 1u, &cut);
    must(whole.requests == cut.requests && whole.sum == cut.sum);
    return 0;
}
