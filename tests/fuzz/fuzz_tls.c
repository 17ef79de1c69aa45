/*
 * fuzz_tls: two TLS engines, and in the middle somebody who may do anything to the bytes between
 * them.
 *
 * The input is one octet for the set-up (bits 0-1 suite, 2 paper, 3 small rings, 4 the client was
 * here before and writes early data, where the suite has it) and a list of operations, each one
 * octet and what it needs (missing octets read as zero); bit 7 of the octet chooses the end, 0 the
 * client, 1 the server:
 *
 *     0 move    length: so many of this end's bytes arrive
 *     1 damage  as move, the first one xored with an octet
 *     2 lose    length: so many of this end's bytes vanish
 *     3 forge   length, octets: they arrive at this end
 *     4 fin     this end is told that the peer closed
 *     5 write   length     6 read   length     7 close     8 abort     9 free
 *
 * Invariants: whatever is done to the bytes, what is read is a prefix of what the other end wrote;
 * events come in their order, and none behind on_closed; memory comes back (LeakSanitizer).
 */
#include <stdlib.h>
#include <string.h>

#include <tlsyn/tls.h>

#include "core/random.h"
#include "tls/certs.h"
#include "tls/fake_conn.h"
#include "wire/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct user {
    struct tlsyn_handler handler;
    struct tlsyn_tls *tls;
    size_t written, read;
    bool early; /* client: it writes in on_open */
    bool established, closed;
};

struct bed {
    struct wire wire;
    struct random_seeded random;
    struct tlsyn_tls_config *config[2];
    struct user user[2];
};

static void must(bool held)
{
    if (!held)
        abort();
}

/* --- users: everything written counts upwards ------------------------------------------------- */

static void read_some(struct user *u, size_t n)
{
    uint8_t bytes[256];
    ssize_t got = tlsyn_tls_read(u->tls, bytes, n < sizeof(bytes) ? n + 1 : sizeof(bytes));

    for (ssize_t i = 0; i < got; i++)
        must(bytes[i] == (uint8_t)u->read++);
}

static void write_some(struct user *u, size_t n)
{
    uint8_t bytes[2048];
    ssize_t taken;

    n = n < sizeof(bytes) ? n : sizeof(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(u->written + i);
    taken = tlsyn_tls_write(u->tls, bytes, n);
    if (taken > 0)
        u->written += (size_t)taken;
}

static int on_open(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;

    (void)c;
    if (u->early)
        write_some(u, 100);
    return 0;
}

static void on_established(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;
    struct tlsyn_tls_info info;

    (void)c;
    must(!u->established && !u->closed);
    u->established = true;
    tlsyn_tls_info(u->tls, &info);
    if (u->early && info.early == TLSYN_TLS_EARLY_REJECTED)
        u->written = 0;
}

static void on_data(struct tlsyn_handler *h, struct tlsyn_conn *c)
{
    struct user *u = (struct user *)h;

    (void)c;
    must((u->established || tlsyn_tls_is_early(u->tls)) && !u->closed);
    read_some(u, 50);
}

static void on_closed(struct tlsyn_handler *h, struct tlsyn_conn *c, int error)
{
    struct user *u = (struct user *)h;

    (void)c;
    (void)error;
    must(!u->closed);
    u->closed = true;
    tlsyn_tls_free(u->tls);
    u->tls = NULL;
}

static const struct tlsyn_conn_events events = {.on_open = on_open,
                                                .on_established = on_established,
                                                .on_data = on_data,
                                                .on_closed = on_closed};

/* --- the bed ---------------------------------------------------------------------------------- */

static void make_config(struct bed *bed, int end, uint8_t setup)
{
    const struct certs *certs = certs_get();
    struct tlsyn_tls_options o = {
        .role = end == 0 ? TLSYN_TLS_CLIENT : TLSYN_TLS_SERVER,
        .suite = (enum tlsyn_tls_suite)(setup & 3),
        .paper = (setup & 4) != 0,
        .tickets = end == 1 && (setup & 16) != 0 ? 1 : 0,
        .sessions = end == 0 && (setup & 16) != 0 ? 4 : 0,
        .early_data = (setup & 16) != 0 ? 500 : 0,
        .wall_clock = CERTS_NOW,
        .wall_at = TLSYN_SECONDS(1000),
        .random = &bed->random.base,
    };
    struct tlsyn_tls_config **c = &bed->config[end];

    must(tlsyn_tls_config_new(&o, c, NULL) == 0);
    if (end == 0) {
        must(tlsyn_tls_config_trust(*c, certs->ca, strlen(certs->ca), NULL) == 1);
        return;
    }
    must(tlsyn_tls_config_identity(*c, certs->rsa.chain, strlen(certs->rsa.chain), certs->rsa.key,
                                   strlen(certs->rsa.key), NULL) == 0);
    must(tlsyn_tls_config_identity(*c, certs->ec.chain, strlen(certs->ec.chain), certs->ec.key,
                                   strlen(certs->ec.key), NULL) == 0);
}

/* Both ends as they are at the beginning, with a fresh wire between them. */
static void meet(struct bed *bed, uint8_t setup, bool early)
{
    wire_init(&bed->wire, (setup & 8) != 0 ? 300 : 8192, 1);
    bed->wire.stack.now += early ? TLSYN_SECONDS(1) : 0;
    for (int end = 0; end < 2; end++) {
        struct user *u = &bed->user[end];
        struct tlsyn_conn *c = &bed->wire.end[end];

        *u = (struct user){.handler = {.events = &events}, .early = early && end == 0};
        must(tlsyn_tls_attach(bed->config[end], end == 0 ? NULL : c, "localhost", &u->handler,
                              &u->tls) == 0);
        c->handler = tlsyn_tls_handler(u->tls);
    }
    must(bed->wire.end[0].handler->events->on_open(bed->wire.end[0].handler, &bed->wire.end[0]) ==
         0);
}

static void part(struct bed *bed)
{
    wire_fini(&bed->wire);
    for (int end = 0; end < 2; end++)
        tlsyn_tls_free(bed->user[end].tls);
}

static void bed_open(struct bed *bed, uint8_t setup)
{
    *bed = (struct bed){.user = {{.tls = NULL}}};
    random_seed(&bed->random, setup);
    for (int end = 0; end < 2; end++)
        make_config(bed, end, setup);
    meet(bed, setup, false);
    if ((setup & 16) == 0)
        return;
    wire_run(&bed->wire);
    part(bed);
    meet(bed, setup, true);
}

static void bed_close(struct bed *bed)
{
    part(bed);
    for (int end = 0; end < 2; end++)
        tlsyn_tls_config_free(bed->config[end]);
}

/* --- operations ------------------------------------------------------------------------------- */

static void take(struct tlsyn_conn *c, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bytes[i] = c->snd.bytes[c->snd.start];
        c->snd.start = (c->snd.start + 1) % c->snd.size;
        c->snd.len--;
    }
}

static void move(struct bed *bed, int end, size_t n, uint8_t damage, bool lose)
{
    struct tlsyn_conn *c = &bed->wire.end[end], *peer = c->peer;
    size_t room = peer->rcv.size - peer->rcv.len;
    uint8_t bytes[2048];

    n = n < c->snd.len ? n : c->snd.len;
    n = n < room ? n : room;
    n = n < sizeof(bytes) ? n : sizeof(bytes);
    take(c, bytes, n);
    if (n > 0)
        bytes[0] ^= damage;
    if (n > 0 && !lose)
        wire_inject(&bed->wire, 1 - end, bytes, n);
    wire_acked(c, n);
}

static void forge(struct bed *bed, int end, struct reader *r)
{
    struct tlsyn_conn *c = &bed->wire.end[end];
    size_t n = get_u8(r), room = c->rcv.size - c->rcv.len;
    uint8_t bytes[256];

    n = n < room ? n : room;
    n = n < r->left ? n : r->left;
    get_bytes(r, bytes, n);
    if (n > 0)
        wire_inject(&bed->wire, end, bytes, n);
}

static void use(struct bed *bed, int end, unsigned operation, struct reader *r)
{
    struct user *u = &bed->user[end];

    if (u->tls == NULL)
        return;
    if (operation == 5)
        write_some(u, (size_t)get_u8(r) * 8);
    else if (operation == 6)
        read_some(u, get_u8(r));
    else if (operation == 7)
        tlsyn_tls_close(u->tls);
    else if (operation == 8)
        tlsyn_conn_abort(&bed->wire.end[end], 0);
    else if (operation == 9) {
        tlsyn_tls_free(u->tls);
        u->tls = NULL;
    }
}

static void operate(struct bed *bed, struct reader *r)
{
    unsigned octet = get_u8(r), operation = octet % 128 % 10;
    int end = (int)(octet / 128);

    if (operation == 0)
        move(bed, end, (size_t)get_u8(r) * 8 + 1, 0, false);
    else if (operation == 1) {
        size_t n = get_u8(r);

        move(bed, end, n, get_u8(r), false);
    } else if (operation == 2)
        move(bed, end, get_u8(r), 0, true);
    else if (operation == 3)
        forge(bed, end, r);
    else if (operation == 4)
        wire_inject_fin(&bed->wire, end);
    else
        use(bed, end, operation, r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    struct bed bed;

    bed_open(&bed, get_u8(&r));
    for (int n = 0; n < 200 && r.left > 0; n++)
        operate(&bed, &r);
    for (int end = 0; end < 2; end++) {
        const struct user *u = &bed.user[end], *peer = &bed.user[1 - end];

        must(u->read <= peer->written);
    }
    bed_close(&bed);
    return 0;
}
