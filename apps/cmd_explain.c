/*
 * cmd_explain.c: tlsyn explain: draws a connection of a capture, and says what it was.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "report/ladder.h"
#include "report/text.h"
#include "say.h"
#include "study.h"

#define SEGMENTS_MIN (3 * LADDER_TAIL) /* room for the beginning and the end */

struct explain {
    const char *file;
    const char *svg;
    int64_t connection; /* 0: the first */
    int64_t port;       /* of the server; 0: any */
    int64_t segments;
    bool list;
};

/* --- reading ---------------------------------------------------------------------------------- */

/* NULL: it can't be opened, and the user was told. */
static FILE *open_capture(const struct explain *e)
{
    FILE *stream = NULL;

    if (strcmp(e->file, "-") == 0)
        stream = fdopen(dup(STDIN_FILENO), "rb");
    else
        stream = fopen(e->file, "rbe");
    if (!stream)
        say("%s: %s", e->file, strerror(errno));
    return stream;
}

/* --- the list --------------------------------------------------------------------------------- */

static void fill_table(const struct ladder_list *list, struct report_table *table)
{
    static const struct table_column columns[] = {
        {"no.", true, 0},      {"at s", true, 2},     {"client", false, 0},
        {"server", false, 0},  {"segments", true, 3}, {"bytes\nsent", true, 0},
        {"received", true, 0}, {"end", false, 1},
    };

    report_table_init(table, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < list->count; i++) {
        const struct ladder_connection *c = &list->connections[i];

        report_table_cell(table, "%zu", i + 1);
        report_table_number(table, (double)c->time_us / 1e6, 3);
        report_table_cell(table, "%s", c->client);
        report_table_cell(table, "%s", c->server);
        report_table_cell(table, "%llu", (unsigned long long)c->segments);
        report_table_cell(table, "%llu", (unsigned long long)c->bytes_sent);
        report_table_cell(table, "%llu", (unsigned long long)c->bytes_received);
        report_table_cell(table, "%s", c->ending);
    }
}

static int list_connections(const struct explain *e, FILE *stream)
{
    char why[LADDER_ERROR_MAX];
    struct ladder_list list;
    struct report_table table;
    int error = ladder_list(&list, stream, why);

    if (error < 0) {
        say("%s: %s", e->file, why);
        return CLI_FAILURE;
    }
    fill_table(&list, &table);
    error = text_table(stdout, &table, study_width(STDOUT_FILENO));
    report_table_fini(&table);
    if (list.left_out > 0)
        say("%zu connections more are not in the list", list.left_out);
    if (list.seen.broken[0])
        say("%s breaks off: %s", e->file, list.seen.broken);
    ladder_list_free(&list);
    return error < 0 ? CLI_FAILURE : CLI_OK; /* what stdout lost is told by say_flush() */
}

/* --- one connection --------------------------------------------------------------------------- */

static int write_svg(const struct explain *e, const struct ladder *ladder)
{
    bool to_stdout = strcmp(e->svg, "-") == 0;
    char *svg = NULL;
    int error = ladder_svg(ladder, &svg);
    FILE *out = to_stdout ? stdout : NULL;

    if (error == 0 && !to_stdout) {
        out = fopen(e->svg, "we");
        error = out ? 0 : -errno;
    }
    if (error == 0 && fputs(svg, out) == EOF)
        error = -EIO;
    if (out && !to_stdout && fclose(out) != 0 && error == 0)
        error = -errno;
    free(svg);
    if (error < 0)
        say("%s cannot be written: %s", e->svg, strerror(-error));
    return error < 0 ? CLI_FAILURE : CLI_OK;
}

static void write_words(const struct explain *e, const struct ladder *ladder, unsigned width)
{
    char text[LADDER_SENTENCE_MAX];

    say_result("\n");
    for (size_t i = 0; ladder_sentence(ladder, i, text); i++)
        text_paragraph(stdout, text, 0, width);
    if (ladder->connections > 1 && e->connection == 0)
        say("the capture holds %zu connections: --list lists them, --connection N takes another",
            ladder->connections);
}

static int draw(const struct explain *e, const struct ladder *ladder)
{
    bool terminal = isatty(STDOUT_FILENO);
    const struct ladder_style style = {.width = study_width(STDOUT_FILENO),
                                       .colour = terminal && !getenv("NO_COLOR")};

    if (e->svg)
        return write_svg(e, ladder);
    if (ladder_text(stdout, ladder, &style) < 0)
        return CLI_FAILURE; /* what stdout lost is told by say_flush() */
    write_words(e, ladder, style.width ? style.width : 100);
    return CLI_OK;
}

static int explain(const struct explain *e, FILE *stream)
{
    const struct ladder_flow flow = {.number = (size_t)e->connection,
                                     .server_port = (uint16_t)e->port};
    char why[LADDER_ERROR_MAX];
    struct ladder ladder;
    int status = CLI_FAILURE;

    if (ladder_read_stream(&ladder, stream, &flow, (size_t)e->segments, why) < 0)
        say("%s: %s", e->file, why);
    else
        status = draw(e, &ladder);
    ladder_free(&ladder);
    return status;
}

/* --- the command line ------------------------------------------------------------------------- */

int cmd_explain(int argc, char **argv)
{
    static const struct cli_type segments = {.placeholder = "N",
                                             .parse = cli_number_parse,
                                             .min = SEGMENTS_MIN,
                                             .max = LADDER_EVENTS_MAX};
    struct explain e = {.segments = 60};
    const struct cli_option options[] = {
        {"list", 'l', NULL, &e.list, "list the connections in the capture", NULL},
        {"connection", 'n', &cli_count, &e.connection, "explain the Nth of them (the first)", NULL},
        {"port", 'p', &cli_port, &e.port, "only connections to this port of the server", NULL},
        {"segments", 0, &segments, &e.segments,
         "draw at most N segments; of more, the first and the last (60)", NULL},
        {"svg", 0, &cli_file, &e.svg, "write the drawing as SVG to FILE instead", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "explain",
        .operands = "CAPTURE",
        .summary = "Draws a TCP connection of a pcap or pcapng file (- is the standard input) as a "
                   "ladder of its segments, with what rode in each, and says what it was: "
                   "sequential or embedded, new or resumed, and how many round trips passed until "
                   "the client could send.",
        .options = options,
        .notes = "Examples:\n"
                 "  tlsyn get --capture c.pcapng https://example.org/ && tlsyn explain c.pcapng\n"
                 "  tcpdump -w - tcp port 443 | tlsyn explain --list -\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    FILE *stream = NULL;
    int status = CLI_OK;

    if (cli_parse(&command, argc, argv, &status) < 0)
        return status;
    e.file = argv[1];
    stream = open_capture(&e);
    if (!stream)
        return CLI_FAILURE;
    return e.list ? list_connections(&e, stream) : explain(&e, stream);
}
