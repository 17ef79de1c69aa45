/*
 * cmd_lab.c: tlsyn lab: runs a command, or a shell, at one end of a network made for it.
 *
 * Terminal signals (Ctrl-C) reach the command by themselves, as it is in the same process
 * group; this process only waits for it to end. A signal that somebody sent to this process
 * alone is passed on.
 */
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "commands.h"
#include "lab/lab.h"
#include "link_options.h"
#include "say.h"

#define SERVER_GRACE_MS 2000 /* from SIGTERM until lab_close() ends what is left */
#define STEP_MS         10
#define LATE_US         500 /* worth a hint */

/* What shells end with where there is nothing to run, or it cannot be. */
#define NOT_FOUND      127
#define NOT_EXECUTABLE 126

enum direction { BOTH, TO_SERVER, TO_CLIENT };

struct lab_command {
    struct link_options link;
    struct tlsyn_impairment path; /* one direction: what a study's link has not */
    uint64_t mark_queue;
    int64_t seed, mtu;
    int direction; /* enum direction */
    const char *server;
    bool offload, quiet;
};

/* What a direction that is left out keeps of its impairment. */
static struct tlsyn_impairment delay_alone(const struct tlsyn_impairment *path)
{
    return (struct tlsyn_impairment){.delay = path->delay, .queue_bytes = path->queue_bytes};
}

static struct tlsyn_impairment impairment_of(const struct lab_command *c,
                                             const struct tlsyn_impairment *link)
{
    struct tlsyn_impairment path = *link;

    path.reorder = c->path.reorder;
    path.duplicate = c->path.duplicate;
    path.corrupt = c->path.corrupt;
    path.mark = c->path.mark;
    path.mark_queue = (uint32_t)c->mark_queue;
    return path;
}

static struct lab_options lab_options_of(const struct lab_command *c, const struct study_link *link)
{
    struct lab_options options = {.mtu = (int)c->mtu, .offload = c->offload};
    struct tlsyn_impairment half[2];

    study_link_half(link, 0, half);
    options.to_server =
        c->direction == TO_CLIENT ? delay_alone(&half[0]) : impairment_of(c, &half[0]);
    options.to_client =
        c->direction == TO_SERVER ? delay_alone(&half[1]) : impairment_of(c, &half[1]);
    options.to_server.seed = (uint64_t)c->seed;
    options.to_client.seed =
        (uint64_t)c->seed + 1; /* or both directions would meet the same fates */
    return options;
}

/* --- the command's life ----------------------------------------------------------------------- */

static sigset_t watched_signals(void)
{
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(watched) / sizeof(watched[0]); i++)
        sigaddset(&set, watched[i]);
    return set;
}

/* The watched signals are blocked, so that none is lost between looking at the child and
 * waiting. */
static int await_command(struct lab *lab, pid_t child, int *status)
{
    sigset_t set = watched_signals();
    int waited = 0;

    while ((waited = lab_wait(lab, child, 0, status)) == -ETIMEDOUT) {
        siginfo_t info;
        int number = sigwaitinfo(&set, &info);
        if (number > 0 && number != SIGCHLD && info.si_code <= 0)
            kill(child, number);
    }
    return waited;
}

/* A shell with job control leaves the terminal to a process group that is no more. */
static void take_terminal_back(void)
{
    if (!isatty(STDIN_FILENO) || tcgetpgrp(STDIN_FILENO) == getpgrp())
        return;
    (void)signal(SIGTTOU, SIG_IGN);
    (void)tcsetpgrp(STDIN_FILENO, getpgrp());
    (void)signal(SIGTTOU, SIG_DFL);
}

static pid_t start(struct lab *lab, enum lab_host host, char *const argv[])
{
    pid_t child = lab_exec(lab, host, argv);

    if (child < 0)
        say("cannot run \"%s\" in the lab: %s", argv[0], strerror(-child));
    return child;
}

static int exit_status_of(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_client(struct lab *lab, char **argv)
{
    char standard[] = "/bin/sh";
    char *shell = getenv("SHELL");
    char *interactive[] = {shell && shell[0] ? shell : standard, NULL};
    int status = 0;
    pid_t child = start(lab, LAB_CLIENT, argv[0] ? argv : interactive);

    if (child < 0)
        return child == -ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
    int waited = await_command(lab, child, &status);
    take_terminal_back();
    if (waited < 0) {
        say("cannot wait for the command: %s", strerror(-waited));
        return CLI_FAILURE;
    }
    return exit_status_of(status);
}

/* In a process group of its own (setsid(1)), so that all of it can be told to end: a shell that is
 * told does not pass it on to what it runs. */
static pid_t start_server(struct lab *lab, const char *command)
{
    char group[] = "setsid", shell[] = "/bin/sh", option[] = "-c";
    char *text = strdup(command);
    char *argv[] = {group, shell, option, text, NULL};
    pid_t server = text ? start(lab, LAB_SERVER, argv) : -ENOMEM;

    free(text);
    return server;
}

/* False: the shell could not run it at all. */
static bool stop_server(struct lab *lab, pid_t server)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    int status = 0, failed = 0;

    if (lab_wait(lab, server, 0, &status) == 0)
        failed = exit_status_of(status);
    if (failed == NOT_FOUND || failed == NOT_EXECUTABLE)
        say("the server could not be started: the shell's words stand above");
    else if (failed != 0)
        say("the server has failed with status %d", failed);
    (void)kill(-server, SIGTERM);
    for (int ms = 0; ms < SERVER_GRACE_MS && kill(-server, 0) == 0; ms += STEP_MS) {
        (void)nanosleep(&step, NULL);
        (void)lab_wait(lab, server, 0, &status); /* or a zombie would count as one that runs */
    }
    return failed != NOT_FOUND && failed != NOT_EXECUTABLE;
}

/* --- the link --------------------------------------------------------------------------------- */

/* Only what happened is worth a word. */
static void say_direction(const char *name, const struct lab_direction *d)
{
    const struct tlsyn_impair_stats *f = &d->frames;
    const struct {
        uint64_t count;
        const char *what;
    } fates[] = {
        {f->lost, "lost"},           {f->queue_full + d->refused, "dropped by a full queue"},
        {f->reordered, "reordered"}, {f->duplicated, "duplicated"},
        {f->corrupted, "corrupted"}, {f->marked, "marked"}};
    char text[256] = "";

    for (size_t i = 0; i < sizeof(fates) / sizeof(fates[0]); i++) {
        size_t len = strlen(text);
        if (fates[i].count > 0)
            (void)snprintf(text + len, sizeof(text) - len, ", %llu %s",
                           (unsigned long long)fates[i].count, fates[i].what);
    }
    say("%s: %llu frames%s", name, (unsigned long long)f->in, text);
}

static void say_link(struct lab *lab)
{
    struct lab_report report;
    int status = lab_report(lab, &report);

    if (status < 0) {
        say("the link emulator has died: %s", strerror(-status));
        return;
    }
    say_direction("client to server", &report.to_server);
    say_direction("server to client", &report.to_client);
    const struct lab_precision *late = &report.precision;
    if (late->frames > 0)
        say("the emulator sent frames on later than asked for: median %.1f us, 99 %% %.1f us, "
            "worst %.1f us%s",
            late->p50_us, late->p99_us, late->max_us,
            late->p99_us < LATE_US || report.realtime
                ? ""
                : " (this machine is busy; under sudo the emulator takes precedence)");
}

/* --- what is learnt in a lab ------------------------------------------------------------------ */

/* Every lab has the same addresses: what was learnt about 10.77.0.2 in one is wrong in the next. So
 * each lab has a cache folder of its own, and the user's stays as it is. NULL: the environment says
 * which folder it is. */
static char *make_cache(void)
{
    static char path[] = "/tmp/tlsyn-lab-XXXXXX";

    if (getenv("TLSYN_CACHE"))
        return NULL;
    if (mkdtemp(path) && setenv("TLSYN_CACHE", path, 1) == 0)
        return path;
    say("this lab shares the cache of its user: %s", strerror(errno));
    return NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at)
{
    (void)status;
    (void)type;
    (void)at;
    return remove(path);
}

static void forget_cache(const char *path)
{
    if (path)
        (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int run_lab(const struct lab_command *command, const struct study_link *link, char **argv)
{
    struct lab_options options = lab_options_of(command, link);
    struct lab *lab = NULL;
    struct lab_error error;
    pid_t server = 0;
    int status = lab_open(&options, &lab, &error);

    if (status < 0) {
        say("%s", error.text);
        return status == -EPERM || status == -EACCES ? CLI_PERMISSION : CLI_FAILURE;
    }
    if (command->server)
        server = start_server(lab, command->server);
    status = server < 0 ? CLI_FAILURE : run_client(lab, argv);
    if (server > 0 && !stop_server(lab, server) && status == CLI_OK)
        status = CLI_FAILURE;
    if (!command->quiet)
        say_link(lab);
    lab_close(lab);
    return status;
}

static int run(const struct lab_command *command, const struct study_link *link, char **argv)
{
    const char *cache = make_cache();
    int status = run_lab(command, link, argv);

    forget_cache(cache);
    return status;
}

/* --- the command line ------------------------------------------------------------------------- */

static int parse(struct lab_command *c, struct study_link *link, int argc, char **argv,
                 int *exit_status)
{
    static const char *const directions[] = {"both", "to-server", "to-client", NULL};
    static const struct cli_type direction = {
        .placeholder = "WHICH", .parse = cli_choice_parse, .choices = directions};
    static const struct cli_type mtu = {.placeholder = "BYTES",
                                        .accepts = "a number of bytes from 68 to 65535",
                                        .parse = cli_number_parse,
                                        .min = 68,
                                        .max = 65535};
    const struct cli_option options[] = {
        {"reorder", 0, &cli_percent, &c->path.reorder,
         "this share of the frames skips the delay, and overtakes others", NULL},
        {"duplicate", 0, &cli_percent, &c->path.duplicate, "this share of the frames arrives twice",
         NULL},
        {"corrupt", 0, &cli_percent, &c->path.corrupt, "this share of the frames has a bit flipped",
         NULL},
        {"mark", 0, &cli_percent, &c->path.mark,
         "this share of the frames with ECT (ECN) is marked CE", NULL},
        {"mark-queue", 0, &cli_size, &c->mark_queue,
         "mark each of them that finds more than this waiting at the bottleneck (never)", NULL},
        {"direction", 0, &direction, &c->direction,
         "which frames are impaired; the delay applies to both directions (both)", NULL},
        {"seed", 0, &cli_count, &c->seed, "seed of the random impairments (1)", NULL},
        {"mtu", 0, &mtu, &c->mtu, "MTU of the link (1500)", NULL},
        {"offload", 0, NULL, &c->offload, "leave the kernels' segmentation offload on", NULL},
        {"server", 's', &cli_command, &c->server,
         "run COMMAND in the server host while the other runs", NULL},
        {"quiet", 'q', NULL, &c->quiet, "say nothing about the link at the end", NULL},
        {.name = NULL},
    };
    struct cli_option common[LINK_OPTIONS];
    const struct cli_command command = {
        .name = "lab",
        .operands = "[-- COMMAND [ARGUMENT]...]",
        .summary =
            "Makes a network of two hosts and a link between them on this machine, and runs "
            "COMMAND, or a shell, in the client host. The exit status is the command's; when "
            "it ends, the network and all that runs in it are gone. Needs no root where the "
            "system lets users make namespaces.",
        .options = options,
        .common = common,
        .notes = "In the hosts, TLSYN_INTERFACE, TLSYN_ADDRESS and TLSYN_PEER say where a stack of "
                 "ours\nfinds itself and the other end; TLSYN_KERNEL_ADDRESS and TLSYN_KERNEL_PEER "
                 "the same for\nthe kernel's stack: 10.77.0.1 is the client, 10.77.0.2 the server. "
                 "TLSYN_ADDRESS6 and so on\nsay it for IPv6: fd77::1 and fd77::2. TLSYN_CACHE is a "
                 "folder of this lab's own, unless it\nis set already.\n\n"
                 "  tlsyn lab --rtt 20ms -- ping -c 3 10.77.0.2\n"
                 "  tlsyn lab --rtt 20ms --server 'tlsyn serve --self-signed ca.pem .' -- \\\n"
                 "      sh -c 'sleep 1; tlsyn get -v --ca ca.pem https://$TLSYN_PEER/'\n",
        .operands_max = -1,
        .options_first = true,
    };
    int operands;

    link_options_init(&c->link, LINK_MEMORY, common);
    operands = cli_parse(&command, argc, argv, exit_status);
    if (operands < 0)
        return -1;
    *exit_status = CLI_USAGE;
    if (c->mark_queue > UINT32_MAX) {
        say("--mark-queue takes at most 4 GiB");
        return -1;
    }
    return link_options_take(&c->link, command.name, 0, link) < 0 ? -1 : operands;
}

int cmd_lab(int argc, char **argv)
{
    struct lab_command command = {.seed = 1};
    sigset_t watched = watched_signals();
    int status = CLI_USAGE;
    struct study_link link;
    int operands = parse(&command, &link, argc, argv, &status);

    if (operands < 0)
        return status;
    argv[operands + 1] = NULL;
    (void)signal(SIGCHLD, SIG_DFL); /* whoever started us may have ignored it */
    (void)sigprocmask(SIG_BLOCK, &watched, NULL);
    return run(&command, &link, argv + 1);
}
