/*
 * privilege.h: gives up every right once what needed one is open.
 */
#ifndef PRIVILEGE_H
#define PRIVILEGE_H

/**
 * For good: empties the capability sets (permitted, effective, inheritable, ambient; the bounding
 * set too where that is allowed), sets no_new_privs, and, called as root through sudo, becomes the
 * user who called it. Call it while the process has one thread, before any file of the user's is
 * opened and before a byte of the network is read. CLI_OK, or says why not and returns another exit
 * status: then nothing may be started.
 */
int privilege_drop(void);

/** Says on stderr what the user can type so that opening a raw socket is allowed. */
void privilege_explain(void);

/** The same for a TCP port of this machine's that was refused. */
void privilege_explain_port(unsigned int port);

#endif
