/*
 * web/loader_parts.h: what the loader's files share. Private to them.
 *
 *     loader.c             the load: what is done when
 *     loader_result.c      what is kept of it
 *     loader_pages.c       URLs, what documents name, what servers answer
 *     loader_connections.c names and connections
 */
#ifndef WEB_LOADER_PARTS_H
#define WEB_LOADER_PARTS_H

#include "web/css.h"
#include "web/document.h"
#include "web/loader.h"
#include "web/script.h"

enum name_state { NAME_UNKNOWN, NAME_ASKED, NAME_KNOWN, NAME_FAILED };

struct server {
    struct carrier_lookup lookup;
    struct loader *loader;
    char name[256];
    uint16_t port;
    enum name_state state;
    struct tlsyn_addr address;
};

/* What a URL becomes while its bytes come. */
struct part {
    struct reference_user references;
    struct loader *loader;
    int event; /* its GET, -1: none */
    int found; /* references in it so far */
    bool is_redirect;
    struct url target; /* of is_redirect */
    struct document *document;
    struct css *css;
    struct script *script;
};

struct connection {
    struct carrier_user user;
    struct http_client_user http;
    struct loader *loader;
    struct carrier_stream *stream;
    struct http_client *client; /* once it is up */
    bool up_at_once;
    int event; /* the step of its opening, -1: none */
};

struct loader {
    struct carrier *carrier;
    struct loader_user *user;
    struct carrier_reminder reminder;
    bool reminded;   /* it is set */
    bool hurried;    /* who waits has waited for long enough */
    double shortest; /* round trip that was seen, in microseconds; 0: none */
    struct loader_options options;
    struct policy policy;
    double started;
    bool driving, done;
    int frames;
    struct loader_url url[POLICY_URLS_MAX];
    struct part part[POLICY_URLS_MAX];
    struct server server[POLICY_HOSTS_MAX];
    struct connection connection[POLICY_CONNECTIONS_MAX];
    struct load_result result;
};

/** Microseconds since the load began. */
double load_elapsed(const struct loader *loader);

/** The index of the event, -1: no room. */
int load_begin(struct loader *loader, enum load_step step, int connection, int url);
void load_end(struct loader *loader, int event);
/** The same, by the server's answer: it took a round trip at least. */
void load_answered(struct loader *loader, int event);

/** Notes what went wrong, for the result. The last note before the first URL is given up is the one
 * that stays: earlier failures were made good by another try. So this comes before the call that
 * tells the policy. */
void load_note(struct loader *loader, int error, const char *what, const char *sentence);

/** The load is over, and its result complete. */
void load_finish(struct loader *loader);

/** Does whatever can be done now; at the end of each event. */
void loader_drive(struct loader *loader);

/** A new URL; its index. -ENOBUFS, and it is counted as passed over. */
int page_add(struct loader *loader, const struct url *url, struct policy_url what);

/** Its index, -1: it is new. */
int page_find(const struct loader *loader, const struct url *url);

void page_free_parsers(struct part *part);

extern const struct http_client_events page_events;

void connection_open(struct loader *loader, const struct policy_action *action);
void connection_fetch(struct loader *loader, const struct policy_action *action);

/** What was up as soon as it was opened is told to the policy. Whether there was any. */
bool connection_take_up(struct loader *loader);

/** What was asked for leaves: the preface of HTTP/2 and requests side by side, in one flight. */
void connection_push_all(struct loader *loader);

/** Closes it, and tells the policy. */
void connection_lose(struct connection *c);

#endif
