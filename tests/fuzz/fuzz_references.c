/*
 * fuzz_references: the input is a style sheet, or a script if its first octet has the highest bit,
 * in pieces whose length that octet says: however it is cut, it refers to the same, and to no more
 * than it has room to name.
 */
#include <string.h>

#include "support/must.h"
#include "web/css.h"
#include "web/script.h"

struct heard {
    struct reference_user user; /* first member */
    unsigned references;
    uint64_t sum;
};

static void on_reference(struct reference_user *user, enum page_kind kind, const struct url *url)
{
    struct heard *heard = (struct heard *)user;

    must(kind == PAGE_FRAME || kind == PAGE_CSS || kind == PAGE_SCRIPT || kind == PAGE_IMAGE);
    must(url->host[0] && url->target[0] == '/' && strlen(url->target) < sizeof(url->target));
    heard->references++;
    for (const char *c = url->target; *c; c++)
        heard->sum = heard->sum * 31 + (unsigned char)*c;
    heard->sum = heard->sum * 31 + (unsigned char)url->host[0] + kind;
}

static void read_sheet(const char *bytes, size_t n, size_t piece, struct heard *heard,
                       const struct url *base)
{
    struct css css;

    css_init(&css, &heard->user, base);
    for (size_t at = 0; at < n; at += piece)
        css_take(&css, bytes + at, n - at < piece ? n - at : piece);
}

static void read_script(const char *bytes, size_t n, size_t piece, struct heard *heard,
                        const struct url *base)
{
    struct script script;

    script_init(&script, &heard->user, base);
    for (size_t at = 0; at < n; at += piece)
        script_take(&script, bytes + at, n - at < piece ? n - at : piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard whole = {.user = {on_reference}}, cut = {.user = {on_reference}};
    const char *text = (const char *)data + 1;
    struct url base;

    if (size < 2)
        return 0;
    must(url_parse("https://www.page.test/folder/a", &base) == 0);
    if (data[0] & 0x80) {
        read_script(text, size - 1, size - 1, &whole, &base);
        read_script(text, size - 1, data[0] % 16 + 1u, &cut, &base);
    } else {
        read_sheet(text, size - 1, size - 1, &whole, &base);
        read_sheet(text, size - 1, data[0] % 16 + 1u, &cut, &base);
    }
    must(whole.references == cut.references && whole.sum == cut.sum);
    must(whole.references <= size / 2); /* two octets at the least, "" apart, name something */
    return 0;
}
