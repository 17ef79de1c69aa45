/*
 * surfer.h: tlsyn bench pageload --url: a page of any https server, loaded whole, over our stack on
 * this host's interface.
 *
 * The server is somebody's: no load begins within SURFER_PAUSE of the end of the one before,
 * there are SURFER_CONNECTIONS to a server at most, and each URL is asked for three times at most.
 */
#ifndef SURFER_H
#define SURFER_H

#include "client.h"
#include "study/pageload/browser.h"
#include "study/pageload/real.h"

#define SURFER_PAUSE       TLSYN_SECONDS(1)
#define SURFER_CONNECTIONS 6

enum { SURFER_OPTIONS = 9 };

struct surfer_options {
    const char *text; /* the URL; NULL: none */
    struct client_options client;
    struct host_options network;
    tlsyn_time patience; /* for a load */
};

/** Sets the defaults, and fills places of a table, up to one without a name. */
void surfer_options_init(struct surfer_options *options, struct cli_option table[SURFER_OPTIONS]);

/** Whether any of its options was given beside the URL. */
bool surfer_was_told(const struct surfer_options *options);

struct surfer_order {
    const struct browser_handshake *handshake;
    enum browser_visit visit; /* BROWSER_REPEAT: the loads behind the first one */
    enum browser_http http;
    int loads;
};

/** Loads it. What there is is kept in the study, also when it was interrupted. CLI_OK: each of
 * them found something; CLI_INTERRUPTED; or another status, and the user was told. */
int surfer_run(struct surfer_options *options, const struct surfer_order *order,
               struct real_study *study);

#endif
