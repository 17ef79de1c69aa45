/*
 * cmd_bench_table2.c: tlsyn bench table2: options, progress, and where the results go.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "cmd_bench.h"
#include "report/progress.h"
#include "say.h"
#include "study/table2.h"

#define QUICK_ROUNDS 10
#define ROOM_NEEDED  (8 << 20) /* bytes on disk that the files may take, captures included */

struct ping_list {
    double ms[TABLE2_PINGS_MAX];
    int count;
};

struct table2_command {
    struct ping_list pings;
    int64_t rounds; /* 0: not given */
    int64_t seed;
    int level, link; /* choices, in the order of the tables below */
    tlsyn_time pad, timeout;
    const char *out;
    bool quick, json, csv, no_html;
};

/* --- the folder ----------------------------------------------------------------------------------------- */

/* mkdir -p */
static int make_folder(const char *path)
{
    char part[512];
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof(part))
        return -ENAMETOOLONG;
    for (size_t i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return -errno;
    }
    return 0;
}

/* Before minutes are spent: can files be made here, and is there room? */
static int try_folder(const char *folder)
{
    char path[600];
    int error = make_folder(folder);
    int fd = -1;

    if (error < 0)
        return error;
    (void)snprintf(path, sizeof(path), "%s/.room", folder);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    error = -posix_fallocate(fd, 0, ROOM_NEEDED);
    (void)close(fd);
    (void)unlink(path);
    return error == -EOPNOTSUPP || error == -EINVAL ? 0 : error;
}

static FILE *open_file(const char *folder, const char *name)
{
    char path[600];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return fopen(path, "we");
}

/* --- the observer ----------------------------------------------------------------------------------------- */

struct watcher {
    struct table2_observer observer;
    struct progress progress;
    bool begun;
    int signal; /* that came; 0: none */
};

static unsigned terminal_width(int fd)
{
    struct winsize size;

    return isatty(fd) && ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void on_note(struct table2_observer *observer, const char *sentence)
{
    struct watcher *w = (struct watcher *)observer;

    if (w->begun)
        progress_break(&w->progress);
    say("%s", sentence);
}

static void on_progress(struct table2_observer *observer, uint32_t done, uint32_t total,
                        const char *status)
{
    struct watcher *w = (struct watcher *)observer;

    if (!w->begun)
        progress_init(&w->progress, stderr, isatty(STDERR_FILENO), terminal_width(STDERR_FILENO),
                      tlsyn_clock());
    w->begun = true;
    progress_update(&w->progress, tlsyn_clock(), done, total, status);
}

static sigset_t ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

/* They are blocked, so that none strikes between two steps; here is where they are noticed. */
static bool was_interrupted(struct table2_observer *observer)
{
    struct watcher *w = (struct watcher *)observer;
    const sigset_t set = ending_signals();
    const struct timespec now = {0};
    int number = sigtimedwait(&set, NULL, &now);

    if (number > 0)
        w->signal = number;
    return w->signal != 0;
}

/* --- writing ------------------------------------------------------------------------------------------------ */

static int write_file(const struct table2 *table, const char *name,
                      int (*write)(const struct table2 *, FILE *))
{
    FILE *out = open_file(table->options.folder, name);
    int error = out ? write(table, out) : -errno;

    if (out && fclose(out) != 0 && error == 0)
        error = -errno;
    if (error < 0)
        say("%s/%s cannot be written: %s", table->options.folder, name, strerror(-error));
    return error;
}

static int write_all(const struct table2_command *c, const struct table2 *table)
{
    int error = write_file(table, "samples.csv", table2_samples);

    if (error == 0)
        error = write_file(table, "table2.json", table2_json);
    if (error == 0)
        error = write_file(table, "table2.csv", table2_csv);
    if (error == 0)
        error = write_file(table, "ladders.txt", table2_ladders);
    if (error == 0 && !c->no_html)
        error = write_file(table, "table2.html", table2_html);
    return error;
}

static int print_result(const struct table2_command *c, const struct table2 *table)
{
    if (c->json)
        return table2_json(table, stdout);
    if (c->csv)
        return table2_csv(table, stdout);
    return table2_text(table, stdout, terminal_width(STDOUT_FILENO));
}

static int report(const struct table2_command *c, struct table2 *table)
{
    int error = table2_analyse(table);

    if (error < 0) {
        say("the figures cannot be computed: %s", strerror(-error));
        return CLI_FAILURE;
    }
    error = write_all(c, table);
    if (print_result(c, table) < 0 || error < 0)
        return CLI_FAILURE; /* what stdout lost is told by say_flush() */
    if (!c->json && !c->csv)
        say_result("\nIn %s: table2.json, table2.csv, samples.csv, ladders.txt, captures%s.\n",
                   c->out, c->no_html ? "" : ", and the report table2.html");
    return CLI_OK;
}

/* --- running -------------------------------------------------------------------------------------------------- */

static int measure(const struct table2_command *c, const struct table2_options *options)
{
    struct watcher w = {.observer = {on_note, on_progress, was_interrupted}};
    char message[TABLE2_MESSAGE_MAX];
    struct table2 *table = NULL;
    int status = CLI_OK;
    int error = 0;

    error = table2_run(options, &w.observer, &table, message);
    if (w.begun)
        progress_break(&w.progress);
    if (error < 0)
        say("%s", message);
    if (error == -EPERM && options->link == TABLE2_LAB)
        say("without a laboratory: --link memory measures in this process, in memory, not packets");
    if (table)
        status = report(c, table);
    table2_free(table);
    if (error < 0)
        return error == -EPERM ? CLI_PERMISSION : CLI_FAILURE;
    return w.signal ? CLI_INTERRUPTED : status;
}

static void say_estimate(const struct table2_options *o)
{
    double seconds = table2_estimate(o);
    const char *pings = o->pings == 1 ? "ping" : "pings";
    const char *rounds = o->rounds == 1 ? "round" : "rounds";

    if (seconds < 90)
        say("%d %s, %u %s: about %.0f s", o->pings, pings, o->rounds, rounds, seconds);
    else
        say("%d %s, %u %s: about %.1f min", o->pings, pings, o->rounds, rounds, seconds / 60);
    if (o->pad > 0)
        say("emulated: the server stands still for %.1f ms per handshake", (double)o->pad / 1e3);
    if (o->link == TABLE2_MEMORY)
        say("in memory, not packets: what hosts and interfaces add is not measured");
}

static int run(const struct table2_command *c, const char *typed)
{
    static const enum tlsyn_level levels[] = {TLSYN_LEVEL_COOKIE, TLSYN_LEVEL_OPEN,
                                              TLSYN_LEVEL_PAPER};
    struct table2_options options;
    const sigset_t signals = ending_signals();
    int error = try_folder(c->out);

    if (error < 0) {
        say("nothing was measured, for the results could not be written to %s: %s", c->out,
            strerror(-error));
        return CLI_FAILURE;
    }
    table2_defaults(&options);
    if (c->pings.count > 0) {
        memcpy(options.ping_ms, c->pings.ms, sizeof(options.ping_ms));
        options.pings = c->pings.count;
    }
    if (c->quick) {
        options.rounds = QUICK_ROUNDS;
        options.warmup = 1;
    }
    if (c->rounds > 0)
        options.rounds = (uint32_t)c->rounds;
    options.level = levels[c->level];
    options.link = c->link == 0 ? TABLE2_LAB : TABLE2_MEMORY;
    options.pad = c->pad;
    options.timeout = c->timeout;
    options.seed = (uint64_t)c->seed;
    options.folder = c->out;
    options.command = typed;
    options.version = TLSYN_VERSION;
    say_estimate(&options);
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it */
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    return measure(c, &options);
}

/* --- the command line ------------------------------------------------------------------------------------------- */

/* "0.4,6,11.6" or "0.4ms,6ms": ping targets in milliseconds. */
static int parse_pings(const struct cli_type *type, const char *text, void *into)
{
    struct ping_list list = {.count = 0};
    const char *at = text;
    char *end = NULL;

    (void)type;
    for (;;) {
        double ms = strtod(at, &end);

        if (end == at || !isfinite(ms) || ms <= 0 || ms > 1000 || list.count == TABLE2_PINGS_MAX)
            return -EINVAL;
        for (int i = 0; i < list.count; i++) {
            if (fabs(list.ms[i] - ms) < 1e-9)
                return -EINVAL;
        }
        list.ms[list.count++] = ms;
        end += strncmp(end, "ms", 2) == 0 ? 2 : 0;
        if (*end == '\0')
            break;
        if (*end != ',')
            return -EINVAL;
        at = end + 1;
    }
    *(struct ping_list *)into = list;
    return 0;
}

static int parse(struct table2_command *c, int argc, char **argv, int *exit_status)
{
    static const char *const levels[] = {"cookie", "open", "paper", NULL};
    static const char *const links[] = {"lab", "memory", NULL};
    static const struct cli_type level = {.placeholder = "LEVEL",
                                          .accepts = "cookie, open or paper",
                                          .parse = cli_choice_parse,
                                          .choices = levels};
    static const struct cli_type link = {.placeholder = "LINK",
                                         .accepts = "lab or memory",
                                         .parse = cli_choice_parse,
                                         .choices = links};
    static const struct cli_type pings = {
        .placeholder = "MS,...",
        .accepts = "up to 16 different numbers of milliseconds up to 1000, with commas between",
        .parse = parse_pings};
    static const struct cli_type rounds = {.placeholder = "N",
                                           .accepts = "a whole number from 1 to 100000",
                                           .parse = cli_number_parse,
                                           .min = 1,
                                           .max = TABLE2_ROUNDS_MAX};
    const struct cli_option options[] = {
        {"rtt", 0, &pings, &c->pings, "ping targets, in ms (0.4,6.0,7.1,8.4,11.6)", NULL},
        {"rounds", 'n', &rounds, &c->rounds, "handshakes per cell that count (100)", NULL},
        {"quick", 'q', NULL, &c->quick, "10 rounds: a first look, in half a minute", NULL},
        {"cpu-pad", 0, &cli_duration, &c->pad,
         "let the server stand still so long per handshake, as a slower host would (0)", NULL},
        {"level", 0, &level, &c->level, "of the embedded handshake (cookie)", NULL},
        {"link", 0, &link, &c->link,
         "lab: real packets; memory: one process, no packets, no rights needed (lab)", NULL},
        {"out", 'o', &cli_file, &c->out, "folder for the results (out/table2)", NULL},
        {"seed", 0, &cli_count, &c->seed, "of the order of measurements (1)", NULL},
        {"timeout", 0, &cli_duration, &c->timeout, "longest wait in a handshake (5s)", NULL},
        {"json", 0, NULL, &c->json, "print JSON instead of the table", NULL},
        {"csv", 0, NULL, &c->csv, "print CSV instead of the table", NULL},
        {"no-html", 0, NULL, &c->no_html, "write no HTML report", NULL},
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "bench table2",
        .operands = "",
        .summary =
            "Measures handshake time against ping RTT in a laboratory on this machine: TLS 1.2 "
            "(RSA, ECDHE) and 1.3, with TLS behind TCP's handshake (sequential) and inside it "
            "(embedded), beside the kernel's TCP with OpenSSL and the published figures. Needs "
            "no root where the system lets users make namespaces.",
        .options = options,
        .notes = "  tlsyn bench table2 --quick\n"
                 "  tlsyn bench table2 --rtt 1,10,50 --rounds 30\n"
                 "  tlsyn bench table2 --cpu-pad 42ms    the published percentages, emulated\n",
        .operands_max = 0,
    };

    return cli_parse(&command, argc, argv, exit_status);
}

/* The command as it was typed, for the report. */
static void join(int argc, char **argv, char *text, size_t size)
{
    size_t len = (size_t)snprintf(text, size, "tlsyn bench");

    for (int i = 0; i < argc && len + 1 < size; i++) {
        int n = snprintf(text + len, size - len, " %s", argv[i]);

        len += n > 0 ? (size_t)n : 0;
    }
}

int cmd_bench_table2(int argc, char **argv)
{
    struct table2_command command = {.seed = 1, .out = "out/table2", .timeout = TLSYN_SECONDS(5)};
    char typed[1024];
    int status = CLI_USAGE;

    join(argc, argv, typed, sizeof(typed));
    if (parse(&command, argc, argv, &status) < 0)
        return status;
    if (command.timeout < TLSYN_MS(10) || command.timeout > TLSYN_SECONDS(3600) ||
        command.pad > TLSYN_SECONDS(60)) {
        say("--timeout takes 10ms to 1h, --cpu-pad at most 60s");
        return CLI_USAGE;
    }
    return run(&command, typed);
}
