/*
 * cmd_ping.c: tlsyn ping: ICMP echo (RFC 792) from a stack of our own, with the
 * statistics of ping(8).
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "host.h"
#include "resolve.h"
#include "say.h"

/* Requests that may be awaited at the same time; older ones count as lost. */
#define WINDOW 1024

struct ping {
    struct tlsyn_ping_handler handler;
    int64_t count; /* 0: until interrupted */
    tlsyn_time interval;
    tlsyn_time wait; /* for one answer */
    int64_t size;
    bool quiet;
    bool json;
    struct resolve_servers dns;
    struct host_options network;
    struct host host;
    const char *name;
    struct tlsyn_addr to;
    tlsyn_time sent_at[WINDOW]; /* by sequence modulo WINDOW; 0: answered, or never sent */
    int64_t sent, received, duplicates, errors;
    int error;    /* the last one that came instead of an answer */
    bool unheard; /* nobody takes what we print */
    double *rtt;  /* ms, `received` of them */
    size_t rtt_room;
    tlsyn_time started;
};

/* --- answers ---------------------------------------------------------------------------------- */

static void keep(struct ping *p, double ms)
{
    if ((size_t)p->received == p->rtt_room) {
        size_t room = p->rtt_room ? 2 * p->rtt_room : 256;
        double *more = realloc(p->rtt, room * sizeof(*more));

        if (!more)
            return;
        p->rtt = more;
        p->rtt_room = room;
    }
    p->rtt[p->received++] = ms;
}

/* A line is told at once; when it can't be any more, there is nobody to ask for. */
static void show(struct ping *p)
{
    p->unheard = say_flush() < 0;
}

static void tell_error(struct ping *p, const struct tlsyn_addr *from, uint16_t sequence, int error)
{
    char address[CLI_ADDRESS_TEXT];

    p->errors++;
    p->error = error;
    p->sent_at[sequence % WINDOW] = 0;
    if (!p->quiet && !p->json)
        say_result("From %s icmp_seq=%u %s\n", cli_address_text(from, address), sequence,
                   error == -EHOSTUNREACH  ? "Destination Host Unreachable"
                   : error == -ENETUNREACH ? "Destination Net Unreachable"
                                           : strerror(-error));
    show(p);
}

static void on_reply(struct tlsyn_ping_handler *handler, const struct tlsyn_addr *from,
                     uint16_t sequence, size_t size, uint8_t ttl, int error)
{
    struct ping *p = (struct ping *)handler;
    tlsyn_time sent_at = p->sent_at[sequence % WINDOW];
    double ms = (double)(tlsyn_stack_now(p->host.stack) - sent_at) / 1e3;
    char address[CLI_ADDRESS_TEXT];

    if (error < 0) {
        tell_error(p, from, sequence, error);
        return;
    }
    if (sent_at == 0) {
        p->duplicates++;
    } else {
        p->sent_at[sequence % WINDOW] = 0;
        keep(p, ms);
    }
    if (p->quiet || p->json)
        return;
    say_result("%zu bytes from %s: icmp_seq=%u ttl=%u ", size + 8, cli_address_text(from, address),
               sequence, ttl);
    if (sent_at == 0)
        say_result("(duplicate)\n");
    else
        say_result("time=%.3f ms\n", ms);
    show(p);
}

/* --- statistics ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The smallest value that a fraction `q` of all is not above. */
static double percentile(const struct ping *p, double q)
{
    int64_t rank = (int64_t)ceil(q * (double)p->received) - 1;

    return p->rtt[rank < 0 ? 0 : rank];
}

static double mean(const struct ping *p)
{
    double sum = 0;

    for (int64_t i = 0; i < p->received; i++)
        sum += p->rtt[i];
    return sum / (double)p->received;
}

/* As ping(8) has it: the standard deviation. */
static double deviation(const struct ping *p)
{
    double middle = mean(p);
    double sum = 0;

    for (int64_t i = 0; i < p->received; i++)
        sum += (p->rtt[i] - middle) * (p->rtt[i] - middle);
    return sqrt(sum / (double)p->received);
}

static double loss(const struct ping *p)
{
    return p->sent > 0 ? 1.0 - (double)p->received / (double)p->sent : 0;
}

static void print_text(const struct ping *p)
{
    say_result("\n--- %s ping statistics ---\n%lld packets transmitted, %lld received", p->name,
               (long long)p->sent, (long long)p->received);
    if (p->duplicates)
        say_result(", %lld duplicates", (long long)p->duplicates);
    if (p->errors)
        say_result(", %lld errors", (long long)p->errors);
    say_result(", %.4g%% packet loss, time %lld ms\n", 100 * loss(p),
               (long long)((tlsyn_clock() - p->started) / TLSYN_MS(1)));
    if (p->received == 0)
        return;
    say_result("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", p->rtt[0], mean(p),
               p->rtt[p->received - 1], deviation(p));
    say_result("rtt p50/p90/p99 = %.3f/%.3f/%.3f ms\n", percentile(p, 0.5), percentile(p, 0.9),
               percentile(p, 0.99));
}

static void print_json(const struct ping *p)
{
    char address[CLI_ADDRESS_TEXT];

    say_result("{\"host\": ");
    say_json_string(p->name);
    say_result(", \"address\": \"%s\", \"sent\": %lld, \"received\": %lld, \"duplicates\": %lld, "
               "\"errors\": %lld, "
               "\"loss\": %.6g",
               cli_address_text(&p->to, address), (long long)p->sent, (long long)p->received,
               (long long)p->duplicates, (long long)p->errors, loss(p));
    if (p->received > 0)
        say_result(", \"min_ms\": %.3f, \"mean_ms\": %.3f, \"max_ms\": %.3f, \"mdev_ms\": %.3f, "
                   "\"p50_ms\": %.3f, "
                   "\"p90_ms\": %.3f, \"p99_ms\": %.3f",
                   p->rtt[0], mean(p), p->rtt[p->received - 1], deviation(p), percentile(p, 0.5),
                   percentile(p, 0.9), percentile(p, 0.99));
    say_result("}\n");
}

/* --- asking ----------------------------------------------------------------------------------- */

static int ask(struct ping *p)
{
    uint16_t sequence = (uint16_t)(p->sent + 1);
    tlsyn_time now = tlsyn_clock();
    int error = tlsyn_ping(p->host.stack, &p->to, (uint16_t)(p->started >> 4), sequence,
                           (size_t)p->size, &p->handler);

    if (error == 0) {
        p->sent_at[sequence % WINDOW] = now;
        p->sent++;
    }
    return error;
}

static bool all_sent(const struct ping *p)
{
    return p->count > 0 && p->sent >= p->count;
}

/* Sends at every interval, and waits for the last answers. 0, -EINTR after Ctrl-C, or an error. */
static int ask_and_listen(struct ping *p)
{
    tlsyn_time next = tlsyn_clock();
    tlsyn_time end = TLSYN_NEVER;
    int error = 0;

    while (error == 0 && !p->unheard) {
        tlsyn_time now = tlsyn_clock();

        if (all_sent(p) && p->received + p->errors >= p->sent)
            return 0;
        if (now >= end)
            return 0;
        if (!all_sent(p) && now >= next) {
            error = ask(p);
            next += p->interval;
            if (all_sent(p))
                end = now + p->wait;
        }
        if (error == 0)
            error = host_turn(&p->host, all_sent(p) ? end : next);
    }
    return error;
}

/* Nobody answered. Returns the exit status. */
static int explain_silence(struct ping *p, const struct tlsyn_endpoint *remote)
{
    int error = host_blame(&p->host, p->error);

    (void)say_flush();
    if (error < 0)
        return host_explain(&p->host, remote, error);
    if (p->sent > 0)
        say("%s did not answer", p->name);
    return CLI_FAILURE;
}

static int ping(struct ping *p)
{
    const struct tlsyn_endpoint remote = {.addr = p->to};
    char address[CLI_ADDRESS_TEXT];
    int error = 0;

    p->handler.on_reply = on_reply;
    p->started = tlsyn_clock();
    if (!p->json)
        say_result("PING %s (%s) %lld data bytes\n", p->name, cli_address_text(&p->to, address),
                   (long long)p->size);
    show(p);
    error = ask_and_listen(p);
    tlsyn_ping_stop(p->host.stack);
    if (error < 0 && error != -EINTR)
        return host_explain(&p->host, &remote, error);
    if (p->received > 0)
        qsort(p->rtt, (size_t)p->received, sizeof(*p->rtt), compare);
    if (p->json)
        print_json(p);
    else
        print_text(p);
    return p->received > 0 || p->unheard ? CLI_OK : explain_silence(p, &remote);
}

static int run(struct ping *p)
{
    int status;

    host_options_peer(&p->network, p->name);
    status = host_open(&p->host, &p->network, NULL);
    if (status != CLI_OK)
        return status;
    if (p->wait > p->network.timeout)
        p->wait = p->network.timeout;
    status = resolve_name(&p->host, &p->dns, p->name, &p->to);
    if (status == CLI_OK)
        status = host_check_remote(&p->host, &p->to);
    if (status == CLI_OK)
        status = ping(p);
    free(p->rtt);
    status = host_close(&p->host, status);
    return status;
}

static int parse_interval(const struct cli_type *type, const char *text, void *into)
{
    tlsyn_time interval = 0;

    (void)type;
    if (cli_duration.parse(&cli_duration, text, &interval) < 0 || interval < TLSYN_MS(1))
        return -EINVAL;
    *(tlsyn_time *)into = interval;
    return 0;
}

int cmd_ping(int argc, char **argv)
{
    static const struct cli_type interval_type = {.placeholder = "DURATION",
                                                  .accepts =
                                                      "a duration from 1ms on, such as 200ms",
                                                  .parse = parse_interval};
    static const struct cli_type size_type = {.placeholder = "BYTES",
                                              .accepts = "a whole number of bytes from 0 to 1472",
                                              .parse = cli_number_parse,
                                              .min = 0,
                                              .max = 1472};
    struct ping p = {.interval = TLSYN_SECONDS(1), .wait = TLSYN_SECONDS(4), .size = 56};
    struct cli_option common[HOST_OPTIONS];
    const struct cli_option options[] = {
        {"count", 'c', &cli_count, &p.count, "send N requests (default: until Ctrl-C)", NULL},
        {"interval", 0, &interval_type, &p.interval,
         "time from one request to the next (default: 1s)", NULL},
        {"size", 's', &size_type, &p.size, "bytes of data in a request (default: 56)", NULL},
        {"wait", 'W', &cli_duration, &p.wait, "how long to wait for the last answers (default: 4s)",
         NULL},
        {"quiet", 'q', NULL, &p.quiet, "only the statistics", NULL},
        {"json", 0, NULL, &p.json, "only the statistics, as a JSON object", NULL},
        resolve_option(&p.dns),
        {.name = NULL},
    };
    const struct cli_command command = {
        .name = "ping",
        .operands = "HOST",
        .summary = "Measures round trips by ICMP echo, from an address of our own.",
        .options = options,
        .common = common,
        .notes = "Example:\n  tlsyn ping -c 100 --interval 20ms 10.0.0.2 --address 10.0.0.9/24\n",
        .operands_min = 1,
        .operands_max = 1,
    };
    int status = CLI_OK;

    host_options_init(&p.network, "ping", common);
    if (cli_parse(&command, argc, argv, &status) < 0)
        return status;
    p.name = argv[1];
    return run(&p);
}
