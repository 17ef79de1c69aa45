/*
 * peer/names.h: names to IPv4 addresses, by c-ares over the kernel's UDP, for who waits himself:
 * he watches the descriptors that he is told, and the time.
 */
#ifndef PEER_NAMES_H
#define PEER_NAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct peer_lookup;

/** Who waits. */
struct peer_lookup_user {
    /** What a descriptor is to be watched for; neither: no more, for it is about to be closed. */
    void (*watch)(struct peer_lookup_user *, int fd, bool readable, bool writable);
};

/** Who asks. */
struct peer_question {
    /** Once, and perhaps from within peer_lookup_ask(). NULL: why, in a sentence. */
    void (*on_answer)(struct peer_question *, const struct in_addr *, const char *sentence);
};

/** Asks the DNS server at this IPv4 address. 0 or -errno. */
int peer_lookup_new(const char *server, struct peer_lookup_user *user, struct peer_lookup **lookup);

void peer_lookup_ask(struct peer_lookup *lookup, const char *name, struct peer_question *question);

/** A descriptor is ready, or the time has come. */
void peer_lookup_turn(struct peer_lookup *lookup);

/** When the time will have come: in nanoseconds; negative: never. */
int64_t peer_lookup_due(struct peer_lookup *lookup);

/** Questions end without an answer. NULL is allowed. */
void peer_lookup_free(struct peer_lookup *lookup);

#endif
