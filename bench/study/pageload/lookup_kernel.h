/*
 * study/pageload/lookup_kernel.h: names to IPv4 addresses (peer/names.h), as a page loader asks for
 * them.
 */
#ifndef STUDY_PAGELOAD_LOOKUP_KERNEL_H
#define STUDY_PAGELOAD_LOOKUP_KERNEL_H

#include "study/pageload/poller.h"
#include "web/carrier.h"

struct lookup_kernel;

/** Asks the server at this IPv4 address. 0 or -errno. */
int lookup_kernel_new(struct poller *poller, const char *server, struct lookup_kernel **lookup);

/** on_resolved comes from the poller, unless it is freed before. 0 or -errno. */
int lookup_kernel_ask(struct lookup_kernel *lookup, const char *name, struct carrier_lookup *asks);

/** NULL is allowed. */
void lookup_kernel_free(struct lookup_kernel *lookup);

#endif
