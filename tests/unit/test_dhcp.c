/* The DHCP client, with a server that the tests play. RFC 2131 3 and 4.4. */
#include <check.h>
#include <errno.h>

#include "support/ip_bed.h"
#include "udp/dhcp.h"
#include "wire/checksum.h"
#include "wire/udp.h"

Suite *dhcp_suite(void);

/* Remembers what its client told. */
struct tenant {
    struct tlsyn_dhcp_handler base;
    struct tlsyn_dhcp *dhcp;
    struct tlsyn_dhcp_lease lease;
    int leases, lost;
    bool stop; /* at the first event */
};

static struct ip_bed bed;
static struct udp udp;
static struct tenant tenant;

static void stop_if_wanted(struct tenant *t)
{
    if (!t->stop)
        return;
    tlsyn_dhcp_stop(t->dhcp);
    t->dhcp = NULL;
}

static void on_lease(struct tlsyn_dhcp_handler *base, struct tlsyn_dhcp *dhcp,
                     const struct tlsyn_dhcp_lease *lease)
{
    struct tenant *t = container_of(base, struct tenant, base);

    ck_assert_ptr_eq(dhcp, t->dhcp);
    t->leases++;
    t->lease = *lease;
    stop_if_wanted(t);
}

static void on_lost(struct tlsyn_dhcp_handler *base, struct tlsyn_dhcp *dhcp)
{
    struct tenant *t = container_of(base, struct tenant, base);

    ck_assert_ptr_eq(dhcp, t->dhcp);
    t->lost++;
    stop_if_wanted(t);
}

static const struct tlsyn_dhcp_events events = {.on_lease = on_lease, .on_lost = on_lost};

static void setup(void)
{
    ip_bed_open_bare(&bed, 33, NULL);
    bed.cx.limits.udp_endpoints = 8;
    bed.cx.limits.udp_queue_bytes = 4096;
    udp_init(&udp, &bed.cx, &bed.ip);
    tenant = (struct tenant){.base = {.events = &events}};
}

static void teardown(void)
{
    tlsyn_dhcp_stop(tenant.dhcp);
    udp_release(&udp);
    ip_bed_close(&bed);
}

/* Starts a client; what it says is in the link after a flush. */
static void starts(void)
{
    const struct tlsyn_dhcp_options options = {.hostname = "lab"};

    ck_assert_int_eq(dhcp_start(&udp, bed.iface, &options, &tenant.base, &tenant.dhcp), 0);
    ip_bed_advance(&bed, TLSYN_MS(1));
}

/* Everything that waits leaves. */
static void flush(void)
{
    ip_bed_flush(&bed);
    udp_output_done(&udp);
}

/* The last DHCP message that was sent, with where it went; how many there were. Frames are
 * forgotten then. */
static int hear(struct wire_dhcp *m, struct wire_ip4 *ip4)
{
    struct wire_udp header;
    int heard = 0;

    flush();
    for (int i = 0; i < bed.link.count; i++) {
        const struct fake_frame *f = &bed.link.frame[i];
        struct wire_ip4 read;

        if (wire_ip4_parse(f->bytes + 14, f->len - 14, &read) < 0 ||
            read.protocol != IP_PROTOCOL_UDP)
            continue;
        *ip4 = read;
        ck_assert_int_eq(wire_udp_parse(ip4->payload, ip4->payload_len, &header), 0);
        ck_assert_uint_eq(header.src_port, DHCP_CLIENT_PORT);
        ck_assert_uint_eq(header.dst_port, DHCP_SERVER_PORT);
        ck_assert_int_eq(wire_dhcp_parse(header.payload, header.payload_len, m), 0);
        heard++;
    }
    fake_link_clear(&bed.link);
    return heard;
}

static struct wire_dhcp said(struct wire_ip4 *ip4)
{
    struct wire_dhcp m;

    ck_assert_int_gt(hear(&m, ip4), 0);
    return m;
}

static bool is_silent(void)
{
    struct wire_dhcp m;
    struct wire_ip4 ip4;

    return hear(&m, &ip4) == 0;
}

/* The server asks who we are: so its address is known. */
static void server_is_known(void)
{
    ip_bed_arp(&bed, ARP_REQUEST, 3, "10.0.0.3", "10.0.0.9");
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

/* What the server answers to the client's last message: 10.0.0.9/24 for an hour, unless changed. */
static struct wire_dhcp answer(const struct wire_dhcp *asked, enum dhcp_type type)
{
    struct wire_dhcp m = {
        .op = DHCP_BOOTREPLY,
        .type = type,
        .xid = asked->xid,
        .ciaddr = addr_of("0.0.0.0"),
        .yiaddr = addr_of("10.0.0.9"),
        .mask = addr_of("255.255.255.0"),
        .router = addr_of("10.0.0.2"),
        .server = addr_of("10.0.0.3"),
        .dns = {addr_of("10.0.0.4")},
        .dns_count = 1,
        .lease = 3600,
    };

    memcpy(m.chaddr, asked->chaddr, sizeof(m.chaddr));
    return m;
}

static void arrives_at(const struct wire_dhcp *m, const char *dst)
{
    uint8_t bytes[UDP_HEADER_LEN + DHCP_MESSAGE_MAX], frame[PACKET_MAX];
    int len = wire_dhcp_emit(m, bytes + UDP_HEADER_LEN, DHCP_MESSAGE_MAX);
    struct wire_udp header = {.src_port = DHCP_SERVER_PORT,
                              .dst_port = DHCP_CLIENT_PORT,
                              .len = (uint16_t)(UDP_HEADER_LEN + len)};
    struct packet p = {.src = "10.0.0.3", .dst = dst, .protocol = IP_PROTOCOL_UDP};

    ck_assert_int_gt(len, 0);
    wire_udp_emit(&header, bytes, UDP_HEADER_LEN);
    p.payload = bytes;
    p.len = header.len;
    size_t size = packet_build(&p, frame);
    struct tlsyn_frame like = {.iov = {{.iov_base = frame, .iov_len = size}}, .iovcnt = 1};
    ck_assert_int_eq(ip_input(&bed.ip, bed.iface, &like, &bed.arrival), IP_DATAGRAM);
    udp_input(&udp, &bed.arrival.datagram);
}

static void arrives(const struct wire_dhcp *m)
{
    arrives_at(m, "255.255.255.255");
}

/* Through DISCOVER, OFFER and REQUEST; the request. */
static struct wire_dhcp requests(void)
{
    struct wire_ip4 ip4;

    starts();
    struct wire_dhcp discover = said(&ip4);
    struct wire_dhcp offer = answer(&discover, DHCP_OFFER);
    arrives(&offer);
    return said(&ip4);
}

/* All the way to BOUND, for `lease` seconds. */
static void binds(uint32_t lease)
{
    struct wire_dhcp request = requests();
    struct wire_dhcp ack = answer(&request, DHCP_ACK);

    ack.lease = lease;
    arrives(&ack);
    ip_bed_advance(&bed, TLSYN_SECONDS(1) + TLSYN_MS(1));
    ck_assert_int_eq(tenant.leases, 1);
    flush();
    fake_link_clear(&bed.link);
}

/* --- asking ----------------------------------------------------------------------------------- */

START_TEST(who_has_no_address_asks_everybody)
{
    struct wire_ip4 ip4;

    starts();
    struct wire_dhcp m = said(&ip4);
    ck_assert_int_eq(m.type, DHCP_DISCOVER);
    ck_assert(is(&ip4.src, "0.0.0.0") && is(&ip4.dst, "255.255.255.255"));
    ck_assert(m.broadcast && is(&m.ciaddr, "0.0.0.0"));
    ck_assert_mem_eq(m.chaddr, bed.link.base.caps.hwaddr, 6);
}
END_TEST

START_TEST(silence_is_asked_again_twice_as_late)
{
    struct wire_ip4 ip4;

    starts();
    struct wire_dhcp first = said(&ip4);
    ip_bed_advance(&bed, TLSYN_MS(2990));
    ck_assert(is_silent());
    ip_bed_advance(&bed, TLSYN_MS(2020));
    ck_assert_int_eq(said(&ip4).type, DHCP_DISCOVER);
    ip_bed_advance(&bed, TLSYN_MS(6970));
    ck_assert(is_silent());
    ip_bed_advance(&bed, TLSYN_MS(2040));
    struct wire_dhcp third = said(&ip4);
    ck_assert_uint_eq(third.xid, first.xid);
    ck_assert_uint_ge(third.secs, 9);
}
END_TEST

START_TEST(an_offer_is_taken_up_by_name)
{
    struct wire_dhcp m = requests();

    ck_assert_int_eq(m.type, DHCP_REQUEST);
    ck_assert(is(&m.requested, "10.0.0.9") && is(&m.server, "10.0.0.3"));
}
END_TEST

START_TEST(offers_to_others_mean_nothing)
{
    struct wire_ip4 ip4;

    starts();
    struct wire_dhcp discover = said(&ip4), offer = answer(&discover, DHCP_OFFER);
    offer.xid++;
    arrives(&offer);
    offer = answer(&discover, DHCP_OFFER);
    offer.chaddr[5] ^= 1;
    arrives(&offer);
    offer = answer(&discover, DHCP_OFFER);
    offer.mask = addr_of("255.0.255.0");
    arrives(&offer);
    offer = answer(&discover, DHCP_ACK);
    arrives(&offer);
    ck_assert(is_silent());
}
END_TEST

START_TEST(an_address_is_used_when_nobody_else_has_it)
{
    struct wire_dhcp request = requests(), ack = answer(&request, DHCP_ACK);
    struct tlsyn_addr far = addr_of("192.0.2.1");
    struct ip_path path;

    arrives(&ack);
    ck_assert_int_eq(tenant.leases, 0);
    ip_bed_advance(&bed, TLSYN_SECONDS(1) + TLSYN_MS(1));
    ck_assert_int_eq(tenant.leases, 1);
    ck_assert(is(&tenant.lease.address, "10.0.0.9"));
    ck_assert_int_eq(tenant.lease.prefix_len, 24);
    ck_assert_int_eq(tenant.lease.dns_count, 1);
    ck_assert(is(&tenant.lease.dns[0], "10.0.0.4"));
    ck_assert(ip_is_ours(&bed.ip, &tenant.lease.address));
    ck_assert_int_eq(ip_path_find(&bed.ip, &far, &path), 0);
    ck_assert(is(&path.next_hop, "10.0.0.2"));
}
END_TEST

START_TEST(an_address_that_somebody_has_is_declined)
{
    struct wire_dhcp request = requests(), ack = answer(&request, DHCP_ACK);
    struct wire_ip4 ip4;

    arrives(&ack);
    flush();
    fake_link_clear(&bed.link);
    ip_bed_arp(&bed, ARP_REPLY, 5, "10.0.0.9", "0.0.0.0");
    ip_bed_advance(&bed, TLSYN_SECONDS(1) + TLSYN_MS(1));
    struct wire_dhcp m = said(&ip4);
    ck_assert_int_eq(m.type, DHCP_DECLINE);
    ck_assert(is(&m.requested, "10.0.0.9") && is(&m.server, "10.0.0.3"));
    ck_assert_int_eq(tenant.leases, 0);
    ip_bed_advance(&bed, TLSYN_SECONDS(9));
    ck_assert(is_silent());
    ip_bed_advance(&bed, TLSYN_SECONDS(2));
    ck_assert_int_eq(said(&ip4).type, DHCP_DISCOVER);
}
END_TEST

START_TEST(a_refused_request_begins_anew)
{
    struct wire_dhcp request = requests(), nak = answer(&request, DHCP_NAK);
    struct wire_ip4 ip4;

    arrives(&nak);
    struct wire_dhcp m = said(&ip4);
    ck_assert_int_eq(m.type, DHCP_DISCOVER);
    ck_assert_uint_ne(m.xid, request.xid);
}
END_TEST

START_TEST(an_unanswered_request_is_repeated_then_given_up)
{
    struct wire_dhcp m = requests();
    struct wire_ip4 ip4;
    int requested = 1;

    for (int i = 0; i < 120 && m.type == DHCP_REQUEST; i++) {
        ip_bed_advance(&bed, TLSYN_SECONDS(1));
        requested += hear(&m, &ip4) > 0 && m.type == DHCP_REQUEST;
    }
    ck_assert_int_eq(m.type, DHCP_DISCOVER);
    ck_assert_int_eq(requested, 4);
}
END_TEST

/* --- keeping ---------------------------------------------------------------------------------- */

START_TEST(at_half_time_its_server_is_asked_to_renew)
{
    struct wire_ip4 ip4;

    binds(3600);
    server_is_known();
    ip_bed_advance(&bed, TLSYN_SECONDS(1790));
    ck_assert(is_silent());
    ip_bed_advance(&bed, TLSYN_SECONDS(10));
    server_is_known();
    ip_bed_advance(&bed, TLSYN_MS(1));
    struct wire_dhcp m = said(&ip4);
    ck_assert_int_eq(m.type, DHCP_REQUEST);
    ck_assert(is(&ip4.src, "10.0.0.9") && is(&ip4.dst, "10.0.0.3"));
    ck_assert(is(&m.ciaddr, "10.0.0.9") && !m.broadcast);
    /* RFC 2131 table 5: neither a requested address nor a server is named */
    ck_assert(tlsyn_addr_unspecified(&m.requested) && tlsyn_addr_unspecified(&m.server));
    struct wire_dhcp ack = answer(&m, DHCP_ACK);
    arrives_at(&ack, "10.0.0.9");
    ip_bed_advance(&bed, TLSYN_SECONDS(1700));
    ck_assert(is_silent());
    ck_assert_int_eq(tenant.leases, 1);
    ck_assert_int_eq(tenant.lost, 0);
}
END_TEST

START_TEST(at_seven_eighths_anybody_is_asked)
{
    struct wire_ip4 ip4;

    binds(3600);
    ip_bed_advance(&bed, TLSYN_SECONDS(3140));
    flush();
    fake_link_clear(&bed.link);
    ip_bed_advance(&bed, TLSYN_SECONDS(15));
    struct wire_dhcp m = said(&ip4);
    ck_assert_int_eq(m.type, DHCP_REQUEST);
    ck_assert(is(&ip4.dst, "255.255.255.255") && is(&m.ciaddr, "10.0.0.9"));
    struct wire_dhcp ack = answer(&m, DHCP_ACK);
    ack.server = addr_of("10.0.0.5");
    arrives_at(&ack, "10.0.0.9");
    ip_bed_advance(&bed, TLSYN_SECONDS(1000));
    ck_assert_int_eq(tenant.lost, 0);
}
END_TEST

START_TEST(a_lease_that_runs_out_takes_the_address_away)
{
    struct tlsyn_addr far = addr_of("192.0.2.1");
    struct wire_ip4 ip4;
    struct ip_path path;

    binds(3600);
    ip_bed_advance(&bed, TLSYN_SECONDS(3601));
    ck_assert_int_eq(tenant.lost, 1);
    ck_assert(!ip_is_ours(&bed.ip, &tenant.lease.address));
    ck_assert_int_eq(ip_path_find(&bed.ip, &far, &path), -ENETUNREACH);
    ck_assert_int_eq(said(&ip4).type, DHCP_DISCOVER);
}
END_TEST

START_TEST(a_server_may_want_its_address_back)
{
    struct wire_ip4 ip4;

    binds(3600);
    ip_bed_advance(&bed, TLSYN_SECONDS(3140));
    ip_bed_advance(&bed, TLSYN_SECONDS(15));
    struct wire_dhcp m = said(&ip4), nak = answer(&m, DHCP_NAK);
    arrives(&nak);
    ck_assert_int_eq(tenant.lost, 1);
    ck_assert(!ip_is_ours(&bed.ip, &tenant.lease.address));
}
END_TEST

START_TEST(a_lease_for_ever_is_not_renewed)
{
    binds(UINT32_MAX);
    ck_assert_int_eq(tenant.lease.expires, TLSYN_NEVER);
    ip_bed_advance(&bed, TLSYN_SECONDS(100000));
    ck_assert(is_silent());
}
END_TEST

START_TEST(who_stops_gives_the_address_back)
{
    struct wire_ip4 ip4;

    binds(3600);
    server_is_known();
    tlsyn_dhcp_stop(tenant.dhcp);
    tenant.dhcp = NULL;
    struct wire_dhcp m = said(&ip4);
    ck_assert_int_eq(m.type, DHCP_RELEASE);
    ck_assert(is(&ip4.dst, "10.0.0.3") && is(&m.ciaddr, "10.0.0.9"));
    ck_assert(!ip_is_ours(&bed.ip, &tenant.lease.address));
}
END_TEST

START_TEST(every_event_may_stop_the_client)
{
    tenant.stop = true;
    binds(3600);
    ck_assert_ptr_null(tenant.dhcp);
    tenant.stop = false;
    tenant.leases = 0;
    binds(3600);
    tenant.stop = true;
    ip_bed_advance(&bed, TLSYN_SECONDS(3601));
    ck_assert_int_eq(tenant.lost, 1);
    ck_assert_ptr_null(tenant.dhcp);
}
END_TEST

START_TEST(one_client_per_stack)
{
    const struct tlsyn_dhcp_options options = {.hostname = NULL};
    struct tlsyn_dhcp *second;

    starts();
    ck_assert_int_eq(dhcp_start(&udp, bed.iface, &options, &tenant.base, &second), -EADDRINUSE);
}
END_TEST

Suite *dhcp_suite(void)
{
    Suite *suite = suite_create("dhcp");
    TCase *tc = tcase_create("dhcp");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, who_has_no_address_asks_everybody);
    tcase_add_test(tc, silence_is_asked_again_twice_as_late);
    tcase_add_test(tc, an_offer_is_taken_up_by_name);
    tcase_add_test(tc, offers_to_others_mean_nothing);
    tcase_add_test(tc, an_address_is_used_when_nobody_else_has_it);
    tcase_add_test(tc, an_address_that_somebody_has_is_declined);
    tcase_add_test(tc, a_refused_request_begins_anew);
    tcase_add_test(tc, an_unanswered_request_is_repeated_then_given_up);
    tcase_add_test(tc, at_half_time_its_server_is_asked_to_renew);
    tcase_add_test(tc, at_seven_eighths_anybody_is_asked);
    tcase_add_test(tc, a_lease_that_runs_out_takes_the_address_away);
    tcase_add_test(tc, a_server_may_want_its_address_back);
    tcase_add_test(tc, a_lease_for_ever_is_not_renewed);
    tcase_add_test(tc, who_stops_gives_the_address_back);
    tcase_add_test(tc, every_event_may_stop_the_client);
    tcase_add_test(tc, one_client_per_stack);
    suite_add_tcase(suite, tc);
    return suite;
}
