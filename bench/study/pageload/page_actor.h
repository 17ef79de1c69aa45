/*
 * study/pageload/page_actor.h: the processes of live page loads in the laboratory's hosts: the
 * browser in the client, the page's servers in the server. Who asks them is study/pageload/lab.h;
 * how they speak, study/actors.h.
 */
#ifndef STUDY_PAGELOAD_PAGE_ACTOR_H
#define STUDY_PAGELOAD_PAGE_ACTOR_H

#include "study/credentials.h"
#include "study/names.h"
#include "web/loader.h"

enum page_role { PAGE_BROWSER, PAGE_SERVER, PAGE_ROLES };

/** What an actor is given; lives in the harness's memory, of which the child has a copy. */
struct page_part {
    enum page_role role;
    enum study_stack stack; /* STUDY_TLSYN or STUDY_KERNEL */
    int control;            /* the actor's end */
    const struct page *page;
    const struct credentials *credentials;
    const char *history; /* file; or NULL: what was visited is remembered in memory alone */
};

/** What is wanted of a browser: a load, or (ping) a round trip. */
struct page_order {
    enum study_stack stack; /* the browser that is asked */
    bool ping;
    int handshake; /* index into browser_handshakes */
    enum browser_visit visit;
    bool h2;
    tlsyn_time timeout;
};

#define PAGE_LABEL_MAX 24

struct page_answer {
    int error; /* of signing on and of ping: 0 or -errno */
    char message[LOADER_SENTENCE_MAX];
    double ping_us;
    int full, resumed; /* handshakes */
    struct load_result load;
    char label[POLICY_URLS_MAX][PAGE_LABEL_MAX]; /* of the URLs in the load's events */
};

/** For lab_spawn(): plays the struct page_part that `argument` points to; the exit status. */
int page_actor_main(void *argument);

#endif
