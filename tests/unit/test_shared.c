/* An address that another stack has too: that one speaks for it, and ours keeps silent; who is
 * asked about ports. */
#include <check.h>
#include <errno.h>

#include <tlsyn/udp.h>

#include "support/ip_bed.h"
#include "support/peer.h"
#include "wire/icmp4.h"
#include "wire/icmp6.h"

/* --- neighbours and echo ---------------------------------------------------------------------- */

static struct ip_bed bed;

START_TEST(who_asks_by_arp_is_not_answered_but_known)
{
    struct tlsyn_addr peer = addr_of("10.0.0.2");

    ip_bed_open(&bed, 1);
    bed.cx.shared = true;
    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.0.2", "10.0.0.1");
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_ptr_nonnull(neigh_find(&bed.ip.neigh, bed.iface, &peer));
    ip_bed_close(&bed);
}
END_TEST

START_TEST(a_claim_to_it_is_the_others_to_defend)
{
    ip_bed_open(&bed, 1);
    bed.cx.shared = true;
    ip_bed_arp(&bed, ARP_REQUEST, 9, "10.0.0.1", "10.0.0.1");
    tlsyn_iface_announce(bed.iface);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert(!tlsyn_iface_conflict(bed.iface));
    ip_bed_close(&bed);
}
END_TEST

/* Echo, and a protocol that nobody here speaks. */
START_TEST(icmp_is_not_answered)
{
    struct wire_icmp4 echo = {.type = ICMP4_ECHO, .id = 1};
    struct ip_datagram datagram;
    uint8_t bytes[64];
    int len = wire_icmp4_emit(&echo, bytes, sizeof(bytes));

    ip_bed_open(&bed, 1);
    bed.cx.shared = true;
    ip_bed_arp(&bed, ARP_REQUEST, 2, "10.0.0.2", "10.0.0.1");
    ip_bed_packet(
        &bed, &(struct packet){.protocol = IP_PROTOCOL_ICMP, .payload = bytes, .len = (size_t)len});
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_icmp_in], 1);
    ck_assert_int_eq(
        ip_bed_packet(&bed, &(struct packet){.protocol = 99, .payload = bytes, .len = 8}),
        IP_DATAGRAM);
    datagram = bed.arrival.datagram;
    ip_protocol_unreachable(&bed.ip, &datagram);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ip_bed_close(&bed);
}
END_TEST

/* No question about it, no report to multicast routers, no link-local address beside it. */
START_TEST(an_ip6_address_is_there_without_a_word)
{
    struct tlsyn_stack *stack = tlsyn_stack_new(&(struct tlsyn_stack_options){.shared = true});
    struct tlsyn_addr us = addr_of("fd77::1");
    struct tlsyn_iface_address_info info[2];
    struct tlsyn_iface *iface;
    struct fake_link link;

    fake_link_init(&link);
    ck_assert_int_eq(tlsyn_iface_add(stack, &link.base, &iface), 0);
    ck_assert_int_eq(tlsyn_iface_address(iface, &us, 64), 0);
    ck_assert_int_eq(tlsyn_iface_address_state(iface, &us), TLSYN_ADDRESS_PREFERRED);
    ck_assert_int_eq(tlsyn_iface_addresses(iface, info, 2), 1);
    for (int second = 0; second < 20; second++) {
        tlsyn_stack_timers(stack, TLSYN_SECONDS(second));
        tlsyn_stack_output(stack, TLSYN_SECONDS(second));
    }
    ck_assert_int_eq(link.count, 0);
    tlsyn_stack_free(stack);
}
END_TEST

START_TEST(who_asks_by_neighbour_discovery_is_not_answered)
{
    struct tlsyn_addr us = addr_of("fd77::1"), peer = addr_of("fd77::2");
    struct wire_ndp question = {.type = ICMP6_NEIGHBOUR_SOLICITATION,
                                .target = us,
                                .has_source_hw = true,
                                .source_hw = {2, 0, 0, 0, 0, 2}};
    struct wire_ndp claim = {.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                             .target = us,
                             .override = true,
                             .has_target_hw = true,
                             .target_hw = {2, 0, 0, 0, 0, 9}};

    ip_bed_open6(&bed, 1);
    bed.cx.shared = true;
    fake_link_clear(&bed.link);
    ip_bed_ndp(&bed, "fd77::2", "ff02::1:ff00:1", &question);
    ip_bed_ndp(&bed, "fd77::9", "ff02::1", &claim);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert(!tlsyn_iface_conflict(bed.iface));
    ck_assert_ptr_nonnull(neigh_find(&bed.ip.neigh, bed.iface, &peer));
    ip_bed_close(&bed);
}
END_TEST

/* --- ports ------------------------------------------------------------------------------------ */

#define GIVEN_PORT 40001

struct keeper {
    struct tlsyn_ports base;
    int tcp, udp; /* taken and not given back */
    int refuse;   /* -errno; 0: do not */
};

static int take(struct tlsyn_ports *base, enum tlsyn_transport transport,
                struct tlsyn_endpoint *local)
{
    struct keeper *keeper = container_of(base, struct keeper, base);

    if (keeper->refuse)
        return keeper->refuse;
    if (local->port == 0)
        local->port = GIVEN_PORT;
    *(transport == TLSYN_TCP ? &keeper->tcp : &keeper->udp) += 1;
    return 0;
}

static void give(struct tlsyn_ports *base, enum tlsyn_transport transport,
                 const struct tlsyn_endpoint *local)
{
    struct keeper *keeper = container_of(base, struct keeper, base);

    ck_assert_uint_gt(local->port, 0);
    *(transport == TLSYN_TCP ? &keeper->tcp : &keeper->udp) -= 1;
}

static struct keeper new_keeper(void)
{
    return (struct keeper){.base = {.take = take, .give = give}};
}

START_TEST(ports_that_nobody_here_has_hear_no_reset_and_ours_do)
{
    struct tcp_test *t = TCP_TEST(.shared = true);

    t->local_port = 81;
    peer_sends(t, SYN());
    peer_sends(t, ACK(.seq = 5, .ack = 77, .len = 3));
    expect_nothing(t);
    t->local_port = LISTEN_PORT;
    peer_sends(t, ACK(.seq = 5, .ack = 77));
    ck_assert_uint_eq(expect(t, RST())->seq, 77);
    tcp_test_close(t);
}
END_TEST

START_TEST(an_active_open_has_its_port_chosen_and_keeps_it_through_time_wait)
{
    struct keeper keeper = new_keeper();
    struct tcp_test *t = TCP_TEST(.ports = &keeper.base);

    ck_assert_int_eq(keeper.tcp, 1); /* the listener's */
    opens_actively(t);
    ck_assert_uint_eq(t->local_port, GIVEN_PORT);
    ck_assert_int_eq(keeper.tcp, 2);
    tlsyn_conn_close(t->user.conn);
    flush(t);
    ignore_sent(t);
    peer_sends(t, FIN(.ack = 2));
    ck_assert_uint_eq(t->tcp->time_wait_count, 1);
    ck_assert_int_eq(keeper.tcp, 2);
    advance(t, TLSYN_SECONDS(120));
    ck_assert_int_eq(keeper.tcp, 1);
    tcp_test_close(t);
    ck_assert_int_eq(keeper.tcp, 0);
}
END_TEST

START_TEST(passive_ones_share_their_listeners_and_outlive_it)
{
    struct keeper keeper = new_keeper();
    struct tcp_test *t = TCP_TEST(.ports = &keeper.base);

    opens_passively(t);
    ck_assert_int_eq(keeper.tcp, 2);
    tlsyn_listener_close(t->listener);
    ck_assert_int_eq(keeper.tcp, 1);
    peer_sends(t, RST(.seq = 1));
    flush(t);
    ck_assert_int_eq(keeper.tcp, 0);
    tcp_test_close(t);
}
END_TEST

START_TEST(what_is_refused_is_not_opened)
{
    struct keeper keeper = new_keeper();
    struct tcp_test *t = TCP_TEST(.ports = &keeper.base);
    struct tlsyn_listen_options options = {.local = {.port = 81}};
    struct tlsyn_listener *listener;

    keeper.refuse = -EMFILE;
    ck_assert_int_eq(user_connects(t), -EMFILE);
    keeper.refuse = -EACCES;
    ck_assert_int_eq(tlsyn_listener_open(t->stack, &options, &t->user.acceptor, &listener),
                     -EACCES);
    expect_no_connection(t);
    expect_nothing(t);
    tcp_test_close(t);
    ck_assert_int_eq(keeper.tcp, 0);
}
END_TEST

START_TEST(a_failed_open_gives_its_port_back)
{
    struct keeper keeper = new_keeper();
    struct tcp_test *t = TCP_TEST(.ports = &keeper.base);

    for (uint64_t i = 1; i < 20; i++) {
        test_memory_fail(&t->memory, i);
        if (user_connects(t) == 0)
            break;
        ck_assert_int_eq(keeper.tcp, 1);
    }
    tcp_test_close(t);
    ck_assert_int_eq(keeper.tcp, 0);
}
END_TEST

static const struct tlsyn_udp_events no_events;

START_TEST(udp_asks_too)
{
    struct keeper keeper = new_keeper();
    struct tcp_test *t = TCP_TEST(.ports = &keeper.base);
    struct tlsyn_udp_handler handler = {.events = &no_events};
    struct tlsyn_udp_options options = {.local = {.port = 0}};
    struct tlsyn_udp *ep, *second;
    struct tlsyn_udp_info info;

    ck_assert_int_eq(tlsyn_udp_open(t->stack, &options, &handler, &ep), 0);
    tlsyn_udp_info(ep, &info);
    ck_assert_uint_eq(info.local.port, GIVEN_PORT);
    ck_assert_int_eq(keeper.udp, 1);
    keeper.refuse = -EADDRINUSE;
    ck_assert_int_eq(tlsyn_udp_open(t->stack, &options, &handler, &second), -EADDRINUSE);
    tlsyn_udp_close(ep);
    ck_assert_int_eq(keeper.udp, 0);
    tcp_test_close(t);
}
END_TEST

Suite *shared_suite(void);

Suite *shared_suite(void)
{
    Suite *s = suite_create("shared");
    TCase *silence = tcase_create("silence");
    TCase *ports = tcase_create("ports");

    tcase_add_test(silence, who_asks_by_arp_is_not_answered_but_known);
    tcase_add_test(silence, a_claim_to_it_is_the_others_to_defend);
    tcase_add_test(silence, icmp_is_not_answered);
    tcase_add_test(silence, an_ip6_address_is_there_without_a_word);
    tcase_add_test(silence, who_asks_by_neighbour_discovery_is_not_answered);
    tcase_add_test(silence, ports_that_nobody_here_has_hear_no_reset_and_ours_do);
    suite_add_tcase(s, silence);
    tcase_add_test(ports, an_active_open_has_its_port_chosen_and_keeps_it_through_time_wait);
    tcase_add_test(ports, passive_ones_share_their_listeners_and_outlive_it);
    tcase_add_test(ports, what_is_refused_is_not_opened);
    tcase_add_test(ports, a_failed_open_gives_its_port_back);
    tcase_add_test(ports, udp_asks_too);
    suite_add_tcase(s, ports);
    return s;
}
