/*
 * socket/net_life.c: how a net comes to be, and how it ends. Read first: tlsyn/socket.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <tlsyn/control.h>

#include "socket/address.h"
#include "socket/net.h"
#include "socket/ready.h"
#include "socket/sock.h"

#define CLOSE_PATIENCE TLSYN_SECONDS(2)

/* --- opening ---------------------------------------------------------------------------------- */

static void net_init(struct tlsyn_net *net)
{
    pthread_mutexattr_t adaptive;

    pthread_mutexattr_init(&adaptive);
    pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&net->gate, &adaptive);
    pthread_mutex_init(&net->lock, &adaptive);
    pthread_mutexattr_destroy(&adaptive);
    net->nest = -1;
    net_thread_init(net);
    list_init(&net->socks);
    list_init(&net->changed);
    list_init(&net->timers);
    for (int i = 0; i < NET_PORT_BUCKETS; i++)
        list_init(&net->ports[i]);
}

/* Calls each() with every element of a list separated by commas. */
static int each_word(const char *list, int (*each)(void *, const char *word), void *data)
{
    char word[64];
    int error = 0;

    while (error == 0 && list && *list) {
        size_t n = strcspn(list, ",");

        if (n >= sizeof(word))
            return -EINVAL;
        memcpy(word, list, n);
        word[n] = '\0';
        error = each(data, word);
        list += n + (list[n] == ',');
    }
    return error;
}

static int add_address(void *data, const char *word)
{
    struct tlsyn_addr address;
    int prefix_len;
    int error = address_parse(word, &address, &prefix_len);

    return error < 0 ? error : tlsyn_iface_address(data, &address, prefix_len);
}

/* The default route of its family. */
static int add_gateway(void *data, const char *word)
{
    struct tlsyn_addr gateway, any = {{0}};
    int prefix_len;
    int error = address_parse(word, &gateway, &prefix_len);

    if (error == 0 && tlsyn_addr_is_ip4(&gateway))
        any = tlsyn_addr_ip4((const uint8_t[4]){0});
    return error < 0 ? error : tlsyn_route_add(data, &any, 0, &gateway);
}

/* 127.0.0.1, ::1, and the way to the net's own addresses. */
static int add_loopback(struct tlsyn_net *net)
{
    struct tlsyn_iface *iface;
    int error = tlsyn_loopback_open(&net->loopback);

    if (error == 0)
        error = tlsyn_iface_add(net->stack, net->loopback, &iface);
    if (error == 0)
        error = each_word("127.0.0.1/8,::1/128", add_address, iface);
    return error == 0 ? tlsyn_loop_iface(net->loop, iface) : error;
}

static int make_stack(struct tlsyn_net *net, const struct tlsyn_net_options *options)
{
    const struct tlsyn_stack_options stack = {
        .limits = options->limits,
        .trace = options->trace,
        .now = tlsyn_clock(),
    };
    struct tlsyn_iface *iface;
    int error = 0;

    if (!options->link && !options->interface)
        return -EINVAL;
    if (!options->link)
        error = tlsyn_afpacket_open(options->interface, NULL, &net->link);
    if (error < 0)
        return error;
    net->stack = tlsyn_stack_new(&stack);
    if (!net->stack)
        return -ENOMEM;
    error = tlsyn_iface_add(net->stack, options->link ? options->link : net->link, &iface);
    if (error == 0 && options->no_dad)
        tlsyn_iface_dad(iface, 0);
    if (error == 0)
        error = each_word(options->address, add_address, iface);
    if (error == 0)
        error = each_word(options->gateway, add_gateway, net->stack);
    if (error == 0)
        error = tlsyn_loop_new(
            net->stack, &(struct tlsyn_loop_options){.spin = options->spin, .guard = &net->guard},
            &net->loop);
    if (error == 0)
        error = tlsyn_loop_iface(net->loop, iface);
    if (error == 0)
        tlsyn_iface_announce(iface);
    return error == 0 ? add_loopback(net) : error;
}

/* A program runs as well without it. */
static void open_control(struct tlsyn_net *net, const struct tlsyn_net_options *options)
{
    const struct tlsyn_control_about about = {
        .command = program_invocation_short_name,
        .interface = options->interface ? options->interface : "",
        .address = &net->address,
    };
    char first[64] = "";
    int prefix_len;

    if (options->address)
        (void)snprintf(first, sizeof(first), "%.*s", (int)strcspn(options->address, ","),
                       options->address);
    (void)address_parse(first, &net->address, &prefix_len);
    (void)tlsyn_control_open(net->loop, net->stack, &about, &net->control);
}

static void net_free(struct tlsyn_net *net, bool own_stack)
{
    tlsyn_control_close(net->control);
    if (net->loop)
        tlsyn_loop_free(net->loop);
    if (own_stack)
        tlsyn_stack_free(net->stack);
    tlsyn_link_close(net->link);
    tlsyn_link_close(net->loopback);
    if (net->wake_fd >= 0)
        (void)close(net->wake_fd);
    ready_nest_close(net);
    pthread_mutex_destroy(&net->gate);
    pthread_mutex_destroy(&net->lock);
    free(net);
}

/* Who is given a link has an interface by name alone, or none. */
static void name_interface(struct tlsyn_net *net, const char *name)
{
    net->interface_index = name ? (int)if_nametoindex(name) : 0;
    if (net->interface_index > 0)
        (void)snprintf(net->interface_name, sizeof(net->interface_name), "%s", name);
    else
        net->interface_index = 1;
}

int tlsyn_net_open(const struct tlsyn_net_options *options, struct tlsyn_net **out)
{
    struct tlsyn_net *net = calloc(1, sizeof(*net));
    int error;

    if (!net)
        return -ENOMEM;
    net_init(net);
    if (options->conn)
        net->conn = *options->conn;
    name_interface(net, options->interface);
    error = ready_nest_open(net);
    if (error == 0 && options->stack) {
        net->stack = options->stack;
        net->clock = options->clock;
        error = net->clock ? 0 : -EINVAL;
    } else if (error == 0) {
        error = make_stack(net, options);
        if (error == 0 && !options->hidden)
            open_control(net, options);
        if (error == 0)
            error = net_thread_start(net);
    }
    if (error < 0) {
        net_free(net, !options->stack);
        return error;
    }
    *out = net;
    return 0;
}

/* --- closing ---------------------------------------------------------------------------------- */

static void close_socks(struct tlsyn_net *net)
{
    struct list *first;

    for (;;) {
        int fd;

        net_take(net);
        first = list_first(&net->socks);
        fd = first ? container_of(first, struct sock, all)->ready.near : -1;
        pthread_mutex_unlock(&net->lock);
        if (!first)
            return;
        (void)tlsyn_close(fd);
    }
}

/* Connections without a socket go on by themselves; this gives them time to. */
static void linger(struct tlsyn_net *net)
{
    tlsyn_time end = tlsyn_clock() + CLOSE_PATIENCE;
    bool busy = true;

    while (busy && tlsyn_clock() < end) {
        net_take(net);
        busy = net->error == 0 && tlsyn_stack_is_sending(net->stack);
        pthread_mutex_unlock(&net->lock);
        if (busy)
            (void)usleep(1000);
    }
}

void tlsyn_net_close(struct tlsyn_net *net)
{
    bool own_stack;

    if (!net)
        return;
    own_stack = net->loop != NULL;
    close_socks(net);
    if (own_stack) {
        linger(net);
        net_thread_stop(net);
    }
    net_free(net, own_stack);
}
