/*
 * conformance/settings.c: see settings.h.
 */
#include "conformance/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define WORD 64

static int to_address(char *text, struct settings_address *to)
{
    char *slash = strchr(text, '/');
    uint8_t octets[4];

    if (slash)
        *slash = '\0';
    if (inet_pton(AF_INET, text, octets) == 1)
        to->addr = tlsyn_addr_ip4(octets);
    else if (inet_pton(AF_INET6, text, to->addr.byte) != 1)
        return -EINVAL;
    to->prefix_len = slash ? atoi(slash + 1) : tlsyn_addr_is_ip4(&to->addr) ? 32 : 128;
    return 0;
}

/* As the sysctl has it: four numbers, each in this machine's order of octets. */
static int to_key(const char *text, struct settings *s)
{
    uint32_t word[4];

    if (sscanf(text, "%8x-%8x-%8x-%8x", &word[0], &word[1], &word[2], &word[3]) != 4)
        return -EINVAL;
    memcpy(s->fastopen_key, word, sizeof(s->fastopen_key));
    s->has_fastopen_key = true;
    return 0;
}

/* The settings that are numbers; false: there is none of that name. */
static bool set_number(struct settings *s, const char *name, unsigned long n)
{
    tlsyn_time ms = TLSYN_MS((tlsyn_time)n);

    if (strcmp(name, "mtu") == 0)
        s->mtu = (uint16_t)n;
    else if (strcmp(name, "gso") == 0)
        s->gso_max = (uint32_t)n;
    else if (strcmp(name, "cut") == 0)
        s->cuts = n != 0;
    else if (strcmp(name, "timestamps") == 0)
        s->conn.no_timestamps = n == 0;
    else if (strcmp(name, "sack") == 0)
        s->conn.no_sack = n == 0;
    else if (strcmp(name, "window_scaling") == 0)
        s->conn.no_window_scale = n == 0;
    else if (strcmp(name, "ecn") == 0)
        s->conn.ecn = (s->conn.ecn_classic = n == 1) || n == 3; /* Linux: 1 RFC 3168, 3 AccECN */
    else if (strcmp(name, "pacing") == 0)
        s->conn.no_pacing = n == 0;
    else if (strcmp(name, "metrics") == 0)
        s->limits.metrics_age = n == 0 ? 0 : s->limits.metrics_age;
    else if (strcmp(name, "rmem") == 0)
        s->limits.rcv_ring_max = (uint32_t)n;
    else if (strcmp(name, "wmem") == 0)
        s->limits.snd_ring_max = (uint32_t)n;
    else if (strcmp(name, "delack") == 0)
        s->limits.delack = ms;
    else if (strcmp(name, "rto_min") == 0)
        s->limits.rto_min = ms;
    else if (strcmp(name, "rto_max") == 0)
        s->limits.rto_max = ms;
    else if (strcmp(name, "challenges") == 0)
        s->limits.challenge_per_second = (uint32_t)n;
    else if (strcmp(name, "fastopen") == 0)
        s->fastopen = n;
    else
        return false;
    return true;
}

static int set(struct settings *s, const char *name, char *value)
{
    char *end;
    unsigned long n;

    if (strcmp(name, "address") == 0 && s->addresses < SETTINGS_ADDRESSES)
        return to_address(value, &s->address[s->addresses++]);
    if (strcmp(name, "gateway") == 0 && s->gateways < SETTINGS_ADDRESSES)
        return to_address(value, &s->gateway[s->gateways++]);
    if (strcmp(name, "fastopen_key") == 0)
        return to_key(value, s);
    if (strcmp(name, "tls") == 0)
        return strcmp(value, "off") == 0 ? 0 : -EINVAL;
    if (strcmp(name, "congestion_control") == 0) {
        s->conn.controller = tlsyn_controller_name(strcmp(value, "reno") == 0 ? "newreno" : value);
        return s->conn.controller ? 0 : -EINVAL;
    }
    n = strtoul(value, &end, 0);
    return *value && !*end && set_number(s, name, n) ? 0 : -EINVAL;
}

static int take_word(struct settings *s, const char *word)
{
    char name[WORD];
    char *value;

    memcpy(name, word, WORD);
    value = strchr(name, '=');
    if (!value)
        return -EINVAL;
    *value++ = '\0';
    return set(s, name, value);
}

int settings_parse(const char *flags, struct settings *s, char *wrong)
{
    *s = (struct settings){.mtu = 1500};
    tlsyn_limits_default(&s->limits);
    s->limits.max_ack_delay = TLSYN_MS(200); /* Linux's tail loss probe counts on rto_min */
    s->limits.rto_max = TLSYN_SECONDS(120);  /* what Linux's TCP_SYNCNT and scripts count by */
    while (flags && *flags) {
        size_t n = strcspn(flags, ",");

        memset(wrong, 0, WORD);
        memcpy(wrong, flags, n < WORD ? n : WORD - 1);
        if (n >= WORD || (n > 0 && take_word(s, wrong) < 0))
            return -EINVAL;
        flags += n + (flags[n] == ',');
    }
    return 0;
}
