/*
 * study/flood/flood.h: what honest clients get of a server while forged SYNs with a ClientHello
 * arrive, of this stack's and of the kernel's, and what the server sends to those whose names were
 * forged.
 *
 *      client                                              server
 *     +-------------------------------------+    veth    +------------------------------+
 *     | visitors: handshakes at a steady    |============| tlsyn serve, or nginx on the |
 *     |   rate, on the kernel's stack with  |            | kernel's stack               |
 *     |   OpenSSL, or on ours               |            +------------------------------+
 *     | the forger: a raw socket            |
 *     +-------------------------------------+
 *
 * Servers run with their defaults, nginx with Fast Open, and its kernel takes data in SYNs (sysctl
 * tcp_fastopen 0x603). The forger names sources of 198.18.0.0/15, all of which the server routes to
 * the client's host, where nobody answers. Everything shares the machine's cores: the more is
 * forged, the less is left to the server.
 *
 * A *cell* is a server, its clients and a flood; each round watches every cell once, in shuffled
 * order, with a server that was just started.
 */
#ifndef STUDY_FLOOD_H
#define STUDY_FLOOD_H

#include <stdio.h>

#include "measure/stats.h"
#include "report/table.h"
#include "study/credentials.h"
#include "study/link.h"
#include "study/noise.h"
#include "study/observer.h"
#include "study/rounds.h"

enum {
    FLOOD_RATES_MAX = 8,
    FLOOD_CELLS_MAX = 3 * (1 + 2 * FLOOD_RATES_MAX),
    FLOOD_ROUNDS_MAX = 200
};

/** Who serves whom. */
enum flood_pair {
    FLOOD_TLSYN_OURS,  /* tlsyn serve, and clients on our stack that embed */
    FLOOD_TLSYN_STOCK, /* tlsyn serve, and OpenSSL on the kernel's stack */
    FLOOD_NGINX_STOCK, /* nginx, and the same */
    FLOOD_PAIRS
};

/** "tlsyn", "nginx" */
const char *flood_server_name(enum flood_pair pair);
/** "tlsyn", "openssl" */
const char *flood_client_name(enum flood_pair pair);

/** What is forged: SYNs with a ClientHello and */
enum flood_kind {
    FLOOD_NONE,
    FLOOD_SPOOFED, /* an empty Fast Open option, from addresses drawn by chance */
    FLOOD_STOLEN,  /* the cookie of one address, from that one */
};

/** "none", "spoofed", "stolen" */
const char *flood_kind_name(enum flood_kind kind);

struct flood_options {
    uint32_t rates[FLOOD_RATES_MAX]; /* SYNs per second; 0 is measured in any case, once */
    int rate_count;
    uint32_t visits; /* honest handshakes begun per second */
    tlsyn_time span; /* of each cell in a round */
    uint32_t rounds;
    bool pairs[FLOOD_PAIRS];
    bool kinds[FLOOD_STOLEN + 1];
    struct study_link link; /* perfect: the wire itself, without an emulator */
    uint64_t seed;
    struct rounds_keep keep;
    const char *command, *version;
};

/** Whether there is an emulator between the hosts. */
bool flood_is_linked(const struct flood_options *options);

#define FLOOD_PATIENCE TLSYN_SECONDS(5) /* of an honest client */

enum { FLOOD_REASON_MAX = 200 };

/** A cell as it was in one round. */
struct flood_sample {
    bool done, missed; /* missed: the emulator did not keep the link */
    int error;         /* 0, or -errno with a reason: there is nothing more */
    char reason[FLOOD_REASON_MAX];
    uint32_t visits, succeeded, embedded; /* embedded: the SYN's payload was taken */
    struct journal_list handshake_us;     /* of those that succeeded */
    double seconds;                       /* that the following was counted in: */
    uint64_t bytes_in, bytes_out;         /* of Ethernet frames at the server's interface */
    double cpu;                           /* seconds of the server's */
    uint64_t forged, forged_bytes;        /* that left the forger */
    double forger_cpu;
    bool cookie;                            /* stolen: the server had given one */
    uint64_t rss_first, rss_most, rss_last; /* bytes of the server's memory */
};

struct flood_cell {
    enum flood_pair pair;
    enum flood_kind kind;
    uint32_t rate;

    /* of flood_analyse() */
    uint32_t rounds, failed; /* in which it was watched, or came to nothing */
    /** All its rounds together: sums, the first look at the memory and the worst, the first failure
     * and its reason; the times are sorted. */
    struct flood_sample all;
    struct stats_interval median_ms; /* of the rounds' medians */
    double p90_ms, p99_ms, most_ms;
    double out_per_in; /* of what came and left beside the honest clients' traffic */
};

struct flood_study {
    struct flood_options options;
    struct flood_cell cells[FLOOD_CELLS_MAX];
    uint32_t cell_count;
    struct flood_sample *samples; /* [round][cell] */
    bool interrupted;
    double seconds;
    struct noise noise; /* of the machine */
};

/** The options of `tlsyn bench flood` without arguments. */
void flood_defaults(struct flood_options *options);

/** Whether there is an nginx to compare with. */
bool flood_has_nginx(void);

/** What a cell was in a round. */
static inline struct flood_sample *flood_sample_of(const struct flood_study *study, uint32_t round,
                                                   uint32_t cell)
{
    return &study->samples[(size_t)round * study->cell_count + cell];
}

/** Cells of the options. 0, -EINVAL, -ENOMEM. Free with flood_free(). */
int flood_plan(const struct flood_options *options, struct flood_study **study);

/** Seconds that a run takes, roughly. */
double flood_estimate(const struct flood_study *study);

/** Measures what is planned. 0, also when it was interrupted; -errno with a sentence: the
 * laboratory is forbidden (-EPERM) or broke down, and what came before is kept. */
int flood_run(struct flood_study *study, struct study_observer *observer,
              char message[STUDY_MESSAGE_MAX]);

/** From the samples to the cells' figures. 0 or -ENOMEM. */
int flood_analyse(struct flood_study *study);

void flood_free(struct flood_study *study);

/* --- writing it down; each 0 or -errno -------------------------------------------------------- */

int flood_text(const struct flood_study *study, FILE *out, unsigned width);
int flood_json(const struct flood_study *study, FILE *out);
int flood_html(const struct flood_study *study, FILE *out);

/** The cells, a row each; free with report_table_fini(). */
void flood_table(const struct flood_study *study, struct report_table *table);

#endif
