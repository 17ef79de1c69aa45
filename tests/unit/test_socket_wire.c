/*
 * Socket options by what they do on the wire: a client sets them, first the kernel's and then ours,
 * the other side is each time the other's; what passes between is the same.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/bsd.h"
#include "support/must.h"
#include "support/wire.h"
#include "wire/ip4.h"
#include "wire/ip6.h"
#include "wire/tcp.h"

#define ADDR(a) ((struct sockaddr *)&(a))
#define HERE    b, __LINE__

/* --- what passes ------------------------------------------------------------------------------ */

struct passing {
    bool from_client;
    uint8_t tos, ttl;
    struct wire_tcp tcp;
};

static int sniffer;
static uint8_t packet[70000];

static void sniff(void)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_ALL),
                             .sll_ifindex = (int)if_nametoindex(TEST_WIRE_NEAR)};

    sniffer = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(sniffer >= 0 && bind(sniffer, ADDR(at), sizeof(at)) == 0);
}

static bool parse(const struct bsd *b, size_t n, struct passing *p)
{
    struct wire_ip4 ip4;
    struct wire_ip6 ip6;

    if (wire_ip4_parse(packet, n, &ip4) == 0 && ip4.protocol == IPPROTO_TCP) {
        p->tos = ip4.tos;
        p->ttl = ip4.ttl;
        p->from_client = memcmp(tlsyn_addr_octets(&ip4.src), &b->at[CLIENT].sin_addr, 4) == 0;
        return wire_tcp_parse(ip4.payload, ip4.payload_len, &p->tcp) == 0;
    }
    if (wire_ip6_parse(packet, n, &ip6) == 0 && ip6.next == IPPROTO_TCP) {
        p->tos = ip6.tos;
        p->ttl = ip6.hop_limit;
        p->from_client = memcmp(ip6.src.byte, &b->at6[CLIENT].sin6_addr, 16) == 0;
        return wire_tcp_parse(ip6.payload, ip6.payload_there, &p->tcp) == 0;
    }
    return false;
}

/* The next segment that the client (or the server) sends, within `ms`. */
static bool passes(struct bsd *b, bool from_client, int ms, struct passing *p)
{
    struct pollfd pf = {.fd = sniffer, .events = POLLIN};

    while (poll(&pf, 1, ms) > 0) {
        ssize_t n = recv(sniffer, packet, sizeof(packet), 0);

        if (n > 0 && parse(b, (size_t)n, p) && p->from_client == from_client)
            return true;
    }
    return false;
}

/* The client's next segment with text; its length, or 0: none comes within `ms`. */
static uint32_t text_passes(struct bsd *b, int ms, struct passing *p)
{
    while (passes(b, true, ms, p))
        if (p->tcp.text_len)
            return p->tcp.text_len;
    return 0;
}

/* What is under way passes first. */
static void forget(void)
{
    struct pollfd pf = {.fd = sniffer, .events = POLLIN};

    while (poll(&pf, 1, 50) > 0)
        (void)recv(sniffer, packet, sizeof(packet), MSG_DONTWAIT);
}

static void set(struct bsd *b, int line, int fd, const int option[2], int value)
{
    errno = 0;
    bsd_note(b, line, "setsockopt", b->setsockopt(fd, option[0], option[1], &value, sizeof(value)));
}

#define OPTION(level, name) ((const int[2]){level, name})

static int open_client(struct bsd *b)
{
    return bsd_socket(b, CLIENT, AF_INET, SOCK_STREAM, 0);
}

/* The client's connection is made, the server's end is *server. */
static void connect_to(struct bsd *b, int line, int client, int *server)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 3);

    errno = 0;
    bsd_note(b, line, "connect", b->connect(client, ADDR(at), sizeof(at)));
    *server = b->accept4(listener, NULL, NULL, 0);
    must(*server >= 0);
    b->close(listener);
}

/* --- scenarios -------------------------------------------------------------------------------- */

static void marked(struct bsd *b)
{
    int client = open_client(b), server;
    struct passing p;

    set(HERE, client, OPTION(IPPROTO_IP, IP_TOS), 0x10);
    set(HERE, client, OPTION(IPPROTO_IP, IP_TTL), 33);
    connect_to(HERE, client, &server);
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tos);
    STEP(b, p.ttl);
    set(HERE, client, OPTION(IPPROTO_IP, IP_TOS), 0xb8);
    set(HERE, client, OPTION(IPPROTO_IP, IP_TTL), 44);
    STEP(b, b->write(client, "text", 4));
    STEP(b, text_passes(b, 1000, &p));
    STEP(b, p.tos);
    STEP(b, p.ttl);
    b->close(client);
    b->close(server);
}

static void marked_in_ip6(struct bsd *b)
{
    int client = bsd_socket(b, CLIENT, AF_INET6, SOCK_STREAM, 0), server, listener;
    struct sockaddr_in6 at = bsd_address6(b, SERVER, 0);
    socklen_t n = sizeof(at);
    struct passing p;

    listener = bsd_socket(b, SERVER, AF_INET6, SOCK_STREAM, 0);
    must(b->bind(listener, ADDR(at), n) == 0 && b->listen(listener, 1) == 0);
    must(b->getsockname(listener, ADDR(at), &n) == 0);
    set(HERE, client, OPTION(IPPROTO_IPV6, IPV6_TCLASS), 0x28);
    set(HERE, client, OPTION(IPPROTO_IPV6, IPV6_UNICAST_HOPS), 7);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tos);
    STEP(b, p.ttl);
    OPENED(b, server, b->accept4(listener, NULL, NULL, 0));
    b->close(client);
    b->close(server);
    b->close(listener);
}

/* The client's next datagram of IPv4 to a group: its TTL; 0: none within a second. */
static int group_ttl_passes(const struct bsd *b)
{
    struct pollfd pf = {.fd = sniffer, .events = POLLIN};

    while (poll(&pf, 1, 1000) > 0) {
        ssize_t n = recv(sniffer, packet, sizeof(packet), 0);
        struct wire_ip4 ip4;

        if (n > 0 && wire_ip4_parse(packet, (size_t)n, &ip4) == 0 && ip4.protocol == IPPROTO_UDP &&
            *tlsyn_addr_octets(&ip4.dst) == 224 &&
            memcmp(tlsyn_addr_octets(&ip4.src), &b->at[CLIENT].sin_addr, 4) == 0)
            return ip4.ttl;
    }
    return 0;
}

/* IP_MULTICAST_IF gives the address that it leaves from; IP_TTL is of other datagrams. */
static void sent_to_a_group(struct bsd *b)
{
    static const int ttls[] = {-1, 5, 0, 2};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(4567)};
    struct in_addr from = bsd_address(b, CLIENT, 0).sin_addr;
    int client = bsd_socket(b, CLIENT, AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(0xe0000163);
    set(HERE, client, OPTION(IPPROTO_IP, IP_TTL), 33);
    STEP(b, b->setsockopt(client, IPPROTO_IP, IP_MULTICAST_IF, &from, sizeof(from)));
    STEP(b, b->sendto(client, "text", 4, 0, ADDR(to), sizeof(to)));
    STEP(b, group_ttl_passes(b));
    for (size_t i = 0; i < sizeof(ttls) / sizeof(*ttls); i++) {
        set(HERE, client, OPTION(IPPROTO_IP, IP_MULTICAST_TTL), ttls[i]);
        STEP(b, b->sendto(client, "text", 4, 0, ADDR(to), sizeof(to)));
        STEP(b, group_ttl_passes(b));
    }
    b->close(client);
}

static void segments_of_a_size(struct bsd *b)
{
    int client = open_client(b), server, value;
    socklen_t n = sizeof(value);
    struct passing p;

    set(HERE, client, OPTION(IPPROTO_TCP, TCP_MAXSEG), 600);
    connect_to(HERE, client, &server);
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tcp.options.mss);
    STEP(b, b->getsockopt(client, IPPROTO_TCP, TCP_MAXSEG, &value, &n));
    STEP(b, value);
    STEP(b, b->getsockopt(server, IPPROTO_TCP, TCP_MAXSEG, &value, &n));
    STEP(b, value);
    b->close(client);
    b->close(server);
}

static void a_small_window(struct bsd *b)
{
    static char bytes[100000];
    int client = open_client(b), server, nonblock = O_NONBLOCK;
    struct passing p;
    uint32_t most = 0;

    set(HERE, client, OPTION(SOL_SOCKET, SO_RCVBUF), 8192);
    connect_to(HERE, client, &server);
    STEP(b, passes(b, true, 1000, &p));
    uint8_t shift = p.tcp.options.wscale;
    STEP(b, b->fcntl(server, F_SETFL, nonblock));
    STEP(b, b->write(server, bytes, sizeof(bytes)) > 0);
    while (passes(b, true, 200, &p))
        most = (uint32_t)p.tcp.wnd << shift > most ? (uint32_t)p.tcp.wnd << shift : most;
    STEP(b, most > 2000 && most <= 16384);
    b->close(client);
    b->close(server);
}

static void corked(struct bsd *b)
{
    int client = open_client(b), server;
    struct passing p;

    connect_to(HERE, client, &server);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_CORK), 1);
    for (int i = 0; i < 3; i++)
        STEP(b, b->write(client, "abc", 3));
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_CORK), 0);
    STEP(b, text_passes(b, 1000, &p));
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_NODELAY), 1);
    STEP(b, b->sendto(client, "abcd", 4, MSG_MORE, NULL, 0));
    STEP(b, b->sendto(client, "e", 1, 0, NULL, 0));
    STEP(b, text_passes(b, 1000, &p));
    for (int i = 0; i < 3; i++)
        STEP(b, b->write(client, "abc", 3));
    for (int i = 0; i < 3; i++)
        STEP(b, text_passes(b, 1000, &p));
    STEP(b, b->sendto(client, "abcd", 4, MSG_MORE, NULL, 0));
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_NODELAY), 1);
    STEP(b, text_passes(b, 1000, &p));
    STEP(b, p.tcp.flags & TCP_PSH);
    b->close(client);
    b->close(server);
}

static void reset_by_lingering_not(struct bsd *b)
{
    const struct linger none = {1, 0};
    int client = open_client(b), server;
    struct passing p = {0};
    char byte;

    connect_to(HERE, client, &server);
    STEP(b, b->setsockopt(client, SOL_SOCKET, SO_LINGER, &none, sizeof(none)));
    forget();
    STEP(b, b->close(client));
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tcp.flags & (TCP_RST | TCP_FIN));
    STEP(b, b->read(server, &byte, 1));
    b->close(server);
}

/* What answers the server's FIN, long after the client closed: an ACK, or once FIN-WAIT-2 is over,
 * a reset. */
static void a_short_fin_wait(struct bsd *b)
{
    for (int seconds = 0; seconds < 2; seconds++) {
        int client = open_client(b), server;
        struct passing p = {0};

        if (seconds)
            set(HERE, client, OPTION(IPPROTO_TCP, TCP_LINGER2), seconds);
        connect_to(HERE, client, &server);
        b->close(client);
        (void)usleep(2500000);
        forget();
        b->close(server);
        STEP(b, passes(b, true, 1000, &p));
        STEP(b, p.tcp.flags & (TCP_RST | TCP_ACK));
    }
}

/* RFC 9293 3.8.4: of a number that was acknowledged already */
static void kept_alive(struct bsd *b)
{
    int client = open_client(b), server;
    struct passing p = {0}, answer = {0};
    tcp_seq next;

    set(HERE, client, OPTION(SOL_SOCKET, SO_KEEPALIVE), 1);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_KEEPIDLE), 1);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_KEEPINTVL), 1);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_KEEPCNT), 2);
    connect_to(HERE, client, &server);
    STEP(b, b->write(client, "x", 1));
    STEP(b, text_passes(b, 1000, &p));
    next = p.tcp.seq + 1;
    for (int i = 0; i < 2; i++) {
        STEP(b, passes(b, true, 3000, &p));
        STEP(b, p.tcp.text_len);
        STEP(b, next - p.tcp.seq);
        STEP(b, passes(b, false, 1000, &answer));
    }
    b->close(client);
    b->close(server);
}

static void given_up(struct bsd *b)
{
    int client = open_client(b), server, error = 0;
    socklen_t n = sizeof(error);

    set(HERE, client, OPTION(IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
    connect_to(HERE, client, &server);
    bsd_silence(b);
    STEP(b, b->write(client, "x", 1));
    SEEN(b, client, POLLIN);
    STEP(b, b->getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    b->close(client);
    b->close(server);
}

static void unanswered_probes(struct bsd *b)
{
    int client = open_client(b), server, error = 0;
    socklen_t n = sizeof(error);

    set(HERE, client, OPTION(SOL_SOCKET, SO_KEEPALIVE), 1);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_KEEPIDLE), 1);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_KEEPINTVL), 1);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_KEEPCNT), 2);
    connect_to(HERE, client, &server);
    bsd_silence(b);
    SEEN(b, client, POLLIN);
    STEP(b, b->getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &n));
    STEP(b, error);
    b->close(client);
    b->close(server);
}

static void few_syns(struct bsd *b)
{
    int client = open_client(b), server, syns = 0;
    struct sockaddr_in at = bsd_address(b, SERVER, 9);
    struct passing p;

    connect_to(HERE, client, &server); /* neighbours have found each other */
    b->close(client);
    b->close(server);
    bsd_silence(b);
    forget();
    client = open_client(b);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_SYNCNT), 1);
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    while (passes(b, true, 0, &p))
        syns += p.tcp.flags == TCP_SYN;
    STEP(b, syns > 1 && syns < 6); /* Linux sends the first ones at a steady pace, since 6.5 */
    b->close(client);
}

/* What did not fit the SYN of a call that waits rides on the ACK of the SYN-ACK. */
static void opened_with_more_text(struct bsd *b, struct sockaddr_in *at, int listener)
{
    static const char text[2000] = "more than a segment takes";
    int client = open_client(b), server;
    struct passing p;

    forget();
    STEP(b, b->sendto(client, text, sizeof(text), MSG_FASTOPEN, ADDR(*at), sizeof(*at)));
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tcp.text_len > 1000 && p.tcp.flags == TCP_SYN);
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tcp.text_len > 0);
    OPENED(b, server, b->accept4(listener, NULL, NULL, 0));
    b->close(client);
    b->close(server);
}

static void opened_with_text(struct bsd *b)
{
    struct sockaddr_in at;
    int listener = bsd_listener(b, &at, 3), client, server, five = 5;
    struct passing p;
    char text[16];

    STEP(b, b->setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &five, sizeof(five)));
    for (int i = 0; i < 2; i++) { /* for a cookie, and with it */
        client = open_client(b);
        forget();
        STEP(b, b->sendto(client, "hello", 5, MSG_FASTOPEN, ADDR(at), sizeof(at)));
        STEP(b, passes(b, true, 1000, &p));
        STEP(b, p.tcp.flags & TCP_SYN);
        STEP(b, p.tcp.text_len);
        OPENED(b, server, b->accept4(listener, NULL, NULL, 0));
        STEP(b, b->read(server, text, sizeof(text)));
        b->close(client);
        b->close(server);
    }
    client = open_client(b);
    set(HERE, client, OPTION(IPPROTO_TCP, TCP_FASTOPEN_CONNECT), 1);
    forget();
    STEP(b, b->connect(client, ADDR(at), sizeof(at)));
    STEP(b, passes(b, true, 100, &p)); /* nothing leaves yet */
    STEP(b, b->write(client, "hi", 2));
    STEP(b, passes(b, true, 1000, &p));
    STEP(b, p.tcp.text_len);
    OPENED(b, server, b->accept4(listener, NULL, NULL, 0));
    b->close(server);
    b->close(client);
    opened_with_more_text(b, &at, listener);
    b->close(listener);
}

/* --- both ------------------------------------------------------------------------------------- */

static char *log_of(void (*scenario)(struct bsd *), enum bsd_side ours)
{
    char *text = NULL;
    size_t size;
    struct bsd b;
    int fd;

    if (!bsd_mixed(&b, ours))
        return NULL;
    fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        must(write(fd, "3", 1) == 1);
        (void)close(fd);
    }
    sniff();
    b.log = open_memstream(&text, &size);
    scenario(&b);
    (void)fclose(b.log);
    (void)close(sniffer);
    bsd_end(&b);
    return text;
}

static void compare(void (*scenario)(struct bsd *))
{
    char *kernel = log_of(scenario, SERVER), *ours = log_of(scenario, CLIENT);

    if (kernel && ours && strcmp(kernel, ours) != 0) {
        bsd_tell(kernel, ours, "ours");
        must(false);
    }
    free(kernel);
    free(ours);
}

/* On the wire it is one way: the same calls by the kernel and by us, to the same listener. */
#undef COMPARED
#define COMPARED(name)                                                                             \
    START_TEST(name##_as_by_linux)                                                                 \
    {                                                                                              \
        compare(name);                                                                             \
    }                                                                                              \
    END_TEST

/* clang-format off */
COMPARED(marked)
COMPARED(marked_in_ip6)
COMPARED(sent_to_a_group)
COMPARED(segments_of_a_size)
COMPARED(a_small_window)
COMPARED(corked)
COMPARED(reset_by_lingering_not)
COMPARED(a_short_fin_wait)
COMPARED(kept_alive)
COMPARED(given_up)
COMPARED(unanswered_probes)
COMPARED(few_syns)
COMPARED(opened_with_text)
/* clang-format on */

Suite *socket_wire_suite(void);

Suite *socket_wire_suite(void)
{
    Suite *suite = suite_create("socket_wire");
    TCase *wire = tcase_create("wire");

    tcase_set_timeout(wire, 60);
    tcase_add_test(wire, marked_as_by_linux);
    tcase_add_test(wire, marked_in_ip6_as_by_linux);
    tcase_add_test(wire, sent_to_a_group_as_by_linux);
    tcase_add_test(wire, segments_of_a_size_as_by_linux);
    tcase_add_test(wire, a_small_window_as_by_linux);
    tcase_add_test(wire, corked_as_by_linux);
    tcase_add_test(wire, reset_by_lingering_not_as_by_linux);
    tcase_add_test(wire, a_short_fin_wait_as_by_linux);
    tcase_add_test(wire, kept_alive_as_by_linux);
    tcase_add_test(wire, given_up_as_by_linux);
    tcase_add_test(wire, unanswered_probes_as_by_linux);
    tcase_add_test(wire, few_syns_as_by_linux);
    tcase_add_test(wire, opened_with_text_as_by_linux);
    suite_add_tcase(suite, wire);
    return suite;
}
