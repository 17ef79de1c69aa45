/*
 * socket/address.c: see address.h. Read first: ip(7), ipv6(7).
 */
#include "socket/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define SIN6_SHORTEST 24 /* without sin6_scope_id: RFC 2133's, which Linux takes */

int address_parse(const char *text, struct tlsyn_addr *address, int *prefix_len)
{
    char host[INET6_ADDRSTRLEN];
    size_t n = strcspn(text, "/");
    uint8_t octets[4];
    int longest;
    char *end;

    if (n >= sizeof(host))
        return -EINVAL;
    memcpy(host, text, n);
    host[n] = '\0';
    if (inet_pton(AF_INET, host, octets) == 1)
        *address = tlsyn_addr_ip4(octets);
    else if (inet_pton(AF_INET6, host, address->byte) != 1)
        return -EINVAL;
    longest = tlsyn_addr_is_ip4(address) ? 32 : 128;
    *prefix_len = longest;
    if (text[n] == '\0')
        return 0;
    long given = strtol(text + n + 1, &end, 10);
    if (text[n + 1] == '\0' || *end != '\0' || given < 0 || given > longest)
        return -EINVAL;
    *prefix_len = (int)given;
    return 0;
}

struct tlsyn_addr address_any(int domain)
{
    return domain == AF_INET ? tlsyn_addr_ip4((const uint8_t[4]){0}) : (struct tlsyn_addr){{0}};
}

bool address_is_group4(const struct tlsyn_addr *address)
{
    return tlsyn_addr_is_ip4(address) && (*tlsyn_addr_octets(address) & 0xf0) == 0xe0;
}

static int take_ip4(const struct sockaddr *from, socklen_t length, struct tlsyn_endpoint *to)
{
    struct sockaddr_in in;
    uint8_t octets[4];

    if (length < sizeof(in))
        return -EINVAL;
    memcpy(&in, from, sizeof(in));
    if (in.sin_family != AF_INET)
        return -EAFNOSUPPORT;
    memcpy(octets, &in.sin_addr, sizeof(octets));
    *to = (struct tlsyn_endpoint){tlsyn_addr_ip4(octets), ntohs(in.sin_port)};
    return 0;
}

static int take_ip6(const struct sockaddr *from, socklen_t length, struct tlsyn_endpoint *to)
{
    struct sockaddr_in6 in6 = {0};

    if (length < SIN6_SHORTEST)
        return -EINVAL;
    memcpy(&in6, from, length < sizeof(in6) ? length : sizeof(in6));
    if (in6.sin6_family != AF_INET6)
        return -EAFNOSUPPORT;
    memcpy(to->addr.byte, &in6.sin6_addr, sizeof(to->addr.byte));
    to->port = ntohs(in6.sin6_port);
    return 0;
}

int address_take(int domain, const struct sockaddr *from, socklen_t length,
                 struct tlsyn_endpoint *to)
{
    if (length > sizeof(struct sockaddr_storage))
        return -EINVAL;
    if (!from && length > 0)
        return -EFAULT;
    return domain == AF_INET ? take_ip4(from, length, to) : take_ip6(from, length, to);
}

int address_give(int domain, const struct tlsyn_endpoint *from, struct sockaddr *to,
                 socklen_t *length)
{
    union {
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } whole = {0};
    socklen_t size = sizeof(whole.in);

    if (!length)
        return -EFAULT;
    if (*length > INT32_MAX)
        return -EINVAL;
    if (!to && *length > 0)
        return -EFAULT;
    if (domain == AF_INET) {
        whole.in.sin_family = AF_INET;
        whole.in.sin_port = htons(from->port);
        memcpy(&whole.in.sin_addr, tlsyn_addr_octets(&from->addr), 4);
    } else {
        size = sizeof(whole.in6);
        whole.in6.sin6_family = AF_INET6;
        whole.in6.sin6_port = htons(from->port);
        memcpy(&whole.in6.sin6_addr, from->addr.byte, sizeof(from->addr.byte));
    }
    if (to)
        memcpy(to, &whole, *length < size ? *length : size);
    *length = size;
    return 0;
}
