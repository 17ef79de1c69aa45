/*
 * preload_net.c: opens the net of a program that runs under `tlsyn run`. See preload.h. Read first:
 * fcntl(2), F_SETLK, F_DUPFD_CLOEXEC.
 */
#include "preload_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "preload.h"
#include "preload_kernel.h"

#define ADDRESS_WAIT TLSYN_SECONDS(3) /* RFC 4862 5.4 takes a second and a half at most */
#define NUMBERS_HELD 256

/* Whether the packet socket is there, and free. */
static int take_packet_socket(int fd)
{
    const struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int domain = 0;
    socklen_t length = sizeof(domain);

    if (kernel_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0 || domain != AF_PACKET) {
        preload_complain(
            "descriptor %d, by which tlsyn run reaches the network, was closed by the program "
            "or one that started it; this can't run under tlsyn run",
            fd);
        return -ENETDOWN;
    }
    if (kernel_fcntl(fd, F_SETLK, &lock) < 0) {
        preload_complain(
            "another program of this tlsyn run has the network; give each a tlsyn run and an "
            "--address of its own");
        return -EADDRINUSE;
    }
    return 0;
}

static int open_link(int fd, struct tlsyn_link **link)
{
    const struct tlsyn_afpacket_options options = {.socket = kernel_fcntl(fd, F_DUPFD_CLOEXEC, fd)};
    const char *interface = getenv(PRELOAD_INTERFACE), *path = getenv(PRELOAD_CAPTURE);
    struct tlsyn_link *capture;
    int error = options.socket < 0 ? -errno : 0;

    if (error == 0)
        error = tlsyn_afpacket_open(interface ? interface : "", &options, link);
    if (error == 0 && path) {
        error = tlsyn_capture_wrap(*link, path, &capture);
        if (error < 0) {
            preload_complain("the capture %s can't be written: %s", path, strerror(-error));
            tlsyn_link_close(*link);
            return error;
        }
        *link = capture;
    }
    if (error < 0) {
        preload_complain("the network interface %s can't be used: %s", interface ? interface : "",
                         strerror(-error));
        if (options.socket >= 0)
            (void)kernel_close(options.socket);
    }
    return error;
}

/* An address of IPv6 is asked about first (RFC 4862 5.4): the program finds it usable. */
static void await_address(struct tlsyn_net *net, const char *address)
{
    struct sockaddr_in6 own = {.sin6_family = AF_INET6};
    tlsyn_time end = tlsyn_clock() + ADDRESS_WAIT;
    char text[64];
    int fd, bound = -1;

    (void)snprintf(text, sizeof(text), "%.*s", (int)strcspn(address, "/"), address);
    if (inet_pton(AF_INET6, text, &own.sin6_addr) != 1)
        return;
    fd = tlsyn_socket(net, AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    while (fd >= 0 && bound < 0 && tlsyn_clock() < end) {
        bound = tlsyn_bind(fd, (struct sockaddr *)&own, sizeof(own));
        if (bound < 0)
            preload_sleep_ms(20);
    }
    if (bound < 0)
        preload_complain("the address %s can't be used: another machine has it already", text);
    if (fd >= 0)
        (void)tlsyn_close(fd);
}

/* Takes the numbers below the packet socket's that are free, so that what is opened next gets one
 * above it: programs that choose numbers (dup2(2)) choose low ones. */
static void hold_numbers(int below, bool held[])
{
    int fd;

    for (int i = 0; i < below; i++)
        held[i] = false;
    while ((fd = kernel_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0 && fd < below)
        held[fd] = true;
    if (fd >= 0)
        (void)kernel_close(fd);
}

static void free_numbers(int below, const bool held[])
{
    for (int i = 0; i < below; i++) {
        if (held[i])
            (void)kernel_close(i);
    }
}

static int start_stack(struct tlsyn_link *link, struct tlsyn_net **net)
{
    const char *address = getenv(PRELOAD_ADDRESS), *controller = getenv(PRELOAD_CONGESTION);
    const struct tlsyn_conn_options conn = {.controller = controller ? strdup(controller) : NULL};
    struct tlsyn_net_options options = {
        .address = address ? address : "",
        .gateway = getenv(PRELOAD_GATEWAY),
        .conn = &conn,
        .link = link,
        .interface = getenv(PRELOAD_INTERFACE),
    };
    int error = tlsyn_net_open(&options, net);

    if (error < 0)
        preload_complain("the stack can't be started: %s", strerror(-error));
    else
        await_address(*net, options.address);
    return error;
}

static int open_both(int fd, struct tlsyn_link **link, struct tlsyn_net **net)
{
    int error = take_packet_socket(fd);

    if (error == 0)
        error = open_link(fd, link);
    if (error < 0)
        return error;
    error = start_stack(*link, net);
    if (error < 0)
        tlsyn_link_close(*link);
    return error;
}

int preload_open(int fd, struct tlsyn_link **link, struct tlsyn_net **net)
{
    int below = fd > NUMBERS_HELD ? NUMBERS_HELD : fd;
    bool held[NUMBERS_HELD];
    int error;

    hold_numbers(below, held);
    error = open_both(fd, link, net);
    free_numbers(below, held);
    return error;
}
