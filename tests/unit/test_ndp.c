/* Neighbour discovery: resolution, reachability, our own addresses. RFC 4861 7, RFC 4862 5.4. */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "ip/source.h"
#include "support/ip_bed.h"

static struct ip_bed bed;

static void setup(void)
{
    ip_bed_open6(&bed, 21);
}

static void teardown(void)
{
    ip_bed_close(&bed);
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

/* A datagram of ours to this address. */
static int sends(const char *dst)
{
    struct tlsyn_addr to = addr_of(dst);
    struct ip_path path;
    int error = ip_path_find(&bed.ip, &to, &path);
    struct ip_tx tx = {.dst = to, .protocol = IP_PROTOCOL_UDP, .header_len = 8, .csum_offset = 6};

    if (error < 0)
        return error;
    tx.src = path.src;
    tx.header[5] = 8;
    return ip_output(&bed.ip, &tx);
}

static struct wire_ndp advert(const char *target, uint8_t n)
{
    return (struct wire_ndp){.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                             .target = addr_of(target),
                             .solicited = true,
                             .override = true,
                             .has_target_hw = true,
                             .target_hw = {2, 0, 0, 0, 0, n}};
}

static struct wire_ndp solicit(const char *target, uint8_t n)
{
    return (struct wire_ndp){.type = ICMP6_NEIGHBOUR_SOLICITATION,
                             .target = addr_of(target),
                             .has_source_hw = n > 0,
                             .source_hw = {2, 0, 0, 0, 0, n}};
}

/* --- resolution ------------------------------------------------------------------------------- */

START_TEST(the_first_datagram_asks_the_solicited_node_group)
{
    struct wire_ndp ndp, answer = advert("fd77::2", 2);
    struct wire_ip6_chain chain;
    struct wire_ip6 ip6;
    int next = 0;

    ck_assert_int_eq(sends("fd77::2"), IP_OUTPUT_WAITS);
    ip_bed_flush(&bed);
    ck_assert(ip_bed_sent_ndp(&bed, &next, ICMP6_NEIGHBOUR_SOLICITATION, &ip6, &ndp));
    ck_assert(is(&ip6.dst, "ff02::1:ff00:2") && is(&ip6.src, "fd77::1"));
    ck_assert(is(&ndp.target, "fd77::2"));
    ck_assert(ndp.has_source_hw && ndp.source_hw[5] == 1);
    ck_assert_mem_eq(bed.link.frame[0].bytes, "\x33\x33\xff\x00\x00\x02", 6);
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &answer);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::2"), NEIGH_REACHABLE);
    ck_assert_int_eq(ip_bed_flush(&bed), 1);
    ck_assert(ip_bed_sent6(&bed, &next, &ip6, &chain));
    ck_assert_uint_eq(chain.protocol, IP_PROTOCOL_UDP);
    ck_assert_uint_eq(ip6.hop_limit, 64);
    ck_assert_mem_eq(bed.link.frame[1].bytes, "\x02\x00\x00\x00\x00\x02", 6);
}
END_TEST

START_TEST(silence_is_an_error_for_who_sent)
{
    struct ip_error error;

    ck_assert_int_eq(sends("fd77::2"), IP_OUTPUT_WAITS);
    for (int i = 0; i < 3; i++)
        ip_bed_advance(&bed, TLSYN_SECONDS(1));
    ck_assert(ip_error_take(&bed.ip, &error));
    ck_assert_int_eq(error.error, -EHOSTUNREACH);
    ck_assert(is(&error.dst, "fd77::2") && is(&error.src, "fd77::1"));
    ck_assert_uint_eq(error.protocol, IP_PROTOCOL_UDP);
    ck_assert_int_eq(sends("fd77::2"), -EHOSTUNREACH);
}
END_TEST

START_TEST(an_advertisement_without_an_entry_makes_none)
{
    struct wire_ndp ndp = advert("fd77::2", 2);

    ip_bed_ndp(&bed, "fd77::2", "ff02::1",
               &(struct wire_ndp){.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
                                  .target = ndp.target,
                                  .has_target_hw = true,
                                  .target_hw = {2}});
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &ndp);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::2"), -1);
}
END_TEST

/* RFC 4861 7.2.5, appendix C */
START_TEST(another_address_counts_as_the_flags_say)
{
    struct wire_ndp ndp = advert("fd77::2", 9);
    const struct neighbour *n;

    ip_bed_knows6(&bed, 2);
    n = neigh_find(&bed.ip.neigh, bed.iface, &ndp.target);
    ndp.solicited = ndp.override = false;
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &ndp); /* doubt, and no more */
    ck_assert_int_eq(n->state, NEIGH_STALE);
    ck_assert_uint_eq(n->hwaddr[5], 2);
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &ndp);
    ck_assert_uint_eq(n->hwaddr[5], 2);
    ndp.override = true;
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &ndp);
    ck_assert_uint_eq(n->hwaddr[5], 9);
    ck_assert_int_eq(n->state, NEIGH_STALE);
    ndp.solicited = true; /* nobody has asked: no proof */
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &ndp);
    ck_assert_int_eq(n->state, NEIGH_STALE);
}
END_TEST

START_TEST(a_stale_neighbour_is_asked_by_unicast)
{
    struct wire_ndp ndp = advert("fd77::2", 2), question;
    struct wire_ip6 ip6;
    int next = 0;

    ip_bed_knows6(&bed, 2);
    ip_bed_advance(&bed, TLSYN_SECONDS(46));
    ck_assert_int_eq(sends("fd77::2"), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::2"), NEIGH_DELAY);
    ip_bed_advance(&bed, TLSYN_SECONDS(5) + TLSYN_MS(1));
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::2"), NEIGH_PROBE);
    ip_bed_flush(&bed);
    ck_assert(ip_bed_sent_ndp(&bed, &next, ICMP6_NEIGHBOUR_SOLICITATION, &ip6, &question));
    ck_assert(is(&ip6.dst, "fd77::2"));
    ck_assert_uint_eq(bed.link.frame[next - 1].bytes[5], 2);
    ndp.has_target_hw = false; /* an answer to a unicast question may leave it out */
    ip_bed_ndp(&bed, "fd77::2", "fd77::1", &ndp);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::2"), NEIGH_REACHABLE);
}
END_TEST

START_TEST(who_asks_for_us_is_answered_and_known)
{
    struct wire_ndp question = solicit("fd77::1", 7), answer;
    struct wire_ip6 ip6;
    int next = 0;

    ip_bed_ndp(&bed, "fd77::7", "ff02::1:ff00:1", &question);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::7"), NEIGH_STALE);
    ip_bed_flush(&bed);
    ck_assert(ip_bed_sent_ndp(&bed, &next, ICMP6_NEIGHBOUR_ADVERTISEMENT, &ip6, &answer));
    ck_assert(is(&ip6.dst, "fd77::7") && is(&ip6.src, "fd77::1"));
    ck_assert(answer.solicited && answer.override && !answer.router);
    ck_assert(answer.has_target_hw && answer.target_hw[5] == 1);
    ck_assert_uint_eq(bed.link.frame[next - 1].bytes[5], 7);
    question.target = addr_of("fd77::99");
    ip_bed_ndp(&bed, "fd77::7", "ff02::1:ff00:1", &question);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
}
END_TEST

/* --- what must be refused (RFC 4861 7.1) ------------------------------------------------------ */

static void refused(const char *src, const char *dst, uint8_t hop_limit, const struct wire_ndp *ndp)
{
    uint64_t before = ip_bed_dropped(&bed, TLSYN_DROP_ndp_invalid);
    uint8_t message[NDP_MESSAGE_MAX];
    int len = wire_ndp_emit(ndp, message, sizeof(message));

    ip_bed_icmp6(&bed, src, dst, hop_limit, message, (size_t)len);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ndp_invalid), before + 1);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::7"), -1);
}

/* R4861-1 */
START_TEST(messages_that_are_not_of_this_link_or_not_as_they_must_be)
{
    struct wire_ndp ask = solicit("fd77::1", 7), answer = advert("fd77::7", 7);

    refused("fd77::7", "fd77::1", 254, &ask);
    refused("fd77::7", "fd77::1", 254, &answer);
    refused("::", "ff02::1:ff00:1", 255, &ask); /* from nobody, with an address */
    refused("::", "ff02::1", 255, &(struct wire_ndp){.type = ask.type, .target = ask.target});
    refused("fd77::7", "ff02::1", 255, &answer); /* solicited, to all */
    ask.source_hw[0] = 1;                        /* a group's Ethernet address */
    refused("fd77::7", "fd77::1", 255, &ask);
    ask = solicit("ff02::1", 7);
    refused("fd77::7", "fd77::1", 255, &ask);
}
END_TEST

START_TEST(a_wrong_checksum_is_no_message)
{
    struct wire_ndp ask = solicit("fd77::1", 7);
    uint8_t message[NDP_MESSAGE_MAX];
    struct packet packet = {.src = "fd77::7", .ttl = 255, .protocol = IP6_ICMP, .payload = message};

    packet.len = (size_t)wire_ndp_emit(&ask, message, sizeof(message));
    ip_bed_packet(&bed, &packet);
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_icmp_checksum), 1);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::7"), -1);
}
END_TEST

START_TEST(a_flood_of_questions_is_bounded)
{
    char text[16];

    ip_bed_knows6(&bed, 2);
    for (unsigned i = 0; i < 500; i++) {
        struct wire_ndp ask = solicit("fd77::1", 7);

        snprintf(text, sizeof(text), "fd77::%x", 0x1000 + i);
        ip_bed_ndp(&bed, text, "fd77::1", &ask);
    }
    ck_assert_uint_le(bed.ip.neigh.table.count, bed.cx.limits.neighbours);
    ck_assert_int_eq(ip_bed_neigh(&bed, "fd77::2"), NEIGH_REACHABLE); /* the one we talk to stays */
}
END_TEST

/* --- duplicate address detection -------------------------------------------------------------- */

struct watcher {
    struct tlsyn_address_handler base;
    int calls;
    enum tlsyn_address_state state[16];
    struct tlsyn_addr addr;
};

static void on_address(struct tlsyn_address_handler *base, struct tlsyn_iface *iface,
                       const struct tlsyn_addr *addr, int prefix_len,
                       enum tlsyn_address_state state)
{
    struct watcher *w = container_of(base, struct watcher, base);

    ck_assert_ptr_eq(iface, bed.iface);
    ck_assert_int_eq(prefix_len, 64);
    if (!is(addr, "fd77::5"))
        return;
    w->state[w->calls++ % 16] = state;
    w->addr = *addr;
}

static struct watcher watcher;

/* fd77::5 begins to be asked about. */
static void begins(void)
{
    struct tlsyn_addr addr = addr_of("fd77::5");

    watcher = (struct watcher){.base = {.on_address = on_address}};
    tlsyn_iface_dad(bed.iface, 1);
    tlsyn_iface_watch(bed.iface, &watcher.base);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &addr, 64), 0);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &addr, 64), -EADDRINUSE);
}

static enum tlsyn_address_state state_of(const char *text)
{
    struct tlsyn_addr addr = addr_of(text);

    return tlsyn_iface_address_state(bed.iface, &addr);
}

/* R4862-1 */
START_TEST(an_address_is_asked_about_before_it_is_used)
{
    struct tlsyn_addr addr = addr_of("fd77::5");
    struct wire_ndp question;
    struct wire_ip6 ip6;
    int next = 0;

    begins();
    ip_bed_flush(&bed);
    ck_assert(ip_bed_sent_ndp(&bed, &next, ICMP6_NEIGHBOUR_SOLICITATION, &ip6, &question));
    ck_assert(is(&ip6.src, "::") && is(&ip6.dst, "ff02::1:ff00:5"));
    ck_assert(is(&question.target, "fd77::5") && !question.has_source_hw);
    ck_assert_int_eq(state_of("fd77::5"), TLSYN_ADDRESS_TENTATIVE);
    ck_assert(!ip_is_ours(&bed.ip, &addr));
    ip_bed_packet(&bed, &(struct packet){.src = "fd77::2", .dst = "fd77::5"});
    ck_assert_uint_eq(ip_bed_dropped(&bed, TLSYN_DROP_ip_not_ours), 1);
    ip_bed_advance(&bed, TLSYN_SECONDS(1) + TLSYN_MS(1));
    ck_assert_int_eq(state_of("fd77::5"), TLSYN_ADDRESS_PREFERRED);
    ck_assert(ip_is_ours(&bed.ip, &addr));
    ck_assert_int_eq(watcher.calls, 2);
    ck_assert_int_eq(watcher.state[0], TLSYN_ADDRESS_TENTATIVE);
    ck_assert_int_eq(watcher.state[1], TLSYN_ADDRESS_PREFERRED);
}
END_TEST

START_TEST(who_has_it_or_tests_it_too_makes_it_a_duplicate)
{
    struct wire_ndp claim = advert("fd77::5", 9), test = solicit("fd77::5", 0);

    begins();
    claim.solicited = false;
    if (_i)
        ip_bed_ndp(&bed, "::", "ff02::1:ff00:5", &test);
    else
        ip_bed_ndp(&bed, "fd77::5", "ff02::1", &claim);
    ck_assert_int_eq(state_of("fd77::5"), TLSYN_ADDRESS_DUPLICATE);
    ck_assert_int_eq(watcher.state[1], TLSYN_ADDRESS_DUPLICATE);
    ck_assert(tlsyn_iface_conflict(bed.iface));
    ip_bed_advance(&bed, TLSYN_SECONDS(10));
    ck_assert_int_eq(state_of("fd77::5"), TLSYN_ADDRESS_DUPLICATE);
    ck_assert_uint_eq(bed.cx.counter[TLSYN_COUNT_ip6_dad_conflicts], 1);
}
END_TEST

START_TEST(who_only_looks_for_it_does_not)
{
    struct wire_ndp ask = solicit("fd77::5", 9);

    begins();
    ip_bed_flush(&bed);
    fake_link_clear(&bed.link);
    ip_bed_ndp(&bed, "fd77::9", "ff02::1:ff00:5", &ask);
    ck_assert_int_eq(ip_bed_flush(&bed), 0);
    ck_assert_int_eq(state_of("fd77::5"), TLSYN_ADDRESS_TENTATIVE);
    ip_bed_advance(&bed, TLSYN_SECONDS(2));
    ck_assert_int_eq(state_of("fd77::5"), TLSYN_ADDRESS_PREFERRED);
}
END_TEST

START_TEST(who_tests_what_we_use_is_told)
{
    struct wire_ndp test = solicit("fd77::1", 0), answer;
    struct wire_ip6 ip6;
    int next = 0;

    ip_bed_ndp(&bed, "::", "ff02::1:ff00:1", &test);
    ip_bed_flush(&bed);
    ck_assert(ip_bed_sent_ndp(&bed, &next, ICMP6_NEIGHBOUR_ADVERTISEMENT, &ip6, &answer));
    ck_assert(is(&ip6.dst, "ff02::1") && !answer.solicited && answer.override);
    ck_assert_mem_eq(bed.link.frame[0].bytes, "\x33\x33\x00\x00\x00\x01", 6);
    ck_assert_int_eq(state_of("fd77::1"), TLSYN_ADDRESS_PREFERRED);
}
END_TEST

START_TEST(a_link_local_address_that_is_taken_is_made_anew)
{
    struct wire_ndp claim = {.type = ICMP6_NEIGHBOUR_ADVERTISEMENT, .override = true};
    struct tlsyn_iface_address_info info[8];
    struct tlsyn_addr seen[5];
    int made = 0;

    ip_bed_close(&bed);
    ip_bed_open_bare(&bed, 3, NULL);
    ck_assert_int_eq(tlsyn_iface_autoconf(bed.iface, NULL), 0);
    do {
        ck_assert_int_eq(tlsyn_iface_addresses(bed.iface, info, 8), 1);
        seen[made++] = claim.target = info[0].address;
        for (int i = 0; i < made - 1; i++)
            ck_assert(!tlsyn_addr_eq(&seen[i], &seen[made - 1]));
        ip_bed_ndp(&bed, "fe80::9", "ff02::1", &claim);
        tlsyn_iface_addresses(bed.iface, info, 8);
    } while (info[0].state == TLSYN_ADDRESS_TENTATIVE && made < 5);
    ck_assert_int_eq(made, 4); /* the first one, and three more */
    ck_assert_int_eq(info[0].state, TLSYN_ADDRESS_DUPLICATE);
}
END_TEST

/* --- source addresses (RFC 6724) -------------------------------------------------------------- */

START_TEST(the_source_fits_the_destination)
{
    static const struct {
        const char *dst, *src;
    } cases[] = {
        {"fd77::9", "fd77::1"},
        {"2001:db8:1::9", "2001:db8:1::1"},
        {"2001:db8:2::9", "2001:db8:2::1"},
        {"2600::1", "2001:db8:1::1"},
        {"fd99::1", "fd77::1"},
    };
    struct tlsyn_addr a = addr_of("2001:db8:1::1"), b = addr_of("2001:db8:2::1"), dst;
    const struct tlsyn_addr *src;

    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &a, 64), 0);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &b, 64), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        dst = addr_of(cases[i].dst);
        src = source_select(bed.iface, &dst);
        ck_assert_msg(src && is(src, cases[i].src), "to %s", cases[i].dst);
    }
    dst = addr_of("fe80::9");
    src = source_select(bed.iface, &dst);
    ck_assert(src && ip6_is_link_local(src));
}
END_TEST

START_TEST(a_link_local_source_goes_nowhere_else)
{
    struct tlsyn_addr dst = addr_of("2600::1");

    ip_bed_close(&bed);
    ip_bed_open_bare(&bed, 3, NULL);
    tlsyn_iface_dad(bed.iface, 0);
    ck_assert_int_eq(tlsyn_iface_autoconf(bed.iface, NULL), 0);
    ck_assert_ptr_null(source_select(bed.iface, &dst));
}
END_TEST

/* R8200-4 */
START_TEST(the_link_must_carry_1280_octets)
{
    struct tlsyn_link_caps caps = {.mtu = 1279, .hwaddr = {2, 0, 0, 0, 0, 1}};
    struct tlsyn_addr addr = addr_of("fd77::1");

    ip_bed_close(&bed);
    ip_bed_open_bare(&bed, 3, &caps);
    ck_assert_int_eq(tlsyn_iface_address(bed.iface, &addr, 64), -EMSGSIZE);
    ck_assert_int_eq(tlsyn_iface_autoconf(bed.iface, NULL), -EMSGSIZE);
    ck_assert_uint_eq(bed.ip.routes.count, 0);
}
END_TEST

START_TEST(announcements_go_to_all)
{
    struct wire_ndp ndp;
    struct wire_ip6 ip6;
    int next = 0, count = 0;

    tlsyn_iface_announce(bed.iface);
    ip_bed_flush(&bed);
    while (ip_bed_sent_ndp(&bed, &next, ICMP6_NEIGHBOUR_ADVERTISEMENT, &ip6, &ndp)) {
        ck_assert(is(&ip6.dst, "ff02::1") && ndp.override && !ndp.solicited);
        count++;
    }
    ck_assert_int_eq(count, 2); /* fd77::1 and the link-local one */
}
END_TEST

Suite *ndp_suite(void);

Suite *ndp_suite(void)
{
    Suite *suite = suite_create("ndp");
    TCase *tc = tcase_create("ndp");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, the_first_datagram_asks_the_solicited_node_group);
    tcase_add_test(tc, silence_is_an_error_for_who_sent);
    tcase_add_test(tc, an_advertisement_without_an_entry_makes_none);
    tcase_add_test(tc, another_address_counts_as_the_flags_say);
    tcase_add_test(tc, a_stale_neighbour_is_asked_by_unicast);
    tcase_add_test(tc, who_asks_for_us_is_answered_and_known);
    tcase_add_test(tc, messages_that_are_not_of_this_link_or_not_as_they_must_be);
    tcase_add_test(tc, a_wrong_checksum_is_no_message);
    tcase_add_test(tc, a_flood_of_questions_is_bounded);
    tcase_add_test(tc, an_address_is_asked_about_before_it_is_used);
    tcase_add_loop_test(tc, who_has_it_or_tests_it_too_makes_it_a_duplicate, 0, 2);
    tcase_add_test(tc, who_only_looks_for_it_does_not);
    tcase_add_test(tc, who_tests_what_we_use_is_told);
    tcase_add_test(tc, a_link_local_address_that_is_taken_is_made_anew);
    tcase_add_test(tc, the_source_fits_the_destination);
    tcase_add_test(tc, a_link_local_source_goes_nowhere_else);
    tcase_add_test(tc, the_link_must_carry_1280_octets);
    tcase_add_test(tc, announcements_go_to_all);
    suite_add_tcase(suite, tc);
    return suite;
}
