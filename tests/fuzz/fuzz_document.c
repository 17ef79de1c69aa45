/*
 * fuzz_document: the input is an HTML document, in pieces whose length its first octet says.
 * Whatever libxml2 makes of it, what is told is a URL that can be asked for, and no more of them
 * than the document has room to name.
 */
#include <string.h>

#include "support/must.h"
#include "web/document.h"

struct heard {
    struct reference_user user; /* first member */
    size_t references;
};

static void on_reference(struct reference_user *user, enum page_kind kind, const struct url *url)
{
    must(kind == PAGE_FRAME || kind == PAGE_CSS || kind == PAGE_SCRIPT || kind == PAGE_IMAGE);
    must(url->host[0] && strlen(url->host) < sizeof(url->host));
    must(url->target[0] == '/' && strlen(url->target) < sizeof(url->target));
    must(!strpbrk(url->target, " \t\r\n"));
    ((struct heard *)user)->references++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard heard = {.user = {.on_reference = on_reference}};
    struct document *document = NULL;
    size_t piece = 0;
    struct url base;

    if (size < 2)
        return 0;
    piece = data[0] + 1u;
    must(url_parse("https://www.page.test/folder/page.html", &base) == 0);
    document = document_new(&heard.user, &base);
    must(document != NULL);
    for (size_t at = 1; at < size; at += piece)
        document_take(document, (const char *)data + at, size - at < piece ? size - at : piece);
    if (data[0] % 2 == 0)
        document_end(document);
    document_free(document);
    must(heard.references <= size);
    return 0;
}
