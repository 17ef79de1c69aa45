/*
 * test_references.c: what documents and style sheets refer to, in whatever pieces they come.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/css.h"
#include "web/document.h"
#include "web/script.h"

static struct url base;
static char found[4096]; /* "image /a\n" each; the host if it is another */

static void on_reference(struct reference_user *user, enum page_kind kind, const struct url *url)
{
    size_t n = strlen(found);
    bool here = strcmp(url->host, base.host) == 0;

    (void)user;
    (void)snprintf(found + n, sizeof(found) - n, "%s %s%s\n", page_kind_name(kind),
                   here ? "" : url->host, url->target);
}

static struct reference_user user = {.on_reference = on_reference};

static void setup(void)
{
    ck_assert_int_eq(url_parse("https://www.page.test/folder/page.html?q", &base), 0);
    found[0] = '\0';
}

/* As one piece, then in pieces of each length. */
static void expect_of_html(const char *text, const char *expected)
{
    size_t n = strlen(text);

    for (size_t piece = n; piece > 0; piece = piece > 40 ? 40 : piece - 1) {
        struct document *document = document_new(&user, &base);

        ck_assert_ptr_nonnull(document);
        found[0] = '\0';
        for (size_t at = 0; at < n; at += piece)
            document_take(document, text + at, n - at < piece ? n - at : piece);
        document_end(document);
        document_free(document);
        ck_assert_str_eq(found, expected);
    }
}

static void expect_of_css(const char *text, const char *expected)
{
    size_t n = strlen(text);

    for (size_t piece = n; piece > 0; piece--) {
        struct css css;

        css_init(&css, &user, &base);
        found[0] = '\0';
        for (size_t at = 0; at < n; at += piece)
            css_take(&css, text + at, n - at < piece ? n - at : piece);
        ck_assert_str_eq(found, expected);
    }
}

START_TEST(elements_are_found_in_their_order)
{
    expect_of_html("<!doctype html><html><head><title>x</title>"
                   "<link rel=icon href=icon.png><link rel='StyleSheet' href='a.css'>"
                   "<script src='/b.js'></script><script>var x = '<img src=no.gif>';</script>"
                   "</head><body background=\"bg.gif\"><p>text<img src=' c.gif ' alt=''>"
                   "<IMG SRC=//images.page.test/d.gif?x=1&amp;y=2#z><iframe src=e.html></iframe>"
                   "<!-- <img src=comment.gif> --><input type=image src=../f.gif>"
                   "<input type=text src=g.gif><div style='background: url(h.gif)'></div>",
                   "css /folder/a.css\nscript /b.js\nimage /folder/bg.gif\nimage /folder/c.gif\n"
                   "image images.page.test/d.gif?x=1&y=2\nframe /folder/e.html\nimage /f.gif\n"
                   "image /folder/h.gif\n");
}
END_TEST

START_TEST(a_set_of_frames_has_documents)
{
    expect_of_html("<html><frameset cols='*,*'><frame src=/F1.html><frame src='/F2.html'>"
                   "<noframes>nothing</noframes></frameset></html>",
                   "frame /F1.html\nframe /F2.html\n");
}
END_TEST

START_TEST(the_first_base_counts)
{
    expect_of_html("<img src=a.gif><base href='https://images.page.test/x/'><img src=b.gif>"
                   "<base href=/y/><img src=c.gif>",
                   "image /folder/a.gif\nimage images.page.test/x/b.gif\n"
                   "image images.page.test/x/c.gif\n");
}
END_TEST

START_TEST(what_is_no_https_url_is_passed_over)
{
    expect_of_html("<img src='data:image/gif;base64,R0=='><img src=''><img src='#top'>"
                   "<script src='javascript:alert(1)'></script><img src=http://plain.test/a>"
                   "<img><iframe src='about:blank'></iframe>",
                   "");
}
END_TEST

START_TEST(sheets_for_paper_are_not_wanted)
{
    expect_of_html("<link rel=stylesheet media=print href=a.css>"
                   "<link rel=stylesheet media='print, screen' href=b.css>"
                   "<link rel='alternate stylesheet' href=c.css>"
                   "<link rel=stylesheet media='(min-width: 1px)' href=d.css>",
                   "css /folder/b.css\ncss /folder/d.css\n");
}
END_TEST

START_TEST(style_elements_are_sheets)
{
    expect_of_html("<style>@import 'a.css'; p { background: url(b.gif) }</style><img src=c.gif>",
                   "css /folder/a.css\nimage /folder/b.gif\nimage /folder/c.gif\n");
}
END_TEST

START_TEST(a_document_beyond_all_bounds_ends)
{
    size_t n = DOCUMENT_BYTES_MAX;
    struct document *document = document_new(&user, &base);
    char *filler = calloc(1, n);

    ck_assert(document && filler);
    memset(filler, ' ', n);
    document_take(document, filler, n);
    document_take(document, "<img src=a.gif><img src=b.gif>", 30);
    document_end(document);
    document_free(document);
    free(filler);
    ck_assert_str_eq(found, "");
}
END_TEST

/* In libxml2, each end of an element that is not open costs a walk over those that are. */
START_TEST(what_follows_elements_nested_too_deep_is_not_looked_at)
{
    enum { TAG = 3, IMAGE = 15 };
    static const int nested[] = {DOCUMENT_DEPTH_MAX - 10, DOCUMENT_DEPTH_MAX + 10};

    for (int i = 0; i < 2; i++) {
        size_t n = (size_t)nested[i] * TAG;
        char *text = malloc(n + IMAGE + 1);

        ck_assert_ptr_nonnull(text);
        for (int k = 0; k < nested[i]; k++)
            memcpy(text + TAG * k, "<b>", TAG);
        memcpy(text + n, "<img src=a.gif>", IMAGE + 1);
        expect_of_html(text, i == 0 ? "image /folder/a.gif\n" : "");
        free(text);
    }
}
END_TEST

START_TEST(sheets_name_images_and_sheets)
{
    expect_of_css("@charset \"x.gif\";@import \"a.css\" screen;@IMPORT url( 'b.css' );\n"
                  "@import url(c.css);/* url(no.gif) */ p{content:\"url(no.gif)\";"
                  "background:#fff URL(d.gif)no-repeat, url(\"e\\\".gif\")}"
                  "q{background:url( f.gif )} r{x:myurl(no.gif)} /**/s{b:url('g.gif')}",
                  "css /folder/a.css\ncss /folder/b.css\ncss /folder/c.css\nimage /folder/d.gif\n"
                  "image /folder/e\".gif\nimage /folder/f.gif\nimage /folder/g.gif\n");
}
END_TEST

START_TEST(a_broken_sheet_names_what_is_whole)
{
    expect_of_css("p{a:\"never closed\nurl(a.gif) url() url(b.gif", "image /folder/a.gif\n");
}
END_TEST

START_TEST(scripts_of_ours_say_what_they_load)
{
    static const char text[] =
        "\"use strict\";\n(function () {\n    function load(tag, name, url) {\n"
        "        if (tag === \"link\")\n            element.rel = \"stylesheet\";\n    }\n"
        "    load(\"img\", \"src\", \"https://images.page.test/a.gif\");\n"
        "    load(\"link\", \"href\", \"/b.css\"); reload(\"img\", \"src\", \"no.gif\");\n"
        "    load(\"script\", \"src\", \"c.js\"); load(\"iframe\", \"src\", \"d\\\"e.html\");\n"
        "    load(\"video\", \"src\", \"no.mp4\"); load(\"img\"); load(\"img\", \"src\", \"no\n"
        "\"); load(\"img\", \"src\", \"http://plain.test/no.gif\");\n}());\n";
    size_t n = sizeof(text) - 1;

    for (size_t piece = n; piece > 0; piece--) {
        struct script script;

        script_init(&script, &user, &base);
        found[0] = '\0';
        for (size_t at = 0; at < n; at += piece)
            script_take(&script, text + at, n - at < piece ? n - at : piece);
        ck_assert_str_eq(found, "image images.page.test/a.gif\ncss /b.css\n"
                                "script /folder/c.js\nframe /folder/d\"e.html\n");
    }
}
END_TEST

START_TEST(a_reference_of_any_length_is_passed_over)
{
    static const char before[] = "load(\"img\", \"src\", \"";
    static const char behind[] = "\"); load(\"img\", \"src\", \"b.gif\");";
    struct script script;
    struct css css;

    css_init(&css, &user, &base);
    css_take(&css, "p{a:url(", 8);
    for (int i = 0; i < REFERENCE_MAX; i++)
        css_take(&css, "x", 1);
    css_take(&css, ") url(a.gif)", 12);
    ck_assert_str_eq(found, "image /folder/a.gif\n");
    script_init(&script, &user, &base);
    script_take(&script, before, sizeof(before) - 1);
    for (int i = 0; i < REFERENCE_MAX; i++)
        script_take(&script, "x", 1);
    script_take(&script, behind, sizeof(behind) - 1);
    ck_assert_str_eq(found, "image /folder/a.gif\nimage /folder/b.gif\n");
}
END_TEST

Suite *references_suite(void);

Suite *references_suite(void)
{
    Suite *s = suite_create("references");
    TCase *document = tcase_create("html");
    TCase *css = tcase_create("css");

    tcase_add_checked_fixture(document, setup, NULL);
    tcase_add_test(document, elements_are_found_in_their_order);
    tcase_add_test(document, a_set_of_frames_has_documents);
    tcase_add_test(document, the_first_base_counts);
    tcase_add_test(document, what_is_no_https_url_is_passed_over);
    tcase_add_test(document, sheets_for_paper_are_not_wanted);
    tcase_add_test(document, style_elements_are_sheets);
    tcase_add_test(document, a_document_beyond_all_bounds_ends);
    tcase_add_test(document, what_follows_elements_nested_too_deep_is_not_looked_at);
    suite_add_tcase(s, document);
    tcase_add_checked_fixture(css, setup, NULL);
    tcase_add_test(css, sheets_name_images_and_sheets);
    tcase_add_test(css, a_broken_sheet_names_what_is_whole);
    tcase_add_test(css, scripts_of_ours_say_what_they_load);
    tcase_add_test(css, a_reference_of_any_length_is_passed_over);
    suite_add_tcase(s, css);
    return s;
}
