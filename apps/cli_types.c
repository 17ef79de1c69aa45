/*
 * cli_types.c: the kinds of values that options take.
 */
#include "cli.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct unit {
    const char *name;
    double factor;
};

/* A non-negative decimal number, and what stands behind it. strtod() alone would also take "inf",
 * "nan", "0x10" and leading blanks. */
static int parse_decimal(const char *text, double *value, const char **rest)
{
    char *end = NULL;

    if (!((text[0] >= '0' && text[0] <= '9') || text[0] == '.'))
        return -EINVAL;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return -EINVAL;
    errno = 0;
    *value = strtod(text, &end);
    if (errno != 0 || end == text || !isfinite(*value))
        return -EINVAL;
    *rest = end;
    return 0;
}

static int parse_with_unit(const char *text, const struct unit *units, double max, double *value)
{
    const char *rest = NULL;
    double number = 0;

    if (parse_decimal(text, &number, &rest) < 0)
        return -EINVAL;
    for (; units->name; units++) {
        if (strcasecmp(rest, units->name) != 0)
            continue;
        if (number * units->factor > max)
            return -EINVAL;
        *value = number * units->factor;
        return 0;
    }
    return -EINVAL;
}

int cli_text_parse(const struct cli_type *type, const char *text, void *into)
{
    (void)type;
    if (text[0] == '\0')
        return -EINVAL;
    *(const char **)into = text;
    return 0;
}

static int parse_duration(const struct cli_type *type, const char *text, void *into)
{
    static const struct unit units[] = {{"us", 1},     {"ms", 1e3},   {"s", 1e6},
                                        {"min", 60e6}, {"h", 3600e6}, {NULL, 0}};
    double value = 0;

    (void)type;
    if (strcmp(text, "0") == 0) {
        *(tlsyn_time *)into = 0;
        return 0;
    }
    if (parse_with_unit(text, units, 1e15, &value) < 0)
        return -EINVAL;
    *(tlsyn_time *)into = (tlsyn_time)llround(value);
    return 0;
}

static int parse_size(const struct cli_type *type, const char *text, void *into)
{
    static const struct unit units[] = {
        {"", 1},       {"b", 1},        {"k", 1e3},      {"kb", 1e3},     {"m", 1e6},
        {"mb", 1e6},   {"g", 1e9},      {"gb", 1e9},     {"t", 1e12},     {"tb", 1e12},
        {"kib", 1024}, {"mib", 0x1p20}, {"gib", 0x1p30}, {"tib", 0x1p40}, {NULL, 0}};
    double value = 0;

    (void)type;
    if (parse_with_unit(text, units, 1e18, &value) < 0)
        return -EINVAL;
    *(uint64_t *)into = (uint64_t)llround(value);
    return 0;
}

static int parse_rate(const struct cli_type *type, const char *text, void *into)
{
    static const struct unit units[] = {
        {"bit", 1}, {"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {NULL, 0}};
    double value = 0;

    (void)type;
    if (parse_with_unit(text, units, 1e15, &value) < 0 || value < 1)
        return -EINVAL;
    *(uint64_t *)into = (uint64_t)llround(value);
    return 0;
}

static int parse_percent(const struct cli_type *type, const char *text, void *into)
{
    static const struct unit units[] = {{"%", 0.01}, {NULL, 0}};
    double value = 0;

    (void)type;
    if (strcmp(text, "0") != 0 && parse_with_unit(text, units, 1.0, &value) < 0)
        return -EINVAL;
    *(double *)into = value;
    return 0;
}

static int parse_address(const struct cli_type *type, const char *text, void *into)
{
    struct tlsyn_addr address;
    uint8_t octets[4];

    (void)type;
    if (inet_pton(AF_INET, text, octets) == 1)
        address = tlsyn_addr_ip4(octets);
    else if (inet_pton(AF_INET6, text, address.byte) != 1 || tlsyn_addr_is_ip4(&address))
        return -EINVAL;
    *(struct tlsyn_addr *)into = address;
    return 0;
}

static int parse_network(const struct cli_type *type, const char *text, void *into)
{
    struct cli_type prefix = {.min = 1, .max = 128};
    struct cli_network *network = into;
    const char *slash = strchr(text, '/');
    char address[CLI_ADDRESS_TEXT];
    struct tlsyn_addr parsed;
    int64_t length = 0;

    if (!slash || (size_t)(slash - text) >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    if (parse_address(type, address, &parsed) < 0)
        return -EINVAL;
    if (tlsyn_addr_is_ip4(&parsed))
        prefix.max = 32;
    if (cli_number_parse(&prefix, slash + 1, &length) < 0)
        return -EINVAL;
    network->address = parsed;
    network->prefix_len = (int)length;
    return 0;
}

int cli_choice_parse(const struct cli_type *type, const char *text, void *into)
{
    for (int i = 0; type->choices[i]; i++) {
        if (strcmp(type->choices[i], text) == 0) {
            *(int *)into = i;
            return 0;
        }
    }
    return -EINVAL;
}

int cli_set_parse(const struct cli_type *type, const char *text, void *into)
{
    uint32_t set = 0;

    for (;;) {
        size_t len = strcspn(text, ",");
        int i = 0;

        while (type->choices[i] &&
               (strlen(type->choices[i]) != len || memcmp(type->choices[i], text, len) != 0))
            i++;
        if (!type->choices[i])
            return -EINVAL;
        set |= UINT32_C(1) << i;
        if (text[len] == '\0')
            break;
        text += len + 1;
    }
    *(uint32_t *)into = set;
    return 0;
}

int cli_number_parse(const struct cli_type *type, const char *text, void *into)
{
    char *end = NULL;
    long long value = 0;

    if (!(text[0] >= '0' && text[0] <= '9') && text[0] != '-')
        return -EINVAL;
    errno = 0;
    value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < type->min || value > type->max)
        return -EINVAL;
    *(int64_t *)into = value;
    return 0;
}

/* "lab or memory"; "some of new, id, psk, with commas between" */
static void join_choices(const struct cli_type *type, char text[CLI_ACCEPTS_TEXT])
{
    bool set = type->parse == cli_set_parse;
    size_t len = (size_t)snprintf(text, CLI_ACCEPTS_TEXT, "%s", set ? "some of " : "");

    for (int i = 0; type->choices[i] && len < CLI_ACCEPTS_TEXT; i++) {
        const char *between = i == 0 ? "" : type->choices[i + 1] || set ? ", " : " or ";
        int n = snprintf(text + len, CLI_ACCEPTS_TEXT - len, "%s%s", between, type->choices[i]);

        len += n > 0 ? (size_t)n : 0;
    }
    if (set && len < CLI_ACCEPTS_TEXT)
        (void)snprintf(text + len, CLI_ACCEPTS_TEXT - len, ", with commas between");
}

const char *cli_accepts(const struct cli_type *type, char text[CLI_ACCEPTS_TEXT])
{
    if (type->accepts)
        return type->accepts;
    if (type->choices)
        join_choices(type, text);
    else
        (void)snprintf(text, CLI_ACCEPTS_TEXT, "a whole number from %lld to %lld",
                       (long long)type->min, (long long)type->max);
    return text;
}

const struct cli_type cli_string = {
    .placeholder = "TEXT", .accepts = "a word", .parse = cli_text_parse};
const struct cli_type cli_file = {
    .placeholder = "FILE", .accepts = "the name of a file", .parse = cli_text_parse};
const struct cli_type cli_folder = {
    .placeholder = "FOLDER", .accepts = "the name of a folder", .parse = cli_text_parse};
const struct cli_type cli_command = {
    .placeholder = "COMMAND", .accepts = "a command of the shell", .parse = cli_text_parse};
const struct cli_type cli_duration = {.placeholder = "DURATION",
                                      .accepts = "a duration such as 20ms, 1.5s or 2min",
                                      .parse = parse_duration};
const struct cli_type cli_size = {
    .placeholder = "SIZE", .accepts = "a size such as 512, 64k, 1.5M or 1MiB", .parse = parse_size};
const struct cli_type cli_rate = {.placeholder = "RATE",
                                  .accepts = "a rate such as 64kbit, 10mbit or 1.5gbit",
                                  .parse = parse_rate};
const struct cli_type cli_percent = {.placeholder = "PERCENT",
                                     .accepts = "a percentage from 0% to 100%, such as 2%",
                                     .parse = parse_percent};
const struct cli_type cli_count = {
    .placeholder = "N", .parse = cli_number_parse, .min = 1, .max = INT32_MAX};
const struct cli_type cli_port = {.placeholder = "PORT",
                                  .accepts = "a port number from 1 to 65535",
                                  .parse = cli_number_parse,
                                  .min = 1,
                                  .max = 65535};
const struct cli_type cli_address = {.placeholder = "ADDRESS",
                                     .accepts = "an address such as 10.0.0.9 or fd77::9",
                                     .parse = parse_address};
const struct cli_type cli_network = {
    .placeholder = "ADDRESS/PREFIX",
    .accepts = "an address and prefix length such as 10.0.0.9/24 or fd77::9/64",
    .parse = parse_network};

const char *cli_address_text(const struct tlsyn_addr *address, char *text)
{
    if (tlsyn_addr_is_ip4(address))
        (void)inet_ntop(AF_INET, tlsyn_addr_octets(address), text, CLI_ADDRESS_TEXT);
    else
        (void)inet_ntop(AF_INET6, address->byte, text, CLI_ADDRESS_TEXT);
    return text;
}

const char *cli_address_host(const struct tlsyn_addr *address, char *text)
{
    char plain[CLI_ADDRESS_TEXT];

    if (tlsyn_addr_is_ip4(address))
        return cli_address_text(address, text);
    (void)snprintf(text, CLI_ADDRESS_TEXT, "[%.45s]", cli_address_text(address, plain));
    return text;
}
