/*
 * peer/lwip.c: one TCP connection of lwIP over a TAP interface. Read first: lwIP's raw API
 * (lwip/tcp.h), its netif.h.
 *
 * The library is built with threads (NO_SYS 0), but nothing starts them here: as long as no thread
 * calls itself the TCP/IP thread, its checks for one are off, and the raw API with a netif that
 * calls ethernet_input() is all that is needed.
 *
 * It is loaded at run time and for itself (RTLD_LOCAL), because it exports names that are also
 * ours: linked, its ip4_input() and our ip4_input() would call each other's callees.
 */
#include "peer/lwip.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <tlsyn/link.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#define FRAME_MAX 1514
#define BATCH     32 /* frames taken in per poll at most: then acknowledgements leave */

#define LIBRARY "liblwip.so.0"

/* What is called of it. */
/* clang-format off */
#define CALLS(X) \
    X(lwip_init) X(netif_add) X(netif_set_default) X(netif_set_link_up) X(netif_set_up) \
    X(netif_remove) X(etharp_output) X(ethernet_input) X(pbuf_alloc) X(pbuf_free) \
    X(pbuf_realloc) X(pbuf_copy_partial) X(sys_check_timeouts) X(tcp_output) X(tcp_new) \
    X(tcp_bind) X(tcp_listen_with_backlog) X(tcp_arg) X(tcp_accept) X(tcp_recv) X(tcp_sent) \
    X(tcp_err) X(tcp_connect) X(tcp_recved) X(tcp_write) X(tcp_shutdown) X(tcp_abort) \
    X(tcp_close) X(ip4addr_aton)
/* clang-format on */

struct calls {
#define X(name) __typeof__(name) *name;
    CALLS(X)
#undef X
};

struct peer_lwip {
    void *library;
    struct calls call;
    int fd;
    struct netif netif;
    struct tcp_pcb *pcb, *listener;
    const struct peer_lwip_events *events;
    void *user;
};

bool peer_lwip_is_there(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (library)
        (void)dlclose(library);
    return library != NULL;
}

static int load(struct peer_lwip *l)
{
    bool whole = true;

    l->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!l->library)
        return -EOPNOTSUPP;
#define X(name) whole = (*(void **)(void *)&l->call.name = dlsym(l->library, #name)) && whole;
    CALLS(X)
#undef X
    return whole ? 0 : -EOPNOTSUPP;
}

const char *peer_lwip_description(void)
{
    static char text[160];

    (void)snprintf(text, sizeof(text),
                   "lwIP " LWIP_VERSION_STRING
                   " as packaged: MSS %d, receive window %d bytes, send "
                   "buffer %d bytes, no SACK; raw API in one thread, TAP without offload",
                   TCP_MSS, (int)TCP_WND, (int)TCP_SND_BUF);
    return text;
}

/* --- the interface ---------------------------------------------------------------------------- */

/* lwIP's own headers have a sockaddr_in of theirs in places; this is the kernel's. */
static int configure(const char *name, const char *address)
{
    struct ifreq request = {.ifr_flags = 0};
    struct sockaddr_in in = {.sin_family = AF_INET};
    int status = -1;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    (void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    (void)inet_pton(AF_INET, address, &in.sin_addr);
    memcpy(&request.ifr_addr, &in, sizeof(in));
    status = ioctl(fd, SIOCSIFADDR, &request);
    (void)inet_pton(AF_INET, "255.255.255.0", &in.sin_addr);
    memcpy(&request.ifr_netmask, &in, sizeof(in));
    status = status < 0 ? status : ioctl(fd, SIOCSIFNETMASK, &request);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    status = status < 0 ? status : ioctl(fd, SIOCSIFFLAGS, &request);
    int error = status < 0 ? -errno : 0;
    (void)close(fd);
    return error;
}

static int open_tap(const char *kernel)
{
    char name[TLSYN_TAP_NAME];
    int fd = tlsyn_tap_attach("lwip%d", false, name);
    int error = fd < 0 ? fd : configure(name, kernel);

    if (error < 0 && fd >= 0)
        (void)close(fd);
    return error < 0 ? error : fd;
}

static err_t send_frame(struct netif *netif, struct pbuf *p)
{
    struct peer_lwip *l = netif->state;
    char bytes[FRAME_MAX];
    const void *frame = p->payload;

    if (p->next) {
        if (p->tot_len > sizeof(bytes))
            return ERR_BUF;
        (void)l->call.pbuf_copy_partial(p, bytes, p->tot_len, 0);
        frame = bytes;
    }
    return write(l->fd, frame, p->tot_len) < 0 ? ERR_IF : ERR_OK;
}

static err_t describe_netif(struct netif *netif)
{
    const struct peer_lwip *l = netif->state;
    static const uint8_t hwaddr[] = {0x02, 0, 10, 78, 0, 2};

    netif->name[0] = 't';
    netif->name[1] = 'p';
    netif->output = l->call.etharp_output;
    netif->linkoutput = send_frame;
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof(hwaddr);
    memcpy(netif->hwaddr, hwaddr, sizeof(hwaddr));
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    return ERR_OK;
}

/* False when there was no frame. */
static bool take_frame(struct peer_lwip *l)
{
    struct pbuf *p = l->call.pbuf_alloc(PBUF_RAW, FRAME_MAX, PBUF_RAM);
    ssize_t n = p ? read(l->fd, p->payload, FRAME_MAX) : -1;

    if (n <= 0) {
        if (p)
            (void)l->call.pbuf_free(p);
        return false;
    }
    l->call.pbuf_realloc(p, (u16_t)n);
    if (l->netif.input(p, &l->netif) != ERR_OK)
        (void)l->call.pbuf_free(p);
    return true;
}

bool peer_lwip_poll(struct peer_lwip *lwip)
{
    int taken = 0;

    while (taken < BATCH && take_frame(lwip))
        taken++;
    lwip->call.sys_check_timeouts();
    if (lwip->pcb)
        (void)lwip->call.tcp_output(lwip->pcb);
    return taken > 0;
}

int peer_lwip_fd(const struct peer_lwip *lwip)
{
    return lwip->fd;
}

/* --- the connection --------------------------------------------------------------------------- */

static int errno_of(err_t error)
{
    switch (error) {
    case ERR_OK:
        return 0;
    case ERR_RST:
        return -ECONNREFUSED;
    case ERR_ABRT:
        return -ECONNABORTED;
    case ERR_MEM:
        return -ENOMEM;
    default:
        return -EIO;
    }
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error)
{
    struct peer_lwip *l = arg;

    (void)error;
    if (!p) {
        l->events->ended(l->user);
        return ERR_OK;
    }
    for (const struct pbuf *q = p; q; q = q->next)
        l->events->received(l->user, q->payload, q->len);
    l->call.tcp_recved(pcb, p->tot_len);
    (void)l->call.pbuf_free(p);
    return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
    struct peer_lwip *l = arg;

    (void)pcb;
    (void)n;
    l->events->acked(l->user);
    return ERR_OK;
}

static void on_error(void *arg, err_t error)
{
    struct peer_lwip *l = arg;

    l->pcb = NULL; /* lwIP has freed it */
    l->events->failed(l->user, errno_of(error));
}

static void adopt(struct peer_lwip *l, struct tcp_pcb *pcb)
{
    l->pcb = pcb;
    tcp_nagle_disable(pcb);
    l->call.tcp_arg(pcb, l);
    l->call.tcp_recv(pcb, on_received);
    l->call.tcp_sent(pcb, on_sent);
    l->call.tcp_err(pcb, on_error);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct peer_lwip *l = arg;

    (void)pcb;
    (void)error;
    l->events->connected(l->user);
    return ERR_OK;
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t error)
{
    struct peer_lwip *l = arg;

    if (error != ERR_OK || l->pcb)
        return ERR_VAL;
    adopt(l, pcb);
    l->events->connected(l->user);
    return ERR_OK;
}

int peer_lwip_listen(struct peer_lwip *lwip, uint16_t port)
{
    struct tcp_pcb *pcb = lwip->call.tcp_new();
    ip_addr_t any = IPADDR4_INIT(0);

    if (!pcb || lwip->call.tcp_bind(pcb, &any, port) != ERR_OK)
        return -ENOMEM;
    lwip->listener = lwip->call.tcp_listen_with_backlog(pcb, 1);
    if (!lwip->listener)
        return -ENOMEM;
    lwip->call.tcp_arg(lwip->listener, lwip);
    lwip->call.tcp_accept(lwip->listener, on_accepted);
    return 0;
}

int peer_lwip_connect(struct peer_lwip *lwip, const char *address, uint16_t port)
{
    struct tcp_pcb *pcb = lwip->call.tcp_new();
    ip_addr_t to = IPADDR4_INIT(0);

    if (!pcb || !lwip->call.ip4addr_aton(address, ip_2_ip4(&to)))
        return -ENOMEM;
    adopt(lwip, pcb);
    return errno_of(lwip->call.tcp_connect(pcb, &to, port, on_connected));
}

size_t peer_lwip_room(const struct peer_lwip *lwip)
{
    if (!lwip->pcb || tcp_sndqueuelen(lwip->pcb) >= TCP_SND_QUEUELEN - 2)
        return 0;
    return tcp_sndbuf(lwip->pcb);
}

int peer_lwip_write(struct peer_lwip *lwip, const uint8_t *bytes, size_t n)
{
    return lwip->pcb
               ? errno_of(lwip->call.tcp_write(lwip->pcb, bytes, (u16_t)n, TCP_WRITE_FLAG_COPY))
               : -EPIPE;
}

int peer_lwip_close(struct peer_lwip *lwip)
{
    return lwip->pcb ? errno_of(lwip->call.tcp_shutdown(lwip->pcb, 0, 1)) : -EPIPE;
}

/* --- life ------------------------------------------------------------------------------------- */

/* The library stays loaded: its memory pools hang off it. */
static void release(struct peer_lwip *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    free(l);
}

int peer_lwip_open(const char *kernel, const char *own, const struct peer_lwip_events *events,
                   void *user, struct peer_lwip **lwip)
{
    struct peer_lwip *l = calloc(1, sizeof(*l));
    ip4_addr_t address, mask, gateway;

    if (!l)
        return -ENOMEM;
    l->events = events;
    l->user = user;
    l->fd = -1;
    int error = load(l);
    if (error == 0)
        error = l->fd = open_tap(kernel);
    if (error < 0) {
        release(l);
        return error;
    }
    l->call.lwip_init();
    (void)l->call.ip4addr_aton(own, &address);
    (void)l->call.ip4addr_aton("255.255.255.0", &mask);
    (void)l->call.ip4addr_aton(kernel, &gateway);
    if (!l->call.netif_add(&l->netif, &address, &mask, &gateway, l, describe_netif,
                           l->call.ethernet_input)) {
        peer_lwip_free(l);
        return -ENOMEM;
    }
    l->call.netif_set_default(&l->netif);
    l->call.netif_set_link_up(&l->netif);
    l->call.netif_set_up(&l->netif);
    *lwip = l;
    return 0;
}

void peer_lwip_free(struct peer_lwip *lwip)
{
    if (!lwip)
        return;
    if (lwip->pcb) {
        lwip->call.tcp_err(lwip->pcb, NULL);
        lwip->call.tcp_abort(lwip->pcb);
    }
    if (lwip->listener)
        (void)lwip->call.tcp_close(lwip->listener);
    lwip->call.netif_remove(&lwip->netif);
    release(lwip);
}
