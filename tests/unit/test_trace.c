/* core/trace, core/counters, core/context: names, JSON, and what reaches a sink. */
#include <check.h>
#include <errno.h>

#include <tlsyn/conn.h>

#include "core/context.h"
#include "core/list.h"
#include "support/memory.h"

struct sink {
    struct tlsyn_trace base;
    struct tlsyn_trace_record last;
    int count;
};

static void emit(struct tlsyn_trace *trace, const struct tlsyn_trace_record *record)
{
    struct sink *sink = container_of(trace, struct sink, base);

    sink->last = *record;
    sink->count++;
}

START_TEST(everything_has_a_name)
{
    for (int e = 0; e < TLSYN_TRACE_COUNT; e++) {
        ck_assert_ptr_nonnull(tlsyn_trace_event_name((enum tlsyn_trace_event)e));
        ck_assert_ptr_nonnull(tlsyn_trace_field_name((enum tlsyn_trace_event)e, 0));
        ck_assert_ptr_null(tlsyn_trace_field_name((enum tlsyn_trace_event)e, TLSYN_TRACE_FIELDS));
        ck_assert_ptr_null(tlsyn_trace_field_name((enum tlsyn_trace_event)e, -1));
    }
    for (int c = 0; c < TLSYN_COUNTERS; c++)
        ck_assert_ptr_nonnull(tlsyn_counter_name((enum tlsyn_counter)c));
    for (int d = 0; d < TLSYN_DROPS; d++)
        ck_assert_ptr_nonnull(tlsyn_drop_name((enum tlsyn_drop)d));
    ck_assert_str_eq(tlsyn_trace_event_name(TLSYN_TRACE_tcp_rx), "tcp_rx");
    ck_assert_str_eq(tlsyn_trace_field_name(TLSYN_TRACE_tcp_rx, 4), "text");
    ck_assert_str_eq(tlsyn_counter_name(TLSYN_COUNT_tcp_active_opens), "TcpActiveOpens");
    ck_assert_str_eq(tlsyn_drop_name(TLSYN_DROP_tcp_checksum), "tcp-checksum");
}
END_TEST

START_TEST(a_record_is_one_json_object)
{
    struct tlsyn_trace_record record = {.when = -5,
                                        .event = TLSYN_TRACE_tcp_rx,
                                        .conn = 3,
                                        .field = {4294967295, 0, 18, INT64_MIN, INT64_MAX}};
    char text[300];
    int len = tlsyn_trace_json(&record, text, sizeof(text));

    ck_assert_str_eq(text, "{\"when\":-5,\"event\":\"tcp_rx\",\"conn\":3,\"seq\":4294967295,"
                           "\"ack\":0,\"flags\":18,\"wnd\":-9223372036854775808,"
                           "\"text\":9223372036854775807}");
    ck_assert_int_eq(len, (int)strlen(text));
}
END_TEST

START_TEST(states_and_drops_are_written_by_name)
{
    struct tlsyn_trace_record record = {.when = 1,
                                        .event = TLSYN_TRACE_tcp_state,
                                        .conn = 1,
                                        .field = {TLSYN_SYN_SENT, TLSYN_ESTABLISHED}};
    char text[300];

    ck_assert_int_gt(tlsyn_trace_json(&record, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "{\"when\":1,\"event\":\"tcp_state\",\"conn\":1,\"from\":\"SYN-SENT\","
                           "\"to\":\"ESTABLISHED\"}");
    record = (struct tlsyn_trace_record){
        .when = 2, .event = TLSYN_TRACE_drop, .field = {TLSYN_DROP_ip_checksum}};
    ck_assert_int_gt(tlsyn_trace_json(&record, text, sizeof(text)), 0);
    ck_assert_str_eq(text, "{\"when\":2,\"event\":\"drop\",\"reason\":\"ip-checksum\"}");
    record.field[0] = TLSYN_DROPS;
    ck_assert_int_gt(tlsyn_trace_json(&record, text, sizeof(text)), 0);
    ck_assert_ptr_null(strstr(text, "\"reason\":\""));
}
END_TEST

START_TEST(a_short_buffer_is_refused_and_not_overrun)
{
    struct tlsyn_trace_record record = {.event = TLSYN_TRACE_tcp_closed, .field = {-104}};
    char text[300];
    int len = tlsyn_trace_json(&record, text, sizeof(text));

    for (int room = 0; room <= len + 1; room++) {
        memset(text, '#', sizeof(text));
        ck_assert_int_eq(tlsyn_trace_json(&record, text, (size_t)room), room > len ? len : -ENOSPC);
        ck_assert_int_eq(text[room], '#');
        if (room)
            ck_assert_ptr_nonnull(memchr(text, '\0', (size_t)room));
    }
}
END_TEST

START_TEST(a_sink_gets_what_its_mask_names)
{
    struct sink sink = {.base = {.emit = emit, .mask = UINT64_C(1) << TLSYN_TRACE_drop}};
    struct context cx = {.now = 42, .trace = &sink.base};

    TRACE(&cx, tcp_closed, 7, 1);
    ck_assert_int_eq(sink.count, 0);
    drop(&cx, TLSYN_DROP_no_route);
    ck_assert_int_eq(sink.count, 1);
    ck_assert_int_eq(sink.last.when, 42);
    ck_assert_int_eq(sink.last.event, TLSYN_TRACE_drop);
    ck_assert_int_eq(sink.last.field[0], TLSYN_DROP_no_route);
    sink.base.mask = UINT64_MAX;
    TRACE(&cx, tcp_rtt, 7, 1, 2, 3, 4);
    ck_assert_int_eq(sink.count, 2);
    ck_assert_uint_eq(sink.last.conn, 7);
    ck_assert_int_eq(sink.last.field[3], 4);
    ck_assert_int_eq(sink.last.field[4], 0);
    ck_assert_uint_eq(cx.dropped[TLSYN_DROP_no_route], 1);
    count(&cx, TLSYN_COUNT_ip_in);
    ck_assert_uint_eq(cx.counter[TLSYN_COUNT_ip_in], 1);
}
END_TEST

START_TEST(without_a_sink_drops_are_counted)
{
    struct context cx = {0};

    drop(&cx, TLSYN_DROP_no_memory);
    ck_assert_uint_eq(cx.dropped[TLSYN_DROP_no_memory], 1);
}
END_TEST

START_TEST(memory_is_zeroed_and_given_back)
{
    struct test_memory m;
    struct context cx = {.alloc = &m.base};
    uint8_t *memory;

    test_memory_init(&m);
    memory = context_alloc(&cx, 100);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(memory[i], 0);
    test_memory_fail(&m, 1);
    ck_assert_ptr_null(context_alloc(&cx, 100));
    context_free(&cx, memory);
    context_free(&cx, NULL);
    ck_assert_uint_eq(m.blocks, 0);
}
END_TEST

START_TEST(the_libc_allocator_follows_realloc)
{
    struct tlsyn_alloc *libc = tlsyn_alloc_libc();
    char *memory = libc->resize(libc, NULL, 4);

    memcpy(memory, "abc", 4);
    memory = libc->resize(libc, memory, 100000);
    ck_assert_str_eq(memory, "abc");
    ck_assert_ptr_null(libc->resize(libc, memory, 0));
    ck_assert_ptr_null(libc->resize(libc, NULL, 0));
}
END_TEST

Suite *trace_suite(void);

Suite *trace_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *tc = tcase_create("trace");

    tcase_add_test(tc, everything_has_a_name);
    tcase_add_test(tc, a_record_is_one_json_object);
    tcase_add_test(tc, states_and_drops_are_written_by_name);
    tcase_add_test(tc, a_short_buffer_is_refused_and_not_overrun);
    tcase_add_test(tc, a_sink_gets_what_its_mask_names);
    tcase_add_test(tc, without_a_sink_drops_are_counted);
    tcase_add_test(tc, memory_is_zeroed_and_given_back);
    tcase_add_test(tc, the_libc_allocator_follows_realloc);
    suite_add_tcase(suite, tc);
    return suite;
}
