/* report/ladder: what is read from a capture, what hostile captures cannot do, and what is drawn.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "measure/rng.h"
#include "report/ladder.h"
#include "report/ladder_frame.h"
#include "report/ladder_options.h"
#include "report/ladder_tls.h"
#include "support/pcap_file.h"

static const uint8_t syn_options[] = {2, 4, 5, 0xb4, 1, 3, 3, 7, 4,  2, 8, 10,
                                      0, 0, 0, 0,    0, 0, 0, 0, 34, 2, 0, 0};

START_TEST(an_embedded_handshake_is_read_whole)
{
    struct capture capture;
    struct ladder ladder;
    uint8_t hello[300];
    uint8_t flight[900];
    uint8_t body[900];
    size_t hello_length = record(hello, 0, 22, body, message(body, 0, 1, 200));
    size_t n = server_hello(body, 0, true);
    size_t flight_length = record(flight, 0, 22, body, n);
    flight_length = record(flight, flight_length, 20, "\x01", 1);
    flight_length = record(flight, flight_length, 23, body, 100);
    flight_length = record(flight, flight_length, 23, body, 90);
    uint8_t last[80];
    size_t last_length = record(last, 0, 20, "\x01", 1);
    last_length = record(last, last_length, 23, body, 53);

    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN,
                                           .options = syn_options,
                                           .options_length = sizeof syn_options,
                                           .text = hello,
                                           .length = hello_length});
    capture_add(&capture, &(struct packet){.ms = 6,
                                           .from_server = true,
                                           .flags = SYN | ACK,
                                           .ack = (uint32_t)hello_length + 1,
                                           .text = flight,
                                           .length = flight_length});
    capture_add(&capture, &(struct packet){.ms = 7,
                                           .flags = ACK | LADDER_PSH,
                                           .seq = (uint32_t)hello_length + 1,
                                           .ack = (uint32_t)flight_length + 1,
                                           .text = last,
                                           .length = last_length});
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), 0);
    ck_assert_uint_eq(ladder.count, 3);
    ck_assert_str_eq(ladder.client, "10.0.0.1:40000");
    ck_assert_str_eq(ladder.server, "10.0.0.2:443");
    const struct ladder_event *e = ladder.events;
    ck_assert_str_eq(e[0].options, "MSS 1460, window scale 7, SACK permitted, timestamps, "
                                   "Fast Open (asks for a cookie)");
    ck_assert_str_eq(e[0].tls, "ClientHello");
    ck_assert_uint_eq(e[0].length, 209);
    ck_assert(e[0].from_client && !e[1].from_client);
    ck_assert_str_eq(e[1].tls, "ServerHello (TLS 1.3), ChangeCipherSpec, 2 x Application Data");
    ck_assert_uint_eq(e[1].ack, 210);
    ck_assert_int_eq(e[1].time_us, 6000);
    ck_assert_str_eq(e[2].tls, "ChangeCipherSpec, Application Data");
    ck_assert_uint_eq(e[2].seq, 210);
    ck_assert_uint_eq(e[2].ack, flight_length + 1);
    ladder_free(&ladder);
}
END_TEST

START_TEST(messages_across_segments_are_named_on_each)
{
    /* ServerHello and a 2000-byte Certificate in records of 700; segments cut anywhere and arrive
     * out of order, one of them twice. */
    struct capture capture;
    struct ladder ladder;
    uint8_t body[2200];
    uint8_t stream[2400];
    size_t n = message(body, server_hello(body, 0, false), 11, 2000);
    n = message(body, n, 14, 0);
    size_t length = 0;
    for (size_t at = 0; at < n; at += 700)
        length = record(stream, length, 22, body + at, n - at < 700 ? n - at : 700);
    const size_t cuts[] = {0, 20, 1000, 1900, length};
    const int order[] = {0, 2, 1, 1, 3};
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN});
    capture_add(&capture, &(struct packet){.ms = 1, .from_server = true, .flags = SYN | ACK});
    for (int i = 0; i < 5; i++) {
        size_t from = cuts[order[i]];
        capture_add(&capture, &(struct packet){.ms = 2,
                                               .from_server = true,
                                               .flags = ACK,
                                               .seq = 1 + (uint32_t)from,
                                               .text = stream + from,
                                               .length = cuts[order[i] + 1] - from});
    }
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 100), 0);
    ck_assert_uint_eq(ladder.count, 7);
    const struct ladder_event *e = ladder.events + 2;
    ck_assert_str_eq(e[0].tls, "ServerHello (TLS 1.2)...");
    ck_assert_str_eq(e[1].tls, "...Certificate...");
    ck_assert_str_eq(e[2].tls, "...ServerHello (TLS 1.2), Certificate...");
    ck_assert_str_eq(e[3].tls, e[2].tls);
    ck_assert(!e[2].retransmission && e[3].retransmission);
    ck_assert_str_eq(e[4].tls, "...Certificate, ServerHelloDone");
    ladder_free(&ladder);
}
END_TEST

/* Name a stream that ends where `stream` ends. */
static void expect_names(const uint8_t *stream, size_t n, bool tls13, const char *wanted)
{
    struct ladder_tls *tls = calloc(1, sizeof *tls);
    uint8_t *exact = malloc(n); /* of this size, so that a read too far is caught */
    char out[LADDER_TLS_MAX];
    memcpy(exact, stream, n);
    tls->tls13 = tls13;
    ladder_tls_parse(tls, exact, n);
    ladder_tls_print(tls, 0, n, out, sizeof out);
    ck_assert_str_eq(out, wanted);
    free(exact);
    free(tls);
}

START_TEST(what_follows_change_cipher_spec_depends_on_the_version)
{
    uint8_t stream[400];
    uint8_t body[100];
    size_t n = record(stream, 0, 22, body, message(body, 0, 16, 60));
    n = record(stream, n, 20, "\x01", 1);
    n = record(stream, n, 22, body, 40);
    n = record(stream, n, 21, body, 30);
    expect_names(stream, n, false,
                 "ClientKeyExchange, ChangeCipherSpec, encrypted handshake, encrypted alert");
    /* TLS 1.3 after HelloRetryRequest: the second ClientHello follows a ChangeCipherSpec. */
    n = record(stream, 0, 20, "\x01", 1);
    n = record(stream, n, 22, body, message(body, 0, 1, 60));
    expect_names(stream, n, true, "ChangeCipherSpec, ClientHello");
}
END_TEST

START_TEST(odd_streams_are_named_for_what_they_are)
{
    uint8_t stream[2000] = {0};
    uint8_t body[200];
    size_t n = record(stream, 0, 22, body, message(body, 0, 1, 100));
    expect_names(stream, 1024, false, "ClientHello, padding"); /* the paper's zeros */
    expect_names(stream, n - 1, false, "ClientHello...");
    expect_names(stream, 3, false, "record...");
    expect_names(stream, 5, false, "");
    expect_names((const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18, false, "data that is not TLS");
    n = record(stream, 0, 21, "\x02\x28", 2);
    expect_names(stream, n, false, "alert handshake_failure");
    n = record(stream, 0, 21, "\x02\xff", 2);
    expect_names(stream, n, false, "alert 255");
    n = record(stream, 0, 22, body, message(body, 0, 99, 3));
    expect_names(stream, n, false, "handshake message 99");
    be16(stream + 3, 0xffff); /* longer than a record may be */
    expect_names(stream, n, false, "data that is not TLS");
}
END_TEST

START_TEST(hello_retry_request_is_told_by_its_random)
{
    static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                      0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                      0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                      0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    uint8_t stream[200];
    uint8_t body[100];
    size_t n = server_hello(body, 0, true);
    memcpy(body + 6, retry, 32);
    n = record(stream, 0, 22, body, n);
    expect_names(stream, n, false, "HelloRetryRequest");
}
END_TEST

START_TEST(options_are_spelled_out_and_malformed_ones_end_it)
{
    static const struct {
        const uint8_t bytes[16];
        size_t n;
        const char *wanted;
    } cases[] = {
        {{0}, 0, ""},
        {{1, 1, 0, 99}, 4, ""},
        {{2, 4, 0x05, 0xb4, 1, 3, 3, 10}, 8, "MSS 1460, window scale 10"},
        {{34, 10, 1, 2, 3, 4, 5, 6, 7, 8}, 10, "Fast Open (cookie of 8 bytes)"},
        {{254, 4, 0xf9, 0x89}, 4, "Fast Open (asks for a cookie)"},
        {{254, 4, 0, 1}, 4, "option 254 of 4 bytes"},
        {{5, 10, 0, 0, 0, 0, 0, 0, 0, 1}, 10, "SACK of 1 block"},
        {{2, 3, 1}, 3, "option 2 of 3 bytes"},
        {{2, 1}, 2, "malformed options"},
        {{2, 0}, 2, "malformed options"},
        {{4, 2, 2, 40}, 4, "SACK permitted, malformed options"},
        {{4, 2, 8}, 3, "SACK permitted, malformed options"},
        {{30, 4, 0, 0, 172, 2}, 6, "Multipath TCP, AccECN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[LADDER_OPTIONS_MAX];
        ladder_options_print(cases[i].bytes, cases[i].n, out, sizeof out);
        ck_assert_str_eq(out, cases[i].wanted);
    }
    char small[12];
    ladder_options_print(cases[2].bytes, 8, small, sizeof small);
    ck_assert_str_eq(small, "MSS 1460, w");
}
END_TEST

START_TEST(the_flow_asked_for_is_followed)
{
    struct capture capture;
    struct ladder ladder;
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = ACK, .seq = 77, .client_port = 40002});
    capture_add(&capture, &(struct packet){.flags = SYN});
    capture_add(&capture, &(struct packet){.flags = SYN, .client_port = 40001});
    capture_add(&capture,
                &(struct packet){.flags = RST | ACK, .from_server = true, .client_port = 40001});
    struct ladder_flow flow = {.server_port = 443, .client_port = 40001};
    ck_assert_int_eq(read_capture(&ladder, &capture, &flow, 10), 0);
    ck_assert_uint_eq(ladder.count, 2);
    ck_assert_str_eq(ladder.client, "10.0.0.1:40001");
    ck_assert_uint_eq(ladder.events[1].flags, RST | ACK);
    ladder_free(&ladder);
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), 0);
    ck_assert_str_eq(ladder.client, "10.0.0.1:40000");
    ladder_free(&ladder);
    flow = (struct ladder_flow){.client = "10.0.0.9"};
    ck_assert_int_eq(read_capture(&ladder, &capture, &flow, 10), -ENOENT);
    ck_assert_ptr_null(ladder.events);
    flow = (struct ladder_flow){.client_port = 40002}; /* its SYN is not there */
    ck_assert_int_eq(read_capture(&ladder, &capture, &flow, 10), -ENOENT);
}
END_TEST

START_TEST(a_repeated_syn_is_marked_and_a_new_one_ends_the_connection)
{
    struct capture capture;
    struct ladder ladder;
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN});
    capture_add(&capture, &(struct packet){.ms = 1000, .flags = SYN});
    capture_add(&capture, &(struct packet){.ms = 2000, .flags = SYN, .seq = 123456});
    capture_add(&capture, &(struct packet){.ms = 2001, .flags = ACK});
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), 0);
    ck_assert_uint_eq(ladder.count, 2);
    ck_assert(!ladder.events[0].retransmission && ladder.events[1].retransmission);
    ladder_free(&ladder);
}
END_TEST

START_TEST(segments_beyond_the_limit_are_counted)
{
    struct capture capture;
    struct ladder ladder;
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN});
    for (int i = 0; i < 9; i++)
        capture_add(&capture, &(struct packet){.flags = ACK, .seq = 1});
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 4), 0);
    ck_assert_uint_eq(ladder.count, 4);
    ck_assert_uint_eq(ladder.left_out, 6);
    ladder_free(&ladder);
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 0), -EINVAL);
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, LADDER_EVENTS_MAX + 1), -EINVAL);
}
END_TEST

START_TEST(what_is_no_capture_is_refused_with_a_reason)
{
    struct capture capture = {.bytes = "this is no capture file at all, is it?", .n = 38};
    struct ladder ladder;
    char error[LADDER_ERROR_MAX];
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), -EINVAL);
    ck_assert_int_eq(ladder_read(&ladder, "/nonexistent/c.pcapng", NULL, 10, error), -ENOENT);
    ck_assert_str_eq(error, "/nonexistent/c.pcapng: No such file or directory");
    capture_init(&capture, 1);
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), -ENOENT); /* empty */
    capture_init(&capture, 147);                                          /* not a link we know */
    capture_add(&capture, &(struct packet){.flags = SYN});
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), -ENOENT);
}
END_TEST

START_TEST(a_file_that_breaks_off_gives_what_came_before)
{
    struct capture capture;
    struct ladder ladder;
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN});
    capture_add(&capture, &(struct packet){.flags = ACK, .seq = 1});
    capture.n -= 10;
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), 0);
    ck_assert_uint_eq(ladder.count, 1);
    ladder_free(&ladder);
}
END_TEST

START_TEST(a_time_beyond_reason_does_not_overflow)
{
    /* pcapng (its section, interface and enhanced packet blocks): 64-bit times, here all ones. */
    struct capture old;
    struct capture capture = {.n = 0};
    struct ladder ladder;
    capture_init(&old, 1);
    capture_add(&old, &(struct packet){.flags = SYN, .text = "ab", .length = 2});
    enum { FRAME = 56 };
    const uint32_t section[] = {0x0a0d0d0a, 28, 0x1a2b3c4d, 1, UINT32_MAX, UINT32_MAX, 28};
    const uint32_t interface[] = {1, 20, 1, 262144, 20};
    const uint32_t packet[] = {6, 32 + FRAME, 0, UINT32_MAX, UINT32_MAX, FRAME, FRAME};
    put(&capture, section, sizeof section);
    put(&capture, interface, sizeof interface);
    for (int i = 0; i < 2; i++) {
        put(&capture, packet, sizeof packet);
        put(&capture, old.bytes + 24 + 16, FRAME);
        put32(&capture, 32 + FRAME);
    }
    ck_assert_int_eq(read_capture(&ladder, &capture, NULL, 10), 0);
    ck_assert_uint_eq(ladder.count, 2);
    ck_assert_int_eq(ladder.events[1].time_us, 0);
    ladder_free(&ladder);
}
END_TEST

/* Parse one frame from memory of exactly its size. */
static int parse_frame(int link, const uint8_t *frame, size_t n, struct ladder_segment *segment)
{
    uint8_t *exact = malloc(n > 0 ? n : 1);
    memcpy(exact, frame, n);
    int result = ladder_frame_parse(link, exact, n, segment);
    free(exact);
    return result;
}

START_TEST(frames_of_every_link_type_are_understood)
{
    struct capture capture;
    struct ladder_segment segment;
    uint8_t frame[200] = {0};
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN, .text = "abc", .length = 3});
    const uint8_t *ip = capture.bytes + 24 + 16 + 14;
    enum { IP_LENGTH = 43 };

    memcpy(frame, ip, IP_LENGTH);
    ck_assert_int_eq(parse_frame(12, frame, IP_LENGTH, &segment), 0); /* raw */
    ck_assert_uint_eq(segment.length, 3);
    memcpy(frame + 12, "\x81\x00\x00\x05\x08\x00", 6); /* a VLAN tag */
    memcpy(frame + 18, ip, IP_LENGTH);
    ck_assert_int_eq(parse_frame(1, frame, 18 + IP_LENGTH + 4, &segment), 0); /* and padding */
    ck_assert_uint_eq(segment.captured, 3);
    ck_assert_uint_eq(segment.from.port, 40000);
    memcpy(frame + 14, "\x08\x00", 2); /* Linux cooked */
    memcpy(frame + 16, ip, IP_LENGTH);
    ck_assert_int_eq(parse_frame(113, frame, 16 + IP_LENGTH, &segment), 0);
    memcpy(frame, "\x08\x00", 2);
    memcpy(frame + 20, ip, IP_LENGTH);
    ck_assert_int_eq(parse_frame(276, frame, 20 + IP_LENGTH, &segment), 0);
    memcpy(frame + 14, "\x81\x00\x00\x05\x08\x00", 6); /* with a VLAN tag inside */
    memcpy(frame + 20, ip, IP_LENGTH);
    ck_assert_int_eq(parse_frame(113, frame, 20 + IP_LENGTH, &segment), 0);
    memcpy(frame, "\x02\x00\x00\x00", 4); /* BSD loopback: a family in either byte order */
    memcpy(frame + 4, ip, IP_LENGTH);
    ck_assert_int_eq(parse_frame(0, frame, 4 + IP_LENGTH, &segment), 0);
    ck_assert_int_eq(parse_frame(108, frame, 4 + IP_LENGTH, &segment), 0);
    ck_assert_uint_eq(segment.captured, 3);
    ck_assert_int_eq(parse_frame(147, frame, 4 + IP_LENGTH, &segment), -EINVAL);
    /* IPv6 with a destination-options header of 8 bytes. */
    memset(frame, 0, sizeof frame);
    memcpy(frame, "\x60\x00\x00\x00\x00\x1f\x3c\x40", 8);
    frame[23] = 1;
    frame[39] = 2;
    memcpy(frame + 40, "\x06\x00\x01\x04\x00\x00\x00\x00", 8);
    memcpy(frame + 48, ip + 20, 23);
    ck_assert_int_eq(parse_frame(12, frame, 71, &segment), 0);
    ck_assert_int_eq(segment.from.family, AF_INET6);
    ck_assert_uint_eq(segment.length, 3);
    ck_assert_uint_eq(segment.captured, 3);
}
END_TEST

START_TEST(frames_that_lie_are_refused)
{
    struct capture capture;
    struct ladder_segment segment;
    uint8_t frame[100];
    enum { LENGTH = 14 + 43 };
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN, .text = "abc", .length = 3});
    const uint8_t *good = capture.bytes + 24 + 16;
    static const struct {
        size_t at;
        uint8_t value;
    } lies[] = {
        {14, 0x44},      /* IP header shorter than it can be */
        {14, 0x4f},      /* and longer than the datagram */
        {14, 0x65},      /* version 6 under an Ethertype of 4 */
        {17, 20},        /* total length: no TCP header */
        {17, 39},        /* nor a whole one */
        {20, 0x20},      /* more fragments */
        {21, 1},         /* not the first fragment */
        {23, 17},        /* UDP */
        {14 + 32, 0x40}, /* TCP header shorter than it can be */
        {14 + 32, 0xf0}, /* and longer than the datagram */
        {12, 0x09},      /* another Ethertype */
    };
    memcpy(frame, good, LENGTH);
    ck_assert_int_eq(parse_frame(1, frame, LENGTH, &segment), 0);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        memcpy(frame, good, LENGTH);
        frame[lies[i].at] = lies[i].value;
        ck_assert_int_eq(parse_frame(1, frame, LENGTH, &segment), -EINVAL);
    }
    for (size_t n = 0; n < LENGTH - 3; n++) { /* cut short anywhere before the text */
        ck_assert_int_eq(parse_frame(1, good, n, &segment), -EINVAL);
    }
    memcpy(frame, good, LENGTH);
    frame[16] = 0x40; /* a long datagram of which little was captured */
    ck_assert_int_eq(parse_frame(1, frame, LENGTH, &segment), 0);
    ck_assert_uint_eq(segment.captured, 3);
    ck_assert_uint_eq(segment.length, 0x4003);
}
END_TEST

START_TEST(corrupted_captures_do_no_harm)
{
    struct capture capture;
    struct capture broken;
    struct rng rng;
    uint8_t text[900];
    uint8_t body[800];
    size_t n = message(body, server_hello(body, 0, true), 11, 600);
    n = record(text, 0, 22, body, n);
    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = SYN,
                                           .options = syn_options,
                                           .options_length = sizeof syn_options,
                                           .text = text,
                                           .length = 100});
    for (uint32_t i = 0; i < 6; i++) {
        capture_add(&capture, &(struct packet){.ms = i,
                                               .from_server = true,
                                               .flags = i == 0 ? SYN | ACK : ACK,
                                               .seq = i == 0 ? 0 : 1 + i * 100,
                                               .text = text + i * 100,
                                               .length = 100});
    }
    rng_seed(&rng, 77);
    for (int round = 0; round < 4000; round++) {
        struct ladder ladder;
        char *svg = NULL;
        broken = capture;
        for (uint32_t i = rng_below(&rng, 12); i > 0; i--) {
            uint32_t at = 24 + rng_below(&rng, (uint32_t)broken.n - 24);
            broken.bytes[at] = (uint8_t)rng_below(&rng, 256);
        }
        broken.n -= rng_below(&rng, 50);
        if (read_capture(&ladder, &broken, NULL, 64) < 0)
            continue;
        char sentence[LADDER_SENTENCE_MAX];
        for (size_t i = 0; ladder_sentence(&ladder, i, sentence) != NULL; i++)
            ck_assert(sentence[0] != '\0');
        FILE *out = fopen("/dev/null", "w");
        ck_assert_int_eq(
            ladder_text(out, &ladder, &(struct ladder_style){.width = rng_below(&rng, 130)}), 0);
        fclose(out);
        ck_assert_int_eq(ladder_svg(&ladder, &svg), 0);
        free(svg);
        ladder_free(&ladder);
    }
}
END_TEST

/* A ladder of two events, for drawing. */
static void small_ladder(struct ladder_event events[2], struct ladder *ladder)
{
    events[0] = (struct ladder_event){
        .from_client = true, .flags = SYN, .length = 209, .tls = "ClientHello"};
    events[1] = (struct ladder_event){.time_us = 6123,
                                      .flags = SYN | ACK,
                                      .ack = 210,
                                      .retransmission = true,
                                      .options = "MSS 1460, <window> & scale 7, SACK permitted"};
    *ladder = (struct ladder){.client = "10.0.0.1:40000",
                              .server = "10.0.0.2:443",
                              .events = events,
                              .count = 2,
                              .left_out = 3,
                              .gap = 2};
}

START_TEST(text_keeps_to_its_columns)
{
    struct ladder_event events[2];
    struct ladder ladder;
    char *text = NULL;
    size_t size = 0;
    small_ladder(events, &ladder);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(ladder_text(out, &ladder, &(struct ladder_style){.width = 64}), 0);
    fclose(out);
    ck_assert_str_eq(text, "       ms 10.0.0.1:40000                            10.0.0.2:443\n"
                           "    0.000 |---- SYN, seq 0, 209 bytes ------------------------>|\n"
                           "          |      ClientHello                                   |\n"
                           "    6.123 |<--- SYN ACK, seq 0, ack 210, sent again -----------|\n"
                           "          |      MSS 1460, <window> & scale 7, SACK permitted  |\n"
                           "          :                                                    :\n"
                           "          :   3 later segments are not shown                   :\n"
                           "          :                                                    :\n");
    free(text);
}
END_TEST

START_TEST(svg_is_escaped_and_holds_every_event)
{
    struct ladder_event events[2];
    struct ladder ladder;
    char *svg = NULL;
    small_ladder(events, &ladder);
    ck_assert_int_eq(ladder_svg(&ladder, &svg), 0);
    ck_assert_ptr_nonnull(strstr(svg, ">SYN, seq 0, 209 bytes</text>"));
    ck_assert_ptr_nonnull(strstr(svg, ">ClientHello</text>"));
    ck_assert_ptr_nonnull(strstr(svg, ">6.123 ms</text>"));
    ck_assert_ptr_nonnull(strstr(svg, "MSS 1460, &lt;window&gt; &amp; scale 7"));
    ck_assert_ptr_nonnull(strstr(svg, "stroke-dasharray"));
    ck_assert_ptr_nonnull(strstr(svg, "3 later segments are not shown"));
    ck_assert_ptr_null(strstr(svg, "id=")); /* several may stand in one page */
    free(svg);
}
END_TEST

START_TEST(flags_have_their_names)
{
    char out[32];
    ck_assert_str_eq(ladder_flags(0, out), "-");
    ck_assert_str_eq(ladder_flags(SYN | ACK, out), "SYN ACK");
    ck_assert_str_eq(ladder_flags(0xff, out), "SYN FIN RST PSH ACK ECE CWR");
}
END_TEST

Suite *ladder_suite(void);
Suite *ladder_suite(void)
{
    Suite *suite = suite_create("ladder");
    TCase *tcase = tcase_create("ladder");

    tcase_add_test(tcase, an_embedded_handshake_is_read_whole);
    tcase_add_test(tcase, messages_across_segments_are_named_on_each);
    tcase_add_test(tcase, what_follows_change_cipher_spec_depends_on_the_version);
    tcase_add_test(tcase, odd_streams_are_named_for_what_they_are);
    tcase_add_test(tcase, hello_retry_request_is_told_by_its_random);
    tcase_add_test(tcase, options_are_spelled_out_and_malformed_ones_end_it);
    tcase_add_test(tcase, the_flow_asked_for_is_followed);
    tcase_add_test(tcase, a_repeated_syn_is_marked_and_a_new_one_ends_the_connection);
    tcase_add_test(tcase, segments_beyond_the_limit_are_counted);
    tcase_add_test(tcase, what_is_no_capture_is_refused_with_a_reason);
    tcase_add_test(tcase, a_file_that_breaks_off_gives_what_came_before);
    tcase_add_test(tcase, a_time_beyond_reason_does_not_overflow);
    tcase_add_test(tcase, frames_of_every_link_type_are_understood);
    tcase_add_test(tcase, frames_that_lie_are_refused);
    tcase_add_test(tcase, corrupted_captures_do_no_harm);
    tcase_add_test(tcase, text_keeps_to_its_columns);
    tcase_add_test(tcase, svg_is_escaped_and_holds_every_event);
    tcase_add_test(tcase, flags_have_their_names);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}
