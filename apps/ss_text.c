/*
 * ss_text.c: lines of a snapshot as people read them. Read first: RFC 8259 2 and 7; ss(8).
 */
#include "ss_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define VALUE_TEXT 64

/* --- reading ---------------------------------------------------------------------------------- */

void ss_tame(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 && c != '\n') || c >= 0x7f)
            text[i] = '?';
    }
}

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind a string or a plain value; NULL where it is neither. */
static const char *skip_value(const char *at)
{
    if (*at != '"') {
        size_t n = strcspn(at, ",}{[\" \t\r\n");

        return n > 0 ? at + n : NULL;
    }
    for (at++; *at && *at != '"'; at++) {
        if (*at == '\\' && at[1])
            at++;
    }
    return *at ? at + 1 : NULL;
}

static void keep(const char *from, const char *to, char *text, size_t size)
{
    size_t n = 0;

    if (*from == '"') {
        from++;
        to--;
    }
    n = (size_t)(to - from);
    if (n >= size)
        n = size - 1;
    memcpy(text, from, n);
    text[n] = '\0';
}

bool ss_member(const char *line, const char *name, char *text, size_t size)
{
    const char *at = skip_blanks(line);
    size_t length = strlen(name);

    if (*at != '{')
        return false;
    do {
        const char *key = skip_blanks(at + 1);
        const char *key_end = *key == '"' ? skip_value(key) : NULL;
        const char *value = key_end ? skip_blanks(key_end) : NULL;

        if (!value || *value != ':')
            return false;
        value = skip_blanks(value + 1);
        at = skip_value(value);
        if (!at)
            return false;
        if ((size_t)(key_end - key) == length + 2 && memcmp(key + 1, name, length) == 0) {
            keep(value, at, text, size);
            return true;
        }
        at = skip_blanks(at);
    } while (*at == ',');
    return false;
}

int64_t ss_number(const char *line, const char *name)
{
    char text[VALUE_TEXT];

    return ss_member(line, name, text, sizeof(text)) ? strtoll(text, NULL, 10) : 0;
}

bool ss_is_udp(const char *line)
{
    char what[VALUE_TEXT];

    return ss_member(line, "what", what, sizeof(what)) && strcmp(what, "udp") == 0;
}

static bool is_true(const char *line, const char *name)
{
    char text[VALUE_TEXT];

    return ss_member(line, name, text, sizeof(text)) && strcmp(text, "true") == 0;
}

/* --- columns ---------------------------------------------------------------------------------- */

#define COLUMNS "%s%-12s %8s %8s  %-24s %-24s %s\n"

void ss_head(FILE *out, bool kinds)
{
    (void)fprintf(out, COLUMNS, kinds ? "Netid " : "", "State", "Recv-Q", "Send-Q",
                  "Local Address:Port", "Peer Address:Port", "Process");
}

static const char *endpoint(const char *line, const char *name, const char *port_name, char *text,
                            size_t size)
{
    char address[CLI_ADDRESS_TEXT] = "";
    bool ip6 = ss_member(line, name, address, sizeof(address)) && strchr(address, ':');
    int64_t port = ss_number(line, port_name);

    if (address[0] == '\0' || (port == 0 && strcmp(address, "*") == 0))
        (void)snprintf(text, size, "*:*");
    else
        (void)snprintf(text, size, "%s%s%s:%" PRId64, ip6 ? "[" : "", address, ip6 ? "]" : "",
                       port);
    return text;
}

void ss_row(FILE *out, const char *line, const char *process, bool kinds)
{
    char state[VALUE_TEXT];
    char received[VALUE_TEXT] = "";
    char sent[VALUE_TEXT] = "";
    char local[80];
    char remote[80];

    if (ss_member(line, "state", state, sizeof(state))) {
        (void)ss_member(line, "rcv_queued", received, sizeof(received));
        (void)ss_member(line, "snd_queued", sent, sizeof(sent));
    } else { /* as ss(8) does for a listener: what waits, and how much of it may */
        (void)snprintf(state, sizeof(state), "LISTEN");
        (void)ss_member(line, "half_open", received, sizeof(received));
        (void)ss_member(line, "syn_backlog", sent, sizeof(sent));
    }
    (void)fprintf(out, COLUMNS,
                  !kinds            ? ""
                  : ss_is_udp(line) ? "udp   "
                                    : "tcp   ",
                  state, received, sent,
                  endpoint(line, "local", "local_port", local, sizeof(local)),
                  endpoint(line, "remote", "remote_port", remote, sizeof(remote)), process);
}

/* --- the line behind -------------------------------------------------------------------------- */

/* " label:value" unless there is no value, or it is 0 and `zero` is false. */
static void put(FILE *out, const char *line, const char *label, const char *name, bool zero)
{
    char value[VALUE_TEXT];

    if (ss_member(line, name, value, sizeof(value)) && strcmp(value, "null") != 0 &&
        (zero || strcmp(value, "0") != 0))
        (void)fprintf(out, " %s:%s", label, value);
}

/* " label:first/second" */
static void put_pair(FILE *out, const char *line, const char *label, const char *first,
                     const char *mark, const char *second)
{
    char value[2][VALUE_TEXT];

    if (ss_member(line, first, value[0], VALUE_TEXT) &&
        ss_member(line, second, value[1], VALUE_TEXT))
        (void)fprintf(out, " %s:%s%s%s", label, value[0], mark, value[1]);
}

static void put_word(FILE *out, bool said, const char *word)
{
    if (said)
        (void)fprintf(out, " %s", word);
}

static void put_options(FILE *out, const char *line)
{
    char text[VALUE_TEXT];

    put_word(out, is_true(line, "timestamps"), "ts");
    put_word(out, is_true(line, "sack"), "sack");
    if (ss_member(line, "ecn", text, sizeof(text)) && strcmp(text, "none") != 0)
        put_word(out, true, strcmp(text, "classic") == 0 ? "ecn" : "accecn");
    put_word(out, ss_number(line, "syn_text_acked") > 0, "embedded");
    if (ss_member(line, "controller", text, sizeof(text)))
        put_word(out, true, text);
    put_pair(out, line, "wscale", "snd_wscale", ",", "rcv_wscale");
}

/* Bytes per second, as bits; no more than we can count comes from a process of ours. */
static void put_rate(FILE *out, const char *line, const char *name)
{
    int64_t rate = ss_number(line, name);

    if (rate > 0 && rate <= INT64_MAX / 8)
        (void)fprintf(out, " %s %" PRId64 "bps", name, rate * 8);
}

void ss_details(FILE *out, const char *line)
{
    /* clang-format off */
    static const struct {
        const char *label, *name;
        bool zero;
    } members[] = {
        {"minrtt", "min_rtt_ms", false}, {"pmtu", "pmtu", true}, {"mss", "mss", true},
        {"rcvmss", "rcv_mss", true}, {"cwnd", "cwnd", true}, {"ssthresh", "ssthresh", true}, {"bytes_acked", "bytes_acked", false},
        {"bytes_received", "bytes_received", false}, {"segs_out", "segs_out", true},
        {"segs_in", "segs_in", true}, {"unacked", "in_flight", false}, {"retrans", "retransmits", false},
        {"timeouts", "timeouts", false}, {"fast_retrans", "fast_retransmits", false},
        {"lost", "lost", false}, {"sacked", "sacked", false}, {"undos", "undos", false},
        {"keepalive_probes", "keepalive_probes", false}, {"marked", "marked", false},
        {"delivered_ce", "delivered_marked", false}, {"notsent", "snd_unsent", false},
        {"rcv_ooo", "rcv_ooo", false}, {"snd_wnd", "snd_wnd", true}, {"rcv_wnd", "rcv_wnd", true},
        {"datagrams_in", "datagrams_in", true}, {"datagrams_out", "datagrams_out", true},
        {"bytes_in", "bytes_in", false}, {"bytes_out", "bytes_out", false}, {"drops", "drops", false},
    };
    /* clang-format on */

    (void)fputc('\t', out);
    put_options(out, line);
    put(out, line, "rto", "rto_ms", true);
    put_pair(out, line, "rtt", "srtt_ms", "/", "rttvar_ms");
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        put(out, line, members[i].label, members[i].name, members[i].zero);
    put_word(out, is_true(line, "reordering"), "reordering");
    put_rate(out, line, "pacing_rate");
    (void)fputc('\n', out);
}

void ss_count(struct ss_tally *tally, const char *line)
{
    char state[VALUE_TEXT] = "";

    if (ss_is_udp(line)) {
        tally->udp++;
        return;
    }
    (void)ss_member(line, "state", state, sizeof(state));
    tally->total++;
    if (strncmp(state, "SYN", 3) == 0)
        tally->opening++;
    else if (strcmp(state, "ESTABLISHED") == 0)
        tally->established++;
    else if (strcmp(state, "TIME-WAIT") == 0)
        tally->time_wait++;
    else
        tally->closing++;
}

void ss_tally(FILE *out, const struct ss_tally *tally)
{
    (void)fprintf(out,
                  "%-32s %12u (being opened %u, established %u, being closed %u, TIME-WAIT %u)\n",
                  "connections", tally->total, tally->opening, tally->established, tally->closing,
                  tally->time_wait);
    (void)fprintf(out, "%-32s %12u\n", "datagram sockets", tally->udp);
}

void ss_counter(FILE *out, const char *line)
{
    char name[VALUE_TEXT];

    if (ss_member(line, "name", name, sizeof(name)))
        (void)fprintf(out, "%-32s %12" PRId64 "\n", name, ss_number(line, "value"));
}
