/*
 * fuzz_h1_response: what a server of HTTP/1.1 says on a connection, in pieces whose length the
 * first octet says: however it is cut, it means the same responses, and ends in the same way.
 */
#include <errno.h>
#include <string.h>

#include "support/must.h"
#include "web/h1_response.h"

#define RESPONSES_MAX 64

/* A response, and what was understood so far. */
struct listener {
    struct h1_response response; /* first member */
    unsigned responses, heads;
    int outcome;
    uint64_t bytes, sum;
};

static void add(struct listener *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        l->sum = l->sum * 31 + (unsigned char)bytes[i];
}

static int on_head(struct h1_response *response)
{
    struct listener *l = (struct listener *)response;
    const struct http_head *head = &response->head;
    char value[64];
    int error = http_head_field(head, "Location", value, sizeof(value));

    must(++l->heads == l->responses + 1); /* one per response, and none of interim ones */
    must(head->status / 100 != 1 && head->len == strlen(head->text));
    must(error == 0 || error == -ENODATA || error == -ENAMETOOLONG);
    add(l, head->text, head->len);
    l->sum += (uint64_t)head->status + head->length;
    return 0;
}

static int on_body(struct h1_response *response, const char *bytes, size_t n)
{
    struct listener *l = (struct listener *)response;

    must(l->heads == l->responses + 1);
    add(l, bytes, n);
    l->bytes += n;
    return 0;
}

static const struct h1_response_events events = {.on_head = on_head, .on_body = on_body};

/* False: no more can be taken. */
static bool take(struct listener *l, const char *bytes, size_t n)
{
    while (n > 0 && l->responses < RESPONSES_MAX) {
        ssize_t taken = h1_response_take(&l->response, bytes, n);

        must(taken <= (ssize_t)n && (taken < 0 || taken == (ssize_t)n || l->response.complete));
        if (taken < 0) {
            must(taken == -EBADMSG || taken == -EMSGSIZE);
            l->outcome = (int)taken;
            return false;
        }
        bytes += taken;
        n -= (size_t)taken;
        if (!l->response.complete)
            continue;
        must(h1_response_end(&l->response) == 0);
        l->responses++;
        if (!l->response.keeps)
            return false;
        h1_response_init(&l->response, &events);
    }
    return true;
}

static void read_all(const char *bytes, size_t n, size_t piece, struct listener *l)
{
    memset(l, 0, sizeof(*l));
    h1_response_init(&l->response, &events);
    for (size_t at = 0; at < n; at += piece) {
        if (!take(l, bytes + at, n - at < piece ? n - at : piece))
            break;
    }
    if (l->outcome == 0 && !l->response.complete)
        l->outcome = h1_response_end(&l->response);
    must((l->outcome < 0) == (l->response.sentence[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct listener whole, cut;

    if (size < 2)
        return 0;
    read_all((const char *)data + 1, size - 1, size - 1, &whole);
    read_all((const char *)data + 1, size - 1, data[0] % 16 + 1u, &cut);
    must(whole.responses == cut.responses && whole.heads == cut.heads);
    must(whole.bytes == cut.bytes && whole.sum == cut.sum && whole.outcome == cut.outcome);
    return 0;
}
