/*
 * study/flood/parts.h: the processes of a flood, and what they say. Private to this folder.
 *
 * Each process has one end of a socket pair that keeps messages apart (study/actors.h). It says
 * that it is ready, begins when it is told to, and ends when it is told to or its other end is
 * closed.
 */
#ifndef STUDY_FLOOD_PARTS_H
#define STUDY_FLOOD_PARTS_H

#include "lab/lab.h"
#include "peer/context.h"
#include "study/actors.h"
#include "study/flood/flood.h"
#include "study/flood/forge.h"

#define FLOOD_SETTLE TLSYN_MS(500) /* of a flood, before anybody is counted */

enum { FLOOD_VISITORS = 4 }; /* at a time: one that waits for a lost SYN holds no other up */

#define FLOOD_PORT    study_port(STUDY_13, STUDY_NEW) /* both servers' */
#define FLOOD_NETWORK "198.18.0.0"                    /* that sources are forged of: forge.h */

/** What all of a run share; lives in the harness's memory, of which each child has a copy. */
struct flood_ground {
    struct lab *lab;
    const struct credentials *credentials;
    struct peer_context *client; /* OpenSSL's */
    uint8_t hello[FORGE_HELLO_MAX];
    size_t hello_len;
    uint8_t server_hw[6];
    char folder[200];  /* for the servers' files; "": none yet */
    char program[512]; /* this one */
};

/** One process, as the harness sees it. */
struct flood_process {
    int control;
    pid_t pid; /* 0: none */
};

enum flood_word { FLOOD_READY, FLOOD_GO, FLOOD_VISIT, FLOOD_STOP, FLOOD_REPORT };

struct flood_message {
    enum flood_word word;
    int error; /* of READY: 0 or -errno with a reason; of VISIT */
    char reason[FLOOD_REASON_MAX];
    double handshake_us; /* of VISIT */
    bool embedded;
    uint64_t forged, forged_bytes; /* of REPORT */
    double cpu;
    bool cookie;          /* of READY */
    uint8_t server_hw[6]; /* of READY, by who prepared the server's host */
};

/** A child's argument. */
struct flood_child {
    const struct flood_ground *ground;
    const struct flood_cell *cell;
    uint32_t visits; /* all visitors' together, per second */
    uint64_t seed;
    int number; /* of a visitor */
    int control;
};

/** For lab_spawn(), with a struct flood_child. */
int flood_forger(void *child);
int flood_visitor(void *child);

/** To the other end of the pair. 0 or -errno. */
static inline int flood_tell(int control, const struct flood_message *message)
{
    return actor_send(control, message, sizeof(*message));
}

/** The address of the cell's server. */
const char *flood_server_address(enum flood_pair pair);

/* --- one flood: stage.c ----------------------------------------------------------------------- */

/** Watches a cell. 0, also when that came to nothing, which the sample says; -EINTR; or another
 * -errno: the laboratory is broken. */
int flood_watch(const struct flood_ground *ground, const struct flood_options *options,
                const struct flood_cell *cell, struct flood_sample *sample,
                struct study_observer *observer);

/* --- the server: server.c --------------------------------------------------------------------- */

/** Writes what servers read, and prepares the server's host: routes, tcp_fastopen, its Ethernet
 * address. 0, or -errno with a sentence. */
int flood_ground_open(struct flood_ground *ground, char message[STUDY_MESSAGE_MAX]);
void flood_ground_close(struct flood_ground *ground);

/** Starts it, and waits until it serves. Its process id, or -errno. */
pid_t flood_server_start(const struct flood_ground *ground, enum flood_pair pair);
void flood_server_stop(const struct flood_ground *ground, pid_t server);

/** What a server has used and its interface has carried so far. */
struct flood_gauge {
    uint64_t rss, bytes_in, bytes_out;
    double cpu; /* s */
};

/** 0 or -errno: it is gone. */
int flood_gauge_read(pid_t server, struct flood_gauge *gauge);

#endif
