/* report/html and report/figure: self-contained, escaped, unique ids; and a page without gnuplot.
 *
 * Where gnuplot itself is missing, the tests of drawing are passed over: the page must then say so,
 * which has a test of its own.
 */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

static const double x[] = {0.4, 6.0, 7.1, 8.4, 11.6};
static const double y[] = {44.3, 56.2, 66.2, 69.1, 74.6};
static const double lo[] = {43, 55, 65, 68, NAN};
static const double hi[] = {45, 57, 67, 70, NAN};
static const struct figure_series series[] = {
    {"O'Hara's `touch <b>` & \\n $D0", FIGURE_BOTH, 0, false, false, x, y, lo, hi, 5},
    {NULL, FIGURE_LINE, FIGURE_INK, true, false, x, y, NULL, NULL, 5},
    {"hollow", FIGURE_POINTS, 7, false, true, x, y, NULL, NULL, 5},
};
static const struct figure figure = {
    "time", "Time <by> ping", "ping (ms)", "time (ms)", 0, NAN, NAN, NAN, series, 3};
static const struct figure_size size = {600, 300, "a"};

static void draw(char **svg)
{
    ck_assert_int_eq(figure_svg(&figure, &size, svg), 0); /* -ENOENT: gnuplot is missing */
}

START_TEST(a_figure_is_an_element_with_its_labels_as_text)
{
    char *svg = NULL;
    draw(&svg);
    ck_assert_int_eq(strncmp(svg, "<svg viewBox=\"0 0 600 ", 22), 0);
    ck_assert_ptr_nonnull(strstr(svg, "<title>Time &lt;by&gt; ping</title>"));
    ck_assert_ptr_nonnull(strstr(svg, "ping (ms)</text>"));
    ck_assert_ptr_nonnull(strstr(svg, "O'Hara's `touch &lt;b>` &amp; \\n $D0</text>"));
    ck_assert_ptr_nonnull(strstr(svg, "var(--figure-0,#0072b2)"));
    ck_assert_ptr_nonnull(strstr(svg, "var(--figure-ink,"));
    ck_assert_ptr_null(strstr(svg, "<?xml"));
    ck_assert_ptr_null(strstr(svg, "_plot_1</title>"));
    free(svg);
}
END_TEST

START_TEST(every_id_and_reference_carries_the_figures_name)
{
    static const char *const marks[] = {"id='", "id=\"", "href='#", "url(#"};
    char *svg = NULL;
    draw(&svg);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        for (const char *p = strstr(svg, marks[i]); p != NULL; p = strstr(p + 1, marks[i]))
            ck_assert_int_eq(strncmp(p + strlen(marks[i]), "timea-", 6), 0);
    }
    ck_assert_ptr_nonnull(strstr(svg, "id='timea-"));
    free(svg);
}
END_TEST

static unsigned occurrences(const char *text, const char *word)
{
    unsigned n = 0;
    for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word))
        n++;
    return n;
}

START_TEST(numbers_below_the_axis_have_room)
{
    static const double few[] = {0, 0.004, 0.0083};
    static const double flat[] = {5, 5, 5};
    static const struct figure_series line = {"line", FIGURE_LINE, 0,    false, false,
                                              few,    flat,        NULL, NULL,  3};
    static const struct figure small = {"small", "t", "x", "y", NAN, NAN, 0, NAN, &line, 1};
    static const struct figure_size narrow = {400, 360, "n"};
    char *svg = NULL;
    ck_assert_int_eq(figure_svg(&small, &narrow, &svg), 0);
    ck_assert_uint_eq(occurrences(svg, "> 0.002<"), 1);
    ck_assert_uint_eq(occurrences(svg, "> 0.00"), 4); /* 0.002, 0.004, 0.006, 0.008 */
    free(svg);
}
END_TEST

START_TEST(an_axis_from_zero_shows_what_lies_below_it)
{
    static const double at[] = {1, 2, 3}, above[] = {20, 40, 60}, below[] = {-30, 40, 60};
    struct figure_series points = {"p", FIGURE_POINTS, 0, false, false, at, above, NULL, NULL, 3};
    const struct figure small = {"small", "t", "x", "y", NAN, NAN, 0, NAN, &points, 1};
    char *svg = NULL;

    ck_assert_int_eq(figure_svg(&small, &size, &svg), 0);
    ck_assert_ptr_nonnull(strstr(svg, "> 0<"));
    ck_assert_ptr_null(strstr(svg, "-20<"));
    free(svg);
    points.y = below;
    ck_assert_int_eq(figure_svg(&small, &size, &svg), 0);
    ck_assert_ptr_nonnull(strstr(svg, "-20<"));
    free(svg);
    points.y = above; /* an interval, too */
    points.lo = below;
    points.hi = above;
    ck_assert_int_eq(figure_svg(&small, &size, &svg), 0);
    ck_assert_ptr_nonnull(strstr(svg, "-20<"));
    free(svg);
}
END_TEST

START_TEST(figures_out_of_bounds_are_refused)
{
    char *svg = NULL;
    struct figure bad = figure;
    struct figure_series one = series[0];
    struct figure_size tiny = size;

    bad.name = "no 'names' like this";
    ck_assert_int_eq(figure_svg(&bad, &size, &svg), -EINVAL);
    bad = figure;
    bad.series = &one;
    bad.series_count = 1;
    one.n = 0;
    ck_assert_int_eq(figure_svg(&bad, &size, &svg), -EINVAL); /* no point */
    one = series[0];
    one.hi = NULL;
    ck_assert_int_eq(figure_svg(&bad, &size, &svg), -EINVAL);
    one = series[0];
    one.colour = FIGURE_INK + 1;
    ck_assert_int_eq(figure_svg(&bad, &size, &svg), -EINVAL);
    tiny.width = 10;
    ck_assert_int_eq(figure_svg(&figure, &tiny, &svg), -EINVAL);
    ck_assert_ptr_null(svg);
}
END_TEST

/* A page with everything on it. */
static char *page(void)
{
    static const struct table_column columns[] = {{"ping\nms", true, 0}, {"mode", false, 0}};
    static const struct html_field fields[] = {{"seed", "<12> & \"34\""}};
    static const struct html_link links[] = {{"raw.csv?a&b", "raw", "all of it"}, {"x", "y", NULL}};
    struct html html;
    struct report_table table;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    report_table_init(&table, columns, 2);
    report_table_section(&table, "TLS <1.3>");
    report_table_number(&table, 0.4, 1);
    report_table_cell(&table, "embedded & more");
    html_begin(&html, out, "A <title>", "a 'lead'\x01");
    html_section(&html, "One");
    html_fields(&html, fields, 1);
    html_warning(&html, "emulated");
    html_section(&html, "Two");
    html_table(&html, &table, "caption");
    html_figure(&html, &figure, "figure caption");
    html_svg(&html, "<svg></svg>", "ladder", "a&b.pcapng");
    html_code(&html, "make table && echo <ok>");
    html_links(&html, links, 2);
    ck_assert_int_eq(html_end(&html), 0);
    fclose(out);
    report_table_fini(&table);
    return text;
}

START_TEST(a_page_is_escaped_and_balanced)
{
    char *text = page();
    ck_assert_ptr_nonnull(strstr(text, "<title>A &lt;title&gt;</title>"));
    ck_assert_ptr_nonnull(strstr(text, "a &#39;lead&#39;\xef\xbf\xbd</p>"));
    ck_assert_ptr_nonnull(strstr(text, "<dd>&lt;12&gt; &amp; &quot;34&quot;</dd>"));
    ck_assert_ptr_nonnull(strstr(text, "ping<br>ms</th>"));
    ck_assert_ptr_nonnull(strstr(text, "colspan=\"2\">TLS &lt;1.3&gt;</td>"));
    ck_assert_ptr_nonnull(strstr(text, "<td>embedded &amp; more</td>"));
    ck_assert_ptr_nonnull(strstr(text, "make table &amp;&amp; echo &lt;ok&gt;"));
    ck_assert_ptr_nonnull(strstr(text, "href=\"raw.csv?a&amp;b\">raw</a>: all of it</li>"));
    ck_assert_ptr_nonnull(
        strstr(text, "ladder: <a href=\"a&amp;b.pcapng\">a&amp;b.pcapng</a></fig"));
    ck_assert_uint_eq(occurrences(text, "<section"), occurrences(text, "</section>"));
    ck_assert_uint_eq(occurrences(text, "<figure"), occurrences(text, "</figure>"));
    ck_assert_uint_eq(occurrences(text, "<div"), occurrences(text, "</div>"));
    ck_assert_uint_eq(occurrences(text, "<svg"), occurrences(text, "</svg>"));
    free(text);
}
END_TEST

START_TEST(a_page_fetches_nothing)
{
    char *text = page();
    ck_assert_uint_eq(occurrences(text, "<script"), 1); /* the one that sorts */
    ck_assert_ptr_null(strstr(text, "<script "));
    ck_assert_ptr_null(strstr(text, "fetch("));
    ck_assert_ptr_null(strstr(text, "<link"));
    ck_assert_ptr_null(strstr(text, "@import"));
    ck_assert_ptr_null(strstr(text, "src="));
    for (const char *p = strstr(text, "://"); p != NULL; p = strstr(p + 1, "://")) {
        /* XML name spaces only: names, which no browser fetches. */
        ck_assert_int_eq(strncmp(p, "://www.w3.org/", 14), 0);
    }
    free(text);
}
END_TEST

START_TEST(without_gnuplot_the_page_says_so_and_shows_the_values)
{
    char *path = strdup(getenv("PATH"));
    ck_assert_int_eq(setenv("PATH", "/nonexistent", 1), 0);
    char *svg = NULL;
    ck_assert_int_eq(figure_svg(&figure, &size, &svg), -ENOENT);
    char *text = page();
    ck_assert_ptr_nonnull(strstr(text, "gnuplot is not installed"));
    ck_assert_ptr_nonnull(strstr(text, "<td class=\"right\">74.600</td>"));
    setenv("PATH", path, 1);
    free(path);
    free(text);
}
END_TEST

START_TEST(errors_of_parts_and_of_writing_are_kept)
{
    static const struct table_column columns[] = {{"a", true, 0}, {"b", false, 0}};
    struct html html;
    struct report_table table;
    FILE *out = fopen("/dev/null", "w");
    report_table_init(&table, columns, 2);
    report_table_cell(&table, "half a row");
    html_begin(&html, out, "t", "l");
    html_table(&html, &table, "c");
    ck_assert_int_eq(html_end(&html), -EINVAL);
    fclose(out);
    report_table_fini(&table);
    out = fopen("/dev/full", "w");
    ck_assert_int_eq(setvbuf(out, NULL, _IONBF, 0), 0); /* so that it fails before the end */
    html_begin(&html, out, "t", "l");
    ck_assert_int_eq(html_end(&html), -EIO);
    fclose(out);
}
END_TEST

Suite *html_suite(void);
Suite *html_suite(void)
{
    Suite *suite = suite_create("html");
    TCase *tcase = tcase_create("html");

    tcase_add_test(tcase, a_figure_is_an_element_with_its_labels_as_text);
    tcase_add_test(tcase, every_id_and_reference_carries_the_figures_name);
    tcase_add_test(tcase, numbers_below_the_axis_have_room);
    tcase_add_test(tcase, an_axis_from_zero_shows_what_lies_below_it);
    tcase_add_test(tcase, figures_out_of_bounds_are_refused);
    tcase_add_test(tcase, a_page_is_escaped_and_balanced);
    tcase_add_test(tcase, a_page_fetches_nothing);
    tcase_add_test(tcase, without_gnuplot_the_page_says_so_and_shows_the_values);
    tcase_add_test(tcase, errors_of_parts_and_of_writing_are_kept);
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    return suite;
}
