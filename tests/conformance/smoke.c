/*
 * conformance/smoke.c: loads the shared object as packetdrill does, and plays a connection through
 * it in virtual time, so that it works for whoever has packetdrill, although the tests here do
 * without. Usage: conformance_smoke FILE.so
 *
 * The far end is at 192.0.2.1, and this machine's clock is looked at nowhere: what takes seconds
 * here takes no time.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conformance/asleep.h"
#include "conformance/interface.h"
#include "wire/checksum.h"
#include "wire/ip4.h"
#include "wire/tcp.h"

#define FLAGS "tls=off,address=192.168.0.1/16,gateway=192.168.0.2,rmem=15728640"
#define OURS  "192.168.0.1"
#define PEER  "192.0.2.1"
#define ISS   1000u /* the peer's */
#define MS    1000

/* What the lines of the script below share. */
struct drive {
    struct packetdrill_interface ifc;
    uint16_t port; /* the peer's */
    uint32_t irs;  /* the stack's first number, once it has said so */
    struct wire_tcp seen;
    long long seen_at; /* us */
    uint8_t bytes[2048];
};

#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            exit(EXIT_FAILURE);                                                                    \
        }                                                                                          \
    } while (0)

static struct tlsyn_addr addr_of(const char *text)
{
    uint8_t octets[4];

    must(inet_pton(AF_INET, text, octets) == 1);
    return tlsyn_addr_ip4(octets);
}

static struct sockaddr_in name_of(const char *text, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

    must(inet_pton(AF_INET, text, &name.sin_addr) == 1);
    return name;
}

/* --- the peer's two verbs --------------------------------------------------------------------- */

/* `seq` and `ack` count from the first number of who sends. */
static void peer_sends(struct drive *d, struct wire_tcp tcp, uint16_t from, size_t text)
{
    struct wire_ip4 ip = {.src = addr_of(PEER), .dst = addr_of(OURS), .ttl = 64, .protocol = 6};
    uint8_t bytes[1600] = {0};
    struct checksum sum = {0};
    uint16_t value;
    int n;

    tcp.src_port = from;
    tcp.dst_port = d->port;
    tcp.seq += ISS;
    if (tcp.flags & TCP_ACK) {
        tcp.ack += d->irs;
        tcp.options.tsecr = d->seen.options.tsval;
    }
    n = wire_tcp_emit(&tcp, bytes + IP4_HEADER_LEN, TCP_HEADER_MAX);
    must(n > 0);
    ip.total_len = (uint16_t)(IP4_HEADER_LEN + (size_t)n + text);
    must(wire_ip4_emit(&ip, bytes, IP4_HEADER_LEN) == IP4_HEADER_LEN);
    checksum_pseudo(&sum, &ip.src, &ip.dst, 6, (uint32_t)n + (uint32_t)text);
    checksum_add(&sum, bytes + IP4_HEADER_LEN, (size_t)n + text);
    value = htons(checksum_finish(&sum));
    memcpy(bytes + IP4_HEADER_LEN + TCP_CHECKSUM_OFFSET, &value, sizeof(value));
    must(d->ifc.netdev_send(d->ifc.userdata, bytes, ip.total_len) == 0);
}

/* The next segment that leaves has these flags and so much text. */
static void stack_sends(struct drive *d, uint8_t flags, uint32_t text)
{
    size_t count = sizeof(d->bytes);
    struct wire_ip4 ip;

    must(d->ifc.netdev_receive(d->ifc.userdata, d->bytes, &count, &d->seen_at) == 0);
    must(count > 0);
    must(wire_ip4_parse(d->bytes, count, &ip) == 0);
    must(wire_tcp_parse(ip.payload, ip.payload_len, &d->seen) == 0);
    must((d->seen.flags & ~TCP_PSH) == flags);
    must(d->seen.text_len == text);
}

static long long now(struct drive *d)
{
    struct timeval t;

    must(d->ifc.gettimeofday(d->ifc.userdata, &t, NULL) == 0);
    return t.tv_sec * 1000000LL + t.tv_usec;
}

/* --- a passive open, with text both ways ------------------------------------------------------ */

struct call {
    struct drive *drive;
    int fd, result;
    atomic_int thread;  /* 0: it has not begun */
    long long returned; /* us */
};

static void *accept_in_thread(void *data)
{
    struct call *call = data;
    struct drive *d = call->drive;

    atomic_store(&call->thread, gettid());
    call->result = d->ifc.accept(d->ifc.userdata, call->fd, NULL, NULL);
    call->returned = now(d);
    return NULL;
}

/* As Linux orders them: MSS, SACK-permitted, timestamps, NOP, window scale. */
static void is_linux_like(const uint8_t *options)
{
    static const uint8_t head[] = {2, 4, 0x05, 0xb4, 4, 2, 8, 10}, tail[] = {1, 3, 3, 8};

    must(memcmp(options, head, sizeof(head)) == 0);
    must(memcmp(options + sizeof(head) + 8, tail, sizeof(tail)) == 0);
}

static int opens(struct drive *d)
{
    struct sockaddr_in name = name_of(OURS, 8080);
    struct call call = {.drive = d};
    void *u = d->ifc.userdata;
    pthread_t thread;
    long long arrived;

    call.fd = d->ifc.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP);
    must(call.fd >= 0);
    must(d->ifc.bind(u, call.fd, (const struct sockaddr *)(void *)&name, sizeof(name)) == 0);
    must(d->ifc.listen(u, call.fd, 1) == 0);
    must(pthread_create(&thread, NULL, accept_in_thread, &call) == 0);
    while (!atomic_load(&call.thread) || !thread_is_asleep(atomic_load(&call.thread)))
        (void)sched_yield();
    must(d->ifc.usleep(u, 500 * MS) == 0);

    d->port = 8080;
    peer_sends(d,
               (struct wire_tcp){.flags = TCP_SYN,
                                 .wnd = 65535,
                                 .options = {.mss = 1000,
                                             .sack_permitted = true,
                                             .has_wscale = true,
                                             .has_ts = true,
                                             .tsval = 1}},
               40000, 0);
    stack_sends(d, TCP_SYN | TCP_ACK, 0);
    is_linux_like(d->bytes + IP4_HEADER_LEN + TCP_HEADER_LEN);
    must(d->seen.ack == ISS + 1);
    d->irs = d->seen.seq;
    must(d->ifc.usleep(u, 100 * MS) == 0);
    arrived = now(d);
    peer_sends(d,
               (struct wire_tcp){.flags = TCP_ACK,
                                 .seq = 1,
                                 .ack = 1,
                                 .wnd = 65535,
                                 .options = {.has_ts = true, .tsval = 2}},
               40000, 0);
    must(d->ifc.usleep(u, 3600u * 1000 * MS) == 0);
    must(pthread_join(thread, NULL) == 0);
    must(call.result >= 0);
    must(call.returned - arrived < MS); /* not when the hour had passed */
    must(d->ifc.close(u, call.fd) == 0);
    return call.result;
}

static void moves_text(struct drive *d, int fd)
{
    struct wire_tcp ack = {.flags = TCP_ACK,
                           .seq = 1,
                           .ack = 1,
                           .wnd = 65535,
                           .options = {.has_ts = true, .tsval = 3}};
    char text[2000] = "";
    void *u = d->ifc.userdata;
    long long first;
    int one = 1;

    must(d->ifc.setsockopt(u, fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
    peer_sends(d, ack, 40000, 900);
    stack_sends(d, TCP_ACK, 0);
    must(d->seen.ack == ISS + 901);
    must(d->ifc.read(u, fd, text, sizeof(text)) == 900);
    errno = 0;
    must(d->ifc.recv(u, fd, text, sizeof(text), MSG_DONTWAIT) == -1 && errno == EAGAIN);

    must(d->ifc.write(u, fd, text, 1976) == 1976);
    stack_sends(d, TCP_ACK, 988);
    first = d->seen_at;
    stack_sends(d, TCP_ACK, 988);
    stack_sends(d, TCP_ACK, 988); /* nobody answered: the tail again */
    must(d->seen_at - first >= 2 * MS && d->seen_at <= now(d));
    ack.seq = 901;
    ack.ack = 1977;
    peer_sends(d, ack, 40000, 0);
}

static void ends(struct drive *d, int fd)
{
    struct wire_tcp fin = {.flags = TCP_FIN | TCP_ACK,
                           .seq = 901,
                           .ack = 1978,
                           .wnd = 65535,
                           .options = {.has_ts = true, .tsval = 4}};

    must(d->ifc.close(d->ifc.userdata, fd) == 0);
    stack_sends(d, TCP_FIN | TCP_ACK, 0);
    must(d->seen.seq == d->irs + 1977);
    peer_sends(d, fin, 40000, 0);
    stack_sends(d, TCP_ACK, 0);
    must(d->seen.ack == ISS + 902);
}

/* --- a connect that nobody answers ------------------------------------------------------------ */

static void gives_up(struct drive *d)
{
    static const uint8_t options[] = {2, 4, 0x05, 0xb4, 1, 1, 4, 2, 1, 3, 3, 8};
    struct sockaddr_in name = name_of(PEER, 8080);
    void *u = d->ifc.userdata;
    int fd = d->ifc.socket(u, AF_INET, SOCK_STREAM, IPPROTO_TCP), epoll, error = 0;
    struct epoll_event event = {.events = EPOLLOUT};
    socklen_t length = sizeof(error);
    size_t count = sizeof(d->bytes);

    must(d->ifc.fcntl(u, fd, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
    must(d->ifc.connect(u, fd, (const struct sockaddr *)(void *)&name, sizeof(name)) == -1);
    must(errno == EINPROGRESS);
    stack_sends(d, TCP_SYN, 0);
    must(memcmp(d->bytes + IP4_HEADER_LEN + TCP_HEADER_LEN, options, sizeof(options)) == 0);
    epoll = d->ifc.epoll_create(u, 1);
    must(epoll >= 0);
    must(d->ifc.epoll_ctl(u, epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    must(d->ifc.epoll_wait(u, epoll, &event, 1, 0) == 0);
    for (int i = 0; i < 6; i++)
        stack_sends(d, TCP_SYN, 0);
    must(d->ifc.netdev_receive(u, d->bytes, &count, &d->seen_at) == 0);
    must(count == 0); /* never anything again */
    must(d->ifc.epoll_wait(u, epoll, &event, 1, 0) == 1);
    must(d->ifc.getsockopt(u, fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0);
    must(error == ETIMEDOUT);
    must(d->ifc.close(u, fd) == 0);
    must(d->ifc.close(u, epoll) == 0);
}

int main(int argc, char **argv)
{
    void (*init)(const char *, struct packetdrill_interface *) = NULL;
    struct drive drive = {0}, plain = {0};
    void *object, *function;
    int fd;

    must(argc == 2);
    object = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!object)
        (void)fprintf(stderr, "%s\n", dlerror());
    must(object);
    function = dlsym(object, "packetdrill_interface_init");
    must(function);
    memcpy(&init, &function, sizeof(init)); /* as dlsym(3) shows */
    init(FLAGS, &drive.ifc);
    fd = opens(&drive);
    moves_text(&drive, fd);
    ends(&drive, fd);
    init(FLAGS ",timestamps=0", &plain.ifc);
    gives_up(&plain);
    plain.ifc.free(plain.ifc.userdata);
    drive.ifc.free(drive.ifc.userdata);
    must(dlclose(object) == 0);
    return EXIT_SUCCESS;
}
