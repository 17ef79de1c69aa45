/*
 * web/page.c: the typical page.
 */
#include "web/page.h"

#include <stdio.h>

#define FRAMES 2
#define IMAGES 7

enum { MAIN_HOST, IMAGE_HOST };

uint32_t page_url_bytes(const struct page_url *url)
{
    static const uint32_t typical[] = {
        [PAGE_HTML] = 1000,   [PAGE_FRAME] = 6000, [PAGE_CSS] = 3000,
        [PAGE_SCRIPT] = 5000, [PAGE_REDIRECT] = 0, [PAGE_IMAGE] = 4000};

    return url->size ? url->size : typical[url->kind];
}

const char *page_kind_name(enum page_kind kind)
{
    static const char *const names[] = {"html", "frame", "css", "script", "redirect", "image"};

    return names[kind];
}

/* One of a frame, or (number > 0) of several of its kind there. The index of the URL. */
static int add(struct page *page, const struct page_url *url, const char *name, int number)
{
    struct page_url *at = &page->url[page->urls];
    int length = 0;

    *at = *url;
    length = snprintf(at->name, sizeof(at->name), url->frame ? "%s%d" : "%s", name, url->frame);
    if (number > 0)
        (void)snprintf(at->name + length, sizeof(at->name) - (size_t)length, "_%d", number);
    return page->urls++;
}

static void add_frame(struct page *page, int parent, int frame)
{
    struct page_url url = {.kind = PAGE_FRAME, .parent = parent, .position = frame, .frame = frame};
    int document = add(page, &url, "F", 0);

    url.position = 1;
    url.parent = document;
    url.kind = PAGE_CSS;
    url.parent = add(page, &url, "CSS", 0);
    url.kind = PAGE_IMAGE;
    add(page, &url, "BG", 0);

    url.parent = document;
    url.kind = PAGE_SCRIPT;
    for (int i = 1; i <= 2; i++) {
        url.position++;
        add(page, &url, "JS", i);
    }

    url.position++;
    url.kind = PAGE_REDIRECT;
    url.parent = add(page, &url, "R", 0);
    url.kind = PAGE_IMAGE;
    url.host = IMAGE_HOST;
    add(page, &url, "RI", 0);

    url.parent = document;
    url.host = MAIN_HOST;
    for (int i = 1; i <= IMAGES; i++) {
        url.position++;
        add(page, &url, "IMG", i);
    }
}

void page_typical(struct page *page)
{
    const struct page_url document = {.kind = PAGE_HTML, .parent = -1, .position = 1};

    *page = (struct page){
        .host = {[MAIN_HOST] = {.name = "www.page.test", .connections = 16},
                 [IMAGE_HOST] = {.name = "images.page.test", .connections = 2, .dns = 1}},
        .hosts = 2,
    };
    int html = add(page, &document, "HTML", 0);

    for (int frame = 1; frame <= FRAMES; frame++)
        add_frame(page, html, frame);
}
