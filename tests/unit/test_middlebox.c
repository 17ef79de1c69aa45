/*
 * What middleboxes do to an embedded open, and what it costs then: two whole stacks, and the round
 * trips by a virtual clock. Read first: docs/HANDSHAKE.md "When a path does not bear it".
 */
#include <check.h>
#include <errno.h>

#include "support/bulk.h"
#include "support/holds.h"
#include "support/world.h"

#define ONE_WAY TLSYN_MS(10)
#define RTT     (2 * ONE_WAY)
#define PORT    443

/* The flights of TLS 1.3, by their lengths. */
enum { HELLO = 300, FLIGHT = 400, REQUEST = 100, RESPONSE = 50 };

struct end {
    struct tlsyn_handler handler;
    struct bed *bed;
    bool is_server;
    uint64_t received, sent;
};

struct bed {
    struct world world;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_listener *listener;
    struct end client, server;
    enum tlsyn_level level;
    tlsyn_time opened;
    uint16_t port;
    struct tlsyn_conn_info info; /* of the client's, at its end */
    int opens;
    bool done, closed;
    int error; /* that its connection was closed with */
};

/* --- both ends: what was heard decides what is to be said by now ------------------------------ */

static uint64_t due(const struct end *e)
{
    if (e->is_server)
        return e->received >= HELLO + REQUEST ? FLIGHT + RESPONSE
               : e->received >= HELLO         ? FLIGHT
                                              : 0;
    return e->received >= FLIGHT ? HELLO + REQUEST : HELLO;
}

static int talk(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct end *e = (struct end *)handler;
    uint8_t bytes[2048];
    struct tlsyn_view view;

    for (size_t n; (n = tlsyn_conn_peek(conn, &view)) > 0; tlsyn_conn_consume(conn, n)) {
        HOLDS(bulk_holds(view.part[0].iov_base, view.part[0].iov_len, e->received));
        HOLDS(bulk_holds(view.part[1].iov_base, view.part[1].iov_len,
                         e->received + view.part[0].iov_len));
        e->received += n;
    }
    uint64_t n = due(e) - e->sent;
    bulk_fill(bytes, n, e->sent);
    HOLDS(n == 0 || tlsyn_conn_write(conn, bytes, n) == (ssize_t)n);
    e->sent += n;
    if (!e->is_server && e->received == FLIGHT + RESPONSE && !e->bed->done) {
        tlsyn_conn_info(conn, &e->bed->info);
        e->bed->done = true;
    }
    return 0;
}

static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    (void)talk(handler, conn);
}

static void opens(struct bed *bed);

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct end *e = (struct end *)handler;

    (void)conn;
    if (!e->is_server && error == -EAGAIN && !e->bed->done)
        opens(e->bed);
    if (!e->is_server) {
        e->bed->closed = true;
        e->bed->error = error;
    }
}

static const struct tlsyn_conn_events events = {.on_open = talk,
                                                .on_syn = talk,
                                                .on_synack = talk,
                                                .on_established = on_data,
                                                .on_data = on_data,
                                                .on_closed = on_closed};

static void opens(struct bed *bed)
{
    const struct tlsyn_connect_options options = {
        .remote = {bed->world.host[WORLD_SERVER].addr, bed->port}, .level = bed->level};

    bed->client = (struct end){.handler = {&events}, .bed = bed};
    bed->opens++;
    HOLDS(tlsyn_conn_open(bed->world.host[WORLD_CLIENT].stack, &options, &bed->client.handler,
                          NULL) == 0);
}

static struct tlsyn_handler *accept_one(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    struct bed *bed = (struct bed *)((char *)acceptor - offsetof(struct bed, acceptor));

    (void)conn;
    bed->server = (struct end){.handler = {&events}, .bed = bed, .is_server = true};
    return &bed->server.handler;
}

/* --- one open --------------------------------------------------------------------------------- */

struct closing {
    struct tlsyn_visitor base;
    struct tlsyn_conn *conn;
};

static bool find_one(struct tlsyn_visitor *base, const struct tlsyn_conn *conn)
{
    struct tlsyn_conn_info info;

    tlsyn_conn_info(conn, &info);
    if (info.state != TLSYN_ESTABLISHED && info.state != TLSYN_SYN_RECEIVED)
        return true;
    ((struct closing *)base)->conn = (struct tlsyn_conn *)(uintptr_t)conn;
    return false;
}

/* The next open finds nothing of this one. */
static void ends(struct bed *bed)
{
    bool never = false;

    for (int i = 0; i < WORLD_HOSTS; i++) {
        struct closing c = {.base = {.on_conn = find_one}};

        tlsyn_stack_walk(bed->world.host[i].stack, &c.base);
        while (c.conn) {
            tlsyn_conn_abort(c.conn, -ECANCELED);
            c.conn = NULL;
            tlsyn_stack_walk(bed->world.host[i].stack, &c.base);
        }
    }
    world_run(&bed->world, TLSYN_SECONDS(1), &never);
}

/* How long it takes from the open until the last byte of the response. */
static tlsyn_time visit(struct bed *bed, enum tlsyn_level level)
{
    bed->level = level;
    bed->opens = 0;
    bed->done = false;
    bed->opened = bed->world.now;
    opens(bed);
    ck_assert_msg(world_run(&bed->world, TLSYN_SECONDS(60), &bed->done), "it never ended");
    tlsyn_time took = bed->world.now - bed->opened;
    ends(bed);
    return took;
}

static void open_bed(struct bed *bed, bool ip6)
{
    const struct world_options path = {
        .seed = 1, .to_server = {.delay = ONE_WAY}, .to_client = {.delay = ONE_WAY}, .ip6 = ip6};
    const struct tlsyn_listen_options options = {
        .local = {.port = PORT}, .open = true, .cookies = true};

    *bed = (struct bed){.acceptor = {.accept = accept_one}, .port = PORT};
    world_open(&bed->world, &path);
    ck_assert_int_eq(tlsyn_listener_open(bed->world.host[WORLD_SERVER].stack, &options,
                                         &bed->acceptor, &bed->listener),
                     0);
    visit(bed, TLSYN_LEVEL_NONE); /* finds the neighbour's address */
}

static void close_bed(struct bed *bed)
{
    ends(bed);
    tlsyn_listener_close(bed->listener);
    world_close(&bed->world);
}

/* --- the matrix ------------------------------------------------------------------------------- */

#define SECOND TLSYN_SECONDS(1)
/* Of a connection whose handshake took RTT: srtt + 200 ms, and the double, from the SYN-ACK on. */
#define TWO_RTOS (3 * (RTT + TLSYN_MS(200)) + RTT)

static const struct {
    unsigned rules;
    int sequential;   /* round trips through this box */
    int first;        /* of them more or less at first contact ... */
    tlsyn_time waits; /* and time; no history is known */
    int next;         /* and at the next */
    enum tlsyn_embedding embedding, then;
} rows[] = {
    {0, 3, -1, 0, -1, TLSYN_EMBEDDING_TAKEN, TLSYN_EMBEDDING_TAKEN},
    {TLSYN_MIDDLEBOX_STRIP_TEXT, 3, 0, 0, 0, TLSYN_EMBEDDING_COOKIE_GIVEN,
     TLSYN_EMBEDDING_COOKIE_REFUSED},
    {TLSYN_MIDDLEBOX_STRIP_OPTION, 3, 0, 0, 0, TLSYN_EMBEDDING_IGNORED, TLSYN_EMBEDDING_IGNORED},
    {TLSYN_MIDDLEBOX_STRIP_TEXT | TLSYN_MIDDLEBOX_STRIP_OPTION, 3, 0, 0, 0, TLSYN_EMBEDDING_IGNORED,
     TLSYN_EMBEDDING_IGNORED},
    {TLSYN_MIDDLEBOX_RESET_SYN, 3, 1, 0, 0, TLSYN_EMBEDDING_SYN_REFUSED, TLSYN_EMBEDDING_OFF},
    {TLSYN_MIDDLEBOX_DROP_SYN, 3, 0, SECOND, 0, TLSYN_EMBEDDING_SYN_DROPPED, TLSYN_EMBEDDING_OFF},
    {TLSYN_MIDDLEBOX_DROP_ANSWER, 3, 0, SECOND, 0, TLSYN_EMBEDDING_ANSWER_DROPPED,
     TLSYN_EMBEDDING_OFF},
    {TLSYN_MIDDLEBOX_SWALLOW, 3, 0, TWO_RTOS, 0, TLSYN_EMBEDDING_OFF, TLSYN_EMBEDDING_OFF},
    {TLSYN_MIDDLEBOX_SWALLOW | TLSYN_MIDDLEBOX_STRIP_TEXT, 3, 0, TWO_RTOS, 0, TLSYN_EMBEDDING_OFF,
     TLSYN_EMBEDDING_OFF},
    {TLSYN_MIDDLEBOX_PROXY, 4, 0, 0, 0, TLSYN_EMBEDDING_IGNORED, TLSYN_EMBEDDING_IGNORED},
};

static bool swallows(int row)
{
    return rows[row].rules & TLSYN_MIDDLEBOX_SWALLOW;
}

START_TEST(each_costs_what_it_may_and_that_once) /* loop: rows, over IPv4 and IPv6 */
{
    int row = _i / 2;
    /* Of timers; that of the first timeout begins anew behind a tail loss probe. */
    tlsyn_time slack = TLSYN_MS(swallows(row) ? 100 : 3);
    struct bed bed;

    open_bed(&bed, _i % 2);
    tlsyn_middlebox_set(bed.world.middlebox, rows[row].rules);
    tlsyn_time sequential = visit(&bed, TLSYN_LEVEL_NONE);
    ck_assert_int_eq(sequential, rows[row].sequential * RTT);
    /* The client's stack has measured the path by now: three round trips would be enough. */
    tlsyn_time waits = rows[row].waits == SECOND ? TLSYN_MS(100) : rows[row].waits;
    tlsyn_time first = visit(&bed, TLSYN_LEVEL_COOKIE) - sequential;
    ck_assert_int_ge(first, rows[row].first * RTT + waits - slack);
    ck_assert_int_le(first, rows[row].first * RTT + waits + slack);
    ck_assert_int_eq(bed.info.embedding, rows[row].embedding);
    ck_assert_int_eq(bed.opens, swallows(row) ? 2 : 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(visit(&bed, TLSYN_LEVEL_COOKIE) - sequential, rows[row].next * RTT);
        ck_assert_int_eq(bed.info.embedding, i == 0 ? rows[row].then : bed.info.embedding);
    }
    close_bed(&bed);
}
END_TEST

/* With the box gone, and the time over, all is as before. */
START_TEST(what_was_off_is_tried_again)
{
    struct bed bed;

    open_bed(&bed, false);
    tlsyn_middlebox_set(bed.world.middlebox, TLSYN_MIDDLEBOX_RESET_SYN);
    visit(&bed, TLSYN_LEVEL_COOKIE);
    tlsyn_middlebox_set(bed.world.middlebox, 0);
    ck_assert_int_eq(visit(&bed, TLSYN_LEVEL_COOKIE), 3 * RTT);
    bed.world.now += TLSYN_SECONDS(240);
    visit(&bed, TLSYN_LEVEL_NONE); /* the neighbour is asked for its address again */
    ck_assert_int_eq(visit(&bed, TLSYN_LEVEL_COOKIE), 2 * RTT);
    close_bed(&bed);
}
END_TEST

/* The client has a connection by then, with the box: the server's RST has to be one of it. */
START_TEST(a_refusal_comes_through_the_proxy) /* loop: over IPv4 and IPv6 */
{
    struct bed bed;

    open_bed(&bed, _i);
    tlsyn_middlebox_set(bed.world.middlebox, TLSYN_MIDDLEBOX_PROXY);
    bed.port = PORT + 1;
    bed.level = TLSYN_LEVEL_NONE;
    bed.closed = false;
    opens(&bed);
    ck_assert_msg(world_run(&bed.world, TLSYN_SECONDS(10), &bed.closed), "it never ended");
    ck_assert_int_eq(bed.error, -ECONNRESET);
    close_bed(&bed);
}
END_TEST

/* What it changes it sums up anew: of a damaged segment nobody could tell any more. */
START_TEST(damage_stays_damage_behind_the_proxy) /* loop: over IPv4 and IPv6 */
{
    const struct tlsyn_impairment damaged = {.delay = ONE_WAY, .corrupt = 0.1, .seed = 7};
    struct bed bed;

    open_bed(&bed, _i);
    tlsyn_middlebox_set(bed.world.middlebox, TLSYN_MIDDLEBOX_PROXY);
    ck_assert_int_eq(tlsyn_impair_set(bed.world.host[WORLD_CLIENT].link, &damaged, &damaged), 0);
    for (int i = 0; i < 20; i++)
        visit(&bed, TLSYN_LEVEL_NONE);
    close_bed(&bed);
}
END_TEST

Suite *middlebox_suite(void);

Suite *middlebox_suite(void)
{
    Suite *s = suite_create("middlebox");
    TCase *tcase = tcase_create("matrix");

    tcase_add_loop_test(tcase, each_costs_what_it_may_and_that_once, 0,
                        2 * (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tcase, what_was_off_is_tried_again);
    tcase_add_loop_test(tcase, a_refusal_comes_through_the_proxy, 0, 2);
    tcase_add_loop_test(tcase, damage_stays_damage_behind_the_proxy, 0, 2);
    suite_add_tcase(s, tcase);
    return s;
}
