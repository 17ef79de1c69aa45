/*
 * socket/ancillary.c: see ancillary.h. Read first: cmsg(3), ip(7) IP_PKTINFO, ipv6(7); RFC 3542 6.
 *
 * A server that is bound to no address learns here which of its own a datagram came to, and answers
 * from that one. A net has one interface: its index is in what is told, and in what is sent it is
 * not looked at.
 */
#include "socket/ancillary.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/time.h>

#include "socket/address.h"

/* --- out -------------------------------------------------------------------------------------- */

/* One that the program wrote. */
struct note {
    int level, type;
    const uint8_t *data;
    size_t len;
};

/* One number from lo to hi; `byte` is said to be enough. */
static int take_number(const struct note *note, int lo, int hi, bool byte, int *number)
{
    int value;

    if (note->len == sizeof(value))
        memcpy(&value, note->data, sizeof(value));
    else if (byte && note->len == 1)
        value = *note->data;
    else
        return -EINVAL;
    if (value < lo || value > hi)
        return -EINVAL;
    *number = value;
    return 0;
}

static int take_ip4(const struct note *note, struct sock_sending *how)
{
    struct in_pktinfo info;
    uint8_t octets[4];

    switch (note->type) {
    case IP_PKTINFO:
        if (note->len != sizeof(info))
            return -EINVAL;
        memcpy(&info, note->data, sizeof(info));
        memcpy(octets, &info.ipi_spec_dst, sizeof(octets));
        how->from = info.ipi_spec_dst.s_addr ? tlsyn_addr_ip4(octets) : (struct tlsyn_addr){0};
        return 0;
    case IP_TTL:
        return take_number(note, 1, 255, false, &how->ttl);
    case IP_TOS:
        return take_number(note, 0, 255, true, &how->tos);
    default:
        return -EINVAL;
    }
}

static int take_ip6(const struct note *note, struct sock_sending *how)
{
    struct in6_pktinfo info;

    switch (note->type) {
    case IPV6_PKTINFO:
        if (note->len < sizeof(info))
            return -EINVAL;
        memcpy(&info, note->data, sizeof(info));
        memcpy(how->from.byte, &info.ipi6_addr, sizeof(how->from.byte));
        return 0;
    case IPV6_HOPLIMIT:
        return take_number(note, -1, 255, false, &how->ttl);
    case IPV6_TCLASS:
        return take_number(note, -1, 255, false, &how->tos);
    default:
        return -EINVAL;
    }
}

/* What travels over descriptors goes nowhere here, as over the kernel's TCP and UDP. */
static int take_general(const struct note *note)
{
    return note->type == SCM_RIGHTS || note->type == SCM_CREDENTIALS ? 0 : -EINVAL;
}

/* Linux passes over levels that the destination's family knows nothing of; but to an IPv4 address,
 * an IPv6 socket may say the source in its own way. */
static int take_one(const struct sock *sock, const struct note *note, struct sock_sending *how)
{
    const struct tlsyn_addr *to = how->to ? &how->to->addr : &sock->remote.addr;
    bool ip4 = sock->domain == AF_INET || tlsyn_addr_is_ip4(to);

    if (note->level == SOL_SOCKET)
        return take_general(note);
    if (sock->type == SOCK_STREAM)
        return 0;
    if (ip4 && note->level == IPPROTO_IP)
        return take_ip4(note, how);
    if (note->level == IPPROTO_IPV6 && sock->domain == AF_INET6 &&
        (!ip4 || note->type == IPV6_PKTINFO))
        return take_ip6(note, how);
    return 0;
}

int ancillary_take(const struct sock *sock, const struct msghdr *message, struct sock_sending *how)
{
    const uint8_t *control = message->msg_control;
    size_t left = message->msg_controllen;

    if (left > 0 && !control)
        return -EFAULT;
    while (left >= sizeof(struct cmsghdr)) {
        struct cmsghdr header;
        struct note note;
        int error;

        memcpy(&header, control, sizeof(header));
        if (header.cmsg_len < sizeof(header) || header.cmsg_len > left)
            return -EINVAL;
        note = (struct note){.level = header.cmsg_level,
                             .type = header.cmsg_type,
                             .data = control + CMSG_LEN(0),
                             .len = header.cmsg_len - CMSG_LEN(0)};
        error = take_one(sock, &note, how);
        if (error < 0 || CMSG_ALIGN(header.cmsg_len) >= left)
            return error;
        control += CMSG_ALIGN(header.cmsg_len);
        left -= CMSG_ALIGN(header.cmsg_len);
    }
    return 0;
}

/* --- in --------------------------------------------------------------------------------------- */

/* The program's buffer, and how much of it is used. */
struct notes {
    struct msghdr *message;
    size_t used;
};

static void put(struct notes *notes, int level, int type, const void *data, size_t len)
{
    struct msghdr *message = notes->message;
    size_t room = message->msg_controllen - notes->used, whole = CMSG_LEN(len);
    struct cmsghdr header = {.cmsg_level = level, .cmsg_type = type};
    uint8_t *at = message->msg_control;

    if (!at || room < sizeof(header)) {
        message->msg_flags |= MSG_CTRUNC;
        return;
    }
    if (whole > room) {
        message->msg_flags |= MSG_CTRUNC;
        whole = room;
    }
    at += notes->used;
    header.cmsg_len = whole;
    memcpy(at, &header, sizeof(header));
    memcpy(at + sizeof(header), data, whole - sizeof(header));
    notes->used += CMSG_SPACE(len) < room ? CMSG_SPACE(len) : room;
}

/* What came to a broadcast address is answered from any of ours. */
static void put_ip4(struct notes *notes, const struct sock *sock, const struct sock_received *about)
{
    struct in_pktinfo info = {.ipi_ifindex = sock->net->interface_index};
    const struct sock_options *wanted = &sock->options;
    int ttl = about->ttl;

    memcpy(&info.ipi_addr, tlsyn_addr_octets(&about->to), sizeof(info.ipi_addr));
    if (!about->to_all)
        info.ipi_spec_dst = info.ipi_addr;
    if (wanted->pktinfo)
        put(notes, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    if (wanted->recv_ttl)
        put(notes, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    if (wanted->recv_tos)
        put(notes, IPPROTO_IP, IP_TOS, &about->tos, sizeof(about->tos));
}

static void put_ip6(struct notes *notes, const struct sock_options *wanted,
                    const struct sock_received *about)
{
    int hops = about->ttl, tclass = about->tos;

    if (wanted->recv_hops)
        put(notes, IPPROTO_IPV6, IPV6_HOPLIMIT, &hops, sizeof(hops));
    if (wanted->recv_tclass)
        put(notes, IPPROTO_IPV6, IPV6_TCLASS, &tclass, sizeof(tclass));
}

static void put_time(struct notes *notes, const struct sock_options *wanted,
                     const struct timespec *when)
{
    struct timeval coarse = {when->tv_sec, when->tv_nsec / 1000};

    if (wanted->stamp_us)
        put(notes, SOL_SOCKET, SCM_TIMESTAMP, &coarse, sizeof(coarse));
    if (wanted->stamp_ns)
        put(notes, SOL_SOCKET, SCM_TIMESTAMPNS, when, sizeof(*when));
}

/* `offender`: a struct sockaddr_in, or _in6. */
static void put_error(struct notes *notes, const struct sock *sock,
                      const struct sock_received *about)
{
    struct {
        struct sock_extended_err error;
        union {
            struct sockaddr_in in;
            struct sockaddr_in6 in6;
        } offender;
    } told = {.error = about->error};
    bool ip6 = sock->domain == AF_INET6;
    socklen_t length = sizeof(told.offender);
    const struct tlsyn_endpoint offender = {.addr = about->offender};

    if (about->error.ee_origin != SO_EE_ORIGIN_LOCAL)
        (void)address_give(sock->domain, &offender, (struct sockaddr *)&told.offender, &length);
    length = ip6 ? sizeof(told.offender.in6) : sizeof(told.offender.in);
    put(notes, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_RECVERR : IP_RECVERR, &told,
        sizeof(told.error) + length);
}

void ancillary_give(const struct sock *sock, const struct sock_received *about,
                    struct msghdr *message)
{
    struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)sock->net->interface_index};
    struct notes notes = {.message = message};

    memcpy(&info.ipi6_addr, about->to.byte, sizeof(info.ipi6_addr));
    if (about->has_from)
        put_time(&notes, &sock->options, &about->when);
    if (about->has_error) {
        put_error(&notes, sock, about);
        message->msg_controllen = notes.used;
        return;
    }
    if (about->has_from && sock->domain == AF_INET6 && sock->options.pktinfo6)
        put(&notes, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    if (about->has_from && tlsyn_addr_is_ip4(&about->to))
        put_ip4(&notes, sock, about);
    else if (about->has_from && sock->domain == AF_INET6)
        put_ip6(&notes, &sock->options, about);
    message->msg_controllen = notes.used;
}
