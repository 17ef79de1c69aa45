/*
 * isn_secret.h: the secret behind initial sequence numbers and timestamp offsets, the same from run
 * to run: the file "isn" of the user's cache.
 *
 * Each run of a command is a stack of its own, but at the same address as the run before, and the
 * kernel may well choose the same port. With the same secret (the clock is the machine's anyway) a
 * server that has the former connection in TIME-WAIT accepts the next one's SYN at once (RFC 6191).
 * With another secret the SYN may look old; the server would then answer with an ACK of the former
 * connection, as RFC 9293 has it, and the open would cost an RST and a timeout more.
 *
 * The line is
 *
 *     1 BOOT SECRET
 *
 * with the version of this form first; the kernel's boot ID, as the clock starts anew with the
 * machine; and the secret in hexadecimal.
 */
#ifndef ISN_SECRET_H
#define ISN_SECRET_H

#include <tlsyn/stack.h>

#include "cache_file.h"

/** Gives the stack the cache's secret, and the cache one when it has none of this boot. 0, or why
 * not, as cache_edit(): then the stack has its own. */
int isn_secret_recall(struct cache *cache, struct tlsyn_stack *stack);

#endif
