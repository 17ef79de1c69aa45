/*
 * fuzz/stack_input_settings.c: options that the users of connections ask for, before and midway.
 */
#include <errno.h>

#include "fuzz/stack_input.h"

static const char *const controllers[] = {NULL, "newreno", "bbr", "cubic"};

static void read_options(struct fuzz *f, struct tlsyn_conn_options *o)
{
    uint16_t which = get_u16(&f->input);
    uint8_t more = get_u8(&f->input);

    *o = (struct tlsyn_conn_options){
        .nagle = which & 1,
        .cork = which & 2,
        .more = which & 4,
        .no_timestamps = which & 8,
        .no_sack = which & 16,
        .no_window_scale = which & 32,
        .ecn = which & 64,
        .ecn_classic = which & 128,
        .no_delack = which & 256,
        .keepalive = which & 512,
        .keep_idle = TLSYN_MS(5),
        .keep_interval = TLSYN_MS(5),
        .user_timeout = which & 1024 ? TLSYN_SECONDS(2) : 0,
        .pacing_rate_max = which & 2048 ? 20000 : 0,
        .controller = controllers[which >> 12 & 3],
        .mss_max = which & 16384 ? 100 : 0,
        .snd_ring = more & 1 ? 0 : RING_SMALL >> (more >> 2 & 3),
        .rcv_ring = more & 2 ? 0 : RING_SMALL >> (more >> 4 & 3),
    };
}

void settings_change(struct fuzz *f)
{
    uint8_t who = get_u8(&f->input);
    const struct player *p = &f->player[who % USERS];
    struct tlsyn_conn_options o, now;
    int error;

    read_options(f, &o);
    if (who & 0x80) {
        f->options = o;
        if (f->listener)
            must(tlsyn_listener_set_options(f->listener, &o) == 0);
        return;
    }
    if (!p->conn)
        return;
    error = tlsyn_conn_set_options(p->conn, &o);
    must(error == 0 || error == -ENOMEM || error == -EPIPE);
    if (error < 0 || !p->conn)
        return;
    tlsyn_conn_get_options(p->conn, &now);
    must(now.nagle == o.nagle && now.cork == o.cork && now.keepalive == o.keepalive);
}
