/*
 * What a running command tells about itself (stack/control), and how tlsyn ss shows it
 * (apps/ss_text).
 */
#include <check.h>
#include <stdlib.h>
#include <tlsyn/udp.h>

#include "control/snapshot.h"
#include "ss_text.h"
#include "support/peer.h"

/* --- one line --------------------------------------------------------------------------------- */

START_TEST(a_member_is_found_by_its_whole_name)
{
    const char *line = "{\"snd_mss\": 1, \"mss\": 1460, \"a\\\"b\": \"c\\\"}d\", \"last\": null}";
    char text[32];

    ck_assert_int_eq(ss_number(line, "mss"), 1460);
    ck_assert(ss_member(line, "a\\\"b", text, sizeof(text)));
    ck_assert_str_eq(text, "c\\\"}d");
    ck_assert(ss_member(line, "last", text, sizeof(text)));
    ck_assert_str_eq(text, "null");
    ck_assert(!ss_member(line, "m", text, sizeof(text)));
    ck_assert(!ss_member(line, "1460", text, sizeof(text)));
    ck_assert_int_eq(ss_number(line, "none"), 0);
    ck_assert(ss_member("{\"long\": \"0123456789\"}", "long", text, 5));
    ck_assert_str_eq(text, "0123");
}
END_TEST

START_TEST(what_is_no_flat_object_has_no_members)
{
    static const char *const lines[] = {"",
                                        "{",
                                        "{\"a\"",
                                        "{\"a\":",
                                        "{\"a\": \"b",
                                        "[\"a\", 1]",
                                        "{a: 1}",
                                        "{\"x\" 1, \"a\": 2}",
                                        "{\"x\": {\"a\": 1}}",
                                        "{\"x\": [1], \"a\": 2}",
                                        "{\"x\": \"\\",
                                        "{}"};
    char text[16];

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(!ss_member(lines[i], "a", text, sizeof(text)), "%s", lines[i]);
}
END_TEST

/* --- a stack ---------------------------------------------------------------------------------- */

static void tell_two(struct tlsyn_control_source *source,
                     void (*put)(void *out, const char *name, uint64_t value), void *out)
{
    (void)source;
    put(out, "TlsNothing", 0);
    put(out, "TlsSessionsKept", 7);
}

/* The snapshot of a test's stack, and of something that stands on it. */
static char *snapshot_of(struct tcp_test *t)
{
    const struct tlsyn_addr address = tlsyn_addr_ip4((const uint8_t[]){10, 0, 0, 1});
    const struct tlsyn_control_about about = {
        .command = "serve", .interface = "eth\"0", .address = &address};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct tlsyn_control_source source = {.tell = tell_two};

    snapshot_write(out, &about, t->stack, &source);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

/* The first line of a kind, without what follows it. NULL: there is none. */
static char *line_of(const char *text, const char *what)
{
    char found[32];

    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (ss_member(line, "what", found, sizeof(found)) && strcmp(found, what) == 0)
            return strndup(line, strcspn(line, "\n"));
    }
    return NULL;
}

static void expect_member(const char *line, const char *name, const char *value)
{
    char text[64];

    ck_assert_msg(ss_member(line, name, text, sizeof(text)), "no %s in %s", name, line);
    ck_assert_str_eq(text, value);
}

START_TEST(a_snapshot_tells_of_process_listener_connection_and_counters)
{
    struct tcp_test *t = TCP_TEST(0);
    char *text = NULL, *line = NULL;

    peer_sends(t, SYN());
    expect(t, SYNACK(.seq = 0, .ack = 1));
    text = snapshot_of(t);
    line = line_of(text, "listener");
    expect_member(line, "half_open", "1");
    free(line);
    free(text);

    peer_sends(t, ACK());
    peer_sends(t, ACK(.len = 5));
    t->user.deaf = true;
    text = snapshot_of(t);
    line = line_of(text, "process");
    expect_member(line, "command", "serve");
    expect_member(line, "interface", "eth\\\"0");
    expect_member(line, "address", "10.0.0.1");
    free(line);
    line = line_of(text, "listener");
    expect_member(line, "half_open", "0");
    free(line);
    line = line_of(text, "connection");
    expect_member(line, "state", "ESTABLISHED");
    expect_member(line, "number", "1");
    expect_member(line, "mss", "1460");
    expect_member(line, "active", "false");
    expect_member(line, "bytes_received", "5");
    expect_member(line, "ssthresh", "null");
    expect_member(line, "controller", "cubic");
    free(line);
    line = line_of(text, "counter");
    ck_assert_int_gt(ss_number(line, "value"), 0);
    free(line);
    ck_assert_ptr_nonnull(strstr(text, "\"name\": \"TlsSessionsKept\", \"value\": 7}"));
    ck_assert_ptr_null(strstr(text, "TlsNothing"));
    line = line_of(text, "end");
    expect_member(line, "left_off", "0");
    free(line);
    free(text);
    tcp_test_close(t);
}
END_TEST

static void tell_queue(struct tlsyn_udp_handler *handler, struct tlsyn_udp_info *info)
{
    (void)handler;
    info->rcv_queued = 771;
}

START_TEST(a_snapshot_tells_of_datagram_sockets)
{
    static const struct tlsyn_udp_events events = {.on_info = tell_queue};
    struct tlsyn_udp_handler handler = {.events = &events};
    struct tcp_test *t = TCP_TEST(0);
    const struct tlsyn_udp_options options = {.local = {.port = 53}};
    struct tlsyn_udp *udp;
    char *text, *line;

    ck_assert_int_eq(tlsyn_udp_open(t->stack, &options, &handler, &udp), 0);
    tlsyn_udp_refuse(udp);
    text = snapshot_of(t);
    line = line_of(text, "udp");
    ck_assert_ptr_nonnull(line);
    expect_member(line, "state", "UNCONN");
    expect_member(line, "local", "*");
    expect_member(line, "local_port", "53");
    expect_member(line, "rcv_queued", "771");
    expect_member(line, "drops", "1");
    ck_assert_ptr_nonnull(strstr(text, "\"name\": \"UdpRcvbufErrors\", \"value\": 1}"));
    free(line);
    free(text);
    tlsyn_udp_close(udp);
    tcp_test_close(t);
}
END_TEST

struct counting {
    struct tlsyn_visitor visitor;
    int conns, listeners, stop_after;
};

static bool count_conn(struct tlsyn_visitor *visitor, const struct tlsyn_conn *conn)
{
    struct counting *c = (struct counting *)visitor;

    ck_assert_ptr_nonnull(conn);
    return ++c->conns < c->stop_after;
}

static bool count_listener(struct tlsyn_visitor *visitor, const struct tlsyn_listener *listener)
{
    struct counting *c = (struct counting *)visitor;

    ck_assert_ptr_nonnull(listener);
    return ++c->listeners < c->stop_after;
}

START_TEST(a_walk_ends_where_the_visitor_wants)
{
    struct tcp_test *t = TCP_TEST(0);
    struct counting all = {.visitor = {.on_conn = count_conn, .on_listener = count_listener},
                           .stop_after = 10};
    struct counting first = {.visitor = {.on_conn = count_conn, .on_listener = count_listener},
                             .stop_after = 1};
    struct counting none = {.stop_after = 1};

    peer_sends(t, SYN());
    expect(t, SYNACK(.seq = 0, .ack = 1));
    tlsyn_stack_walk(t->stack, &all.visitor);
    tlsyn_stack_walk(t->stack, &first.visitor);
    tlsyn_stack_walk(t->stack, &none.visitor);
    ck_assert_int_eq(all.listeners, 1);
    ck_assert_int_eq(all.conns, 1);
    ck_assert_int_eq(first.listeners, 1);
    ck_assert_int_eq(first.conns, 0);
    tcp_test_close(t);
}
END_TEST

/* --- columns ---------------------------------------------------------------------------------- */

/* What a printer writes of a line. */
static const char *printed(const char *line, const char *process, bool details)
{
    static char text[512];
    FILE *out = fmemopen(text, sizeof(text), "w");

    ck_assert_ptr_nonnull(out);
    if (process)
        ss_row(out, line, process, details);
    else if (details)
        ss_details(out, line);
    else
        ss_counter(out, line);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

START_TEST(a_connection_is_a_row_of_ss)
{
    ck_assert_str_eq(printed("{\"what\": \"connection\", \"state\": \"FIN-WAIT-1\", \"local\": "
                             "\"10.0.0.1\", \"local_port\": 443, \"remote\": \"fd77::9\", "
                             "\"remote_port\": 50000, \"snd_queued\": 17, \"rcv_queued\": 3}",
                             "serve,pid=7", false),
                     "FIN-WAIT-1          3       17  10.0.0.1:443             "
                     "[fd77::9]:50000          serve,pid=7\n");
}
END_TEST

START_TEST(a_listener_is_a_row_of_ss)
{
    ck_assert_str_eq(printed("{\"what\": \"listener\", \"local\": \"*\", \"local_port\": 443, "
                             "\"half_open\": 2, \"syn_backlog\": 1024}",
                             "serve,pid=7", false),
                     "LISTEN              2     1024  *:443                    *:*         "
                     "             serve,pid=7\n");
}
END_TEST

START_TEST(a_datagram_socket_is_a_row_of_ss)
{
    const char *line =
        "{\"what\": \"udp\", \"state\": \"UNCONN\", \"local\": \"*\", \"local_port\": 53, "
        "\"remote\": \"*\", \"remote_port\": 0, \"rcv_queued\": 771, \"snd_queued\": 0, "
        "\"drops\": 3, \"datagrams_in\": 9, \"datagrams_out\": 0}";

    ck_assert_str_eq(printed(line, "dns,pid=7", true),
                     "udp   UNCONN            771        0  *:53                     *:*       "
                     "               dns,pid=7\n");
    ck_assert_str_eq(printed(line, NULL, true), "\t datagrams_in:9 datagrams_out:0 drops:3\n");
}
END_TEST

START_TEST(the_details_say_what_is_known_and_not_zero)
{
    ck_assert_str_eq(
        printed("{\"sack\": true, \"timestamps\": false, \"ecn\": \"classic\", \"controller\": "
                "\"cubic\", \"snd_wscale\": 7, \"rcv_wscale\": 2, \"rto_ms\": 200, \"srtt_ms\": "
                "0.5, \"rttvar_ms\": 0.25, \"cwnd\": 14600, \"ssthresh\": null, \"lost\": 0, "
                "\"retransmits\": 3, \"pacing_rate\": 125000}",
                NULL, true),
        "\t sack ecn cubic wscale:7,2 rto:200 rtt:0.5/0.25 cwnd:14600 retrans:3 pacing_rate "
        "1000000bps\n");
}
END_TEST

START_TEST(a_counter_is_a_name_and_a_number)
{
    ck_assert_str_eq(printed("{\"name\": \"TcpInSegs\", \"value\": 12}", NULL, false),
                     "TcpInSegs                                  12\n");
}
END_TEST

Suite *ss_suite(void);

Suite *ss_suite(void)
{
    Suite *suite = suite_create("ss");
    TCase *tests = tcase_create("ss");

    tcase_add_test(tests, a_member_is_found_by_its_whole_name);
    tcase_add_test(tests, what_is_no_flat_object_has_no_members);
    tcase_add_test(tests, a_snapshot_tells_of_process_listener_connection_and_counters);
    tcase_add_test(tests, a_snapshot_tells_of_datagram_sockets);
    tcase_add_test(tests, a_walk_ends_where_the_visitor_wants);
    tcase_add_test(tests, a_connection_is_a_row_of_ss);
    tcase_add_test(tests, a_listener_is_a_row_of_ss);
    tcase_add_test(tests, a_datagram_socket_is_a_row_of_ss);
    tcase_add_test(tests, the_details_say_what_is_known_and_not_zero);
    tcase_add_test(tests, a_counter_is_a_name_and_a_number);
    suite_add_tcase(suite, tests);
    return suite;
}
