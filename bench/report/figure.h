/* Figures: series of x, y, lo, hi drawn as SVG by gnuplot, in one style for every report.
 *
 * gnuplot is a program that may be missing; then figure_svg() says -ENOENT and the report shows the
 * numbers instead. What comes back is an <svg> element to be put into an HTML page: no XML
 * prologue, scales to the width it is given, text stays text, every id carries the figure's name,
 * and colours are CSS variables with fallbacks, so that the page can turn them for the dark
 * (--figure-ink, --figure-grid, --figure-0 ... --figure-7: html.c sets them).
 */
#ifndef TLSYN_REPORT_FIGURE_H
#define TLSYN_REPORT_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

/* FIGURE_STEPS holds each y until the next x: distribution functions, and histograms whose x are
 * the bins' left edges. */
enum figure_style { FIGURE_POINTS, FIGURE_LINE, FIGURE_BOTH, FIGURE_STEPS };

/* Colours are named by number so that one thing keeps its colour from figure to figure. They also
 * differ in shape of point, for print and for eyes that don't tell them apart. */
enum { FIGURE_COLOURS = 8, FIGURE_INK = FIGURE_COLOURS };

enum { FIGURE_SERIES_MAX = 32, FIGURE_VALUES_MAX = 100000 };

struct figure_series {
    const char *label; /* in the key; NULL: not in the key */
    enum figure_style style;
    unsigned colour;       /* 0 .. FIGURE_COLOURS - 1, or FIGURE_INK */
    bool dashed, hollow;   /* of the line; of the points (use for figures that are not ours) */
    const double *x, *y;   /* n of each; one that is not finite breaks the line */
    const double *lo, *hi; /* interval of y, or both NULL */
    size_t n;
};

struct figure {
    const char *name;  /* letters and digits, unique in the page: prefixes every id */
    const char *title; /* what a screen reader says; not drawn */
    const char *x_label, *y_label;
    double x_min, x_max, y_min, y_max; /* NaN: as the data ask. y_min: at most, so that a figure
                                          that begins at zero still shows what is below */
    const struct figure_series *series;
    size_t series_count;
};

/* How large to draw: the height is the plot's own, the key comes below it. */
struct figure_size {
    unsigned width, height; /* 200 .. 4000 each */
    const char *suffix;     /* letters and digits; makes ids unique if a figure is drawn twice */
};

/* Draw; *svg is then a string to be freed with free().
 * -ENOENT: gnuplot is not installed; -EINVAL: the figure breaks a bound or has no point to draw;
 * -EPROTO: gnuplot failed; -ETIMEDOUT: it took longer than 30 s and was stopped; -ENOMEM; other
 * errors of pipes and processes. */
int figure_svg(const struct figure *figure, const struct figure_size *size, char **svg);

/* The CSS value of a colour of the palette for a light page, such as "#0072b2". */
const char *figure_colour(unsigned colour);

/* The same for a dark page. */
const char *figure_colour_dark(unsigned colour);

#endif
