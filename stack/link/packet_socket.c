/*
 * link/packet_socket.c: an AF_PACKET socket. See packet_socket.h. Read first: packet(7).
 */
#include "link/packet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <tlsyn/link.h>

#define RECEIVE_BUFFER_DEFAULT (8u << 20)
#define TRANSMIT_BUFFER        (4u << 20)
#define STALE_FRAMES_MAX       (1 << 16)

int packet_socket_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* The forced size needs CAP_NET_ADMIN; the other is cut to the system's limit. */
static void set_buffer(int fd, int forced, int ordinary, uint32_t bytes)
{
    int size = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;

    if (packet_socket_set(fd, SOL_SOCKET, forced, size))
        packet_socket_set(fd, SOL_SOCKET, ordinary, size);
}

static int set_options(int fd, const struct tlsyn_afpacket_options *options)
{
    uint32_t buffer = options->buffer_bytes ? options->buffer_bytes : RECEIVE_BUFFER_DEFAULT;
    int error = packet_socket_set(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);

    if (error)
        return error;
    set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer);
    set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, TRANSMIT_BUFFER);
    if (!options->no_vnet_hdr)
        (void)packet_socket_set(fd, SOL_PACKET, PACKET_VNET_HDR, 1);
    return 0;
}

int tlsyn_afpacket_socket(const struct tlsyn_afpacket_options *options)
{
    static const struct tlsyn_afpacket_options defaults;
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int error = fd < 0 ? -errno : set_options(fd, options ? options : &defaults);

    if (error && fd >= 0)
        close(fd);
    return error ? error : fd;
}

int packet_socket_join(int fd, int index, int type, const uint8_t hwaddr[6])
{
    struct packet_mreq request = {
        .mr_ifindex = index,
        .mr_type = (unsigned short)type,
        .mr_alen = 6,
    };
    int status;

    memcpy(request.mr_address, hwaddr, 6);
    status = setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request));
    return status < 0 ? -errno : 0;
}

int packet_socket_bind(int fd, int index)
{
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = index,
    };
    int status = bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address));

    return status < 0 ? -errno : 0;
}

void packet_socket_empty(int fd)
{
    uint8_t byte;
    int n = 0;

    while (n < STALE_FRAMES_MAX && recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
        n++;
}
