/*
 * cmd_bench_pageload.c: tlsyn bench pageload: options, and where the results go.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_bench.h"
#include "page_option.h"
#include "say.h"
#include "study.h"
#include "study/pageload.h"

#define ROOM_NEEDED (1 << 20) /* bytes on disk that the files may take */

struct pageload_command {
    int handshake, visit; /* choices; the last: all */
    const char *out, *page;
    bool model, events, json;
};

static int write_file(const struct pageload *p, const char *folder, const char *name,
                      int (*write)(const struct pageload *, FILE *))
{
    FILE *out = study_open_file(folder, name);

    return study_close_file(out, out ? write(p, out) : -errno, folder, name);
}

static int run(const struct pageload_command *c, const char *typed)
{
    static struct pageload p;
    struct pageload_options options = {
        .handshake = c->handshake < BROWSER_HANDSHAKES ? c->handshake : -1,
        .visit = c->visit < BROWSER_VISITS ? c->visit : -1,
        .events = c->events,
        .command = typed,
        .version = TLSYN_VERSION,
    };
    struct page page;
    int status = page_option_read(c->page, "bench pageload", &page);
    int error = status == CLI_OK ? study_try_folder(c->out, ROOM_NEEDED) : 0;

    if (status != CLI_OK)
        return status;
    if (error < 0)
        return CLI_FAILURE;
    options.page = strcmp(c->page, "typical") == 0 ? NULL : &page;
    error = pageload_count(&p, &options);
    if (error < 0) {
        say("the page can't be loaded: %s", strerror(-error));
        return CLI_FAILURE;
    }
    error = write_file(&p, c->out, "pageload.json", pageload_json);
    if (error == 0)
        error = write_file(&p, c->out, "pageload.html", pageload_html);
    if (c->json)
        (void)pageload_json(&p, stdout);
    else
        (void)pageload_text(&p, stdout, study_width(STDOUT_FILENO));
    if (error == 0 && !c->json)
        say_result("In %s: pageload.html, pageload.json.\n", c->out);
    return error < 0 ? CLI_FAILURE : CLI_OK;
}

static const char *const handshake_names[] = {"tls1.2-sequential",
                                              "tls1.2-embedded",
                                              "tls1.3-sequential",
                                              "tls1.3-embedded",
                                              "tls1.3-sequential-0rtt",
                                              "tls1.3-embedded-0rtt",
                                              "all",
                                              NULL};
static const char *const visit_names[] = {"unoptimized", "first", "repeat", "all", NULL};
static const struct cli_type handshake_type = {
    .placeholder = "NAME", .parse = cli_choice_parse, .choices = handshake_names};
static const struct cli_type visit_type = {
    .placeholder = "NAME", .parse = cli_choice_parse, .choices = visit_names};

int cmd_bench_pageload(int argc, char **argv)
{
    struct pageload_command c = {.handshake = BROWSER_HANDSHAKES,
                                 .visit = BROWSER_VISITS,
                                 .out = "out/pageload",
                                 .page = "typical"};
    const struct cli_option options[] = {
        {"model", 0, NULL, &c.model, "count round trips; needs no network", NULL},
        {"page", 'p', &page_type, &c.page,
         "typical, of 29 URLs, or a HAR file that a browser recorded (typical)", NULL},
        {"handshake", 0, &handshake_type, &c.handshake, "this one alone (all)", NULL},
        {"visit", 0, &visit_type, &c.visit, "this one alone (all)", NULL},
        {"events", 0, NULL, &c.events, "print what happens in which round trip, too", NULL},
        {"out", 'o', &cli_folder, &c.out, "where the results go (out/pageload)", NULL},
        {"json", 0, NULL, &c.json, "print JSON instead of the tables", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "bench pageload",
        .operands = "",
        .summary =
            "Counts the round trips that a whole page takes, by default one of 29 URLs, under each "
            "handshake, by a model of a browser (published: 16, 12 and 7 with TLS of 2004), "
            "and draws them.",
        .options = options,
        .notes = "  tlsyn bench pageload --model\n"
                 "  tlsyn bench pageload --model --page shop.har\n"
                 "  tlsyn bench pageload --model --events --handshake tls1.2-sequential\n",
        .operands_max = 0,
    };
    char typed[1024];
    int status = CLI_USAGE;

    study_join(argc, argv, typed, sizeof(typed));
    if (cli_parse(&command, argc, argv, &status) < 0)
        return status;
    if (!c.model) {
        say("pageload: the page is counted, not loaded over a network: say --model");
        return CLI_USAGE;
    }
    return run(&c, typed);
}
