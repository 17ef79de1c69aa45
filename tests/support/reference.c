/*
 * support/reference.c: packets built by libnet.
 */
#include "support/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "libnet: %s: %s\n", what, why);
    abort();
}

void reference_open(struct reference *r)
{
    char message[LIBNET_ERRBUF_SIZE];

    *r = (struct reference){.net = libnet_init(LIBNET_NONE, NULL, message)};
    if (!r->net)
        fail("init", message);
    /* LIBNET_NONE opens no socket, so that no privilege is needed, but won't hand the finished
     * packet out; the link layer's advanced mode does. */
    r->net->injection_type = LIBNET_LINK_ADV;
}

void reference_cull(struct reference *r)
{
    if (libnet_adv_cull_packet(r->net, &r->packet, &r->len) < 0)
        fail("cull", libnet_geterror(r->net));
}

void reference_close(struct reference *r)
{
    if (r->packet)
        libnet_adv_free_packet(r->net, r->packet);
    libnet_destroy(r->net);
}

uint32_t reference_ip4(const uint8_t octets[4])
{
    uint32_t address;

    memcpy(&address, octets, sizeof(address));
    return address;
}
