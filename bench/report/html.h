/* One self-contained HTML file: opens offline, light and dark, from a telephone to a wall, prints.
 *
 *   html_begin -> (html_section -> html_fields | _table | _figure | _svg | _code | ...)* ->
 * html_end
 *
 * Nothing is fetched: style sheet and figures are in the file, links go to files beside it. All
 * text given is escaped. The first error sticks and html_end() reports it.
 */
#ifndef TLSYN_REPORT_HTML_H
#define TLSYN_REPORT_HTML_H

#include <stdbool.h>
#include <stdio.h>

#include "report/figure.h"
#include "report/table.h"

struct html {
    FILE *out;
    int error;
    bool in_section;
    bool figures_missing; /* gnuplot was not there, and the page says so */
    unsigned headings;
};

struct html_field {
    const char *key, *value;
};

struct html_link {
    const char *href; /* relative to the file: "raw.csv" */
    const char *label;
    const char *note; /* what is in it; may be NULL */
};

/* Write to `out`, which the caller keeps and closes. `lead` is the sentence below the title. */
void html_begin(struct html *html, FILE *out, const char *title, const char *lead);

/* A section and its heading; ends the section before. */
void html_section(struct html *html, const char *heading);

void html_paragraph(struct html *html, const char *text);

/* A paragraph that must not be overlooked: what was emulated, what failed. */
void html_warning(struct html *html, const char *text);

/* What was run, and on what: keys with values. */
void html_fields(struct html *html, const struct html_field *fields, size_t count);

/* A table with its caption; on a narrow page it scrolls by itself. */
void html_table(struct html *html, const struct report_table *table, const char *caption);

/* A figure with its caption, drawn twice: for wide and for narrow pages. If gnuplot is missing the
 * page says so, says what to install, and shows the values as a table. */
void html_figure(struct html *html, const struct figure *figure, const char *caption);

/* An <svg> element of our own making (ladder_svg), taken as it is. `file`, of which it was drawn,
 * is linked behind the caption; NULL: none. */
void html_svg(struct html *html, const char *svg, const char *caption, const char *file);

/* Commands or output, kept as they are. */
void html_code(struct html *html, const char *text);

void html_links(struct html *html, const struct html_link *links, size_t count);

/* End the page and flush. 0; -ENOSPC and such, or -EIO: writing failed; or the first error of a
 * table or figure (a missing gnuplot is none). */
int html_end(struct html *html);

#endif
