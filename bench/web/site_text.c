/*
 * web/site_text.c: what the files of a page are called, and say. Read first: the HTML standard,
 * 4.2, 13.1; HTML 4.01, 16 (frame sets).
 */
#include "web/site_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "web/site.h"

void site_target(const struct page *page, int url, char target[SITE_TARGET_MAX])
{
    static const char *const endings[] = {
        [PAGE_HTML] = ".html", [PAGE_FRAME] = ".html", [PAGE_CSS] = ".css",
        [PAGE_SCRIPT] = ".js", [PAGE_REDIRECT] = "",   [PAGE_IMAGE] = ".gif",
    };
    const struct page_url *u = &page->url[url];

    if (u->parent < 0)
        (void)snprintf(target, SITE_TARGET_MAX, "/");
    else
        (void)snprintf(target, SITE_TARGET_MAX, "/%s%s", u->name, endings[u->kind]);
}

/* One file being written. */
struct writing {
    const struct page *page;
    int url;
    uint16_t port;
    FILE *out;
    int child[PAGE_URLS_MAX]; /* in the order of their positions */
    int children;
};

static const struct page_url *child(const struct writing *w, int i)
{
    return &w->page->url[w->child[i]];
}

static void find_children(struct writing *w)
{
    for (int i = 0; i < w->page->urls; i++) {
        int at = w->children;

        if (w->page->url[i].parent != w->url)
            continue;
        while (at > 0 && child(w, at - 1)->position > w->page->url[i].position) {
            w->child[at] = w->child[at - 1];
            at--;
        }
        w->child[at] = i;
        w->children++;
    }
}

/* How the file names its i-th child. */
static void put_url(const struct writing *w, int i, bool absolute)
{
    int host = child(w, i)->host;
    char target[SITE_TARGET_MAX];

    site_target(w->page, w->child[i], target);
    if (absolute || host != w->page->url[w->url].host)
        fprintf(w->out, "https://%s", w->page->host[host].name);
    if ((absolute || host != w->page->url[w->url].host) && w->port != 443)
        fprintf(w->out, ":%u", w->port);
    fputs(target, w->out);
}

/* What the i-th child is in the end: redirections lead to it. */
static enum page_kind kind_of(const struct writing *w, int i)
{
    int url = w->child[i];

    for (int next = url; next < w->page->urls; next++) { /* parents stand before their children */
        if (w->page->url[next].parent == url && w->page->url[url].kind == PAGE_REDIRECT)
            url = next;
    }
    return w->page->url[url].kind;
}

static void put_element(const struct writing *w, int i)
{
    static const struct {
        const char *before, *behind;
    } elements[] = {
        [PAGE_HTML] = {"<iframe src=\"", "\" title=\"frame\"></iframe>\n"},
        [PAGE_FRAME] = {"<iframe src=\"", "\" title=\"frame\"></iframe>\n"},
        [PAGE_CSS] = {"<link rel=\"stylesheet\" href=\"", "\">\n"},
        [PAGE_SCRIPT] = {"<script src=\"", "\"></script>\n"},
        [PAGE_REDIRECT] = {"<img alt=\"\" src=\"", "\">\n"},
        [PAGE_IMAGE] = {"<img alt=\"\" src=\"", "\">\n"},
    };
    enum page_kind kind = kind_of(w, i);

    fputs(elements[kind].before, w->out);
    put_url(w, i, false);
    fputs(elements[kind].behind, w->out);
}

static bool is_frame_set(const struct writing *w)
{
    for (int i = 0; i < w->children; i++) {
        if (child(w, i)->kind != PAGE_FRAME)
            return false;
    }
    return w->children > 0 && w->page->url[w->url].kind == PAGE_HTML;
}

static void write_frame_set(const struct writing *w)
{
    fprintf(w->out,
            "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Frameset//EN\" "
            "\"http://www.w3.org/TR/html4/frameset.dtd\">\n"
            "<html lang=\"en\">\n<head>\n<meta http-equiv=\"Content-Type\" content=\"text/html; "
            "charset=utf-8\">\n"
            "<title>%s</title>\n<link rel=\"icon\" href=\"data:,\">\n</head>\n<frameset cols=\"",
            w->page->url[w->url].name);
    for (int i = 0; i < w->children; i++)
        fputs(i ? ",*" : "*", w->out);
    fputs("\">\n", w->out);
    for (int i = 0; i < w->children; i++) {
        fputs("<frame src=\"", w->out);
        put_url(w, i, false);
        fputs("\">\n", w->out);
    }
    fputs("<noframes><body><p>This page has frames.</p></body></noframes>\n</frameset>\n</html>\n",
          w->out);
}

static void write_document(const struct writing *w)
{
    const struct page_url *u = &w->page->url[w->url];
    int i = 0;

    fprintf(w->out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta "
            "charset=\"utf-8\">\n<title>%s</title>\n",
            u->name);
    if (u->parent < 0) /* or browsers would ask for one that the page does not have */
        fputs("<link rel=\"icon\" href=\"data:,\">\n", w->out);
    for (; i < w->children && (kind_of(w, i) == PAGE_CSS || kind_of(w, i) == PAGE_SCRIPT); i++)
        put_element(w, i);
    fprintf(w->out, "</head>\n<body>\n<p>%s</p>\n", u->name);
    for (; i < w->children; i++)
        put_element(w, i);
    fputs("</body>\n</html>\n", w->out);
}

static void write_style_sheet(const struct writing *w)
{
    int backgrounds = 0;

    for (int i = 0; i < w->children;
         i++) { /* imports come first (CSS Cascading and Inheritance 4, 2) */
        if (kind_of(w, i) == PAGE_CSS) {
            fputs("@import url(\"", w->out);
            put_url(w, i, false);
            fputs("\");\n", w->out);
        }
    }
    fputs("body {\n    margin: 1em;\n", w->out);
    for (int i = 0; i < w->children; i++) {
        if (kind_of(w, i) == PAGE_CSS)
            continue;
        fputs(backgrounds++ ? ", url(\"" : "    background-image: url(\"", w->out);
        put_url(w, i, false);
        fputs("\")", w->out);
    }
    fputs(backgrounds ? ";\n}\n" : "}\n", w->out);
}

/* A script names what it loads in calls: load("img", "src", "https://host/IMG.gif"). The URL is
 * whole, for the document that it would be relative to may be another host's. */
static void write_script(const struct writing *w)
{
    static const char *const arguments[] = {
        [PAGE_HTML] = "\"iframe\", \"src\"",  [PAGE_FRAME] = "\"iframe\", \"src\"",
        [PAGE_CSS] = "\"link\", \"href\"",    [PAGE_SCRIPT] = "\"script\", \"src\"",
        [PAGE_REDIRECT] = "\"img\", \"src\"", [PAGE_IMAGE] = "\"img\", \"src\"",
    };

    fputs("\"use strict\";\n", w->out);
    if (w->children == 0)
        return;
    fputs("(function () {\n"
          "    function load(tag, name, url) {\n"
          "        var element = document.createElement(tag);\n"
          "        if (tag === \"link\")\n"
          "            element.rel = \"stylesheet\";\n"
          "        element[name] = url;\n"
          "        document.documentElement.appendChild(element);\n"
          "    }\n",
          w->out);
    for (int i = 0; i < w->children; i++) {
        fprintf(w->out, "    load(%s, \"", arguments[kind_of(w, i)]);
        put_url(w, i, true);
        fputs("\");\n", w->out);
    }
    fputs("}());\n", w->out);
}

/* A transparent pixel; what stands behind its end nobody draws. */
static void write_image(const struct writing *w)
{
    static const unsigned char pixel[] = {
        'G',  'I',  'F',  '8',  '9',  'a',  0x01, 0x00, 0x01, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00,
        0x00, 0xff, 0xff, 0xff, 0x21, 0xf9, 0x04, 0x01, 0x00, 0x00, 0x00, 0x00, 0x2c, 0x00, 0x00,
        0x00, 0x00, 0x01, 0x00, 0x01, 0x00, 0x00, 0x02, 0x02, 0x44, 0x01, 0x00, 0x3b};

    (void)fwrite(pixel, 1, sizeof(pixel), w->out);
}

static int write_file(const struct writing *w)
{
    switch (w->page->url[w->url].kind) {
    case PAGE_HTML:
    case PAGE_FRAME:
        if (is_frame_set(w))
            write_frame_set(w);
        else
            write_document(w);
        return 0;
    case PAGE_CSS:
        write_style_sheet(w);
        return 0;
    case PAGE_SCRIPT:
        write_script(w);
        return 0;
    case PAGE_REDIRECT:
        if (w->children == 1)
            put_url(w, 0, true);
        return w->children == 1 ? 0 : -EINVAL;
    case PAGE_IMAGE:
        write_image(w);
        return w->children == 0 ? 0 : -EINVAL;
    }
    return -EINVAL;
}

int site_text(const struct page *page, int url, uint16_t port, char **text, size_t *len)
{
    struct writing w = {.page = page, .url = url, .port = port};
    int error = 0;

    *text = NULL;
    w.out = open_memstream(text, len);
    if (!w.out)
        return -ENOMEM;
    find_children(&w);
    error = write_file(&w);
    if (fclose(w.out) != 0)
        error = -ENOMEM;
    if (error < 0) {
        free(*text);
        *text = NULL;
    }
    return error;
}
