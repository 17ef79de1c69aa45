/* Names over our own stack: a resolver on one stack, a scripted DNS server on the other, in real
 * time over a pipe. */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include <tlsyn/conn.h>
#include <tlsyn/resolver.h>
#include <tlsyn/udp.h>

#include "core/list.h"
#include "support/ip_bed.h"
#include "wire/bytes.h"

Suite *resolver_suite(void);

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28 };
enum { RCODE_OK = 0, RCODE_SERVFAIL = 2, RCODE_NXDOMAIN = 3, RCODE_REFUSED = 5 };

#define ASKED_MAX 64

/* What the server does with a question for a name. */
struct script {
    const char *name;
    const char *a[3], *aaaa[3];
    const char *cname; /* the addresses are this one's */
    int rcode;
    bool truncated;     /* over UDP; the whole answer over TCP */
    int many;           /* so many made-up A records more */
    bool silent;        /* at the first address; the second answers */
    bool forged_source; /* a wrong answer comes first, from the second address */
    bool forged_id;     /* a wrong answer comes first, with another ID */
};

static const struct script scripts[] = {
    {.name = "plain.test", .a = {"192.0.2.1"}, .aaaa = {"2001:db8::1"}},
    {.name = "only4.test", .a = {"192.0.2.4", "10.0.0.77"}},
    {.name = "alias.test", .cname = "plain.test", .a = {"192.0.2.1"}},
    {.name = "gone.test", .rcode = RCODE_NXDOMAIN},
    {.name = "fails.test", .rcode = RCODE_SERVFAIL},
    {.name = "refused.test", .rcode = RCODE_REFUSED},
    {.name = "big.test", .truncated = true, .many = 25},
    {.name = "slow.test", .a = {"192.0.2.9"}, .silent = true},
    {.name = "forged.test", .a = {"192.0.2.8"}, .forged_source = true},
    {.name = "forgedid.test", .a = {"192.0.2.7"}, .forged_id = true},
    {.name = "host.domain.test", .a = {"192.0.2.6"}},
};

/* --- the server ------------------------------------------------------------------------------- */

struct server {
    struct tlsyn_stack *stack;
    struct tlsyn_iface *iface;
    struct tlsyn_udp_handler udp_handler;
    struct tlsyn_udp *udp;
    struct tlsyn_acceptor acceptor;
    struct tlsyn_handler tcp_handler;
    int over_udp, over_tcp;
    int at_second; /* of those over UDP: to the second address */
    uint16_t id[ASKED_MAX], port[ASKED_MAX];
};

struct question {
    uint16_t id, type;
    char name[256];
    const uint8_t *octets; /* the question's section */
    size_t len;
};

static struct tlsyn_link *ends[2];
static struct tlsyn_stack *client;
static struct tlsyn_iface *iface; /* the client's */
static struct tlsyn_loop *loop;
static struct tlsyn_resolver *resolver;
static struct server server;

static struct tlsyn_endpoint endpoint(const char *addr, uint16_t port)
{
    return (struct tlsyn_endpoint){.addr = addr_of(addr), .port = port};
}

static struct question parse(const uint8_t *bytes, size_t len)
{
    struct question q = {0};
    struct reader r = reader_of(bytes, len);
    size_t at = 0;
    uint8_t label;

    q.id = get_u16(&r);
    get_skip(&r, 10);
    q.octets = r.at;
    while ((label = get_u8(&r)) > 0) {
        ck_assert_uint_lt(at + label + 2u, sizeof(q.name));
        if (at > 0)
            q.name[at++] = '.';
        get_bytes(&r, (uint8_t *)q.name + at, label);
        at += label;
    }
    q.type = get_u16(&r);
    get_skip(&r, 2);
    ck_assert(!r.overrun);
    q.len = (size_t)(r.at - q.octets);
    return q;
}

static void put_name(struct writer *w, const char *name)
{
    while (*name) {
        size_t n = strcspn(name, ".");

        put_u8(w, (uint8_t)n);
        put_bytes(w, (const uint8_t *)name, n);
        name += n + (name[n] == '.');
    }
    put_u8(w, 0);
}

static void put_record(struct writer *w, const char *name, uint16_t type, const uint8_t *data,
                       size_t len)
{
    put_name(w, name);
    put_u16(w, type);
    put_u16(w, 1);
    put_u32(w, 60);
    put_u16(w, (uint16_t)len);
    put_bytes(w, data, len);
}

static int put_address(struct writer *w, const char *owner, uint16_t type, const char *text)
{
    struct tlsyn_addr addr = addr_of(text);

    if (type == TYPE_A)
        put_record(w, owner, type, tlsyn_addr_octets(&addr), 4);
    else
        put_record(w, owner, type, addr.byte, 16);
    return 1;
}

static int put_answers(struct writer *w, const struct question *q, const struct script *s)
{
    const char *const *addrs = q->type == TYPE_A ? s->a : s->aaaa;
    const char *owner = s->cname ? s->cname : q->name;
    int records = 0;

    if (s->cname) {
        uint8_t bytes[64];
        struct writer name = writer_of(bytes, sizeof(bytes));

        put_name(&name, s->cname);
        put_record(w, s->name, TYPE_CNAME, bytes, sizeof(bytes) - name.room);
        records++;
    }
    for (int i = 0; i < 3 && addrs[i]; i++)
        records += put_address(w, owner, q->type, addrs[i]);
    for (int i = 0; i < s->many && q->type == TYPE_A; i++) {
        char text[20];

        snprintf(text, sizeof(text), "198.51.100.%d", i + 1);
        records += put_address(w, owner, TYPE_A, text);
    }
    return records;
}

static const struct script *script_of(const char *name)
{
    static const struct script unknown = {.rcode = RCODE_NXDOMAIN}, any = {.a = {"192.0.2.5"}};

    if (strstr(name, ".any.test"))
        return &any;

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        if (strcasecmp(scripts[i].name, name) == 0)
            return &scripts[i];
    }
    return &unknown;
}

/* The answer's length. */
static size_t answer(const struct question *q, const struct script *s, bool truncated,
                     uint8_t *bytes, size_t room)
{
    struct writer w = writer_of(bytes, room);
    struct writer count = writer_of(bytes + 6, 2);
    int records = 0;

    put_u16(&w, q->id);
    put_u16(&w, (uint16_t)(0x8580 | (truncated ? 0x0200 : 0) | s->rcode));
    put_u16(&w, 1);
    put_u16(&w, 0);
    put_u32(&w, 0);
    put_bytes(&w, q->octets, q->len);
    if (!truncated && s->rcode == RCODE_OK)
        records = put_answers(&w, q, s);
    put_u16(&count, (uint16_t)records);
    ck_assert(!w.overrun);
    return room - w.room;
}

/* Wrong answers that come before the right one. */
static void forge(struct tlsyn_udp *udp, const struct tlsyn_udp_datagram *datagram,
                  struct question q, const struct script *s)
{
    struct script wrong = {.name = s->name, .a = {"203.0.113.66"}};
    struct tlsyn_addr second = addr_of("10.0.0.3");
    struct tlsyn_udp_message message = {.to = &datagram->from};
    uint8_t bytes[512];

    if (s->forged_id)
        q.id ^= 0x5555;
    else
        message.from = &second;
    message.text.part[0].iov_base = bytes;
    message.text.part[0].iov_len = answer(&q, &wrong, false, bytes, sizeof(bytes));
    ck_assert_int_eq(tlsyn_udp_send_message(udp, &message), 0);
}

static void on_question(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct server *srv = container_of(handler, struct server, udp_handler);
    struct question q = parse(datagram->bytes, datagram->len);
    const struct script *s = script_of(q.name);
    struct tlsyn_addr first = addr_of("10.0.0.2");
    struct tlsyn_udp_message message = {.to = &datagram->from, .from = &datagram->to.addr};
    bool at_first = tlsyn_addr_eq(&datagram->to.addr, &first);
    uint8_t bytes[512];

    srv->id[srv->over_udp % ASKED_MAX] = q.id;
    srv->port[srv->over_udp % ASKED_MAX] = datagram->from.port;
    srv->over_udp++;
    srv->at_second += !at_first;
    if (s->silent && at_first)
        return;
    if (s->forged_source || s->forged_id)
        forge(udp, datagram, q, s);
    message.text.part[0].iov_base = bytes;
    message.text.part[0].iov_len = answer(&q, s, s->truncated, bytes, sizeof(bytes));
    ck_assert_int_eq(tlsyn_udp_send_message(udp, &message), 0);
}

static const struct tlsyn_udp_events udp_events = {.on_datagram = on_question};

/* RFC 1035 4.2.2: a length of two octets before each message. */
static void on_stream(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct server *srv = container_of(handler, struct server, tcp_handler);
    uint8_t bytes[2048];
    struct tlsyn_view view;
    size_t n = tlsyn_conn_peek(conn, &view), len;
    struct question q;
    struct writer w;

    if (tlsyn_conn_ended(conn))
        tlsyn_conn_close(conn);
    if (n < 2 || view.part[0].iov_len < n)
        return;
    q = parse((const uint8_t *)view.part[0].iov_base + 2, n - 2);
    srv->over_tcp++;
    len = answer(&q, script_of(q.name), false, bytes + 2, sizeof(bytes) - 2);
    w = writer_of(bytes, 2);
    put_u16(&w, (uint16_t)len);
    tlsyn_conn_consume(conn, n);
    ck_assert_int_eq(tlsyn_conn_write(conn, bytes, len + 2), (ssize_t)len + 2);
}

static const struct tlsyn_conn_events tcp_events = {.on_data = on_stream};

static struct tlsyn_handler *on_accept(struct tlsyn_acceptor *acceptor, struct tlsyn_conn *conn)
{
    (void)conn;
    return &container_of(acceptor, struct server, acceptor)->tcp_handler;
}

/* --- the bed ---------------------------------------------------------------------------------- */

static struct tlsyn_stack *stack_open(struct tlsyn_link *link, const char *addr,
                                      struct tlsyn_iface **out)
{
    struct tlsyn_addr address = addr_of(addr);
    struct tlsyn_stack *stack =
        tlsyn_stack_new(&(struct tlsyn_stack_options){.now = tlsyn_clock()});

    ck_assert_ptr_nonnull(stack);
    ck_assert_int_eq(tlsyn_iface_add(stack, link, out), 0);
    ck_assert_int_eq(tlsyn_iface_address(*out, &address, 24), 0);
    return stack;
}

static void server_open(void)
{
    struct tlsyn_addr second = addr_of("10.0.0.3");
    struct tlsyn_listen_options listen = {.local = {.port = 53}};
    struct tlsyn_udp_options udp = {.local = {.port = 53}};

    server = (struct server){.udp_handler = {.events = &udp_events},
                             .tcp_handler = {.events = &tcp_events},
                             .acceptor = {.accept = on_accept}};
    server.stack = stack_open(ends[1], "10.0.0.2", &server.iface);
    ck_assert_int_eq(tlsyn_iface_address(server.iface, &second, 24), 0);
    ck_assert_int_eq(tlsyn_udp_open(server.stack, &udp, &server.udp_handler, &server.udp), 0);
    ck_assert_int_eq(tlsyn_listener_open(server.stack, &listen, &server.acceptor, NULL), 0);
}

static void server_turn(void)
{
    struct tlsyn_frame frame[TLSYN_LINK_BATCH];
    tlsyn_time now = tlsyn_clock();
    int n = tlsyn_link_receive(ends[1], frame, TLSYN_LINK_BATCH, now);

    for (int i = 0; i < n; i++)
        tlsyn_stack_input(server.stack, server.iface, &frame[i], now);
    tlsyn_stack_timers(server.stack, now);
    tlsyn_stack_output(server.stack, now);
}

/* With both servers and a short patience, unless told otherwise. */
static void resolver_open(size_t servers)
{
    static const char *const search[] = {"domain.test"};
    const struct tlsyn_endpoint both[] = {endpoint("10.0.0.2", 0), endpoint("10.0.0.3", 53)};
    const struct tlsyn_resolver_options options = {.servers = both,
                                                   .server_count = servers,
                                                   .search = search,
                                                   .search_count = 1,
                                                   .timeout = TLSYN_MS(100),
                                                   .tries = 2};

    ck_assert_int_eq(tlsyn_resolver_new(loop, client, &options, &resolver), 0);
}

static void setup(void)
{
    const struct tlsyn_link_caps caps = {.mtu = 1500};

    ck_assert_int_eq(tlsyn_pipe_open(&caps, 256, ends), 0);
    client = stack_open(ends[0], "10.0.0.1", &iface);
    server_open();
    ck_assert_int_eq(tlsyn_loop_new(client, &(struct tlsyn_loop_options){.spin = -1}, &loop), 0);
    ck_assert_int_eq(tlsyn_loop_iface(loop, iface), 0);
    resolver_open(2);
}

static void teardown(void)
{
    tlsyn_resolver_free(resolver);
    tlsyn_loop_free(loop);
    tlsyn_stack_free(client);
    tlsyn_stack_free(server.stack);
    tlsyn_link_close(ends[0]);
    tlsyn_link_close(ends[1]);
}

/* Remembers what came of a lookup. */
struct result {
    struct tlsyn_resolved_handler base;
    int calls, error;
    size_t n;
    struct tlsyn_addr addr[TLSYN_RESOLVED_MAX];
    bool free_resolver;
};

static void on_resolved(struct tlsyn_resolved_handler *base, const struct tlsyn_addr *addrs,
                        size_t n, int error)
{
    struct result *r = container_of(base, struct result, base);

    r->calls++;
    r->error = error;
    r->n = n;
    if (n > 0)
        memcpy(r->addr, addrs, n * sizeof(*addrs));
    if (r->free_resolver) {
        tlsyn_resolver_free(resolver);
        resolver = NULL;
    }
}

static void turn(void)
{
    server_turn();
    ck_assert_int_ge(tlsyn_loop_turn(loop, tlsyn_clock() + 200), 0);
}

static struct result look_up(const char *name, enum tlsyn_family family)
{
    struct result r = {.base = {.on_resolved = on_resolved}};
    tlsyn_time give_up = tlsyn_clock() + TLSYN_SECONDS(60);

    ck_assert_int_eq(tlsyn_resolve(resolver, name, family, &r.base, NULL), 0);
    ck_assert_int_eq(r.calls, 0);
    while (r.calls == 0 && tlsyn_clock() < give_up)
        turn();
    ck_assert_int_eq(r.calls, 1);
    return r;
}

static bool is(const struct tlsyn_addr *a, const char *text)
{
    struct tlsyn_addr b = addr_of(text);

    return tlsyn_addr_eq(a, &b);
}

/* --- tests ------------------------------------------------------------------------------------ */

START_TEST(a_name_has_addresses_of_both_families_the_usable_first)
{
    struct tlsyn_addr everything = addr_of("0.0.0.0"), gateway = addr_of("10.0.0.2");
    struct result r;

    ck_assert_int_eq(tlsyn_route_add(client, &everything, 0, &gateway), 0);
    r = look_up("plain.test", TLSYN_FAMILY_ANY);
    ck_assert_int_eq(r.error, 0);
    ck_assert_uint_eq(r.n, 2);
    ck_assert(is(&r.addr[0], "192.0.2.1") && is(&r.addr[1], "2001:db8::1"));
    r = look_up("plain.test", TLSYN_FAMILY_IP6);
    ck_assert_uint_eq(r.n, 1);
    ck_assert(is(&r.addr[0], "2001:db8::1"));
}
END_TEST

START_TEST(an_address_with_a_route_comes_before_one_without)
{
    struct result r = look_up("only4.test", TLSYN_FAMILY_IP4);

    ck_assert_uint_eq(r.n, 2);
    ck_assert(is(&r.addr[0], "10.0.0.77") && is(&r.addr[1], "192.0.2.4"));
}
END_TEST

START_TEST(servers_and_addresses_may_be_ip6)
{
    const struct tlsyn_endpoint six = endpoint("fd77::2", 0);
    const struct tlsyn_resolver_options options = {.servers = &six, .server_count = 1};
    struct tlsyn_addr ours = addr_of("fd77::1"), theirs = addr_of("fd77::2");
    struct tlsyn_addr everything = addr_of("::"), default4 = addr_of("0.0.0.0");
    struct tlsyn_addr gateway4 = addr_of("10.0.0.2");
    struct result r;

    tlsyn_iface_dad(iface, 0);
    tlsyn_iface_dad(server.iface, 0);
    ck_assert_int_eq(tlsyn_iface_address(iface, &ours, 64), 0);
    ck_assert_int_eq(tlsyn_iface_address(server.iface, &theirs, 64), 0);
    ck_assert_int_eq(tlsyn_route_add(client, &everything, 0, &theirs), 0);
    ck_assert_int_eq(tlsyn_route_add(client, &default4, 0, &gateway4), 0);
    tlsyn_resolver_free(resolver);
    ck_assert_int_eq(tlsyn_resolver_new(loop, client, &options, &resolver), 0);

    r = look_up("plain.test", TLSYN_FAMILY_ANY);
    ck_assert_uint_eq(r.n, 2); /* RFC 6724: where both will do, IPv6 comes first */
    ck_assert(is(&r.addr[0], "2001:db8::1") && is(&r.addr[1], "192.0.2.1"));
    r = look_up("big.test", TLSYN_FAMILY_IP4);
    ck_assert_uint_eq(r.n, 25);
    ck_assert_int_eq(server.over_tcp, 1);
}
END_TEST

START_TEST(aliases_are_followed)
{
    struct result r = look_up("alias.test", TLSYN_FAMILY_IP4);

    ck_assert_int_eq(r.error, 0);
    ck_assert_uint_eq(r.n, 1);
    ck_assert(is(&r.addr[0], "192.0.2.1"));
}
END_TEST

START_TEST(search_domains_are_tried)
{
    struct result r = look_up("host", TLSYN_FAMILY_IP4);

    ck_assert_int_eq(r.error, 0);
    ck_assert(is(&r.addr[0], "192.0.2.6"));
}
END_TEST

START_TEST(errors_of_dns_are_told_apart)
{
    int error;

    ck_assert_int_eq(look_up("gone.test", TLSYN_FAMILY_ANY).error, -ENOENT);
    ck_assert_int_eq(look_up("only4.test", TLSYN_FAMILY_IP6).error, -ENODATA);
    error = look_up("fails.test", TLSYN_FAMILY_IP4).error;
    ck_assert(error == -EAGAIN || error == -ECONNREFUSED); /* c-ares 1.18 says the latter */
    error = look_up("refused.test", TLSYN_FAMILY_IP4).error;
    ck_assert(error == -EACCES || error == -ECONNREFUSED);
    ck_assert_int_ge(server.at_second, 2); /* both servers were asked */
    ck_assert_str_eq(tlsyn_resolve_text(-ENOENT), "there is no such name");
}
END_TEST

START_TEST(a_truncated_answer_comes_over_tcp)
{
    struct result r = look_up("big.test", TLSYN_FAMILY_IP4);

    ck_assert_int_eq(r.error, 0);
    ck_assert_uint_eq(r.n, 25);
    ck_assert_int_eq(server.over_udp, 1);
    ck_assert_int_eq(server.over_tcp, 1);
}
END_TEST

START_TEST(a_silent_server_gives_way_to_the_next)
{
    struct result r = look_up("slow.test", TLSYN_FAMILY_IP4);

    ck_assert_int_eq(r.error, 0);
    ck_assert(is(&r.addr[0], "192.0.2.9"));
    ck_assert_int_ge(server.at_second, 1);
    ck_assert_int_gt(server.over_udp, server.at_second);
}
END_TEST

START_TEST(silence_everywhere_ends_in_a_timeout)
{
    tlsyn_resolver_free(resolver);
    resolver_open(1);
    ck_assert_int_eq(look_up("slow.test", TLSYN_FAMILY_IP4).error, -ETIMEDOUT);
    ck_assert_int_eq(server.over_udp, 2); /* as many as tries */
}
END_TEST

START_TEST(a_closed_port_is_known_at_once)
{
    tlsyn_udp_close(server.udp);
    ck_assert_int_eq(look_up("plain.test", TLSYN_FAMILY_IP4).error, -ECONNREFUSED);
    ck_assert_uint_ge(tlsyn_counter(server.stack, TLSYN_COUNT_icmp_out), 2);
}
END_TEST

START_TEST(an_answer_from_somebody_else_is_ignored)
{
    struct result r = look_up("forged.test", TLSYN_FAMILY_IP4);

    ck_assert_uint_eq(r.n, 1);
    ck_assert(is(&r.addr[0], "192.0.2.8"));
    ck_assert_uint_eq(tlsyn_counter(client, TLSYN_COUNT_udp_no_ports), 1);
    r = look_up("forgedid.test", TLSYN_FAMILY_IP4);
    ck_assert_uint_eq(r.n, 1);
    ck_assert(is(&r.addr[0], "192.0.2.7"));
}
END_TEST

START_TEST(ports_and_ids_of_queries_change)
{
    int ports = 0, ids = 0;

    for (int i = 0; i < 16; i++) {
        char name[20]; /* another one each time: newer releases keep answers */

        snprintf(name, sizeof(name), "n%d.any.test", i);
        look_up(name, TLSYN_FAMILY_IP4);
    }
    ck_assert_int_eq(server.over_udp, 16);
    for (int i = 1; i < 16; i++) {
        ports += server.port[i] != server.port[i - 1];
        ids += (uint16_t)(server.id[i] - server.id[i - 1]) > 1;
    }
    ck_assert_int_ge(ports, 12);
    ck_assert_int_ge(ids, 12);
}
END_TEST

START_TEST(addresses_and_hosts_need_no_server)
{
    struct result r = look_up("192.0.2.200", TLSYN_FAMILY_ANY);

    ck_assert_uint_eq(r.n, 1);
    ck_assert(is(&r.addr[0], "192.0.2.200"));
    ck_assert_int_eq(look_up("192.0.2.200", TLSYN_FAMILY_IP6).error, -ENODATA);
    r = look_up("2001:db8::5", TLSYN_FAMILY_ANY);
    ck_assert(r.n == 1 && is(&r.addr[0], "2001:db8::5"));
    r = look_up("localhost", TLSYN_FAMILY_IP4);
    ck_assert_uint_ge(r.n, 1);
    ck_assert(is(&r.addr[0], "127.0.0.1"));
    ck_assert_int_eq(server.over_udp, 0);
}
END_TEST

START_TEST(a_cancelled_lookup_is_not_heard_of)
{
    struct result r = {.base = {.on_resolved = on_resolved}};
    struct tlsyn_lookup *lookup[2];

    ck_assert_int_eq(tlsyn_resolve(resolver, "plain.test", TLSYN_FAMILY_IP4, &r.base, &lookup[0]),
                     0);
    ck_assert_int_eq(tlsyn_resolve(resolver, "10.1.1.1", TLSYN_FAMILY_IP4, &r.base, &lookup[1]), 0);
    tlsyn_lookup_cancel(lookup[0]);
    tlsyn_lookup_cancel(lookup[1]);
    look_up("only4.test", TLSYN_FAMILY_IP4);
    ck_assert_int_eq(r.calls, 0);
}
END_TEST

START_TEST(the_resolver_may_be_freed_in_its_event_and_in_the_middle)
{
    struct result r = {.base = {.on_resolved = on_resolved}, .free_resolver = true};
    struct result other = {.base = {.on_resolved = on_resolved}};

    ck_assert_int_eq(tlsyn_resolve(resolver, "10.1.1.1", TLSYN_FAMILY_IP4, &r.base, NULL), 0);
    ck_assert_int_eq(tlsyn_resolve(resolver, "10.1.1.2", TLSYN_FAMILY_IP4, &other.base, NULL), 0);
    ck_assert_int_eq(tlsyn_resolve(resolver, "slow.test", TLSYN_FAMILY_IP4, &other.base, NULL), 0);
    for (int i = 0; i < 100 && r.calls == 0; i++)
        turn();
    ck_assert_int_eq(r.calls, 1);
    turn();
    ck_assert_int_eq(other.calls, 0);
}
END_TEST

START_TEST(lookups_under_way_are_bounded)
{
    static struct result r;
    int n = 0, error = 0;

    r.base.on_resolved = on_resolved;
    while ((error = tlsyn_resolve(resolver, "slow.test", TLSYN_FAMILY_IP4, &r.base, NULL)) == 0)
        n++;
    ck_assert_int_eq(error, -ENOBUFS);
    ck_assert_int_eq(n, 256);
}
END_TEST

Suite *resolver_suite(void)
{
    Suite *s = suite_create("resolver");
    TCase *t = tcase_create("resolver");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_name_has_addresses_of_both_families_the_usable_first);
    tcase_add_test(t, an_address_with_a_route_comes_before_one_without);
    tcase_add_test(t, servers_and_addresses_may_be_ip6);
    tcase_add_test(t, aliases_are_followed);
    tcase_add_test(t, search_domains_are_tried);
    tcase_add_test(t, errors_of_dns_are_told_apart);
    tcase_add_test(t, a_truncated_answer_comes_over_tcp);
    tcase_add_test(t, a_silent_server_gives_way_to_the_next);
    tcase_add_test(t, silence_everywhere_ends_in_a_timeout);
    tcase_add_test(t, a_closed_port_is_known_at_once);
    tcase_add_test(t, an_answer_from_somebody_else_is_ignored);
    tcase_add_test(t, ports_and_ids_of_queries_change);
    tcase_add_test(t, addresses_and_hosts_need_no_server);
    tcase_add_test(t, a_cancelled_lookup_is_not_heard_of);
    tcase_add_test(t, the_resolver_may_be_freed_in_its_event_and_in_the_middle);
    tcase_add_test(t, lookups_under_way_are_bounded);
    suite_add_tcase(s, t);
    return s;
}
