/*
 * cli.h: options of a subcommand as a table, from which parsing, the messages about bad values and
 * --help all come.
 *
 *     bool quiet = false; tlsyn_time rtt = 0; const char *file = NULL;
 *     const struct cli_option options[] = {
 *         {"rtt", 0, &cli_duration, &rtt, "round trip of the link", NULL},
 *         {"output", 'o', &cli_file, &file, "write to FILE", NULL},
 *         {"quiet", 'q', NULL, &quiet, "say nothing", NULL}, -- no type: a flag, into a bool
 *         {.name = NULL},
 *     };
 *
 * Values come from, in this order: the command line, the environment variable that the option
 * names, what stood in the target before (the default). An option given twice: the last one counts.
 *
 * Accepted forms: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -abc for flags, --name and
 * --name=VALUE where the value may be left out; "--" ends the options.
 */
#ifndef CLI_H
#define CLI_H

#include <tlsyn/types.h>

/** Exit status of every subcommand. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILURE = 1,    /* the network, the peer or a file failed */
    CLI_USAGE = 2,      /* the command line can't be understood */
    CLI_PERMISSION = 3, /* rights are missing, or could not be given up */
    CLI_TLS = 4,        /* TLS failed: no common version, a certificate that doesn't verify */
    CLI_HTTP = 5,       /* the server answered with an error status */
    CLI_INTERRUPTED = 130,
    CLI_READER_GONE = 141, /* whoever read the standard output has had enough */
};

/** A kind of value. */
struct cli_type {
    const char *placeholder; /* in --help: "DURATION" */
    /** Completes "--rtt takes ..."; NULL: as the choices or bounds say. */
    const char *accepts;
    /** 0, or -EINVAL; *into is unchanged then. */
    int (*parse)(const struct cli_type *type, const char *text, void *into);
    const char *const *choices; /* of cli_choice_parse(): NULL-terminated */
    int64_t min, max;           /* of cli_number_parse() */
    const char *alone;          /* what --name without "=VALUE" stands for; NULL: a value follows */
};

/* clang-format off */
extern const struct cli_type
    cli_string,     /* const char *: anything but "" */
    cli_file,       /* const char *: a file's name, anything but "" */
    cli_folder,     /* const char *: a folder's name, likewise */
    cli_command,    /* const char *: a line for the shell, likewise */
    cli_duration,   /* tlsyn_time: "20ms", "1.5s", "300us", "2min"; not negative; a bare number has no unit and is refused */
    cli_size,       /* uint64_t, bytes: "100", "64k", "1.5M", "2G" (powers of 1000), "64KiB", "1MiB" */
    cli_rate,       /* uint64_t, bits per second: "10mbit", "1.5gbit", "64kbit" */
    cli_percent,    /* double, 0 to 1: "2%", "0.5%" */
    cli_count,      /* int64_t: 1 to 2^31 - 1 */
    cli_port,       /* int64_t: 1 to 65535 */
    cli_address,    /* struct tlsyn_addr: "10.0.0.9", "fd77::9" */
    cli_network;    /* struct cli_network: "10.0.0.9/24", "fd77::9/64" */
/* clang-format on */

/** An address with the length of its network's prefix. */
struct cli_network {
    struct tlsyn_addr address;
    int prefix_len;
};

/** Parsers for types of a subcommand's own: anything but "", into a const char *; one of `choices`,
 * into an int (its index); some of them, with commas between, into a uint32_t (a bit each); a whole
 * number from `min` to `max`, into an int64_t. */
int cli_text_parse(const struct cli_type *type, const char *text, void *into);
int cli_choice_parse(const struct cli_type *type, const char *text, void *into);
int cli_set_parse(const struct cli_type *type, const char *text, void *into);
int cli_number_parse(const struct cli_type *type, const char *text, void *into);

/** What a type accepts, for a sentence: its own words, or made of its choices or bounds in
 * `text`. */
#define CLI_ACCEPTS_TEXT 256
const char *cli_accepts(const struct cli_type *type, char text[CLI_ACCEPTS_TEXT]);

struct cli_option {
    const char *name;            /* without dashes */
    char letter;                 /* or 0 */
    const struct cli_type *type; /* NULL: a flag */
    void *into;                  /* what the type says; a flag: bool */
    const char *help;            /* what it does, with its default; lower case, no full stop */
    const char *environment;     /* variable that gives a default, or NULL */
};

struct cli_command {
    const char *name;                 /* "get" */
    const char *operands;             /* "URL", "[DIR]", "" */
    const char *summary;              /* what it does, a sentence or two */
    const struct cli_option *options; /* ends with a NULL name */
    const struct cli_option *common;  /* shown under "Network options", or NULL */
    const char *notes;                /* end of --help: examples; or NULL */
    int operands_min, operands_max;   /* max -1: no bound */
    bool options_first;               /* an operand ends the options */
};

/** Ends a command whose output could not be written (-errno): its exit status, after a sentence. A
 * reader that went (EPIPE) is none: `tlsyn ... | head` is no accident. */
int cli_output_lost(int error);

/**
 * Parses argv[1..argc-1] (argv[0] is the subcommand's name). Returns the number of operands, which
 * stand in argv[1..] in their order, or -1 when the command is over: --help was printed, or a
 * sentence about what is wrong; then *exit_status is what to exit with.
 */
int cli_parse(const struct cli_command *command, int argc, char **argv, int *exit_status);

/** Bytes that any address, or any address in brackets, takes in text. */
#define CLI_ADDRESS_TEXT 48

/** "10.0.0.9" or "fd77::9" into `text` (CLI_ADDRESS_TEXT bytes). Returns `text`. */
const char *cli_address_text(const struct tlsyn_addr *address, char *text);

/** As it stands before a port or in a URL: "10.0.0.9" or "[fd77::9]" (RFC 3986 3.2.2). */
const char *cli_address_host(const struct tlsyn_addr *address, char *text);

#endif
