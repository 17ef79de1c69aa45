/*
 * study/fallback/fallback.c: the matrix and the rounds.
 */
#include "study/fallback/fallback.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

#include "lab/lab.h"
#include "peer/server.h"
#include "study/node.h"
#include "study/responder.h"

#define READY_MS 10000
#define END_MS   3000

/* Bounds: round trips and milliseconds. Two timeouts begin at 200 ms and srtt, one behind a tail
 * loss probe. */
/* clang-format off */
#define LESS   {-1, 0}
#define SAME   {0, 0}
#define MORE   {1, 0}
#define SECOND {0, 1000}
#define RTOS   {6, 650}

static const struct fallback_row matrix[] = {
    {"ours", "ours, flight within the budget", 0, NULL, false, {LESS, LESS}},
    {"ours-over", "ours, flight over the budget", 0, NULL, true, {SAME, SAME}},
    {"linux-cookie", "Linux with Fast Open: a cookie, then with it", 0, "3", false, {SAME, LESS}},
    {"linux-open", "Linux that wants no cookie (0x200)", 0, "515", false, {LESS, LESS}},
    {"linux-off", "Linux without Fast Open", 0, "1", false, {SAME, SAME}},
    {"proxy", "SYN proxy", TLSYN_MIDDLEBOX_PROXY, NULL, false, {SAME, SAME}},
    {"strip-option",
     "the option is stripped",
     TLSYN_MIDDLEBOX_STRIP_OPTION,
     NULL,
     false,
     {SAME, SAME}},
    {"strip-text",
     "the payload is stripped",
     TLSYN_MIDDLEBOX_STRIP_TEXT,
     NULL,
     false,
     {SAME, SAME}},
    {"strip-both",
     "both are stripped",
     TLSYN_MIDDLEBOX_STRIP_TEXT | TLSYN_MIDDLEBOX_STRIP_OPTION,
     NULL,
     false,
     {SAME, SAME}},
    {"reset", "RST to a SYN with payload", TLSYN_MIDDLEBOX_RESET_SYN, NULL, false, {MORE, SAME}},
    {"drop-syn", "SYN with payload dropped", TLSYN_MIDDLEBOX_DROP_SYN, NULL, false, {SECOND, SAME}},
    {"drop-answer",
     "SYN-ACK with payload dropped",
     TLSYN_MIDDLEBOX_DROP_ANSWER,
     NULL,
     false,
     {SECOND, SAME}},
    {"swallow", "black hole after the open", TLSYN_MIDDLEBOX_SWALLOW, NULL, false, {RTOS, SAME}},
    {"swallow-strip",
     "... which strips the payload, too",
     TLSYN_MIDDLEBOX_SWALLOW | TLSYN_MIDDLEBOX_STRIP_TEXT,
     NULL,
     false,
     {RTOS, SAME}},
};
/* clang-format on */

void fallback_defaults(struct fallback_options *options)
{
    *options = (struct fallback_options){
        .link = study_link_perfect(), .rounds = 11, .seed = 1, .timeout = TLSYN_SECONDS(10)};
    options->link.rtt_ms = 40;
}

int fallback_plan(const struct fallback_options *options, struct fallback_study **study)
{
    struct fallback_study *s = NULL;
    int error = 0;

    if (!(options->link.rtt_ms > 0 && options->link.rtt_ms <= FALLBACK_RTT_MAX) ||
        options->rounds < 1 || options->rounds > FALLBACK_ROUNDS_MAX)
        return -EINVAL;
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->options = *options;
    s->rows = matrix;
    s->row_count = sizeof(matrix) / sizeof(*matrix);
    s->samples = calloc((size_t)s->row_count * options->rounds, sizeof(*s->samples));
    error = s->samples ? credentials_make(&s->credentials) : -ENOMEM;
    if (error < 0) {
        fallback_free(s);
        return error;
    }
    *study = s;
    return 0;
}

void fallback_free(struct fallback_study *study)
{
    if (!study)
        return;
    free(study->samples);
    free(study);
}

/* --- the servers' processes ------------------------------------------------------------------- */

struct server {
    const struct fallback_study *study;
    int control; /* the process's end; it ends with the other one */
};

static void sign_on(void *argument)
{
    const struct server *server = argument;

    (void)send(server->control, "", 1, MSG_NOSIGNAL);
}

static int ours(void *argument)
{
    struct server *server = argument;
    const struct lab_host_info *info = lab_host_info(LAB_SERVER);
    const struct responder_options options = {.credentials = &server->study->credentials,
                                              .sessions = 1u << STUDY_NEW,
                                              .level = TLSYN_LEVEL_OPEN};
    struct pollfd control = {.fd = server->control, .events = POLLIN};
    struct responder *responder = NULL;
    struct tlsyn_link *link = NULL;
    struct node node;
    char message[TLSYN_TLS_MESSAGE];
    int error = tlsyn_afpacket_open(info->interface, NULL, &link);

    (void)signal(SIGINT, SIG_IGN);
    if (error == 0)
        error = node_open(&node, link, info->stack_address, info->prefix_len);
    if (error < 0 || responder_open(&node, &options, &responder, message) < 0)
        return EXIT_FAILURE;
    sign_on(server);
    while (poll(&control, 1, 0) == 0)
        (void)tlsyn_loop_turn(node.loop, tlsyn_clock() + TLSYN_MS(50));
    node_close(&node);
    responder_free(responder);
    return EXIT_SUCCESS;
}

static int kernels(void *argument)
{
    struct server *server = argument;
    const struct tlsyn_certified *c = credentials_for(&server->study->credentials, STUDY_13);
    const struct peer_identity identity = {.chain = c->chain, .key = c->key};
    char message[PEER_MESSAGE_MAX];
    struct peer_service service = {.port = study_port(STUDY_13, STUDY_NEW),
                                   .context =
                                       peer_server_context(PEER_13, PEER_NEW, &identity, message)};
    const struct peer_server options = {
        .address = lab_host_info(LAB_SERVER)->kernel_address,
        .services = &service,
        .count = 1,
        .fast_open = true,
        .response = STUDY_RESPONSE,
        .timeout_ms = 2000,
        .control = server->control,
        .ready = sign_on,
        .ready_argument = server,
    };

    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    int error = service.context ? peer_serve(&options) : -EPROTO;
    peer_context_free(service.context);
    return error < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* In the server's host: what its kernel does with SYNs that bring data. */
static int set_fast_open(void *argument)
{
    FILE *setting = fopen("/proc/sys/net/ipv4/tcp_fastopen", "we");
    bool done = setting && fputs(argument, setting) >= 0;

    if (setting && fclose(setting) != 0)
        done = false;
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- visits ----------------------------------------------------------------------------------- */

struct run {
    struct fallback_study *study;
    struct study_observer *observer;
    struct lab *lab;
    struct fallback_visit *visit; /* shared with the clients */
    int control[2];               /* of the servers: ours, the kernel's */
    pid_t pid[2];
};

static int spawn_and_wait(struct run *run, enum lab_host host, int (*main)(void *), void *argument,
                          int timeout_ms)
{
    pid_t child = lab_spawn(run->lab, host, main, argument);
    int status = 0;
    int error = child < 0 ? (int)child : lab_wait(run->lab, child, timeout_ms, &status);

    if (error == -ETIMEDOUT || error == -EINTR) {
        (void)kill(child, SIGKILL);
        (void)lab_wait(run->lab, child, END_MS, &status);
    }
    return error < 0 ? error : status == 0 ? 0 : -EPROTO;
}

/* `capture`: a file for it, or NULL. */
static int visit(struct run *run, const struct fallback_row *row, bool embedded,
                 struct fallback_sample *sample, const char *capture)
{
    const struct lab_host_info *server = lab_host_info(LAB_SERVER);
    struct fallback_visit *v = run->visit;
    int timeout_ms = (int)(run->study->options.timeout / 1000) * (FALLBACK_CONTACTS + 1);
    bool missed;

    *v = (struct fallback_visit){.credentials = &run->study->credentials,
                                 .server = row->fast_open ? server->kernel_address
                                                          : server->stack_address,
                                 .embedded = embedded,
                                 .bare = row->bare,
                                 .timeout = run->study->options.timeout};
    (void)snprintf(v->capture, sizeof(v->capture), "%s", capture ? capture : "");
    int error = lab_set_middlebox(run->lab, row->rules);
    if (error == 0)
        error = spawn_and_wait(run, LAB_CLIENT, fallback_client, v, timeout_ms);
    if (error == -EINTR)
        return error;
    if (sample->error == 0 && (error < 0 || v->error < 0)) {
        sample->error = error < 0 ? error : v->error;
        (void)snprintf(sample->reason, sizeof(sample->reason), "%s",
                       v->reason[0] ? v->reason : strerror(-sample->error));
    }
    memcpy(embedded ? sample->embedded : sample->sequential, v->contact, sizeof(v->contact));
    sample->rtt_us = v->rtt_us;
    if (error == -EPIPE)
        return error;
    error = study_link_ask(run->lab, run->study->options.link.rtt_ms, &missed);
    sample->missed = sample->missed || missed;
    return error;
}

/* What a killed client left on its way arrives before the next one comes. */
static int settle(struct run *run)
{
    (void)tlsyn_wait(NULL, 0,
                     tlsyn_clock() + (tlsyn_time)(run->study->options.link.rtt_ms * 1000) +
                         TLSYN_MS(2));
    return run->observer->interrupted(run->observer) ? -EINTR : 0;
}

static void prepare_server(struct run *run, const struct fallback_row *row,
                           struct fallback_sample *sample)
{
    if (!row->fast_open || spawn_and_wait(run, LAB_SERVER, set_fast_open,
                                          (void *)(uintptr_t)row->fast_open, END_MS) == 0)
        return;
    sample->error = -EACCES;
    (void)snprintf(sample->reason, sizeof(sample->reason),
                   "net.ipv4.tcp_fastopen can't be set here");
}

/* --- as rounds are made: a row is a block, its members are sequential and embedded ------------ */

#define CONTACT(which, i)                                                                          \
    JOURNAL_FIELD(fallback_sample, which[i].us, JOURNAL_DOUBLE),                                   \
        JOURNAL_FIELD(fallback_sample, which[i].embedding, JOURNAL_UINT32),                        \
        JOURNAL_FIELD(fallback_sample, which[i].opens, JOURNAL_UINT32)

static_assert(sizeof(enum tlsyn_embedding) == sizeof(uint32_t), "it is kept as such");

static const struct journal_field fields[] = {
    JOURNAL_FIELD(fallback_sample, missed, JOURNAL_BOOL),
    JOURNAL_FIELD(fallback_sample, error, JOURNAL_INT),
    JOURNAL_FIELD(fallback_sample, reason, JOURNAL_TEXT),
    JOURNAL_FIELD(fallback_sample, rtt_us, JOURNAL_DOUBLE),
    CONTACT(sequential, 0),
    CONTACT(sequential, 1),
    CONTACT(embedded, 0),
    CONTACT(embedded, 1),
};

static void *sample_of(void *context, const struct schedule_slot *slot)
{
    const struct fallback_study *s = ((struct run *)context)->study;

    return &s->samples[slot->round * s->row_count + slot->block];
}

static int observe(void *context, const struct schedule_slot *slot, void *into)
{
    struct run *run = context;
    const struct fallback_row *row = &run->study->rows[slot->block];
    struct fallback_sample *sample = into;
    int error;

    if (slot->block_start)
        prepare_server(run, row, sample);
    error = visit(run, row, slot->member == 1, sample, NULL);
    if (error == 0 && sample->error < 0) {
        char note[400];

        (void)snprintf(note, sizeof(note), "%s failed: %s", row->title, sample->reason);
        run->observer->note(run->observer, note);
    }
    return error < 0 ? error : settle(run);
}

/* The second of a row's two visits makes it whole. */
static int take(void *context, const struct schedule_slot *slot, void *sample)
{
    (void)context;
    ((struct fallback_sample *)sample)->done = slot->block_end;
    return 0;
}

/* Costs are near zero: they are as exact as the handshakes that they are added to. */
static int is_narrow(void *context, double precision, bool *narrow)
{
    struct fallback_study *s = ((struct run *)context)->study;
    int error = fallback_analyse(s);

    *narrow = true;
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct fallback_result *result = &s->result[i];

        for (int k = 0; k < FALLBACK_CONTACTS && result->n > 0; k++)
            *narrow =
                *narrow && stats_is_narrow(&result->cost[k].ms, result->sequential_ms, precision);
    }
    return error;
}

static void status(void *context, const struct schedule_slot *slot, char text[ROUNDS_STATUS_MAX])
{
    const struct fallback_study *s = ((struct run *)context)->study;
    double ms[FALLBACK_ROUNDS_MAX];
    size_t n = 0;

    for (uint32_t round = 0; round <= slot->round; round++) {
        const struct fallback_sample *sample = &s->samples[round * s->row_count + slot->block];

        if (sample->done && sample->error == 0)
            ms[n++] = (sample->embedded[0].us - sample->sequential[0].us) / 1e3;
    }
    if (n > 0)
        (void)snprintf(text, ROUNDS_STATUS_MAX, "%s: first contact costs %+.1f ms, median of %zu",
                       s->rows[slot->block].title, stats_median(ms, n), n);
    else
        (void)snprintf(text, ROUNDS_STATUS_MAX, "%s", s->rows[slot->block].title);
}

static const struct rounds_ops ops = {
    .study = "fallback",
    .fields = fields,
    .field_count = sizeof(fields) / sizeof(*fields),
    .sample = sample_of,
    .observe = observe,
    .take = take,
    .is_narrow = is_narrow,
    .status = status,
};

static int go_rounds(struct run *run, char message[STUDY_MESSAGE_MAX])
{
    struct fallback_study *s = run->study;
    struct rounds rounds = {.ops = &ops,
                            .study = run,
                            .plan = {.blocks = s->row_count,
                                     .cells_per_block = 2,
                                     .rounds = s->options.rounds,
                                     .seed = s->options.seed},
                            .planned = 2 * s->row_count * s->options.rounds,
                            .keep = &s->options.keep,
                            .observer = run->observer};
    int error = rounds_run(&rounds, message);

    s->interrupted = rounds.interrupted;
    s->seconds = rounds.seconds;
    return error;
}

/* One visit more to each row, apart from those that are timed: for the page. */
static int capture_all(struct run *run)
{
    struct fallback_study *s = run->study;
    int error = 0;

    for (uint32_t i = 0; s->options.folder && error == 0 && i < s->row_count; i++) {
        struct fallback_sample sample = {.error = 0};
        char path[FALLBACK_PATH_MAX];

        (void)snprintf(path, sizeof(path), "%s/%s.pcapng", s->options.folder, s->rows[i].name);
        prepare_server(run, &s->rows[i], &sample);
        error = visit(run, &s->rows[i], true, &sample, path);
        s->captured[i] = error == 0 && sample.error == 0;
        if (error == 0)
            error = settle(run);
    }
    return error;
}

/* --- the laboratory --------------------------------------------------------------------------- */

static int start_server(struct run *run, int which, struct server *server)
{
    static int (*const mains[2])(void *) = {ours, kernels};
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    run->control[which] = ends[0];
    server->control = ends[1];
    run->pid[which] = lab_spawn(run->lab, LAB_SERVER, mains[which], server);
    (void)close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    char byte;
    if (run->pid[which] < 0)
        return (int)run->pid[which];
    return poll(&ready, 1, READY_MS) == 1 && recv(ends[0], &byte, 1, 0) == 1 ? 0 : -EPIPE;
}

static void stop_servers(struct run *run)
{
    int status;

    for (int i = 0; i < 2; i++) {
        if (run->control[i] >= 0)
            (void)close(run->control[i]);
        if (run->pid[i] > 0 && lab_wait(run->lab, run->pid[i], END_MS, &status) < 0)
            (void)kill(run->pid[i], SIGKILL);
    }
}

static int measure(struct run *run, char message[STUDY_MESSAGE_MAX])
{
    struct server server[2] = {{.study = run->study}, {.study = run->study}};
    int error = start_server(run, 0, &server[0]);

    if (error == 0)
        error = start_server(run, 1, &server[1]);
    if (error == 0)
        error = go_rounds(run, message);
    if (error == 0 && !run->study->interrupted)
        error = capture_all(run);
    stop_servers(run);
    return error == -EINTR ? 0 : error;
}

int fallback_run(struct fallback_study *study, struct study_observer *observer,
                 char message[STUDY_MESSAGE_MAX])
{
    struct tlsyn_impairment half[2];
    struct lab_options options = {.mtu = 0};
    struct run run = {.study = study, .observer = observer, .control = {-1, -1}};
    struct lab_error why;
    int error;

    run.visit =
        mmap(NULL, sizeof(*run.visit), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (run.visit == MAP_FAILED)
        return -ENOMEM;
    study_link_half(&study->options.link, study->options.seed, half);
    options.to_server = half[0];
    options.to_client = half[1];
    error = lab_open(&options, &run.lab, &why);
    if (error < 0) {
        (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
    } else {
        noise_begin(&study->noise);
        message[0] = '\0';
        error = measure(&run, message);
        noise_end(&study->noise);
        if (error < 0 && !message[0])
            (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory has broken down: %s",
                           strerror(-error));
        lab_close(run.lab);
    }
    (void)munmap(run.visit, sizeof(*run.visit));
    return error;
}
