/*
 * differential/kernel.c: the kernel's TCP in a network namespace of its own, behind a TUN device:
 * what is written into the device has arrived, and was answered, when write() returns, so that
 * nothing has to be waited for.
 *
 * Each plan has a port of the peer's for itself, so that what one leaves behind (TIME-WAIT) is not
 * met by the next.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/list.h"
#include "differential/stacks.h"
#include "support/must.h"

#define FIRST_PORT 1024
#define PORTS      60000

struct kernel {
    struct subject base;
    int tun;
    int listener[2]; /* IPv4, IPv6 */
    int fd;          /* the plan's connection, or -1 */
    uint32_t plans;
};

static struct kernel *of(struct subject *s)
{
    return container_of(s, struct kernel, base);
}

/* --- the namespace --------------------------------------------------------------------------- */

static bool say(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, value, strlen(value));

    if (fd >= 0)
        close(fd);
    return n > 0;
}

static bool unshare_net(void)
{
    char map[40];
    unsigned uid = getuid();

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    snprintf(map, sizeof(map), "0 %u 1", uid);
    return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && say("/proc/self/setgroups", "deny") &&
           say("/proc/self/uid_map", map);
}

/* No bound on answers, and none of the extensions that have no counterpart here. */
static void set_up_tcp(void)
{
    static const char *const settings[][2] = {
        {"tcp_invalid_ratelimit", "0"},
        {"tcp_challenge_ack_limit", "2147483647"},
        {"tcp_no_metrics_save", "1"},
        {"tcp_syncookies", "0"},
        {"tcp_ecn", "0"},
        {"tcp_fastopen", "0"},
        {"tcp_autocorking", "0"},
        {"tcp_max_syn_backlog", "65536"},
        {"tcp_max_tw_buckets", "200000"},
        {"tcp_congestion_control", "reno"},
    };
    char path[120];

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", settings[i][0]);
        say(path, settings[i][1]);
    }
    say("/proc/sys/net/core/somaxconn", "4096");
}

static bool set_up_device(const char *name)
{
    struct ifreq ifr = {0};
    struct in6_ifreq ifr6 = {.ifr6_prefixlen = 64};
    struct sockaddr_in *addr = (struct sockaddr_in *)&ifr.ifr_addr;
    int s4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int s6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    addr->sin_family = AF_INET;
    addr->sin_addr.s_addr = htonl(0x0a000001);
    bool good = ioctl(s4, SIOCSIFADDR, &ifr) == 0;
    addr->sin_addr.s_addr = htonl(0xffffff00);
    good = good && ioctl(s4, SIOCSIFNETMASK, &ifr) == 0;
    ifr.ifr_flags = IFF_UP | IFF_RUNNING;
    good = good && ioctl(s4, SIOCSIFFLAGS, &ifr) == 0 && ioctl(s4, SIOCGIFINDEX, &ifr) == 0;
    ifr6.ifr6_ifindex = ifr.ifr_ifindex;
    inet_pton(AF_INET6, "fd77::1", &ifr6.ifr6_addr);
    good = good && ioctl(s6, SIOCSIFADDR, &ifr6) == 0;
    close(s4);
    close(s6);
    return good;
}

/* A device belongs to the namespace in which its file was opened. */
static int open_tun(void)
{
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int tun = unshare_net() ? open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;

    if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) < 0 || !set_up_device(ifr.ifr_name)) {
        fprintf(stderr, "no TUN device in a network namespace: %s\n", strerror(errno));
        if (tun >= 0)
            close(tun);
        return -1;
    }
    set_up_tcp();
    return tun;
}

/* --- sockets --------------------------------------------------------------------------------- */

static void set(int fd, int level, int option, int value)
{
    must(setsockopt(fd, level, option, &value, sizeof(value)) == 0);
}

static int new_socket(bool ip6)
{
    struct linger no_wait = {.l_onoff = 1};
    int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    must(fd >= 0);
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, DIFFERENTIAL_WINDOW);
    must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &no_wait, sizeof(no_wait)) == 0);
    return fd;
}

static socklen_t to_sockaddr(const struct tlsyn_endpoint *e, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(e->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};

    if (tlsyn_addr_is_ip4(&e->addr)) {
        memcpy(&in.sin_addr, tlsyn_addr_octets(&e->addr), 4);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    }
    memcpy(&in6.sin6_addr, e->addr.byte, 16);
    memcpy(out, &in6, sizeof(in6));
    return sizeof(in6);
}

static int new_listener(bool ip6)
{
    struct tlsyn_endpoint at = {our_addr(ip6), LISTEN_PORT};
    struct sockaddr_storage addr;
    int fd = new_socket(ip6);
    socklen_t len = to_sockaddr(&at, &addr);

    /* An IPv6 address is tentative until some worker of the kernel has had its turn. */
    for (int tries = 0; bind(fd, (struct sockaddr *)&addr, len) < 0; tries++) {
        must(errno == EADDRNOTAVAIL && tries < 5000);
        usleep(1000);
    }
    must(listen(fd, 4096) == 0);
    return fd;
}

/* What the kernel has put into the device. */
static void drain(struct subject *s)
{
    uint8_t bytes[4096];
    ssize_t n;

    while ((n = read(of(s)->tun, bytes, sizeof(bytes))) > 0)
        subject_sees(s, bytes, (size_t)n);
}

static void opens(struct kernel *k)
{
    struct sockaddr_storage addr;
    socklen_t len = to_sockaddr(&k->base.peer, &addr);

    k->fd = new_socket(k->base.plan->ip6);
    must(connect(k->fd, (struct sockaddr *)&addr, len) < 0 && errno == EINPROGRESS);
    k->base.standing.known = true;
}

static void begin(struct subject *s)
{
    struct kernel *k = of(s);

    s->local = (struct tlsyn_endpoint){our_addr(s->plan->ip6), LISTEN_PORT};
    s->peer = (struct tlsyn_endpoint){peer_addr(s->plan->ip6),
                                      (uint16_t)(FIRST_PORT + k->plans++ % PORTS)};
    k->fd = -1;
    drain(s); /* the kernel's own: router solicitations and the like */
    if (s->plan->active)
        opens(k);
    drain(s);
}

static void datagram(struct subject *s, const uint8_t *bytes, size_t len)
{
    must(write(of(s)->tun, bytes, len) == (ssize_t)len);
    drain(s);
}

static void user(struct subject *s, const struct step *step)
{
    static const uint8_t text[1000];
    struct kernel *k = of(s);

    if (k->fd < 0 || s->standing.state == TLSYN_CLOSED ||
        (s->standing.state < TLSYN_ESTABLISHED && step->act != ACT_ABORT))
        return;
    if (step->act == ACT_WRITE) {
        (void)!send(k->fd, text, step->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else if (step->act == ACT_SHUTDOWN) {
        shutdown(k->fd, SHUT_WR);
    } else if (step->act == ACT_ABORT) {
        close(k->fd);
        k->fd = -1;
        s->standing.state = TLSYN_CLOSED;
    }
    drain(s);
}

/* --- what it says of itself ------------------------------------------------------------------ */

/* tcpi_state counts from 1; <netinet/tcp.h>, which names the states, can't stand beside
 * <linux/tcp.h>, which has tcpi_snd_wnd. */
static enum tlsyn_state state_of(uint8_t theirs)
{
    static const enum tlsyn_state states[] = {
        TLSYN_CLOSED,     TLSYN_ESTABLISHED, TLSYN_SYN_SENT,  TLSYN_SYN_RECEIVED,
        TLSYN_FIN_WAIT_1, TLSYN_FIN_WAIT_2,  TLSYN_TIME_WAIT, TLSYN_CLOSED,
        TLSYN_CLOSE_WAIT, TLSYN_LAST_ACK,    TLSYN_CLOSED,    TLSYN_CLOSING,
    };

    must(theirs < sizeof(states) / sizeof(states[0]));
    return states[theirs];
}

static void read_all(struct kernel *k)
{
    uint8_t bytes[8192];
    ssize_t n;

    while ((n = recv(k->fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
        subject_reads(&k->base, bytes, (size_t)n);
}

static void look(struct subject *s)
{
    struct kernel *k = of(s);
    struct tcp_info info = {0};
    socklen_t len = sizeof(info);

    if (k->fd < 0 && !s->standing.known && !s->plan->active) {
        k->fd = accept4(k->listener[s->plan->ip6], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        s->standing.known = k->fd >= 0;
    }
    if (k->fd < 0)
        return;
    read_all(k);
    set(k->fd, IPPROTO_TCP, TCP_QUICKACK, 1); /* what was delayed leaves now */
    drain(s);
    must(getsockopt(k->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0);
    s->standing.state = state_of(info.tcpi_state);
    if (s->standing.state == TLSYN_CLOSED)
        return;
    s->standing.snd_una = (s->plan->active ? 0 : 1) + (int64_t)info.tcpi_bytes_acked;
    s->standing.snd_wnd = info.tcpi_snd_wnd;
    s->standing.rcv_nxt =
        s->standing.state == TLSYN_SYN_SENT ? 0 : 1 + (int64_t)info.tcpi_bytes_received;
}

/* An RST with the right number takes away what the user's calls no longer reach: SYN-RECEIVED and
 * TIME-WAIT. */
static void end(struct subject *s)
{
    struct kernel *k = of(s);
    struct ip_datagram d = {.src = s->peer.addr, .dst = s->local.addr};
    struct wire_tcp rst = {.src_port = s->peer.port, .dst_port = s->local.port, .flags = TCP_RST};
    uint8_t bytes[200];

    if (k->fd >= 0)
        close(k->fd);
    rst.seq = s->rcv_nxt;
    datagram(s, bytes, datagram_emit_tcp(&d, &rst, NULL, 0, bytes));
    int late = accept4(k->listener[s->plan->ip6], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (late >= 0)
        close(late);
    drain(s);
}

/* --- its life -------------------------------------------------------------------------------- */

struct subject *kernel_new(void)
{
    static const struct subject_ops ops = {.name = "kernel",
                                           .begin = begin,
                                           .datagram = datagram,
                                           .user = user,
                                           .look = look,
                                           .end = end};
    struct kernel *k = calloc(1, sizeof(*k));

    must(k != NULL);
    k->base.ops = &ops;
    k->tun = open_tun();
    if (k->tun < 0) {
        free(k);
        return NULL;
    }
    for (int ip6 = 0; ip6 < 2; ip6++)
        k->listener[ip6] = new_listener(ip6);
    return &k->base;
}

void kernel_free(struct subject *s)
{
    struct kernel *k = of(s);

    for (int ip6 = 0; ip6 < 2; ip6++)
        close(k->listener[ip6]);
    close(k->tun);
    free(k);
}
