/* One self-contained HTML file. */
#include "report/html.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/xml.h"

/* Tables of more columns have smaller letters in print. */
enum { PAPER_COLUMNS = 7 };

/* clang-format off */
static const char style[] =
    "*{box-sizing:border-box}\n"
    "body{margin:0;font:16px/1.55 system-ui,sans-serif;color:var(--ink);background:var(--page)}\n"
    "main{max-width:94rem;margin:0 auto;padding:1.5rem 1rem 4rem}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .75rem;border-bottom:1px solid var(--rule);"
    "padding-bottom:.25rem}\n"
    ".lead{color:var(--soft);margin:0 0 1.5rem;max-width:48rem}\n"
    "nav ul{columns:20rem;list-style:none;margin:.5rem 0;padding:0}nav li{break-inside:avoid}\n"
    "summary{cursor:pointer;color:var(--soft)}\n"
    "p{max-width:48rem}\n"
    "a{color:var(--link)}\n"
    ".warning{border-left:4px solid var(--warn);background:var(--card);padding:.6rem .9rem}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}\n"
    "figure{margin:1.5rem 0}.drawing{max-width:62rem}\n"
    "figcaption{color:var(--soft);font-size:.92rem;max-width:48rem;padding:.5rem 0}\n"
    ".card{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:.75rem}\n"
    ".card svg{display:block;width:100%;height:auto}\n"
    /* Drawings that would be unreadable if they shrank scroll; --wide is the most they are stretched to. */
    ".card.scroll svg{min-width:min(40rem,var(--wide,40rem));max-width:var(--wide,none)}\n"
    ".narrow{display:none}\n"
    /* A shade at the edge behind which there is more: two lids that scroll along hide it at the ends. */
    ".scroll{overflow-x:auto;--lid:var(--page);background-repeat:no-repeat;"
    "background-image:linear-gradient(90deg,var(--lid) 40%,transparent),"
    "linear-gradient(270deg,var(--lid) 40%,transparent),"
    "linear-gradient(90deg,var(--shade),transparent),linear-gradient(270deg,var(--shade),transparent);"
    "background-position:0 0,100% 0,0 0,100% 0;background-size:2.5rem 100%,2.5rem 100%,1rem 100%,1rem 100%;"
    "background-attachment:local,local,scroll,scroll}\n"
    ".card.scroll{--lid:var(--card)}\n"
    "table{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.3rem .5rem;text-align:left;vertical-align:top;white-space:nowrap}\n"
    "th{vertical-align:bottom;font-weight:600;border-bottom:2px solid var(--rule)}\n"
    "td{border-bottom:1px solid var(--rule)}\n"
    "td.long{white-space:normal;overflow-wrap:anywhere;min-width:16rem}\n"
    "th[tabindex]{cursor:pointer}\n"
    "th[aria-sort=ascending]::after{content:' \\2191'}\n"
    "th[aria-sort=descending]::after{content:' \\2193'}\n"
    "td.section{font-weight:600;padding-top:1.1rem}\n"
    ".right{text-align:right}\n"
    "pre{background:var(--card);border:1px solid var(--rule);border-radius:6px;"
    "padding:.75rem 1rem;overflow-x:auto;font-size:.9rem}\n"
    /* On a phone the first column stays in sight, and words wrap rather than numbers. */
    "@media (max-width:40rem){.wide{display:none}.narrow{display:block}.card{padding:.4rem}"
    "dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}th,td{padding:.3rem .45rem}"
    "td:not(.right):not(.section):not(.short){white-space:normal;min-width:5rem}td.long{min-width:11rem}"
    "td:first-child:not(.long),th:first-child{position:sticky;left:0;background:var(--page) padding-box}"
    "td:first-child:not(.right):not(.section):not(.short){min-width:8rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}body{font-size:15px}}\n"
    "@media print{nav{display:none}.wide{display:block}.narrow{display:none}main{max-width:none;padding:0}"
    ".card.scroll svg{min-width:0}body{font-size:10pt}table{font-size:8.5pt}th,td{padding:.15rem .35rem}"
    "td:not(.right):not(.short){white-space:normal;overflow-wrap:anywhere;min-width:4rem}"
    "table.many{font-size:6.5pt}.many th,.many td{padding:.15rem .1rem}"
    ".scroll{overflow:visible;background-image:none}pre{white-space:pre-wrap}figure,tr{break-inside:avoid}.drawing:not(:has(.scroll)){max-width:32rem}"
    "h2{break-after:avoid}}\n";

/* A page of many sections begins with links to them. Tables sort when a heading is pressed: each section by itself,
   rows without a number last. */
static const char script[] =
    "const sections = [...document.querySelectorAll('section')];\n"
    "if (sections.length > 5) {\n"
    "  const nav = document.createElement('nav'), details = document.createElement('details');\n"
    "  const list = document.createElement('ul'), summary = document.createElement('summary');\n"
    "  summary.textContent = 'On this page';\n"
    "  details.open = sections.length <= 16;\n"
    "  for (const section of sections) {\n"
    "    const link = document.createElement('a'), item = document.createElement('li');\n"
    "    link.href = '#' + section.id;\n"
    "    link.textContent = section.querySelector('h2').textContent;\n"
    "    item.append(link);\n"
    "    list.append(item);\n"
    "  }\n"
    "  details.append(summary, list);\n"
    "  nav.append(details);\n"
    "  sections[0].before(nav);\n"
    "}\n"
    "for (const table of document.querySelectorAll('table'))\n"
    "  table.querySelectorAll('th').forEach((th, column) => {\n"
    "    const text = row => row.cells[column].textContent.trim();\n"
    "    const number = row => parseFloat(text(row).replace(/^[<>~!? ]+/, ''));\n"
    "    const sort = () => {\n"
    "      const down = th.getAttribute('aria-sort') === 'ascending';\n"
    "      const numeric = th.classList.contains('right');\n"
    "      const compare = (a, b) => {\n"
    "        const x = number(a), y = number(b);\n"
    "        if (!numeric) return text(a).localeCompare(text(b), 'en', {numeric: true}) * (down ? -1 : 1);\n"
    "        if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);\n"
    "        return down ? y - x : x - y;\n"
    "      };\n"
    "      for (const other of table.querySelectorAll('th')) other.removeAttribute('aria-sort');\n"
    "      th.setAttribute('aria-sort', down ? 'descending' : 'ascending');\n"
    "      for (const body of table.tBodies)\n"
    "        body.append(...[...body.rows].filter(row => !row.cells[0].matches('.section'))"
    ".sort(compare));\n"
    "    };\n"
    "    th.tabIndex = 0;\n"
    "    th.title = 'sort';\n"
    "    th.onclick = sort;\n"
    "    th.onkeydown = event => {\n"
    "      if (event.key !== 'Enter' && event.key !== ' ') return;\n"
    "      event.preventDefault();\n"
    "      sort();\n"
    "    };\n"
    "  });\n";
/* clang-format on */

static void element(struct html *html, const char *open, const char *text, const char *close)
{
    fputs(open, html->out);
    xml_text(html->out, text, SIZE_MAX);
    fputs(close, html->out);
}

static void write_colours(FILE *out, const char *(*colour)(unsigned), const char *page)
{
    fprintf(out, "{color-scheme:%s;%s", page,
            strcmp(page, "dark") == 0
                ? "--page:#14171b;--card:#1c2025;--rule:#3d444d;"
                  "--soft:#a6adb6;--link:#7cb7ff;--warn:#ff9a56;--shade:#000;"
                : "--page:#fff;--card:#f8f9fa;--rule:#d5d9de;"
                  "--soft:#57606a;--link:#0a5cc2;--warn:#b34700;--shade:#0003;");
    for (unsigned i = 0; i < FIGURE_COLOURS; i++) {
        fprintf(out, "--figure-%u:%s;", i, colour(i));
    }
    fprintf(out, "--ink:%s;--figure-ink:var(--ink);--figure-grid:var(--rule)}", colour(FIGURE_INK));
}

static void write_style(FILE *out)
{
    fputs("<style>\n:root", out);
    write_colours(out, figure_colour, "light");
    fputs("\n@media screen and (prefers-color-scheme:dark){:root", out);
    write_colours(out, figure_colour_dark, "dark");
    fprintf(out, "}\n%s</style>\n", style);
}

void html_begin(struct html *html, FILE *out, const char *title, const char *lead)
{
    *html = (struct html){.out = out};
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n",
          out);
    element(html, "<title>", title, "</title>\n");
    write_style(out);
    element(html, "</head>\n<body>\n<main>\n<h1>", title, "</h1>\n");
    element(html, "<p class=\"lead\">", lead, "</p>\n");
}

void html_section(struct html *html, const char *heading)
{
    if (html->in_section) {
        fputs("</section>\n", html->out);
    }
    html->in_section = true;
    fprintf(html->out, "<section id=\"section-%u\">\n", ++html->headings);
    element(html, "<h2>", heading, "</h2>\n");
}

void html_paragraph(struct html *html, const char *text)
{
    element(html, "<p>", text, "</p>\n");
}

void html_warning(struct html *html, const char *text)
{
    element(html, "<p class=\"warning\">", text, "</p>\n");
}

void html_fields(struct html *html, const struct html_field *fields, size_t count)
{
    fputs("<dl>\n", html->out);
    for (size_t i = 0; i < count; i++) {
        element(html, "<dt>", fields[i].key, "</dt>");
        element(html, "<dd>", fields[i].value, "</dd>\n");
    }
    fputs("</dl>\n", html->out);
}

/* A heading of several lines. */
static void write_lines(struct html *html, const char *text)
{
    while (*text != '\0') {
        int n = (int)strcspn(text, "\n");
        char line[64];
        snprintf(line, sizeof line, "%.*s", n, text);
        xml_text(html->out, line, SIZE_MAX);
        text += n;
        if (*text == '\n') {
            fputs("<br>", html->out);
            text++;
        }
    }
}

static void write_headings(struct html *html, const struct report_table *table)
{
    fputs("<thead><tr>", html->out);
    for (size_t c = 0; c < table->width; c++) {
        fputs(table->columns[c].right ? "<th scope=\"col\" class=\"right\">" : "<th scope=\"col\">",
              html->out);
        write_lines(html, table->columns[c].heading);
        fputs("</th>", html->out);
    }
    fputs("</tr></thead>\n", html->out);
}

/* A sentence is broken into lines; numbers are not, and names only on a phone, if they are long. */
static const char *cell_open(bool right, const char *text)
{
    enum { WORD = 11, SENTENCE = 48 };

    if (right) {
        return "<td class=\"right\">";
    }
    return strlen(text) > SENTENCE ? "<td class=\"long\">"
           : strlen(text) > WORD   ? "<td>"
                                   : "<td class=\"short\">";
}

static void write_row(struct html *html, const struct report_table *table,
                      const struct table_row *row)
{
    if (row->section != NULL) {
        fprintf(html->out, "</tbody>\n<tbody>\n<tr><td class=\"section\" colspan=\"%zu\">",
                table->width);
        element(html, "", row->section, "</td></tr>\n");
        return;
    }
    fputs("<tr>", html->out);
    for (size_t c = 0; c < table->width; c++) {
        element(html, cell_open(table->columns[c].right, row->cells[c]), row->cells[c], "</td>");
    }
    fputs("</tr>\n", html->out);
}

void html_table(struct html *html, const struct report_table *table, const char *caption)
{
    int error = report_table_check(table);
    if (error < 0) {
        html->error = html->error != 0 ? html->error : error;
        return;
    }
    element(html, "<figure>\n<figcaption>", caption, "</figcaption>\n");
    fprintf(html->out, "<div class=\"scroll\">\n<table%s>\n",
            table->width > PAPER_COLUMNS ? " class=\"many\"" : "");
    write_headings(html, table);
    fputs("<tbody>\n", html->out);
    for (size_t r = 0; r < table->count; r++) {
        write_row(html, table, &table->rows[r]);
    }
    fputs("</tbody>\n</table>\n</div>\n</figure>\n", html->out);
}

/* The values of a figure that could not be drawn. */
static void write_values(struct html *html, const struct figure *figure, const char *caption)
{
    const struct table_column columns[] = {{"series", false, 0},
                                           {figure->x_label, true, 0},
                                           {figure->y_label, true, 0},
                                           {"from", true, 0},
                                           {"to", true, 0}};
    struct report_table table;

    report_table_init(&table, columns, 5);
    for (size_t s = 0; s < figure->series_count; s++) {
        const struct figure_series *series = &figure->series[s];
        for (size_t i = 0; i < series->n; i++) {
            report_table_cell(&table, "%s", series->label != NULL ? series->label : "");
            report_table_number(&table, series->x[i], 3);
            report_table_number(&table, series->y[i], 3);
            report_table_number(&table, series->lo != NULL ? series->lo[i] : NAN, 3);
            report_table_number(&table, series->hi != NULL ? series->hi[i] : NAN, 3);
        }
    }
    html_table(html, &table, caption);
    report_table_fini(&table);
}

static void write_missing(struct html *html, const struct figure *figure, const char *caption)
{
    if (!html->figures_missing) {
        html_warning(html, "The figures could not be drawn because gnuplot is not installed. "
                           "Install it (Debian, Ubuntu: gnuplot-nox) and make the report again; "
                           "until then the values stand here as tables.");
    }
    html->figures_missing = true;
    write_values(html, figure, caption);
}

void html_figure(struct html *html, const struct figure *figure, const char *caption)
{
    static const struct figure_size wide = {900, 460, "wide"};
    static const struct figure_size narrow = {400, 360, "narrow"};
    char *svg[2] = {NULL, NULL};

    int error = figure_svg(figure, &wide, &svg[0]);
    if (error == 0) {
        error = figure_svg(figure, &narrow, &svg[1]);
    }
    if (error == -ENOENT) {
        write_missing(html, figure, caption);
    } else if (error < 0) {
        html->error = html->error != 0 ? html->error : error;
        html_warning(html, "This figure could not be drawn; its values stand in the table below.");
        write_values(html, figure, caption);
    } else {
        fprintf(html->out,
                "<figure class=\"drawing\">\n<div class=\"card wide\">%s</div>\n"
                "<div class=\"card narrow\">%s</div>\n",
                svg[0], svg[1]);
        element(html, "<figcaption>", caption, "</figcaption>\n</figure>\n");
    }
    free(svg[0]);
    free(svg[1]);
}

static void write_link(struct html *html, const char *href, const char *label)
{
    element(html, "<a href=\"", href, "\">");
    element(html, "", label, "</a>");
}

void html_svg(struct html *html, const char *svg, const char *caption, const char *file)
{
    fprintf(html->out, "<figure class=\"drawing\">\n<div class=\"card scroll\">%s</div>\n", svg);
    element(html, "<figcaption>", caption, file != NULL ? ": " : "");
    if (file != NULL) {
        write_link(html, file, file);
    }
    fputs("</figcaption>\n</figure>\n", html->out);
}

void html_code(struct html *html, const char *text)
{
    element(html, "<pre><code>", text, "</code></pre>\n");
}

void html_links(struct html *html, const struct html_link *links, size_t count)
{
    fputs("<ul>\n", html->out);
    for (size_t i = 0; i < count; i++) {
        fputs("<li>", html->out);
        write_link(html, links[i].href, links[i].label);
        if (links[i].note != NULL) {
            element(html, ": ", links[i].note, "");
        }
        fputs("</li>\n", html->out);
    }
    fputs("</ul>\n", html->out);
}

int html_end(struct html *html)
{
    if (html->in_section) {
        fputs("</section>\n", html->out);
        html->in_section = false;
    }
    fprintf(html->out, "</main>\n<script>\n%s</script>\n</body>\n</html>\n", script);
    if (fflush(html->out) != 0 && html->error == 0) {
        html->error = -errno;
    }
    if (ferror(html->out) && html->error == 0) {
        html->error = -EIO;
    }
    return html->error;
}
