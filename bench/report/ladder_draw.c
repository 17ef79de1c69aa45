/* Draws a ladder, for a terminal and as SVG. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder.h"
#include "report/xml.h"

enum { TIME_COLUMNS = 10, WIDTH_MIN = 60, WIDTH_DEFAULT = 100, LABEL_MAX = 128 };

const char *ladder_flags(uint8_t flags, char out[32])
{
    static const struct {
        uint8_t flag;
        const char *name;
    } names[] = {{LADDER_SYN, "SYN"},
                 {LADDER_FIN, "FIN"},
                 {LADDER_RST, "RST"},
                 {LADDER_PSH, "PSH"},
                 {LADDER_ACK, "ACK"}};

    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((flags & names[i].flag) != 0) {
            snprintf(out + strlen(out), 32 - strlen(out), "%s%s", out[0] != '\0' ? " " : "",
                     names[i].name);
        }
    }
    if (out[0] == '\0') {
        snprintf(out, 32, "-");
    }
    return out;
}

/* What stands on the arrow. */
static void label(const struct ladder_event *event, char out[LABEL_MAX])
{
    char flags[32];
    char ack[24] = "";
    char length[32] = "";

    if ((event->flags & LADDER_ACK) != 0) {
        snprintf(ack, sizeof ack, ", ack %" PRIu32, event->ack);
    }
    if (event->length > 0) {
        snprintf(length, sizeof length, ", %" PRIu32 " bytes", event->length);
    }
    snprintf(out, LABEL_MAX, "%s, seq %" PRIu32 "%s%s%s", ladder_flags(event->flags, flags),
             event->seq, ack, length, event->retransmission ? ", retransmission" : "");
}

/* Cut the next line of at most `columns` bytes off *text, between words where that is possible.
 * Events hold ASCII only. Returns its length, 0 at the end. */
static size_t next_line(const char **text, size_t columns, const char **line)
{
    *text += strspn(*text, " ");
    *line = *text;
    size_t n = strlen(*text);
    if (n > columns) {
        n = columns;
        while (n > 0 && (*text)[n] != ' ') {
            n--;
        }
        n = n > 0 ? n : columns;
    }
    *text += n;
    return n;
}

/* Detail lines between the lifelines; `lane` is the room between them. */
static void text_details(FILE *out, const char *text, int lane)
{
    const char *line = NULL;
    size_t room = (size_t)lane - 8;

    for (size_t n = next_line(&text, room, &line); n > 0; n = next_line(&text, room, &line)) {
        fprintf(out, "%*s|      %-*.*s|\n", TIME_COLUMNS, "", lane - 6, (int)n, line);
    }
}

static void text_arrow(FILE *out, const struct ladder_event *event, int lane)
{
    char text[LABEL_MAX];
    label(event, text);
    int dashes = lane - 7 - (int)strlen(text); /* "<--- " or "--- ", then " " and at least ">" */

    fprintf(out, "%*.3f |%s %s ", TIME_COLUMNS - 1, (double)event->time_us / 1000,
            event->from_client ? "----" : "<---", text);
    for (int i = 0; i < dashes; i++) {
        fputc('-', out);
    }
    fprintf(out, "%c|\n", event->from_client ? '>' : '-');
}

int ladder_text(FILE *out, const struct ladder *ladder, unsigned width)
{
    int columns = width == 0 ? WIDTH_DEFAULT : width < WIDTH_MIN ? WIDTH_MIN : (int)width;
    columns = columns > 200 ? 200 : columns;
    int lane = columns - TIME_COLUMNS - 2;

    fprintf(out, "%*s %s%*s\n", TIME_COLUMNS - 1, "ms", ladder->client,
            lane + 2 - (int)strlen(ladder->client), ladder->server);
    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        text_arrow(out, event, lane);
        text_details(out, event->options, lane);
        text_details(out, event->tls, lane);
    }
    if (ladder->left_out > 0) {
        fprintf(out, "%*s (%zu later segments are not shown)\n", TIME_COLUMNS - 1, "",
                ladder->left_out);
    }
    return ferror(out) ? -EIO : 0;
}

/* SVG: all in user units, about pixels at full width. */
enum {
    SVG_WIDTH = 880,
    LEFT = 110,
    RIGHT = 860,
    TOP = 50,
    ARROW_ROOM = 34,
    LINE_ROOM = 18,
    GAP_ROOM = 90,     /* shared out among the waits, so that round trips can be seen */
    LINE_COLUMNS = 96, /* characters of a detail line */
    HEAD = 9           /* of an arrow */
};

static void svg_text(FILE *out, int x, int y, const char *style, const char *text, size_t n)
{
    fprintf(out, "<text x=\"%d\" y=\"%d\" %s>", x, y, style);
    xml_text(out, text, n);
    fputs("</text>\n", out);
}

/* Lines of details from y on; returns the y below them. out NULL: only measures. */
static int svg_details(FILE *out, const char *text, int y, const char *style)
{
    const char *line = NULL;

    for (size_t n = next_line(&text, LINE_COLUMNS, &line); n > 0;
         n = next_line(&text, LINE_COLUMNS, &line)) {
        y += LINE_ROOM;
        if (out != NULL) {
            svg_text(out, (LEFT + RIGHT) / 2, y, style, line, n);
        }
    }
    return y;
}

static void svg_arrow(FILE *out, const struct ladder_event *event, int y)
{
    static const char label_style[] = "text-anchor=\"middle\" font-size=\"14\"";
    static const char time_style[] =
        "text-anchor=\"end\" font-size=\"13\" style=\"font-variant-numeric:tabular-nums\"";
    const char *colour = event->from_client ? "var(--figure-0,#0072b2)" : "var(--figure-1,#d55e00)";
    int tip = event->from_client ? RIGHT : LEFT;
    int back = event->from_client ? -HEAD : HEAD;
    char text[LABEL_MAX];

    snprintf(text, sizeof text, "%.3f ms", (double)event->time_us / 1000);
    svg_text(out, LEFT - 10, y + 4, time_style, text, sizeof text);
    label(event, text);
    svg_text(out, (LEFT + RIGHT) / 2, y - 7, label_style, text, sizeof text);
    fprintf(out,
            "<path d=\"M%d %dH%d\" stroke=\"%s\" stroke-width=\"1.8\"%s/>"
            "<path d=\"M%d %dl%d -5v10z\" fill=\"%s\"/>\n",
            event->from_client ? LEFT : RIGHT, y, tip + back, colour,
            event->retransmission ? " stroke-dasharray=\"6 4\"" : "", tip, y, back, colour);
}

/* Room for the wait before event i, in proportion to the whole time. */
static int gap_before(const struct ladder *ladder, size_t i)
{
    if (i == 0) {
        return 0;
    }
    int64_t whole = ladder->events[ladder->count - 1].time_us;
    int64_t wait = ladder->events[i].time_us - ladder->events[i - 1].time_us;
    if (whole <= 0 || wait <= 0) {
        return 0;
    }
    double share = (double)wait / (double)whole;
    return (int)(GAP_ROOM * (share < 1 ? share : 1));
}

/* Draw every event, or only measure (out NULL). Returns the y below the last. */
static int svg_events(FILE *out, const struct ladder *ladder)
{
    static const char tls_style[] = "text-anchor=\"middle\" font-size=\"14\" font-weight=\"600\"";
    static const char options_style[] =
        "text-anchor=\"middle\" font-size=\"12.5\" fill-opacity=\".75\"";
    int y = TOP;

    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        y += ARROW_ROOM + gap_before(ladder, i);
        if (out != NULL) {
            svg_arrow(out, event, y);
        }
        y = svg_details(out, event->options, y, options_style);
        y = svg_details(out, event->tls, y, tls_style);
    }
    return y;
}

int ladder_svg(const struct ladder *ladder, char **svg)
{
    static const char name_style[] = "text-anchor=\"%s\" font-size=\"15\" font-weight=\"600\"";
    char style[96];
    char rest[64];
    size_t size = 0;
    int bottom = svg_events(NULL, ladder) + 20;

    FILE *out = open_memstream(svg, &size);
    if (out == NULL) {
        return -ENOMEM;
    }
    fprintf(out,
            "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" "
            "xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" "
            "fill=\"var(--figure-ink,#1b1f24)\">\n<title>Segments between ",
            SVG_WIDTH, bottom + 30, SVG_WIDTH);
    xml_text(out, ladder->client, sizeof ladder->client);
    fputs(" and ", out);
    xml_text(out, ladder->server, sizeof ladder->server);
    fputs("</title>\n", out);
    fprintf(out,
            "<path d=\"M%d %dV%dM%d %dV%d\" stroke=\"var(--figure-ink,#1b1f24)\" "
            "stroke-width=\"1.2\"/>\n",
            LEFT, TOP - 8, bottom, RIGHT, TOP - 8, bottom);
    snprintf(style, sizeof style, name_style, "start");
    svg_text(out, LEFT - 40, TOP - 20, style, ladder->client, sizeof ladder->client);
    snprintf(style, sizeof style, name_style, "end");
    svg_text(out, RIGHT + 10, TOP - 20, style, ladder->server, sizeof ladder->server);
    svg_events(out, ladder);
    if (ladder->left_out > 0) {
        snprintf(rest, sizeof rest, "%zu later segments are not shown", ladder->left_out);
        svg_text(out, LEFT, bottom + 20, "font-size=\"13\"", rest, sizeof rest);
    }
    fputs("</svg>\n", out);
    if (fclose(out) != 0) {
        free(*svg);
        *svg = NULL;
        return -ENOMEM;
    }
    return 0;
}
