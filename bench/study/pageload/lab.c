/*
 * study/pageload/lab.c: processes and their ends of socket pairs.
 */
#include "study/pageload/lab.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab/lab.h"
#include "study/actors.h"

#define READY_MS     10000
#define GLANCE_MS    200
#define SLACK_MS     5000 /* an actor answers this long after its own timeout at the latest */
#define PING_TIMEOUT TLSYN_SECONDS(10)

static const struct {
    const char *name;
    enum lab_host host;
} parts[PAGE_ROLES] = {
    [PAGE_BROWSER] = {"browser", LAB_CLIENT},
    [PAGE_SERVER] = {"page's server", LAB_SERVER},
};

struct pagelab {
    struct lab *lab;
    struct pagelab_options options;
    struct credentials credentials;
    int controls[STUDY_STACKS * PAGE_ROLES]; /* our ends: of each stack's actors in their order */
    int opened;                              /* how many of them */
    int browser[STUDY_STACKS];               /* which of them is a stack's browser */
    struct page_answer answer;
};

static int start(struct pagelab *l, enum study_stack stack, enum page_role role)
{
    int ends[2];
    struct page_part part = {.role = role,
                             .stack = stack,
                             .page = l->options.page,
                             .credentials = &l->credentials,
                             .history = l->options.history};
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return -errno;
    if (role == PAGE_BROWSER)
        l->browser[stack] = l->opened;
    l->controls[l->opened++] = ends[0];
    part.control = ends[1];
    child = lab_spawn(l->lab, parts[role].host, page_actor_main, &part);
    (void)close(ends[1]);
    return child < 0 ? (int)child : 0;
}

/* Every PAGE_ROLES actors are a stack's. */
static int await_ready(struct pagelab *l, int actor, char *message)
{
    int error = actor_receive(l->controls[actor], &l->answer, sizeof(l->answer), READY_MS);

    if (error == 0 && l->answer.error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", l->answer.message);
    else if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the %s %s", parts[actor % PAGE_ROLES].name,
                       error == -ETIMEDOUT ? "does not start" : "has died while it started");
    return error < 0 ? error : l->answer.error;
}

static int start_all(struct pagelab *l, char *message)
{
    int error = 0;

    for (int i = 0; error == 0 && i < STUDY_STACKS * PAGE_ROLES; i++) {
        if (!(l->options.stacks >> i / PAGE_ROLES & 1))
            continue;
        error = start(l, (enum study_stack)(i / PAGE_ROLES), (enum page_role)(i % PAGE_ROLES));
        if (error < 0)
            (void)snprintf(message, STUDY_MESSAGE_MAX, "the %s cannot be started: %s",
                           parts[i % PAGE_ROLES].name, strerror(-error));
    }
    for (int i = 0; error == 0 && i < l->opened; i++)
        error = await_ready(l, i, message);
    return error;
}

static int certify(struct pagelab *l)
{
    const char *names[PAGE_HOSTS_MAX + 1] = {NULL};

    for (int i = 0; i < l->options.page->hosts; i++)
        names[i] = l->options.page->host[i].name;
    return credentials_make_for(&l->credentials, names);
}

int pagelab_open(const struct pagelab_options *options, struct pagelab **lab,
                 char message[STUDY_MESSAGE_MAX])
{
    const struct lab_options perfect = {.apart = true};
    struct pagelab *l = calloc(1, sizeof(*l));
    struct lab_error why;
    int error = l ? 0 : -ENOMEM;

    (void)snprintf(message, STUDY_MESSAGE_MAX, "out of memory");
    if (error < 0)
        return error;
    l->options = *options;
    error = certify(l);
    if (error < 0)
        (void)snprintf(message, STUDY_MESSAGE_MAX, "certificates cannot be made: %s",
                       strerror(-error));
    if (error == 0) {
        error = lab_open(&perfect, &l->lab, &why);
        if (error < 0)
            (void)snprintf(message, STUDY_MESSAGE_MAX, "%s", why.text);
    }
    if (error == 0)
        error = start_all(l, message);
    if (error < 0) {
        pagelab_close(l);
        return error;
    }
    *lab = l;
    return 0;
}

int pagelab_set_link(struct pagelab *lab, double rtt_ms)
{
    tlsyn_time both = (tlsyn_time)(rtt_ms * 1000 + 0.5);
    const tlsyn_time delay[2] = {both / 2, both - both / 2};
    struct tlsyn_impairment path[2];

    study_link_path(&lab->options.link, delay, lab->options.seed, path);
    return lab_set_link(lab->lab, &path[0], &path[1]);
}

int pagelab_missed(struct pagelab *lab, double rtt_ms, bool *missed)
{
    return study_link_ask(lab->lab, rtt_ms, missed);
}

/* A load may take minutes: whether anybody still wants it is asked now and then. */
static int await_answer(struct pagelab *l, int actor, struct page_answer *answer, int timeout_ms)
{
    struct study_observer *observer = l->options.observer;
    int error = -ETIMEDOUT;

    for (int ms = 0; error == -ETIMEDOUT && ms < timeout_ms; ms += GLANCE_MS) {
        if (observer->interrupted(observer))
            return -EINTR;
        error = actor_receive(actor, answer, sizeof(*answer), GLANCE_MS);
    }
    return error;
}

static int ask(struct pagelab *l, const struct page_order *order, struct page_answer *answer)
{
    /* a visit again may need another one before it */
    int timeout_ms = 2 * (int)(order->timeout / 1000) + SLACK_MS;
    int browser = l->controls[l->browser[order->stack]];
    int error = actor_send(browser, order, sizeof(*order));

    return error < 0 ? error : await_answer(l, browser, answer, timeout_ms);
}

static int ping_from(struct pagelab *l, enum study_stack stack, double *rtt_ms)
{
    const struct page_order order = {.stack = stack, .ping = true, .timeout = PING_TIMEOUT};
    int error = ask(l, &order, &l->answer);

    *rtt_ms = l->answer.ping_us / 1000;
    return error < 0 ? error : l->answer.error;
}

static bool has_stack(const struct pagelab *l, enum study_stack stack)
{
    return l->options.stacks >> stack & 1;
}

int pagelab_ping(struct pagelab *lab, double *rtt_ms)
{
    return ping_from(lab, has_stack(lab, STUDY_TLSYN) ? STUDY_TLSYN : STUDY_KERNEL, rtt_ms);
}

int pagelab_introduce(struct pagelab *lab)
{
    int error = 0;
    double ms;

    for (int i = 0; error == 0 && i < STUDY_STACKS; i++) {
        if (has_stack(lab, (enum study_stack)i))
            error = ping_from(lab, (enum study_stack)i, &ms);
        error = error == -ETIMEDOUT ? 0 : error;
    }
    return error;
}

int pagelab_load(struct pagelab *lab, const struct page_order *order, struct page_answer *answer)
{
    return ask(lab, order, answer);
}

void pagelab_close(struct pagelab *lab)
{
    if (!lab)
        return;
    for (int i = 0; i < lab->opened; i++)
        actor_hang_up(lab->controls[i]);
    lab_close(lab->lab); /* also kills what doesn't end by itself */
    free(lab);
}
