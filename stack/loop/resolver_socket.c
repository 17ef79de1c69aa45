/*
 * loop/resolver_socket.c: see resolver_socket.h. Errors are those of socket(2), connect(2),
 * recvfrom(2) and writev(2).
 */
#include "loop/resolver_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <tlsyn/conn.h>
#include <tlsyn/udp.h>

#include "core/list.h"

/* Above what open(2) gives: should anybody take a number for a descriptor after all, the call
 * fails. */
#define NUMBER_FIRST (1 << 24)

/* The one thing behind a number: `udp` or `conn`, or nothing yet, or nothing any more. */
struct rsocket {
    struct rsockets *set;
    int number;
    bool stream;
    bool established;
    struct tlsyn_udp_handler udp_handler;
    struct tlsyn_handler tcp_handler;
    struct tlsyn_udp *udp;
    struct tlsyn_conn *conn;
    const struct tlsyn_udp_datagram *arrived; /* during its event */
    int error;                                /* errno, for the next read */
};

static struct rsocket **slot_of(struct rsockets *set, int number)
{
    for (int i = 0; i < RSOCKETS_MAX; i++) {
        if (set->socket[i] && set->socket[i]->number == number)
            return &set->socket[i];
    }
    return NULL;
}

/* NULL, with errno, for a number that is closed. */
static struct rsocket *socket_of(struct rsockets *set, int number)
{
    struct rsocket **slot = slot_of(set, number);

    if (!slot)
        errno = EBADF;
    return slot ? *slot : NULL;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* --- events of the stack ---------------------------------------------------------------------- */

static void readable(struct rsocket *s)
{
    struct rsockets *set = s->set;

    ares_process_fd(set->channel, s->number, ARES_SOCKET_BAD);
    set->progressed(set);
}

static void writable(struct rsocket *s)
{
    struct rsockets *set = s->set;

    ares_process_fd(set->channel, ARES_SOCKET_BAD, s->number);
    set->progressed(set);
}

static void on_datagram(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                        const struct tlsyn_udp_datagram *datagram)
{
    struct rsocket *s = container_of(handler, struct rsocket, udp_handler);
    struct rsockets *set = s->set;
    int number = s->number;
    struct rsocket **slot;

    (void)udp;
    s->arrived = datagram;
    readable(s);
    slot = slot_of(set, number);
    if (slot)
        (*slot)->arrived = NULL;
}

static void on_error(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp,
                     const struct tlsyn_udp_error *told)
{
    struct rsocket *s = container_of(handler, struct rsocket, udp_handler);

    (void)udp;
    if (told->error == -EMSGSIZE) /* the path's MTU is known from now on: the query is repeated */
        return;
    s->error = -told->error;
    readable(s);
}

/* The stack is being freed. */
static void on_udp_closed(struct tlsyn_udp_handler *handler, struct tlsyn_udp *udp)
{
    (void)udp;
    container_of(handler, struct rsocket, udp_handler)->udp = NULL;
}

static const struct tlsyn_udp_events udp_events = {
    .on_datagram = on_datagram,
    .on_error = on_error,
    .on_closed = on_udp_closed,
};

static void on_established(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct rsocket *s = container_of(handler, struct rsocket, tcp_handler);

    (void)conn;
    s->established = true;
    writable(s);
}

/* c-ares reads a message's length, then its text, and believes that poll(2) will tell it
 * again; so it is told again as long as it takes something, until it has seen that there is no
 * more, or the end. */
static void on_data(struct tlsyn_handler *handler, struct tlsyn_conn *conn)
{
    struct rsocket *s = container_of(handler, struct rsocket, tcp_handler);
    struct rsockets *set = s->set;
    int number = s->number;
    struct tlsyn_view view;
    size_t left = tlsyn_conn_peek(conn, &view), before;

    do {
        before = left;
        readable(s);
        if (!slot_of(set, number))
            return; /* closed, and the connection released */
        left = tlsyn_conn_peek(conn, &view);
    } while (left < before);
}

static void on_acked(struct tlsyn_handler *handler, struct tlsyn_conn *conn, size_t n)
{
    (void)conn;
    (void)n;
    writable(container_of(handler, struct rsocket, tcp_handler));
}

static void on_closed(struct tlsyn_handler *handler, struct tlsyn_conn *conn, int error)
{
    struct rsocket *s = container_of(handler, struct rsocket, tcp_handler);

    (void)conn;
    s->conn = NULL;
    s->error = -error;
    readable(s);
}

static const struct tlsyn_conn_events tcp_events = {
    .on_established = on_established,
    .on_data = on_data,
    .on_acked = on_acked,
    .on_closed = on_closed,
};

/* --- addresses -------------------------------------------------------------------------------- */

static bool endpoint_of(const struct sockaddr *address, struct tlsyn_endpoint *endpoint)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (address->sa_family == AF_INET) {
        memcpy(&in, address, sizeof(in));
        endpoint->addr = tlsyn_addr_ip4((const uint8_t *)&in.sin_addr);
        endpoint->port = ntohs(in.sin_port);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&in6, address, sizeof(in6));
        memcpy(endpoint->addr.byte, &in6.sin6_addr, sizeof(endpoint->addr.byte));
        endpoint->port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}

/* As much as there is room for, and the length of all, like recvfrom(2). */
static void address_of(const struct tlsyn_endpoint *endpoint, struct sockaddr *address,
                       ares_socklen_t *room)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port)};
    bool ip4 = tlsyn_addr_is_ip4(&endpoint->addr);
    ares_socklen_t len = ip4 ? sizeof(in) : sizeof(in6);

    if (ip4)
        memcpy(&in.sin_addr, tlsyn_addr_octets(&endpoint->addr), sizeof(in.sin_addr));
    else
        memcpy(&in6.sin6_addr, endpoint->addr.byte, sizeof(in6.sin6_addr));
    memcpy(address, ip4 ? (const void *)&in : (const void *)&in6, *room < len ? *room : len);
    *room = len;
}

/* --- what c-ares calls ------------------------------------------------------------------------ */

static ares_socket_t rsocket_open(int domain, int type, int protocol, void *data)
{
    struct rsockets *set = data;
    struct rsocket **slot = NULL;

    (void)domain;
    (void)protocol;
    for (int i = 0; i < RSOCKETS_MAX && !slot; i++)
        slot = set->socket[i] ? NULL : &set->socket[i];
    if (!slot)
        return fail(EMFILE);
    *slot = calloc(1, sizeof(**slot));
    if (!*slot)
        return fail(ENOMEM);
    **slot = (struct rsocket){
        .set = set,
        .number = set->next++,
        .stream = type == SOCK_STREAM,
        .udp_handler = {.events = &udp_events},
        .tcp_handler = {.events = &tcp_events},
    };
    return (*slot)->number;
}

static int rsocket_close(ares_socket_t number, void *data)
{
    struct rsocket **slot = slot_of(data, number);
    struct rsocket *s;

    if (!slot)
        return fail(EBADF);
    s = *slot;
    *slot = NULL;
    if (s->udp)
        tlsyn_udp_close(s->udp);
    if (s->conn)
        tlsyn_conn_release(s->conn);
    free(s);
    return 0;
}

static int connect_datagrams(struct rsocket *s, const struct tlsyn_endpoint *remote)
{
    const struct tlsyn_udp_options options = {0};
    int error = tlsyn_udp_open(s->set->stack, &options, &s->udp_handler, &s->udp);

    if (error == 0)
        error = tlsyn_udp_connect(s->udp, remote);
    return error < 0 ? fail(-error) : 0;
}

static int connect_stream(struct rsocket *s, const struct tlsyn_endpoint *remote)
{
    const struct tlsyn_connect_options options = {.remote = *remote};
    int error = tlsyn_conn_open(s->set->stack, &options, &s->tcp_handler, &s->conn);

    return fail(error < 0 ? -error : EINPROGRESS);
}

static int rsocket_connect(ares_socket_t number, const struct sockaddr *address, ares_socklen_t len,
                           void *data)
{
    struct rsocket *s = socket_of(data, number);
    struct tlsyn_endpoint remote;

    (void)len;
    if (!s)
        return -1;
    if (!endpoint_of(address, &remote))
        return fail(EAFNOSUPPORT);
    return s->stream ? connect_stream(s, &remote) : connect_datagrams(s, &remote);
}

static ares_ssize_t receive_text(struct rsocket *s, uint8_t *bytes, size_t room)
{
    struct tlsyn_view view;
    size_t n = 0;

    if (!s->conn)
        return s->error ? fail(s->error) : 0;
    tlsyn_conn_peek(s->conn, &view);
    for (int i = 0; i < 2; i++) {
        size_t part = view.part[i].iov_len < room - n ? view.part[i].iov_len : room - n;

        if (part > 0)
            memcpy(bytes + n, view.part[i].iov_base, part);
        n += part;
    }
    tlsyn_conn_consume(s->conn, n);
    if (n == 0 && !tlsyn_conn_ended(s->conn))
        return fail(EAGAIN);
    return (ares_ssize_t)n;
}

static ares_ssize_t rsocket_receive(ares_socket_t number, void *bytes, size_t room, int flags,
                                    struct sockaddr *from, ares_socklen_t *from_len, void *data)
{
    struct rsocket *s = socket_of(data, number);
    const struct tlsyn_udp_datagram *datagram;
    size_t n;

    (void)flags;
    if (!s)
        return -1;
    if (s->stream)
        return receive_text(s, bytes, room);
    datagram = s->arrived;
    s->arrived = NULL;
    if (!datagram) {
        int error = s->error ? s->error : EAGAIN;

        s->error = 0;
        return fail(error);
    }
    n = datagram->len < room ? datagram->len : room;
    memcpy(bytes, datagram->bytes, n);
    if (from && from_len)
        address_of(&datagram->from, from, from_len);
    return (ares_ssize_t)n;
}

static ares_ssize_t send_text(struct rsocket *s, const struct iovec *iov, int n)
{
    ares_ssize_t sent = 0;

    if (!s->conn)
        return fail(s->error ? s->error : EPIPE);
    for (int i = 0; i < n && s->established; i++) {
        ssize_t taken = tlsyn_conn_write(s->conn, iov[i].iov_base, iov[i].iov_len);

        if (taken < 0 && sent == 0)
            return fail((int)-taken);
        if (taken > 0)
            sent += taken;
        if (taken < (ssize_t)iov[i].iov_len)
            break;
    }
    return sent > 0 ? sent : fail(EAGAIN);
}

static ares_ssize_t rsocket_send(ares_socket_t number, const struct iovec *iov, int n, void *data)
{
    struct rsocket *s = socket_of(data, number);
    struct tlsyn_udp_message message = {0};
    int error;

    if (!s)
        return -1;
    if (s->stream)
        return send_text(s, iov, n);
    if (!s->udp)
        return fail(ENOTCONN);
    if (n > 2) /* c-ares gives a query in one piece */
        return fail(EMSGSIZE);
    for (int i = 0; i < n; i++)
        message.text.part[i] = iov[i];
    error = tlsyn_udp_send_message(s->udp, &message);
    return error < 0 ? fail(-error) : (ares_ssize_t)tlsyn_view_len(&message.text);
}

static const struct ares_socket_functions functions = {
    .asocket = rsocket_open,
    .aclose = rsocket_close,
    .aconnect = rsocket_connect,
    .arecvfrom = rsocket_receive,
    .asendv = rsocket_send,
};

void rsockets_init(struct rsockets *set, struct tlsyn_stack *stack, ares_channel channel,
                   void (*progressed)(struct rsockets *))
{
    *set = (struct rsockets){
        .stack = stack, .channel = channel, .progressed = progressed, .next = NUMBER_FIRST};
    ares_set_socket_functions(channel, &functions, set);
}
