/*
 * control/snapshot.c: what a running command tells about itself, as JSON lines.
 */
#include "control/snapshot.h"

#include <arpa/inet.h>
#include <tlsyn/udp.h>
#include <unistd.h>

#include "control/line.h"

struct snapshot {
    struct tlsyn_visitor visitor;
    FILE *out;
    uint32_t shown, left_off;
};

struct udp_snapshot {
    struct tlsyn_udp_visitor visitor;
    struct snapshot *whole;
};

static void begin(struct line *line, FILE *out, const char *what)
{
    line_begin(line, out);
    line_string(line, "what", what);
    line_integer(line, "pid", getpid());
}

static const char *address_text(const struct tlsyn_addr *address, char text[INET6_ADDRSTRLEN])
{
    if (tlsyn_addr_is_ip4(address))
        (void)inet_ntop(AF_INET, tlsyn_addr_octets(address), text, INET6_ADDRSTRLEN);
    else
        (void)inet_ntop(AF_INET6, address->byte, text, INET6_ADDRSTRLEN);
    return text;
}

static void put_endpoint(struct line *line, const char *name, const char *port_name,
                         const struct tlsyn_endpoint *endpoint)
{
    char text[INET6_ADDRSTRLEN];

    line_string(line, name,
                tlsyn_addr_unspecified(&endpoint->addr) ? "*"
                                                        : address_text(&endpoint->addr, text));
    line_integer(line, port_name, endpoint->port);
}

static void put_opening(struct line *line, const struct tlsyn_conn_info *c)
{
    line_bool(line, "active", c->active);
    line_integer(line, "syn_text", c->syn_text);
    line_integer(line, "syn_text_acked", c->syn_text_acked);
    line_integer(line, "synack_text", c->synack_text);
    line_integer(line, "syn_retransmits", c->syn_retransmits);
    line_bool(line, "cookie_used", c->cookie_used);
    line_bool(line, "timestamps", c->timestamps);
    line_bool(line, "sack", c->sack);
    line_integer(line, "snd_wscale", c->snd_wscale);
    line_integer(line, "rcv_wscale", c->rcv_wscale);
}

static void put_path(struct line *line, const struct tlsyn_conn_info *c)
{
    static const char *const ecn[] = {"none", "classic", "accurate"};

    line_string(line, "controller", c->controller);
    line_ms(line, "rto_ms", c->rto);
    line_ms(line, "srtt_ms", c->srtt);
    line_ms(line, "rttvar_ms", c->rttvar);
    line_ms(line, "min_rtt_ms", c->min_rtt);
    line_integer(line, "pmtu", c->pmtu);
    line_integer(line, "mss", c->mss);
    line_integer(line, "rcv_mss", c->rcv_mss);
    line_integer(line, "cwnd", c->cwnd);
    if (c->ssthresh == UINT32_MAX) /* no loss yet */
        line_string(line, "ssthresh", NULL);
    else
        line_integer(line, "ssthresh", c->ssthresh);
    line_integer(line, "snd_wnd", c->snd_wnd);
    line_integer(line, "rcv_wnd", c->rcv_wnd);
    line_integer(line, "pacing_rate", (int64_t)c->pacing_rate);
    line_string(line, "ecn", ecn[c->ecn]);
    line_integer(line, "marked", c->marked);
    line_integer(line, "delivered_marked", c->delivered_marked);
}

static void put_transfer(struct line *line, const struct tlsyn_conn_info *c)
{
    line_integer(line, "bytes_acked", (int64_t)c->bytes_acked);
    line_integer(line, "bytes_received", (int64_t)c->bytes_received);
    line_integer(line, "segs_out", c->segs_out);
    line_integer(line, "segs_in", c->segs_in);
    line_integer(line, "in_flight", c->in_flight);
    line_integer(line, "sacked", c->sacked);
    line_integer(line, "lost", c->lost);
    line_bool(line, "reordering", c->reordering);
    line_integer(line, "retransmits", c->retransmits);
    line_integer(line, "timeouts", c->timeouts);
    line_integer(line, "fast_retransmits", c->fast_retransmits);
    line_integer(line, "undos", c->undos);
    line_integer(line, "keepalive_probes", c->keepalive_probes);
    line_integer(line, "snd_ring", c->snd_ring);
    line_integer(line, "rcv_ring", c->rcv_ring);
    line_integer(line, "snd_queued", c->snd_queued);
    line_integer(line, "snd_unsent", c->snd_unsent);
    line_integer(line, "rcv_queued", c->rcv_queued);
    line_integer(line, "rcv_ooo", c->rcv_ooo);
    line_integer(line, "rcv_urgent", c->rcv_urgent);
    line_integer(line, "snd_urgent", c->snd_urgent);
}

/* Of connections and endpoints alike. */
static bool has_room(struct snapshot *s)
{
    bool room = s->shown < SNAPSHOT_CONNS;

    s->shown += room;
    s->left_off += !room;
    return room;
}

static bool take_conn(struct tlsyn_visitor *visitor, const struct tlsyn_conn *conn)
{
    struct snapshot *s = (struct snapshot *)visitor;
    struct tlsyn_conn_info info;
    struct line line;

    if (!has_room(s))
        return true;
    tlsyn_conn_info(conn, &info);
    begin(&line, s->out, "connection");
    line_integer(&line, "number", info.number);
    line_string(&line, "state", tlsyn_state_name(info.state));
    put_endpoint(&line, "local", "local_port", &info.local);
    put_endpoint(&line, "remote", "remote_port", &info.remote);
    put_opening(&line, &info);
    put_path(&line, &info);
    put_transfer(&line, &info);
    line_end(&line);
    return true;
}

static bool take_listener(struct tlsyn_visitor *visitor, const struct tlsyn_listener *listener)
{
    struct snapshot *s = (struct snapshot *)visitor;
    struct tlsyn_listener_info info;
    struct line line;

    tlsyn_listener_info(listener, &info);
    begin(&line, s->out, "listener");
    put_endpoint(&line, "local", "local_port", &info.local);
    line_integer(&line, "half_open", info.half_open);
    line_integer(&line, "syn_backlog", info.syn_backlog);
    line_bool(&line, "paused", info.paused);
    line_bool(&line, "open", info.open);
    line_bool(&line, "cookies", info.cookies);
    line_bool(&line, "paper", info.paper);
    line_end(&line);
    return true;
}

static bool take_udp(struct tlsyn_udp_visitor *visitor, const struct tlsyn_udp *udp)
{
    struct snapshot *s = ((struct udp_snapshot *)visitor)->whole;
    struct tlsyn_udp_info info;
    struct line line;

    if (!has_room(s))
        return true;
    tlsyn_udp_info(udp, &info);
    begin(&line, s->out, "udp");
    line_string(&line, "state", info.connected ? "ESTAB" : "UNCONN"); /* ss(8)'s names */
    put_endpoint(&line, "local", "local_port", &info.local);
    put_endpoint(&line, "remote", "remote_port", &info.peer);
    line_integer(&line, "rcv_queued", info.rcv_queued);
    line_integer(&line, "snd_queued", 0); /* what is sent leaves with the call */
    line_integer(&line, "drops", (int64_t)info.drops);
    line_integer(&line, "datagrams_in", (int64_t)info.datagrams_in);
    line_integer(&line, "datagrams_out", (int64_t)info.datagrams_out);
    line_integer(&line, "bytes_in", (int64_t)info.bytes_in);
    line_integer(&line, "bytes_out", (int64_t)info.bytes_out);
    line_end(&line);
    return true;
}

static void put_process(FILE *out, const struct tlsyn_control_about *about)
{
    char address[INET6_ADDRSTRLEN];
    struct line line;

    begin(&line, out, "process");
    line_string(&line, "command", about->command);
    line_string(&line, "interface", about->interface[0] ? about->interface : NULL);
    line_string(&line, "address", address_text(about->address, address));
    line_end(&line);
}

static void put_count(FILE *out, const char *what, const char *name, uint64_t value)
{
    struct line line;

    if (value == 0)
        return;
    begin(&line, out, what);
    line_string(&line, "name", name);
    line_integer(&line, "value", (int64_t)value);
    line_end(&line);
}

static void put_more(void *out, const char *name, uint64_t value)
{
    put_count(out, "counter", name, value);
}

void snapshot_write(FILE *out, const struct tlsyn_control_about *about, struct tlsyn_stack *stack,
                    struct tlsyn_control_source *source)
{
    struct snapshot s = {.visitor = {.on_conn = take_conn, .on_listener = take_listener},
                         .out = out};
    struct udp_snapshot datagrams = {.visitor = {.on_udp = take_udp}, .whole = &s};
    struct line line;

    put_process(out, about);
    tlsyn_stack_walk(stack, &s.visitor);
    tlsyn_udp_walk(stack, &datagrams.visitor);
    for (int i = 0; i < TLSYN_COUNTERS; i++)
        put_count(out, "counter", tlsyn_counter_name((enum tlsyn_counter)i),
                  tlsyn_counter(stack, (enum tlsyn_counter)i));
    if (source)
        source->tell(source, put_more, out);
    for (int i = 0; i < TLSYN_DROPS; i++)
        put_count(out, "drop", tlsyn_drop_name((enum tlsyn_drop)i),
                  tlsyn_drops(stack, (enum tlsyn_drop)i));
    begin(&line, out, "end");
    line_integer(&line, "left_off", s.left_off);
    line_end(&line);
}
