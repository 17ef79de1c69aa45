/*
 * peer/lwip.h: one TCP connection of lwIP over a TAP interface, in the calling thread.
 *
 * The distribution's liblwip, as it is configured: peer_lwip_description() says how. Its threads
 * are not started: the caller polls, which is the fastest way to run it (one core, no queues
 * between threads). lwIP is global: one per process, once.
 */
#ifndef PEER_LWIP_H
#define PEER_LWIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct peer_lwip;

/** What happens to the connection; called inside peer_lwip_poll(). */
struct peer_lwip_events {
    void (*connected)(void *user);
    void (*received)(void *user, const uint8_t *bytes, size_t n);
    void (*acked)(void *user);             /* there is room to write */
    void (*ended)(void *user);             /* the peer sends no more */
    void (*failed)(void *user, int error); /* -errno; the connection is gone */
};

/** False when tlsyn was built without lwIP, or it isn't installed here; then the calls below fail
 * with -EOPNOTSUPP. */
bool peer_lwip_is_there(void);

/** The version and what of its configuration bounds its speed. */
const char *peer_lwip_description(void);

/** Makes a TAP interface with `kernel` as the kernel's address on it, and lwIP behind it with
 * `own`; both IPv4 in a /24. Needs CAP_NET_ADMIN. 0 or -errno. */
int peer_lwip_open(const char *kernel, const char *own, const struct peer_lwip_events *events,
                   void *user, struct peer_lwip **lwip);
void peer_lwip_free(struct peer_lwip *lwip);

/** 0 or -errno. */
int peer_lwip_listen(struct peer_lwip *lwip, uint16_t port);
int peer_lwip_connect(struct peer_lwip *lwip, const char *address, uint16_t port);

/** Takes in what has arrived, runs timers, sends what is due. Without waiting; true if there was
 * something to take in. */
bool peer_lwip_poll(struct peer_lwip *lwip);

/** To wait on: readable when there is something to take in. */
int peer_lwip_fd(const struct peer_lwip *lwip);

/** Bytes that can be written now. */
size_t peer_lwip_room(const struct peer_lwip *lwip);
/** Copies at most peer_lwip_room() bytes; they leave with the next poll. 0 or -errno. */
int peer_lwip_write(struct peer_lwip *lwip, const uint8_t *bytes, size_t n);
/** No more to write. */
int peer_lwip_close(struct peer_lwip *lwip);

#endif
