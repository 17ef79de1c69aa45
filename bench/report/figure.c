/* Figures by gnuplot: write its script, fit its SVG into a page.
 *
 * Colours are drawn as sentinels (red 1, green 2, blue = which) and replaced afterwards by CSS
 * variables.
 */
#include "report/figure.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/gnuplot.h"
#include "report/number.h"
#include "report/utf8.h"
#include "report/xml.h"

enum { SIDE_MIN = 200, SIDE_MAX = 4000, GRID = FIGURE_COLOURS + 1, SLOTS };
enum { KEY_COLUMN = 330, KEY_ROW = 21, AXIS_ROOM = 40, TIC_ROOM = 62 };

/* Okabe and Ito's palette without its yellow, and lighter relatives for a dark page; ink and grid
 * come last. */
static const char *const light[SLOTS] = {"#0072b2", "#d55e00", "#00805c", "#a64d86", "#8a6d00",
                                         "#2b7fa8", "#7a4b1e", "#555555", "#1b1f24", "#d5d9de"};
static const char *const dark[SLOTS] = {"#5fb4ec", "#ff9a56", "#3fcf9f", "#e29bc7", "#e0bd4a",
                                        "#8fd0ee", "#d9a978", "#b5b5b5", "#e8eaed", "#3d444d"};

/* gnuplot's point types: filled, and the hollow one of the same shape. */
static const int point_filled[FIGURE_COLOURS + 1] = {7, 5, 9, 13, 11, 15, 7, 5, 7};
static const int point_hollow[FIGURE_COLOURS + 1] = {6, 4, 8, 12, 10, 14, 6, 4, 6};

const char *figure_colour(unsigned colour)
{
    return light[colour < SLOTS ? colour : FIGURE_INK];
}

const char *figure_colour_dark(unsigned colour)
{
    return dark[colour < SLOTS ? colour : FIGURE_INK];
}

static bool is_name(const char *name)
{
    size_t n = 0;

    while (isalnum((unsigned char)name[n])) {
        n++;
    }
    return n > 0 && n <= 32 && name[n] == '\0';
}

static bool point_drawn(const struct figure_series *series, size_t i)
{
    return isfinite(series->x[i]) && isfinite(series->y[i]);
}

static size_t points_drawn(const struct figure_series *series)
{
    size_t n = 0;

    for (size_t i = 0; i < series->n; i++) {
        n += point_drawn(series, i);
    }
    return n;
}

static int check(const struct figure *figure, const struct figure_size *size)
{
    size_t points = 0;

    if (!is_name(figure->name) || !is_name(size->suffix) ||
        figure->series_count > FIGURE_SERIES_MAX) {
        return -EINVAL;
    }
    if (size->width < SIDE_MIN || size->width > SIDE_MAX || size->height < SIDE_MIN ||
        size->height > SIDE_MAX) {
        return -EINVAL;
    }
    for (size_t i = 0; i < figure->series_count; i++) {
        const struct figure_series *series = &figure->series[i];
        if (series->n > FIGURE_VALUES_MAX || series->colour > FIGURE_INK ||
            (series->lo == NULL) != (series->hi == NULL)) {
            return -EINVAL;
        }
        points += points_drawn(series);
    }
    return points > 0 ? 0 : -EINVAL;
}

/* A string in gnuplot's single quotes, where nothing but the quote itself has a meaning (in double
 * quotes a backquote would run a command). */
static void write_quoted(FILE *script, const char *text)
{
    char encoded[5];

    fputc('\'', script);
    for (uint32_t code = utf8_next(&text); code != 0; code = utf8_next(&text)) {
        utf8_encode(code < 0x20 || code == 0x7f ? ' ' : code, encoded);
        fputs(code == '\'' ? "''" : encoded, script);
    }
    fputc('\'', script);
}

static void write_colour(FILE *script, unsigned colour)
{
    fprintf(script, " lc rgb '#0102%02x'", colour);
}

/* `lower` stands before the axis' beginning: "*<", where what lies below it moves it down. */
static void write_range(FILE *script, const char *axis, const char *lower, double lo, double hi)
{
    char text[NUMBER_MAX];

    fprintf(script, "set %srange [%s%s:", axis, isfinite(lo) ? lower : "",
            isfinite(lo) ? number_format(text, lo) : "*");
    fprintf(script, "%s]\n", isfinite(hi) ? number_format(text, hi) : "*");
}

/* The x axis from end to end; NaN: nothing has an extent. */
static double x_extent(const struct figure *figure)
{
    double lo = figure->x_min, hi = figure->x_max;

    for (size_t i = 0; i < figure->series_count; i++) {
        const struct figure_series *series = &figure->series[i];
        for (size_t k = 0; k < series->n; k++) {
            lo = isfinite(figure->x_min) ? lo : fmin(lo, series->x[k]);
            hi = isfinite(figure->x_max) ? hi : fmax(hi, series->x[k]);
        }
    }
    return hi > lo ? hi - lo : (double)NAN;
}

/* gnuplot reckons its tics by the height of their labels: long numbers would run into each other.
 * The step is the next of 1, 2 and 5, times a power of ten, that leaves room. */
static void write_x_tics(FILE *script, const struct figure *figure, const struct figure_size *size)
{
    double least = x_extent(figure) / floor((double)size->width / TIC_ROOM);
    char text[NUMBER_MAX];

    fputs("set xtics offset 0,0.4", script);
    if (isfinite(least)) {
        double power = pow(10, floor(log10(least)));
        double digit = least / power;
        double step = (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10) * power;
        fprintf(script, " %s", number_format(text, step));
    }
    fputc('\n', script);
}

static unsigned key_columns(const struct figure_size *size)
{
    unsigned columns = size->width / KEY_COLUMN;
    return columns > 0 ? columns : 1;
}

static unsigned key_rows(const struct figure *figure, const struct figure_size *size)
{
    unsigned labels = 0;

    for (size_t i = 0; i < figure->series_count; i++) {
        const struct figure_series *series = &figure->series[i];
        labels += series->label != NULL && points_drawn(series) > 0;
    }
    return (labels + key_columns(size) - 1) / key_columns(size);
}

static void write_frame(FILE *script, const struct figure *figure, const struct figure_size *size)
{
    unsigned rows = key_rows(figure, size);

    fprintf(script,
            "set encoding utf8\n"
            "set terminal svg size %u,%u dynamic noenhanced font 'sans-serif,14' name '%s%s'\n",
            size->width, size->height + rows * KEY_ROW + AXIS_ROOM, figure->name, size->suffix);
    fprintf(script, "set border 3 lw 1");
    write_colour(script, FIGURE_INK);
    fprintf(script, "\nset grid lt 1 lw 1");
    write_colour(script, GRID);
    fprintf(script, "\nset tics nomirror out scale 0.6 tc rgb '#0102%02x'\n", FIGURE_INK);
    write_x_tics(script, figure, size);
    fprintf(script,
            "set key below left Left reverse maxcols %u height 1 samplen 2.4 tc rgb '#0102%02x'\n",
            key_columns(size), FIGURE_INK);
    fprintf(script, "set xlabel ");
    write_quoted(script, figure->x_label);
    fprintf(script, " tc rgb '#0102%02x'\nset ylabel ", FIGURE_INK);
    write_quoted(script, figure->y_label);
    fprintf(script, " tc rgb '#0102%02x'\nset errorbars small\n", FIGURE_INK);
    write_range(script, "x", "", figure->x_min, figure->x_max);
    write_range(script, "y", "*<", figure->y_min, figure->y_max);
}

static void write_data(FILE *script, const struct figure_series *series, size_t index)
{
    char text[NUMBER_MAX];

    bool open = false;

    fprintf(script, "$D%zu << EOD\n", index);
    for (size_t i = 0; i < series->n; i++) {
        if (!point_drawn(series, i)) {
            fputs(open ? "\n" : "", script); /* an empty line ends the line that is drawn */
            open = false;
            continue;
        }
        open = true;
        double y = series->y[i];
        double lo = series->lo != NULL && isfinite(series->lo[i]) ? series->lo[i] : y;
        double hi = series->hi != NULL && isfinite(series->hi[i]) ? series->hi[i] : y;
        const double values[4] = {series->x[i], y, lo, hi};
        for (int v = 0; v < 4; v++) {
            fprintf(script, "%s ", number_format(text, values[v]));
        }
        fputc('\n', script);
    }
    fprintf(script, "EOD\n");
}

static void write_title(FILE *script, const char *label)
{
    if (label == NULL) {
        fputs(" notitle", script);
        return;
    }
    fputs(" title ", script);
    write_quoted(script, label);
}

static void write_plot(FILE *script, const struct figure_series *series, size_t index)
{
    int type = series->hollow ? point_hollow[series->colour] : point_filled[series->colour];

    if (series->lo != NULL) {
        fprintf(script, "$D%zu using 1:2:3:4 with yerrorbars pt -1 lw 1.4", index);
        write_colour(script, series->colour);
        fputs(" notitle, ", script);
    }
    fprintf(script, "$D%zu using 1:2 with ", index);
    switch (series->style) {
    case FIGURE_POINTS:
        fprintf(script, "points pt %d ps 0.7 lw 1.6", type);
        break;
    case FIGURE_LINE:
        fprintf(script, "lines dt %d lw 1.6", series->dashed ? 2 : 1);
        break;
    case FIGURE_BOTH:
        fprintf(script, "linespoints dt %d pt %d ps 0.7 lw 1.6", series->dashed ? 2 : 1, type);
        break;
    case FIGURE_STEPS:
        fprintf(script, "steps dt %d lw 1.6", series->dashed ? 2 : 1);
        break;
    }
    write_colour(script, series->colour);
    write_title(script, series->label);
}

static void write_script(FILE *script, const struct figure *figure, const struct figure_size *size)
{
    bool first = true;

    write_frame(script, figure, size);
    for (size_t i = 0; i < figure->series_count; i++) {
        if (points_drawn(&figure->series[i]) > 0) {
            write_data(script, &figure->series[i], i);
        }
    }
    fputs("plot ", script);
    for (size_t i = 0; i < figure->series_count; i++) {
        if (points_drawn(&figure->series[i]) == 0) {
            continue;
        }
        fputs(first ? "" : ", ", script);
        write_plot(script, &figure->series[i], i);
        first = false;
    }
    fputc('\n', script);
}

static int draw(const struct figure *figure, const struct figure_size *size, char **drawing)
{
    FILE *script = tmpfile();
    if (script == NULL) {
        return -errno;
    }
    write_script(script, figure, size);
    int error = gnuplot_run(script, drawing);
    fclose(script);
    return error;
}

/* If a sentinel colour starts here, write its CSS variable and return how many bytes it took. */
static size_t replace_colour(FILE *out, const char *p)
{
    /* gnuplot clears a halo around points that have error bars, in a white that isn't the page's.
     */
    static const char halo[] = "color='white'";
    if (strncmp(p, halo, sizeof halo - 1) == 0) {
        fputs("color='transparent'", out);
        return sizeof halo - 1;
    }
    unsigned red = 0;
    unsigned green = 0;
    unsigned blue = 0;
    int taken = 0;

    if (sscanf(p, "rgb(%3u,%3u,%3u)%n", &red, &green, &blue, &taken) != 3 || taken == 0) {
        return 0;
    }
    if (red != 1 || green != 2 || blue >= SLOTS) {
        return 0;
    }
    if (blue < FIGURE_COLOURS) {
        fprintf(out, "var(--figure-%u,%s)", blue, light[blue]);
    } else {
        fprintf(out, "var(--figure-%s,%s)", blue == GRID ? "grid" : "ink", light[blue]);
    }
    return (size_t)taken;
}

/* If an id, or a reference to one, starts here, write it up to where the name begins. */
static size_t find_id(FILE *out, const char *p)
{
    static const char *const marks[] = {"id='", "id=\"", "xlink:href='#", "url(#"};

    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t n = strlen(marks[i]);
        if (strncmp(p, marks[i], n) == 0) {
            fputs(marks[i], out);
            return n;
        }
    }
    return 0;
}

/* The length of a <title> element that starts here: gnuplot names its groups, which browsers show
 * as tool tips. Titles are escaped, so the next '<' ends it. */
static size_t plot_title(const char *p)
{
    static const char open[] = "<title>";
    static const char close[] = "</title>";

    if (strncmp(p, open, sizeof open - 1) != 0) {
        return 0;
    }
    const char *end = strstr(p, close);
    return end != NULL ? (size_t)(end - p) + sizeof close - 1 : 0;
}

/* From gnuplot's document to an element for our page. */
static int fit_into_page(const char *drawing, const struct figure *figure,
                         const struct figure_size *size, char **svg)
{
    size_t length = 0;
    const char *body = strstr(drawing, "<g id=\"gnuplot_canvas\">");
    unsigned height = size->height + key_rows(figure, size) * KEY_ROW + AXIS_ROOM;

    if (body == NULL) {
        return -EPROTO;
    }
    FILE *out = open_memstream(svg, &length);
    if (out == NULL) {
        return -ENOMEM;
    }
    fprintf(out,
            "<svg viewBox=\"0 0 %u %u\" width=\"%u\" role=\"img\" "
            "xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\">\n"
            "<title>",
            size->width, height, size->width);
    xml_text(out, figure->title, SIZE_MAX);
    fputs("</title>\n", out);
    bool in_tag = false;
    for (const char *p = body; *p != '\0';) {
        size_t taken = 0;
        if (in_tag && (taken = find_id(out, p)) > 0) {
            fprintf(out, "%s%s-", figure->name, size->suffix);
        } else if (in_tag) {
            taken = replace_colour(out, p);
        } else {
            taken = plot_title(p);
        }
        if (taken == 0) {
            in_tag = *p == '<' || (in_tag && *p != '>');
            fputc(*p++, out);
        }
        p += taken;
    }
    if (fclose(out) != 0) {
        free(*svg);
        *svg = NULL;
        return -ENOMEM;
    }
    return 0;
}

int figure_svg(const struct figure *figure, const struct figure_size *size, char **svg)
{
    char *drawing = NULL;

    *svg = NULL;
    int error = check(figure, size);
    if (error == 0) {
        error = draw(figure, size, &drawing);
    }
    if (error == 0 && drawing != NULL) {
        error = fit_into_page(drawing, figure, size, svg);
    }
    free(drawing);
    return error;
}
