/* Early data over two whole stacks: when the first answer byte comes, and what a SYN is worth to
 * somebody who sends it again. (What the engine does with each byte is tested in tests/tls.) */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <tlsyn/link.h>

#include "support/holds.h"
#include "support/tls_world.h"

#define ETHERNET 14
#define IP4      20

static struct tlsyn_certified identity;

static void make_certificates(void)
{
    tls_world_certify(&identity, 12, false);
}

/* --- the client asks in on_open, the server answers as soon as it has read ------------------- */

struct user {
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls;
    struct world *world;
    struct user *next; /* the server's */
    bool is_server, done;
    size_t sent, received, early;         /* bytes */
    tlsyn_time opened, asked, first_byte; /* on the world's clock */
    struct tlsyn_tls_info info;
};

static void ask(struct user *u)
{
    ssize_t n = tlsyn_tls_write(u->tls, REQUEST + u->sent, strlen(REQUEST) - u->sent);

    if (n > 0)
        u->sent += (size_t)n;
    if (n > 0 && u->sent == strlen(REQUEST))
        u->asked = u->world->now;
}

static int on_open(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    (void)c;
    ask((struct user *)h);
    return 0;
}

static void on_established(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;

    (void)c;
    tlsyn_tls_info(u->tls, &u->info);
    if (u->is_server)
        return;
    if (u->info.early == TLSYN_TLS_EARLY_REJECTED)
        u->sent = 0;
    if (u->sent < strlen(REQUEST))
        ask(u);
}

static void on_data(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;
    uint8_t bytes[256];
    ssize_t n;

    (void)c;
    while ((n = tlsyn_tls_read(u->tls, bytes, sizeof(bytes))) > 0) {
        if (u->received == 0)
            u->first_byte = u->world->now;
        u->received += (size_t)n;
        u->early += tlsyn_tls_is_early(u->tls) ? (size_t)n : 0;
    }
    if (u->is_server && u->received == strlen(REQUEST) && u->sent == 0) {
        u->sent = strlen(RESPONSE);
        HOLDS(tlsyn_tls_write(u->tls, RESPONSE, u->sent) == (ssize_t)u->sent);
        tlsyn_tls_close(u->tls);
    }
    if (!u->is_server && n == 0)
        tlsyn_tls_close(u->tls);
}

static void on_closed(struct tlsyn_handler *h, struct tlsyn_conn *c, int error)
{
    struct user *u = (struct user *)h;

    (void)c;
    (void)error;
    tlsyn_tls_free(u->tls);
    u->tls = NULL;
    u->done = true;
}

static const struct tlsyn_conn_events events = {
    .on_open = on_open,
    .on_established = on_established,
    .on_data = on_data,
    .on_closed = on_closed,
};

/* --- the bed ---------------------------------------------------------------------------------- */

struct bed {
    struct world world;
    struct tlsyn_tls_config *config[WORLD_HOSTS];
    struct tlsyn_listener *listener;
    struct tlsyn_acceptor acceptor;
    struct user *servers; /* newest first */
    uint8_t syn[1600];    /* the last one with text that came to the server */
    size_t syn_len;
};

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *a, struct tlsyn_conn *conn)
{
    struct bed *bed = (struct bed *)((char *)a - offsetof(struct bed, acceptor));
    struct user *u = calloc(1, sizeof(*u));

    HOLDS(u != NULL);
    *u = (struct user){.handler = {.events = &events},
                       .world = &bed->world,
                       .is_server = true,
                       .next = bed->servers};
    bed->servers = u;
    HOLDS(tlsyn_tls_attach(bed->config[WORLD_SERVER], conn, NULL, &u->handler, &u->tls) == 0);
    return tlsyn_tls_handler(u->tls);
}

static void make_config(struct bed *bed, int host, bool paper)
{
    const struct tlsyn_tls_options o = {
        .paper = paper,
        .tickets = host == WORLD_CLIENT ? 0 : 2,
        .sessions = host == WORLD_CLIENT ? 8 : 0,
        .early_data = 4096,
    };

    bed->config[host] = tls_world_config(&bed->world, host, &o, &identity, 1);
}

static void keep_syn(struct world *w, int host, const struct tlsyn_frame *frame)
{
    struct bed *bed = w->watch_data;
    uint8_t bytes[sizeof(bed->syn)];
    size_t n = 0;

    for (int i = 0; i < frame->iovcnt && n + frame->iov[i].iov_len <= sizeof(bytes); i++) {
        memcpy(bytes + n, frame->iov[i].iov_base, frame->iov[i].iov_len);
        n += frame->iov[i].iov_len;
    }
    if (host != WORLD_SERVER || n < 300 || bytes[ETHERNET + IP4 + 13] != 2)
        return;
    memcpy(bed->syn, bytes, n);
    bed->syn_len = n;
}

static void bed_open(struct bed *bed, enum tlsyn_level level)
{
    const struct world_options path = tls_world_path(1);

    *bed = (struct bed){.acceptor = {.accept = accept_one}};
    world_open(&bed->world, &path);
    bed->world.watch = keep_syn;
    bed->world.watch_data = bed;
    make_config(bed, WORLD_CLIENT, level == TLSYN_LEVEL_PAPER);
    make_config(bed, WORLD_SERVER, level == TLSYN_LEVEL_PAPER);
    bed->listener = tls_world_listen(&bed->world, level, &bed->acceptor);
}

static void free_servers(struct bed *bed)
{
    while (bed->servers != NULL) {
        struct user *u = bed->servers;

        bed->servers = u->next;
        tlsyn_tls_free(u->tls);
        free(u);
    }
}

static void bed_close(struct bed *bed)
{
    tlsyn_listener_close(bed->listener);
    free_servers(bed);
    world_close(&bed->world);
    tlsyn_tls_config_free(bed->config[WORLD_CLIENT]);
    tlsyn_tls_config_free(bed->config[WORLD_SERVER]);
}

static void wait_for(struct bed *bed, tlsyn_time time)
{
    bool never = false;

    (void)world_run(&bed->world, time, &never);
}

static void visit(struct bed *bed, enum tlsyn_level level, struct user *u)
{
    *u = (struct user){
        .handler = {.events = &events}, .world = &bed->world, .opened = bed->world.now};
    tls_world_connect(&bed->world, bed->config[WORLD_CLIENT], level, &u->handler, &u->tls);
    ck_assert_msg(world_run(&bed->world, TLSYN_SECONDS(100), &u->done), "never ended");
    wait_for(bed, TLSYN_SECONDS(1));
}

static uint64_t counted(const struct bed *bed, enum tlsyn_counter c)
{
    return tlsyn_counter(bed->world.host[WORLD_SERVER].stack, c);
}

/* --- round trips ------------------------------------------------------------------------------ */

static const enum tlsyn_level levels[] = {TLSYN_LEVEL_NONE, TLSYN_LEVEL_OPEN, TLSYN_LEVEL_COOKIE,
                                          TLSYN_LEVEL_PAPER};

START_TEST(the_first_answer_byte_comes_after_one_round_trip)
{
    enum tlsyn_level level = levels[_i];
    tlsyn_time connect = level == TLSYN_LEVEL_NONE ? RTT : 0;
    struct user u;
    struct bed bed;

    bed_open(&bed, level);
    visit(&bed, level, &u); /* finds the neighbour's address, gets a ticket and a cookie */
    ck_assert_int_eq(u.info.early, TLSYN_TLS_EARLY_NONE);
    for (int i = 0; i < 3; i++) {
        visit(&bed, level, &u);
        ck_assert_int_eq(u.info.early, TLSYN_TLS_EARLY_ACCEPTED);
        ck_assert_int_eq(u.asked, u.opened);
        ck_assert_int_eq(bed.servers->first_byte - u.opened, connect + ONE_WAY);
        ck_assert_int_eq(u.first_byte - u.opened, connect + RTT);
        ck_assert_uint_eq(bed.servers->early, strlen(REQUEST));
        ck_assert_uint_eq(bed.servers->received, strlen(REQUEST));
        ck_assert_uint_eq(u.received, strlen(RESPONSE));
    }
    ck_assert_uint_eq(counted(&bed, TLSYN_COUNT_tls_early_accepted), 3);
    bed_close(&bed);
}
END_TEST

/* --- replay ----------------------------------------------------------------------------------- */

/* The SYN as it was, but for the port, so that the server does not take it for a late copy; as a
 * link passes it up that has looked at its checksum. */
static void replay(struct bed *bed, uint16_t port)
{
    struct world_host *server = &bed->world.host[WORLD_SERVER];
    uint8_t syn[sizeof(bed->syn)];
    struct tlsyn_frame frame = {
        .iov = {{syn, bed->syn_len}}, .iovcnt = 1, .flags = TLSYN_FRAME_CSUM_VERIFIED};

    memcpy(syn, bed->syn, bed->syn_len);
    syn[ETHERNET + IP4] = (uint8_t)(port >> 8);
    syn[ETHERNET + IP4 + 1] = (uint8_t)port;
    (void)tlsyn_stack_input(server->stack, server->iface, &frame, bed->world.now);
    (void)tlsyn_stack_output(server->stack, bed->world.now);
}

static size_t answered_early(const struct bed *bed)
{
    size_t n = 0;

    for (const struct user *u = bed->servers; u != NULL; u = u->next)
        n += u->early > 0;
    return n;
}

/* Twenty seconds of it, which is beyond the end of the window. */
START_TEST(a_replayed_syn_is_answered_early_at_most_once)
{
    struct user u;
    struct bed bed;

    bed_open(&bed, TLSYN_LEVEL_OPEN);
    visit(&bed, TLSYN_LEVEL_OPEN, &u);
    visit(&bed, TLSYN_LEVEL_OPEN, &u);
    ck_assert_uint_eq(answered_early(&bed), 1);
    for (int i = 0; i < 1000; i++) {
        if (i == 300) {
            free_servers(&bed);
            tlsyn_tls_config_free(bed.config[WORLD_SERVER]);
            make_config(&bed, WORLD_SERVER, false);
        }
        replay(&bed, (uint16_t)(20000 + i));
        ck_assert_uint_eq(answered_early(&bed), i < 300 ? 1 : 0);
        wait_for(&bed, TLSYN_MS(20));
    }
    ck_assert_uint_eq(counted(&bed, TLSYN_COUNT_tls_early_accepted), 1);
    ck_assert_uint_gt(counted(&bed, TLSYN_COUNT_tls_early_replayed), 20);
    ck_assert_uint_gt(counted(&bed, TLSYN_COUNT_tls_early_refused), 20);
    bed_close(&bed);
}
END_TEST

Suite *tls_early_suite(void);

Suite *tls_early_suite(void)
{
    Suite *s = suite_create("tls_early");
    TCase *t = tcase_create("tls_early");

    tcase_add_unchecked_fixture(t, make_certificates, NULL);
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, the_first_answer_byte_comes_after_one_round_trip, 0, 4);
    tcase_add_test(t, a_replayed_syn_is_answered_early_at_most_once);
    suite_add_tcase(s, t);
    return s;
}
