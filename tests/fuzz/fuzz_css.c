/*
 * fuzz_css: the input is a style sheet, in pieces whose length its first octet says: however it is
 * cut, it refers to the same, and to nothing that was not written in it.
 */
#include <string.h>

#include "support/must.h"
#include "web/css.h"

struct heard {
    struct reference_user user; /* first member */
    unsigned references;
    uint64_t sum;
};

static void on_reference(struct reference_user *user, enum page_kind kind, const struct url *url)
{
    struct heard *heard = (struct heard *)user;

    must(kind == PAGE_CSS || kind == PAGE_IMAGE);
    must(url->host[0] && url->target[0] == '/' && strlen(url->target) < sizeof(url->target));
    heard->references++;
    for (const char *c = url->target; *c; c++)
        heard->sum = heard->sum * 31 + (unsigned char)*c;
    heard->sum = heard->sum * 31 + (unsigned char)url->host[0] + kind;
}

static void read_all(const char *bytes, size_t n, size_t piece, struct heard *heard)
{
    struct url base;
    struct css css;

    must(url_parse("https://www.page.test/folder/a.css", &base) == 0);
    heard->user.on_reference = on_reference;
    css_init(&css, &heard->user, &base);
    for (size_t at = 0; at < n; at += piece)
        css_take(&css, bytes + at, n - at < piece ? n - at : piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard whole = {0}, cut = {0};

    if (size < 2)
        return 0;
    read_all((const char *)data + 1, size - 1, size - 1, &whole);
    read_all((const char *)data + 1, size - 1, data[0] % 16 + 1u, &cut);
    must(whole.references == cut.references && whole.sum == cut.sum);
    must(whole.references <= size / 2); /* two octets at the least, "" apart, name something */
    return 0;
}
