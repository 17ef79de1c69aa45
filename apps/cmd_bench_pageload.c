/*
 * cmd_bench_pageload.c: tlsyn bench pageload: options, and where the results go.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_bench.h"
#include "link_options.h"
#include "page_option.h"
#include "resume.h"
#include "say.h"
#include "study.h"
#include "study/pageload/page_published.h"
#include "study/pageload/pageload.h"
#include "surfer.h"

#define ROUNDS      3         /* where nobody says how many */
#define ROOM_NEEDED (8 << 20) /* bytes on disk that the files may take */

struct pageload_command {
    int handshake, visit; /* choices; the last: all */
    int64_t rounds, seed;
    uint32_t stacks, http;
    struct resume *resume;
    struct study_list rtts;
    struct link_options link;
    const char *out, *page;
    bool model, events, json;
    struct surfer_options real;
};

static int write_file(const struct pageload *p, const char *folder, const char *name,
                      int (*write)(const struct pageload *, FILE *))
{
    FILE *out = study_open_file(folder, name);

    return study_close_file(out, out ? write(p, out) : -errno, folder, name);
}

/* --- live loads ------------------------------------------------------------------------------- */

/* The paper's networks. */
static void default_rtts(struct study_list *rtts)
{
    for (int i = 0; i < PAGE_NETWORKS; i++)
        rtts->value[i] = page_networks[i].rtt_ms;
    rtts->count = PAGE_NETWORKS;
}

static int plan(const struct pageload_command *c, const struct pageload *p, const char *history,
                struct live_study **live)
{
    struct live_options options = {
        .stacks = c->stacks,
        .handshake = p->options.handshake,
        .visit = p->options.visit,
        .http = p->options.http,
        .keep = resume_keep(c->resume, c->out),
        .rounds = (uint32_t)(c->rounds > 0 ? c->rounds : ROUNDS),
        .seed = (uint64_t)c->seed,
        .history = history,
        .typical = !p->options.page,
    };
    struct study_list rtts = c->rtts;
    int error = link_options_take(&c->link, "bench pageload", 0, &options.link);

    if (error < 0)
        return error;
    if (rtts.count == 0)
        default_rtts(&rtts);
    for (int i = 0; i < rtts.count; i++)
        options.rtt_ms[options.rtts++] = rtts.value[i];
    error = live_plan(&p->page, &options, live);
    if (error < 0)
        say("nothing can be loaded: %s",
            error == -EINVAL ? "the kernel's stack has no embedded handshakes" : strerror(-error));
    return error;
}

/* Fills in the live half. The exit status. */
static int load_pages(const struct pageload_command *c, struct pageload *p)
{
    char message[STUDY_MESSAGE_MAX], duration[64], history[600];
    struct study_watcher w;
    int error;

    (void)snprintf(history, sizeof(history), "%s/history", c->out);
    error = plan(c, p, history, &p->live);
    if (error < 0)
        return CLI_USAGE;
    say("loading pages for %s", study_duration(live_duration(p->live), duration, sizeof(duration)));
    study_watch(&w);
    error = live_run(p->live, &w.observer, message);
    study_unwatch(&w);
    if (error < 0)
        say("%s", message);
    if (error == -EPERM)
        return CLI_PERMISSION;
    if (error == -EBADMSG) { /* the report that is there stays */
        live_free(p->live);
        p->live = NULL;
        return CLI_FAILURE;
    }
    if (live_analyse(p->live) < 0)
        say("the figures cannot be computed");
    return error < 0 ? CLI_FAILURE : w.signal ? CLI_INTERRUPTED : CLI_OK;
}

/* --- the command ------------------------------------------------------------------------------ */

static int report(const struct pageload_command *c, const struct pageload *p)
{
    int error = write_file(p, c->out, "pageload.json", pageload_json);

    if (error == 0)
        error = write_file(p, c->out, "pageload.html", pageload_html);
    if (c->json)
        (void)pageload_json(p, stdout);
    else
        (void)pageload_text(p, stdout, study_width(STDOUT_FILENO));
    if (error == 0 && !c->json)
        say_result("In %s: pageload.html, pageload.json.\n", c->out);
    return error < 0 ? CLI_FAILURE : CLI_OK;
}

static int run(const struct pageload_command *c)
{
    static struct pageload p;
    struct pageload_options options = {
        .handshake = c->handshake < BROWSER_HANDSHAKES ? c->handshake : -1,
        .visit = c->visit < BROWSER_VISITS ? c->visit : -1,
        .http = c->http,
        .events = c->events,
        .command = c->resume->typed,
        .version = TLSYN_VERSION,
    };
    struct page page;
    int status = page_option_read(c->page, "bench pageload", &page), written, error;

    if (status != CLI_OK)
        return status;
    if (study_take_folder(c->out, ROOM_NEEDED) < 0)
        return CLI_FAILURE;
    options.page = strcmp(c->page, "typical") == 0 ? NULL : &page;
    error = pageload_count(&p, &options);
    if (error < 0) {
        say("the page can't be loaded: %s", strerror(-error));
        return CLI_FAILURE;
    }
    if (!c->model)
        status = load_pages(c, &p);
    if (!p.live && !c->model)
        return status;
    written = status == CLI_PERMISSION ? status : report(c, &p);
    live_free(p.live);
    return status == CLI_OK ? written : status;
}

/* --- a real page ------------------------------------------------------------------------------ */

static int report_real(const struct pageload_command *c, const struct real_study *study)
{
    FILE *out = study_open_file(c->out, "pageload.json");
    int error =
        study_close_file(out, out ? real_json(study, out) : -errno, c->out, "pageload.json");

    if (error == 0) {
        out = study_open_file(c->out, "pageload.html");
        error =
            study_close_file(out, out ? real_html(study, out) : -errno, c->out, "pageload.html");
    }
    if (c->json)
        (void)real_json(study, stdout);
    else
        (void)real_text(study, stdout, study_width(STDOUT_FILENO));
    if (error == 0 && !c->json)
        say_result("In %s: pageload.html, pageload.json.\n", c->out);
    return error < 0 ? CLI_FAILURE : CLI_OK;
}

static_assert(REAL_LOADS_MAX > LIVE_ROUNDS_MAX, "a visit again follows another one");

/* One handshake, one visit, one version: the newest, where nobody chose. */
static struct surfer_order order_of(const struct pageload_command *c)
{
    return (struct surfer_order){
        .handshake =
            &browser_handshakes[c->handshake < BROWSER_HANDSHAKES ? c->handshake
                                                                  : BROWSER_TLS13_EMBEDDED],
        .visit = c->visit < BROWSER_VISITS ? (enum browser_visit)c->visit : BROWSER_FIRST,
        .http = c->http >> BROWSER_HTTP_2 & 1 ? BROWSER_HTTP_2 : BROWSER_HTTP_1,
        .loads = c->rounds > 0 ? (int)c->rounds : 1};
}

static bool wants_other_page(const struct pageload_command *c)
{
    return c->model || c->events || strcmp(c->page, "typical") != 0 ||
           c->stacks == 1u << STUDY_KERNEL || c->resume->precision > 0;
}

static bool wants_other_link(const struct link_options *l)
{
    return l->preset || l->jitter >= 0 || l->rate || l->queue || l->loss > 0;
}

static int run_real(struct pageload_command *c)
{
    const struct surfer_order order = order_of(c);
    struct real_study study = {.url = c->real.text,
                               .handshake = order.handshake->name,
                               .http = order.http == BROWSER_HTTP_2 ? "2 and 1.1" : "1.1",
                               .run = {.study = "pageload",
                                       .command = c->resume->typed,
                                       .version = TLSYN_VERSION,
                                       .noise = &study.noise}};
    tlsyn_time began = tlsyn_clock();
    int status, written;

    if (wants_other_page(c) || wants_other_link(&c->link) || c->rtts.count > 0) {
        say("bench pageload: --url loads a page that is there, with our stack, over the link that "
            "is there: leave --model, --page, --stacks kernel, --events, --precision, --rtt, "
            "--link and the like out");
        return CLI_USAGE;
    }
    if (study_take_folder(c->out, ROOM_NEEDED) < 0)
        return CLI_FAILURE;
    status = surfer_run(&c->real, &order, &study);
    study.run.seconds = (double)(tlsyn_clock() - began) / 1e6;
    written = study.loads > 0 ? report_real(c, &study) : CLI_OK;
    real_fini(&study);
    return status == CLI_OK ? written : status;
}

/* --- the command line ------------------------------------------------------------------------- */

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
static const char *const http_names[] = {"1.1", "2", NULL};
static const struct cli_type http_type = {
    .placeholder = "WORD,...", .parse = cli_set_parse, .choices = http_names};
static const char *const stack_names[] = {"tlsyn", "kernel", NULL};
static const struct cli_type stacks_type = {
    .placeholder = "WORD,...", .parse = cli_set_parse, .choices = stack_names};
static const struct cli_type visit_type = {
    .placeholder = "NAME", .parse = cli_choice_parse, .choices = visit_names};

static int parse(struct pageload_command *c, int *status)
{
    static const char *const ms[] = {"ms", NULL};
    static const struct cli_type rtts = {
        .placeholder = "MS,...",
        .accepts =
            "up to 16 different numbers of milliseconds from 1 to 10000, with commas between",
        .parse = study_list_parse,
        .choices = ms,
        .min = 1,
        .max = 10000};
    static const struct cli_type rounds = {
        .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = LIVE_ROUNDS_MAX};
    const struct cli_option options[] = {
        {"model", 0, NULL, &c->model, "count round trips alone; needs no network", NULL},
        {"page", 0, &page_type, &c->page,
         "typical, of 29 URLs, or a HAR file that a browser recorded (typical)", NULL},
        {"rtt", 0, &rtts, &c->rtts, "round-trip times to load at (1,30,180,300,650,1300)", NULL},
        {"rounds", 'n', &rounds, &c->rounds, "loads per cell (3), or of --url (1)", NULL},
        {"stacks", 0, &stacks_type, &c->stacks,
         "tlsyn, or the kernel's with OpenSSL, which has sequential handshakes alone "
         "(tlsyn,kernel)",
         NULL},
        {"http", 0, &http_type, &c->http,
         "1.1, with one request at a time on each of many connections; 2, with all of them on one "
         "(1.1,2)",
         NULL},
        {"handshake", 0, &handshake_type, &c->handshake,
         "only this one: tls1.2-sequential, tls1.2-embedded, tls1.3-sequential, tls1.3-embedded, "
         "tls1.3-sequential-0rtt or tls1.3-embedded-0rtt (all)",
         NULL},
        {"visit", 0, &visit_type, &c->visit,
         "only this one: unoptimized, which waits for style sheets and scripts; first, which does "
         "not; or repeat, which knows the URLs, too (all)",
         NULL},
        RESUME_OPTIONS(c->resume),
        {"seed", 0, &cli_count, &c->seed, "seed of the order of loads (1)", NULL},
        {"events", 0, NULL, &c->events, "print, too, what the model does in each round trip", NULL},
        {"out", 'o', &cli_folder, &c->out,
         "folder for the results (out/pageload; out/page of --url)", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the tables", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS + SURFER_OPTIONS];
    const struct cli_command command = {
        .name = "bench pageload",
        .operands = "",
        .summary = "Loads a whole page, by default one of 29 URLs, in a laboratory on this "
                   "machine, under each "
                   "handshake, as a browser of 2004 and an improved one would (published: 16, 12 "
                   "and 7 round trips with TLS of then), and puts the time beside what a model of "
                   "the browser counts. Needs no root where the system lets users make namespaces.",
        .options = options,
        .common = common,
        .notes = "  tlsyn bench pageload --model\n"
                 "  tlsyn bench pageload --rtt 30,300 -n 3\n"
                 "  tlsyn bench pageload --stacks kernel --handshake tls1.3-sequential --rtt 300\n"
                 "  tlsyn bench pageload --model --page shop.har\n"
                 "  tlsyn bench pageload --link satellite --handshake tls1.3-embedded\n"
                 "  tlsyn bench pageload --model --events --handshake tls1.2-sequential\n"
                 "  tlsyn bench pageload --url https://example.org/ --visit repeat\n",
        .operands_max = 0,
    };
    int links = 0;

    link_options_init(&c->link, LINK_RTT | LINK_MEMORY, common);
    while (common[links].name)
        links++;
    surfer_options_init(&c->real, common + links);
    if (cli_parse(&command, c->resume->argc, c->resume->argv, status) < 0)
        return -1;
    *status = CLI_USAGE;
    return link_options_list(&c->link, command.name, &c->rtts);
}

static int obey(struct pageload_command *c)
{
    if (!c->out) /* a real page's report is no laboratory's */
        c->out = c->real.text ? "out/page" : "out/pageload";
    if (c->real.text)
        return run_real(c);
    if (surfer_was_told(&c->real)) {
        say("bench pageload: --ca, --dns, --timeout, --interface, --address, --prefix and "
            "--gateway are of --url: leave them out, or tell which page to load");
        return CLI_USAGE;
    }
    return run(c);
}

static int begin(struct resume *resume)
{
    struct pageload_command c = {.resume = resume,
                                 .handshake = BROWSER_HANDSHAKES,
                                 .visit = BROWSER_VISITS,
                                 .http = 1u << BROWSER_HTTP_1 | 1u << BROWSER_HTTP_2,
                                 .stacks = 1u << STUDY_TLSYN | 1u << STUDY_KERNEL,
                                 .seed = 1,
                                 .page = "typical"};
    int status = CLI_USAGE;

    return parse(&c, &status) == 0 ? obey(&c) : status;
}

int cmd_bench_pageload(int argc, char **argv)
{
    return resume_conduct(argc, argv, begin);
}
