/*
 * fuzz_har: the input is an HTTP Archive. What is taken for a page is one that a browser can load:
 * parents come before their children, every URL has a server, and redirections lead somewhere.
 */
#include <errno.h>
#include <string.h>

#include "support/must.h"
#include "web/har.h"

static void check_url(const struct page *page, int i)
{
    const struct page_url *u = &page->url[i];
    int children = 0;

    must(u->host >= 0 && u->host < page->hosts && u->position >= 1);
    must(i == 0 ? u->parent == -1 : u->parent >= 0 && u->parent < i);
    must((u->kind == PAGE_HTML) == (i == 0));
    for (int k = i + 1; k < page->urls; k++)
        children += page->url[k].parent == i;
    must(u->kind != PAGE_REDIRECT || children == 1);
    must(u->kind != PAGE_IMAGE || children == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct page page;
    char message[HAR_MESSAGE_MAX];
    struct har_count count;
    int error = har_parse((const char *)data, size, &page, &count, message);

    if (error < 0) {
        must(error == -EINVAL || error == -E2BIG);
        must(message[0] && strlen(message) < sizeof(message));
        return 0;
    }
    must(page.urls >= 1 && page.urls <= PAGE_URLS_MAX);
    must(page.hosts >= 1 && page.hosts <= PAGE_HOSTS_MAX);
    must((size_t)page.urls + count.left_out + count.repeated == count.entries);
    for (int i = 0; i < page.hosts; i++)
        must(page.host[i].connections >= 1 && page.host[i].name[0]);
    for (int i = 0; i < page.urls; i++)
        check_url(&page, i);
    return 0;
}
