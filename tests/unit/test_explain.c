/* report/ladder, what it makes of a connection: lists, choices, what is left out, and the
 * sentences. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/ladder.h"
#include "report/ladder_hello.h"
#include "support/pcap_file.h"

/* A conversation being written: who has sent how much. */
struct talk {
    struct capture capture;
    uint32_t ms, rtt;
    uint32_t sent[2]; /* numbers, by client and server */
    uint8_t text[4096];
};

static void talk_init(struct talk *talk)
{
    *talk = (struct talk){.rtt = 10};
    capture_init(&talk->capture, 1);
}

/* n bytes of talk->text by one of the ends, half a round trip after what was said before. */
static void say_flags(struct talk *talk, bool server, uint8_t flags, size_t n)
{
    const uint8_t request[] = {34, 2, 1, 1};
    bool syn = (flags & SYN) != 0;
    const struct packet packet = {.ms = talk->ms,
                                  .from_server = server,
                                  .flags = flags,
                                  .seq = talk->sent[server],
                                  .ack = talk->sent[!server],
                                  .options = request,
                                  .options_length = syn ? 4 : 0,
                                  .text = talk->text,
                                  .length = n};

    capture_add(&talk->capture, &packet);
    talk->sent[server] += (uint32_t)n + (syn || (flags & FIN) != 0 ? 1 : 0);
    talk->ms += talk->rtt / 2;
}

static size_t client_hello(uint8_t *out, bool psk, bool early, size_t session_id)
{
    uint8_t body[400] = {0};
    uint8_t extensions[64];
    size_t n = 4;
    size_t e = 0;

    memcpy(extensions, "\x00\x2b\x00\x03\x02\x03\x04", 7);
    e += 7;
    if (early) {
        memcpy(extensions + e, "\x00\x2a\x00\x00", 4);
        e += 4;
    }
    if (psk) {
        memcpy(extensions + e, "\x00\x29\x00\x01\x00", 5);
        e += 5;
    }
    be16(body + n, 0x0303);
    n += 2 + 32;
    body[n++] = (uint8_t)session_id;
    n += session_id;
    memcpy(body + n, "\x00\x02\x13\x01\x01\x00", 6);
    n += 6;
    be16(body + n, e);
    memcpy(body + n + 2, extensions, e);
    n += 2 + e;
    be32(body, (uint32_t)(n - 4));
    body[0] = 1;
    return record(out, 0, 22, body, n);
}

static const uint8_t filling[600];

/* TLS 1.3's first flight of a server, with or without a PSK chosen. */
static size_t flight13(uint8_t *out, bool psk)
{
    uint8_t body[100];
    size_t n = server_hello(body, 0, true);

    if (psk) { /* one extension more */
        memcpy(body + n, "\x00\x29\x00\x02\x00\x00", 6);
        n += 6;
        body[3] = (uint8_t)(n - 4);
        body[4 + 39] = 12;
    }
    n = record(out, 0, 22, body, n);
    n = record(out, n, 20, "\x01", 1);
    return record(out, n, 23, filling, 200);
}

static size_t finished13(uint8_t *out)
{
    size_t n = record(out, 0, 20, "\x01", 1);

    n = record(out, n, 23, filling, 53);
    return record(out, n, 23, filling, 60);
}

static void finish(struct talk *talk, struct ladder *ladder)
{
    ck_assert_int_eq(read_capture(ladder, &talk->capture, NULL, 60), 0);
}

static void ck_says(const struct ladder *ladder, const char *wanted)
{
    char text[LADDER_SENTENCE_MAX];
    char all[4096] = "";

    for (size_t i = 0; ladder_sentence(ladder, i, text) != NULL; i++)
        strcat(strcat(all, text), "\n");
    ck_assert_msg(strstr(all, wanted) != NULL, "\"%s\" is not in: %s", wanted, all);
}

START_TEST(a_sequential_handshake_takes_two_round_trips)
{
    static struct talk talk;
    struct ladder ladder;

    talk_init(&talk);
    say_flags(&talk, false, SYN, 0);
    say_flags(&talk, true, SYN | ACK, 0);
    say_flags(&talk, false, ACK, client_hello(talk.text, false, false, 0));
    say_flags(&talk, true, ACK, flight13(talk.text, false));
    say_flags(&talk, false, ACK, finished13(talk.text));
    finish(&talk, &ladder);
    ck_assert_int_eq(ladder.story.round_trips, 2);
    ck_assert_int_eq(ladder.story.ready_us, 20000);
    ck_says(&ladder, "Sequential: nothing rode in the SYN.");
    ck_says(&ladder, "TLS 1.3, a new session.");
    ck_says(&ladder, "It was open when the capture ended.");
    ladder_free(&ladder);
}
END_TEST

START_TEST(an_embedded_handshake_takes_one)
{
    static struct talk talk;
    struct ladder ladder;

    talk_init(&talk);
    say_flags(&talk, false, SYN, client_hello(talk.text, true, false, 0));
    say_flags(&talk, true, SYN | ACK, flight13(talk.text, true));
    say_flags(&talk, false, ACK, finished13(talk.text));
    finish(&talk, &ladder);
    ck_assert_int_eq(ladder.story.round_trips, 1);
    ck_assert_int_eq(ladder.story.session, LADDER_SESSION_PSK);
    ck_says(&ladder, "Embedded: ");
    ck_says(&ladder, "The client asked for a Fast Open cookie and got none.");
    ck_says(&ladder, "TLS 1.3, resumed by a pre-shared key.");
    ck_says(&ladder, "after 1 round trip, 10.000 ms");
    ladder_free(&ladder);
}
END_TEST

START_TEST(text_of_a_syn_that_was_not_taken_goes_again_and_costs_nothing)
{
    static struct talk talk;
    struct ladder ladder;
    size_t n = 0;

    talk_init(&talk);
    n = client_hello(talk.text, true, false, 0);
    say_flags(&talk, false, SYN, n);
    talk.sent[0] = 1;
    say_flags(&talk, true, SYN | ACK, 0);
    say_flags(&talk, false, ACK, n);
    say_flags(&talk, true, ACK, flight13(talk.text, false));
    say_flags(&talk, false, ACK, finished13(talk.text));
    finish(&talk, &ladder);
    ck_assert(ladder.events[2].retransmission);
    ck_assert_int_eq(ladder.story.round_trips, 2);
    ck_says(&ladder, "acknowledged only the SYN, and they went again");
    ck_says(&ladder, "did not take the pre-shared key that was offered");
    ck_says(&ladder, "1 segment was sent again.");
    ladder_free(&ladder);
}
END_TEST

/* What is over the budget waits for the client's ACK: seen by the clock alone. */
START_TEST(a_flight_that_waited_for_an_ack_costs_a_round_trip)
{
    static struct talk talk;
    struct ladder ladder;
    uint8_t flight[600];
    size_t n = flight13(flight, false);

    talk_init(&talk);
    say_flags(&talk, false, SYN, client_hello(talk.text, false, false, 0));
    memcpy(talk.text, flight, 100);
    say_flags(&talk, true, SYN | ACK, 100);
    say_flags(&talk, false, ACK, 0);
    memcpy(talk.text, flight + 100, n - 100);
    say_flags(&talk, true, ACK, n - 100);
    say_flags(&talk, false, ACK, finished13(talk.text));
    finish(&talk, &ladder);
    ck_assert_int_eq(ladder.story.round_trips, 2);
    ladder_free(&ladder);
}
END_TEST

START_TEST(early_data_can_leave_at_once)
{
    static struct talk talk;
    struct ladder ladder;
    size_t n = 0;

    for (int taken = 0; taken < 2; taken++) {
        talk_init(&talk);
        n = client_hello(talk.text, true, true, 0);
        n = record(talk.text, n, 20, "\x01", 1);
        say_flags(&talk, false, SYN, record(talk.text, n, 23, filling, 100));
        say_flags(&talk, true, SYN | ACK, flight13(talk.text, true));
        n = taken ? record(talk.text, 0, 23, filling, 21) : 0;
        say_flags(&talk, false, ACK, record(talk.text, n, 23, filling, 53));
        finish(&talk, &ladder);
        ck_assert_int_eq(ladder.story.round_trips, 1 - taken);
        ck_assert_uint_eq(ladder.story.early, 105);
        ck_says(&ladder, taken ? "before the server's answer, accepted" : "not accepted");
        ladder_free(&ladder);
    }
}
END_TEST

/* The server's flight of TLS 1.2: full, or resumed. */
static size_t flight12(uint8_t *out, bool full)
{
    uint8_t body[400];
    size_t n = server_hello(body, 0, false);

    if (full) {
        n = message(body, n, 11, 200);
        return record(out, 0, 22, body, message(body, n, 14, 0));
    }
    n = record(out, 0, 22, body, n);
    n = record(out, n, 20, "\x01", 1);
    return record(out, n, 22, filling, 40);
}

static size_t finished12(uint8_t *out, bool full)
{
    uint8_t body[100];
    size_t n = full ? record(out, 0, 22, body, message(body, 0, 16, 60)) : 0;

    n = record(out, n, 20, "\x01", 1);
    return record(out, n, 22, filling, 40);
}

START_TEST(tls12_waits_for_the_servers_finished)
{
    static struct talk talk;
    struct ladder ladder;

    for (int full = 0; full < 2; full++) {
        talk_init(&talk);
        say_flags(&talk, false, SYN, client_hello(talk.text, false, false, full ? 0 : 32));
        say_flags(&talk, true, SYN | ACK, flight12(talk.text, full));
        say_flags(&talk, false, ACK, finished12(talk.text, full));
        if (full)
            say_flags(&talk, true, ACK, finished12(talk.text, false));
        say_flags(&talk, false, FIN | ACK, 0);
        say_flags(&talk, true, full ? FIN | ACK : ACK, 0);
        if (!full)
            say_flags(&talk, true, FIN | ACK, 0);
        say_flags(&talk, false, ACK, 0);
        finish(&talk, &ladder);
        ck_assert_int_eq(ladder.story.round_trips, 1 + full);
        ck_says(&ladder, full ? "TLS 1.2, a new session" : "TLS 1.2, resumed by its session ID");
        ck_says(&ladder, full ? "The client closed first; three" : "The client closed first; four");
        ladder_free(&ladder);
    }
}
END_TEST

START_TEST(ends_are_told_apart)
{
    static struct talk talk;
    struct ladder ladder;

    talk_init(&talk);
    say_flags(&talk, false, SYN, 0);
    say_flags(&talk, true, RST | ACK, 0);
    finish(&talk, &ladder);
    ck_says(&ladder, "No SYN-ACK");
    ck_says(&ladder, "not TLS");
    ck_says(&ladder, "The server reset it.");
    ladder_free(&ladder);
    talk_init(&talk);
    say_flags(&talk, false, SYN, 0);
    say_flags(&talk, true, SYN | ACK, 0);
    say_flags(&talk, false, FIN | ACK, 0);
    talk.sent[0]--; /* the server has not seen it */
    say_flags(&talk, true, FIN | ACK, 0);
    finish(&talk, &ladder);
    ck_says(&ladder, "the FINs crossed");
    ladder_free(&ladder);
}
END_TEST

START_TEST(of_a_long_connection_both_ends_are_shown)
{
    static struct talk talk;
    struct ladder ladder;
    char *text = NULL;
    size_t size = 0;

    talk_init(&talk);
    say_flags(&talk, false, SYN, 0);
    say_flags(&talk, true, SYN | ACK, 0);
    talk.rtt = 0;
    for (int i = 0; i < 6 + 100; i++)
        say_flags(&talk, false, ACK, 10);
    say_flags(&talk, false, FIN | ACK, 0);
    ck_assert_int_eq(read_capture(&ladder, &talk.capture, NULL, 24), 0);
    ck_assert_uint_eq(ladder.count, 24);
    ck_assert_uint_eq(ladder.gap, 16);
    ck_assert_uint_eq(ladder.left_out, 109 - 24);
    ck_assert_uint_eq(ladder.events[15].seq, 1 + 13 * 10);
    ck_assert_uint_eq(ladder.events[16].seq, 1 + 99 * 10);
    ck_assert_uint_eq(ladder.events[23].flags, FIN | ACK);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(ladder_text(out, &ladder, &(struct ladder_style){.width = 40}), 0);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, ":   85 segments are not shown"));
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        ck_assert_msg(strlen(line) <= 40, "%s", line);
    free(text);
    ladder_free(&ladder);
}
END_TEST

/* More segments than a ladder ever holds: the list goes round, and its end is in order. */
START_TEST(a_very_long_ladder_keeps_its_end_in_order)
{
    enum { FRAME = 14 + 20 + 20, MORE = 3, ALL = 2 + LADDER_EVENTS_MAX + MORE };
    static uint8_t bytes[24 + (16 + FRAME) * (ALL + 1)];
    static struct talk talk;
    struct ladder ladder;
    char error[LADDER_ERROR_MAX];
    size_t n = 0;

    talk_init(&talk);
    memcpy(bytes, talk.capture.bytes, 24);
    n = 24;
    for (uint32_t i = 0; i < ALL; i++) {
        talk.capture.n = 0;
        capture_add(&talk.capture,
                    &(struct packet){.ms = i, .flags = i == 0 ? SYN : ACK, .seq = i});
        memcpy(bytes + n, talk.capture.bytes, talk.capture.n);
        n += talk.capture.n;
    }
    FILE *file = fmemopen(bytes, n, "rb");
    ck_assert_int_eq(ladder_read_stream(&ladder, file, NULL, LADDER_EVENTS_MAX, error), 0);
    ck_assert_uint_eq(ladder.left_out, 2 + MORE);
    ck_assert_uint_eq(ladder.gap, LADDER_EVENTS_MAX - LADDER_TAIL);
    ck_assert_uint_eq(ladder.events[ladder.gap - 1].seq, ladder.gap - 1);
    for (size_t i = ladder.gap; i < ladder.count; i++)
        ck_assert_uint_eq(ladder.events[i].seq, i + 2 + MORE);
    ladder_free(&ladder);
}
END_TEST

START_TEST(connections_are_listed_and_chosen_by_number)
{
    static struct capture capture;
    struct ladder_list list;
    struct ladder ladder;
    char error[LADDER_ERROR_MAX];

    capture_init(&capture, 1);
    capture_add(&capture, &(struct packet){.flags = ACK, .seq = 9, .client_port = 40009});
    capture_add(&capture, &(struct packet){.flags = SYN});
    capture_add(&capture, &(struct packet){.ms = 1, .flags = SYN, .client_port = 40001});
    capture_add(&capture, &(struct packet){.ms = 2, .flags = SYN | ACK, .from_server = true});
    capture_add(&capture,
                &(struct packet){.ms = 3, .flags = ACK, .seq = 1, .text = "abc", .length = 3});
    capture_add(&capture, &(struct packet){.ms = 4, .flags = FIN | ACK, .seq = 4});
    capture_add(&capture, &(struct packet){.flags = FIN | ACK, .seq = 1, .from_server = true});
    capture_add(&capture, &(struct packet){.ms = 5000, .flags = SYN, .seq = 70000});
    capture_add(&capture, &(struct packet){.flags = RST | ACK, .from_server = true});
    ck_assert_int_eq(ladder_list(&list, fmemopen(capture.bytes, capture.n, "rb"), error), 0);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_str_eq(list.connections[0].ending, "closed");
    ck_assert_uint_eq(list.connections[0].bytes_sent, 3);
    ck_assert_uint_eq(list.connections[0].segments, 5);
    ck_assert_str_eq(list.connections[1].client, "10.0.0.1:40001");
    ck_assert_str_eq(list.connections[1].ending, "no answer");
    ck_assert_int_eq(list.connections[2].time_us, 5000000);
    ck_assert_str_eq(list.connections[2].ending, "reset");
    ck_assert_uint_eq(list.seen.frames, 9);
    ladder_list_free(&list);
    ck_assert_int_eq(read_capture(&ladder, &capture, &(struct ladder_flow){.number = 3}, 30), 0);
    ck_assert_uint_eq(ladder.count, 2);
    ck_assert_uint_eq(ladder.connections, 3);
    ladder_free(&ladder);
    ck_assert_int_eq(read_capture(&ladder, &capture, &(struct ladder_flow){.number = 4}, 30),
                     -ENOENT);
}
END_TEST

/* More connections than are told apart: the list is bounded, and says so. */
START_TEST(a_flood_of_connections_is_bounded)
{
    enum { MORE = 5 };
    static struct capture capture;
    struct ladder_list list;
    char error[LADDER_ERROR_MAX];

    capture_init(&capture, 1);
    for (int i = 0; i < LADDER_CONNECTIONS_MAX + MORE; i++)
        capture_add(&capture, &(struct packet){.flags = SYN, .client_port = (uint16_t)(1000 + i)});
    ck_assert_int_eq(ladder_list(&list, fmemopen(capture.bytes, capture.n, "rb"), error), 0);
    ck_assert_uint_eq(list.count, LADDER_CONNECTIONS_MAX);
    ck_assert_uint_eq(list.left_out, MORE);
    ladder_list_free(&list);
}
END_TEST

START_TEST(colour_is_only_there_when_asked_for)
{
    static struct talk talk;
    struct ladder ladder;

    talk_init(&talk);
    say_flags(&talk, false, SYN, 0);
    say_flags(&talk, true, SYN | ACK, 0);
    finish(&talk, &ladder);
    for (int colour = 0; colour < 2; colour++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        ck_assert_int_eq(ladder_text(out, &ladder, &(struct ladder_style){.colour = colour}), 0);
        fclose(out);
        ck_assert_int_eq(strchr(text, '\033') != NULL, colour);
        free(text);
    }
    ladder_free(&ladder);
}
END_TEST

/* Cut anywhere, a hello is refused or holds less; nothing is read beyond it. */
START_TEST(hellos_are_not_trusted)
{
    uint8_t hello[600];
    size_t n = client_hello(hello, true, true, 32);

    for (size_t cut = 0; cut <= n - 9; cut++) {
        struct ladder_hello parsed;
        uint8_t *exact = malloc(cut > 0 ? cut : 1);
        memcpy(exact, hello + 9, cut);
        int error = ladder_hello_parse(&parsed, false, exact, cut);
        ck_assert_int_eq(error == 0, parsed.there);
        ck_assert_int_eq(cut < n - 9 || (parsed.psk && parsed.early_data && parsed.tls13), 1);
        free(exact);
    }
}
END_TEST

Suite *explain_suite(void);
Suite *explain_suite(void)
{
    Suite *suite = suite_create("explain");
    TCase *tcase = tcase_create("explain");

    tcase_add_test(tcase, a_sequential_handshake_takes_two_round_trips);
    tcase_add_test(tcase, an_embedded_handshake_takes_one);
    tcase_add_test(tcase, text_of_a_syn_that_was_not_taken_goes_again_and_costs_nothing);
    tcase_add_test(tcase, a_flight_that_waited_for_an_ack_costs_a_round_trip);
    tcase_add_test(tcase, early_data_can_leave_at_once);
    tcase_add_test(tcase, tls12_waits_for_the_servers_finished);
    tcase_add_test(tcase, ends_are_told_apart);
    tcase_add_test(tcase, of_a_long_connection_both_ends_are_shown);
    tcase_add_test(tcase, a_very_long_ladder_keeps_its_end_in_order);
    tcase_add_test(tcase, connections_are_listed_and_chosen_by_number);
    tcase_add_test(tcase, a_flood_of_connections_is_bounded);
    tcase_add_test(tcase, colour_is_only_there_when_asked_for);
    tcase_add_test(tcase, hellos_are_not_trusted);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite;
}
