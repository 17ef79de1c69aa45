/*
 * snapshot.c: what a running command tells about itself, as JSON lines.
 */
#include "snapshot.h"

#include <unistd.h>

#include "cli.h"
#include "report/json.h"

struct snapshot {
    struct tlsyn_visitor visitor;
    FILE *out;
    uint32_t conns, left_off;
};

static void begin(struct json *json, FILE *out, const char *what)
{
    json_init(json, out);
    json_line(json);
    json_member_string(json, "what", what);
    json_member_integer(json, "pid", getpid());
}

/* The stream keeps its errors, and all of ours are of this file. */
static void end(struct json *json)
{
    json_end(json);
    (void)json_finish(json);
}

static void put_ms(struct json *json, const char *name, tlsyn_time duration)
{
    json_member_number(json, name, (double)duration / 1e3);
}

static void put_endpoint(struct json *json, const char *name, const char *port_name,
                         const struct tlsyn_endpoint *endpoint)
{
    char text[CLI_ADDRESS_TEXT];

    json_member_string(
        json, name,
        tlsyn_addr_unspecified(&endpoint->addr) ? "*" : cli_address_text(&endpoint->addr, text));
    json_member_integer(json, port_name, endpoint->port);
}

static void put_opening(struct json *json, const struct tlsyn_conn_info *c)
{
    json_member_bool(json, "active", c->active);
    json_member_integer(json, "syn_text", c->syn_text);
    json_member_integer(json, "syn_text_acked", c->syn_text_acked);
    json_member_integer(json, "synack_text", c->synack_text);
    json_member_integer(json, "syn_retransmits", c->syn_retransmits);
    json_member_bool(json, "cookie_used", c->cookie_used);
    json_member_bool(json, "timestamps", c->timestamps);
    json_member_bool(json, "sack", c->sack);
    json_member_integer(json, "snd_wscale", c->snd_wscale);
    json_member_integer(json, "rcv_wscale", c->rcv_wscale);
}

static void put_path(struct json *json, const struct tlsyn_conn_info *c)
{
    static const char *const ecn[] = {"none", "classic", "accurate"};

    json_member_string(json, "controller", c->controller);
    put_ms(json, "rto_ms", c->rto);
    put_ms(json, "srtt_ms", c->srtt);
    put_ms(json, "rttvar_ms", c->rttvar);
    put_ms(json, "min_rtt_ms", c->min_rtt);
    json_member_integer(json, "pmtu", c->pmtu);
    json_member_integer(json, "mss", c->mss);
    json_member_integer(json, "rcv_mss", c->rcv_mss);
    json_member_integer(json, "cwnd", c->cwnd);
    json_key(json, "ssthresh");
    if (c->ssthresh == UINT32_MAX) /* no loss yet */
        json_null(json);
    else
        json_integer(json, c->ssthresh);
    json_member_integer(json, "snd_wnd", c->snd_wnd);
    json_member_integer(json, "rcv_wnd", c->rcv_wnd);
    json_member_integer(json, "pacing_rate", (int64_t)c->pacing_rate);
    json_member_string(json, "ecn", ecn[c->ecn]);
    json_member_integer(json, "marked", c->marked);
    json_member_integer(json, "delivered_marked", c->delivered_marked);
}

static void put_transfer(struct json *json, const struct tlsyn_conn_info *c)
{
    json_member_integer(json, "bytes_acked", (int64_t)c->bytes_acked);
    json_member_integer(json, "bytes_received", (int64_t)c->bytes_received);
    json_member_integer(json, "segs_out", c->segs_out);
    json_member_integer(json, "segs_in", c->segs_in);
    json_member_integer(json, "in_flight", c->in_flight);
    json_member_integer(json, "sacked", c->sacked);
    json_member_integer(json, "lost", c->lost);
    json_member_bool(json, "reordering", c->reordering);
    json_member_integer(json, "retransmits", c->retransmits);
    json_member_integer(json, "timeouts", c->timeouts);
    json_member_integer(json, "fast_retransmits", c->fast_retransmits);
    json_member_integer(json, "undos", c->undos);
    json_member_integer(json, "keepalive_probes", c->keepalive_probes);
    json_member_integer(json, "snd_ring", c->snd_ring);
    json_member_integer(json, "rcv_ring", c->rcv_ring);
    json_member_integer(json, "snd_queued", c->snd_queued);
    json_member_integer(json, "snd_unsent", c->snd_unsent);
    json_member_integer(json, "rcv_queued", c->rcv_queued);
    json_member_integer(json, "rcv_ooo", c->rcv_ooo);
}

static bool take_conn(struct tlsyn_visitor *visitor, const struct tlsyn_conn *conn)
{
    struct snapshot *s = (struct snapshot *)visitor;
    struct tlsyn_conn_info info;
    struct json json;

    if (s->conns == SNAPSHOT_CONNS) {
        s->left_off++;
        return true;
    }
    s->conns++;
    tlsyn_conn_info(conn, &info);
    begin(&json, s->out, "connection");
    json_member_integer(&json, "number", info.number);
    json_member_string(&json, "state", tlsyn_state_name(info.state));
    put_endpoint(&json, "local", "local_port", &info.local);
    put_endpoint(&json, "remote", "remote_port", &info.remote);
    put_opening(&json, &info);
    put_path(&json, &info);
    put_transfer(&json, &info);
    end(&json);
    return true;
}

static bool take_listener(struct tlsyn_visitor *visitor, const struct tlsyn_listener *listener)
{
    struct snapshot *s = (struct snapshot *)visitor;
    struct tlsyn_listener_info info;
    struct json json;

    tlsyn_listener_info(listener, &info);
    begin(&json, s->out, "listener");
    put_endpoint(&json, "local", "local_port", &info.local);
    json_member_integer(&json, "half_open", info.half_open);
    json_member_integer(&json, "syn_backlog", info.syn_backlog);
    json_member_bool(&json, "paused", info.paused);
    json_member_bool(&json, "open", info.open);
    json_member_bool(&json, "cookies", info.cookies);
    json_member_bool(&json, "paper", info.paper);
    end(&json);
    return true;
}

static void put_process(FILE *out, const struct snapshot_about *about)
{
    char address[CLI_ADDRESS_TEXT];
    struct json json;

    begin(&json, out, "process");
    json_member_string(&json, "command", about->command);
    json_member_string(&json, "interface", about->interface[0] ? about->interface : NULL);
    json_member_string(&json, "address", cli_address_text(about->address, address));
    end(&json);
}

static void put_count(FILE *out, const char *what, const char *name, uint64_t value)
{
    struct json json;

    if (value == 0)
        return;
    begin(&json, out, what);
    json_member_string(&json, "name", name);
    json_member_integer(&json, "value", (int64_t)value);
    end(&json);
}

void snapshot_write(FILE *out, const struct snapshot_about *about, struct tlsyn_stack *stack)
{
    struct snapshot s = {.visitor = {.on_conn = take_conn, .on_listener = take_listener},
                         .out = out};
    struct json json;

    put_process(out, about);
    tlsyn_stack_walk(stack, &s.visitor);
    for (int i = 0; i < TLSYN_COUNTERS; i++)
        put_count(out, "counter", tlsyn_counter_name((enum tlsyn_counter)i),
                  tlsyn_counter(stack, (enum tlsyn_counter)i));
    for (int i = 0; i < TLSYN_DROPS; i++)
        put_count(out, "drop", tlsyn_drop_name((enum tlsyn_drop)i),
                  tlsyn_drops(stack, (enum tlsyn_drop)i));
    begin(&json, out, "end");
    json_member_integer(&json, "left_off", s.left_off);
    end(&json);
}
