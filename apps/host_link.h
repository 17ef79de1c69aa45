/*
 * host_link.h: the link that a host stands on. Private to host*.c, and to who asks as they do.
 */
#ifndef HOST_LINK_H
#define HOST_LINK_H

#include "host.h"

/** Settles host->interface: the one that was named, or the only one that is up. CLI_OK, or says why
 * not. */
int host_choose_interface(struct host *host);

/** Opens what --link says, which needs rights. CLI_OK, or says why not. */
int host_open_link(struct host *host);

#endif
