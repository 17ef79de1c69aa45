/*
 * study/flood/forger.c: sends forged SYNs at a steady rate, some of them every millisecond.
 */
#include "study/flood/parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <tlsyn/loop.h>
#include <unistd.h>

enum { BATCH = 64 };

#define COOKIE_WAIT TLSYN_SECONDS(1)
#define BUFFER      (1 << 20)

struct forger {
    const struct flood_child *child;
    struct forge forge;
    struct rng rng;
    int fd;
    uint32_t rate;
    tlsyn_time began;
    struct flood_message report;
    uint8_t frames[BATCH][FORGE_FRAME_MAX];
};

static double cpu_seconds(void)
{
    struct rusage u;

    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int open_socket(struct forger *f, const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons(ETH_P_IP),
                             .sll_ifindex = (int)if_nametoindex(interface)};
    const int on = 1, buffer = BUFFER;
    struct ifreq request = {0};

    f->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));
    if (f->fd < 0 || bind(f->fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
        return -errno;
    (void)setsockopt(f->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
    (void)setsockopt(f->fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    memcpy(request.ifr_name, interface, strnlen(interface, IFNAMSIZ - 1));
    if (ioctl(f->fd, SIOCGIFHWADDR, &request) < 0)
        return -errno;
    memcpy(f->forge.from_hw, request.ifr_hwaddr.sa_data, 6);
    return 0;
}

/* --- a cookie of one's own -------------------------------------------------------------------- */

static bool take_cookie(struct forger *f, const uint8_t *frame, size_t len)
{
    const uint8_t *cookie = NULL;
    size_t n = forge_find_cookie(frame, len, FORGE_SOURCE, &cookie);

    if (n == 0)
        return false;
    memcpy(f->forge.cookie, cookie, n);
    f->forge.cookie_len = (uint8_t)n;
    return true;
}

/* Asks for one as the owner of an address would. A server that gives none takes any. */
static void harvest(struct forger *f)
{
    tlsyn_time until = tlsyn_clock() + COOKIE_WAIT;
    struct pollfd ready = {.fd = f->fd, .events = POLLIN};
    struct forge ask = f->forge;

    ask.text_len = 0;
    (void)send(f->fd, f->frames[0], forge_syn(&ask, FORGE_SOURCE, 1025, 1, f->frames[0]), 0);
    while (!f->report.cookie && tlsyn_clock() < until) {
        ssize_t n = poll(&ready, 1, 20) > 0 ? recv(f->fd, f->frames[0], FORGE_FRAME_MAX, 0) : 0;

        f->report.cookie = n > 0 && take_cookie(f, f->frames[0], (size_t)n);
    }
    if (!f->report.cookie)
        f->forge.cookie_len = 8;
}

/* Answers to what is forged are nobody's: they must not fill this socket. */
static void hear_no_more(const struct forger *f)
{
    const struct sockaddr_ll deaf = {.sll_family = AF_PACKET, .sll_protocol = 0};

    (void)bind(f->fd, (const struct sockaddr *)&deaf, sizeof(deaf));
}

/* --- sending ---------------------------------------------------------------------------------- */

static size_t forge_one(struct forger *f, uint8_t *frame)
{
    bool stolen = f->child->cell->kind == FLOOD_STOLEN;
    uint32_t source = FORGE_SOURCE + (stolen ? 0 : 1 + rng_below(&f->rng, FORGE_SOURCES - 2));
    uint64_t chance = rng_next(&f->rng);

    return forge_syn(&f->forge, source, (uint16_t)(1024 + chance % 64000), (uint32_t)(chance >> 32),
                     frame);
}

static void send_batch(struct forger *f, const struct sockaddr_ll *to, unsigned count)
{
    struct mmsghdr messages[BATCH];
    struct iovec frames[BATCH];
    int sent;

    for (unsigned i = 0; i < count; i++) {
        frames[i] = (struct iovec){f->frames[i], forge_one(f, f->frames[i])};
        messages[i] = (struct mmsghdr){
            .msg_hdr = {.msg_iov = &frames[i], .msg_iovlen = 1, .msg_namelen = sizeof(*to)}};
        messages[i].msg_hdr.msg_name = (void *)(uintptr_t)to;
    }
    sent = sendmmsg(f->fd, messages, count, 0);
    for (int i = 0; i < sent; i++)
        f->report.forged_bytes += frames[i].iov_len;
    f->report.forged += sent > 0 ? (uint64_t)sent : 0;
}

/* Nothing is made up for that could not be sent for want of time: the rate is never exceeded. */
static void send_until_told(struct forger *f, unsigned interface)
{
    const struct sockaddr_ll to = {.sll_family = AF_PACKET,
                                   .sll_protocol = htons(ETH_P_IP),
                                   .sll_ifindex = (int)interface,
                                   .sll_halen = 6};
    struct pollfd told = {.fd = f->child->control, .events = POLLIN};
    uint64_t asked = 0;

    f->began = tlsyn_clock();
    while (poll(&told, 1, 1) == 0) {
        uint64_t due = (uint64_t)(tlsyn_clock() - f->began) * f->rate / 1000000;

        if (due > asked + 16 * (uint64_t)BATCH)
            asked = due - 16 * (uint64_t)BATCH;
        while (asked < due) {
            unsigned count = due - asked < BATCH ? (unsigned)(due - asked) : BATCH;

            send_batch(f, &to, count);
            asked += count;
        }
    }
}

static int prepare(struct forger *f)
{
    const struct lab_host_info *info = lab_host_info(LAB_CLIENT);
    const struct flood_ground *ground = f->child->ground;
    struct in_addr to;
    int error;

    (void)inet_pton(AF_INET, flood_server_address(f->child->cell->pair), &to);
    f->forge = (struct forge){.to = ntohl(to.s_addr),
                              .to_port = FLOOD_PORT,
                              .text = ground->hello,
                              .text_len = ground->hello_len};
    memcpy(f->forge.to_hw, ground->server_hw, 6);
    f->rate = f->child->cell->rate;
    rng_seed(&f->rng, f->child->seed);
    error = open_socket(f, info->interface);
    if (error == 0 && f->child->cell->kind == FLOOD_STOLEN)
        harvest(f);
    if (error == 0)
        hear_no_more(f);
    return error;
}

int flood_forger(void *argument)
{
    struct forger *f = calloc(1, sizeof(*f));
    struct flood_message go;
    int error = f ? 0 : -ENOMEM;

    (void)signal(SIGINT, SIG_IGN); /* as of study/actors.h */
    (void)signal(SIGTERM, SIG_IGN);
    if (!f)
        return EXIT_FAILURE;
    f->child = argument;
    error = prepare(f);
    f->report.word = FLOOD_READY;
    f->report.error = error;
    error = flood_tell(f->child->control, &f->report);
    if (error == 0 && f->report.error == 0)
        error = actor_receive(f->child->control, &go, sizeof(go), -1);
    if (error == 0 && f->report.error == 0) {
        double before = cpu_seconds();

        send_until_told(f, if_nametoindex(lab_host_info(LAB_CLIENT)->interface));
        f->report.word = FLOOD_REPORT;
        f->report.cpu = cpu_seconds() - before;
        (void)flood_tell(f->child->control, &f->report);
    }
    if (f->fd >= 0)
        (void)close(f->fd);
    free(f);
    return EXIT_SUCCESS;
}
