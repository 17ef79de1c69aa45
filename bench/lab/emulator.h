/*
 * lab/emulator.h: a bridge between two interfaces that impairs what it forwards, and
 * measures itself.
 *
 *     emulator_open -> emulator_run
 */
#ifndef LAB_EMULATOR_H
#define LAB_EMULATOR_H

#include "lab/lab.h"

struct emulator;

/** Opens the interfaces towards client and server, which are in this network namespace and up. 0,
 * or -errno with a sentence in *error. */
int emulator_open(const struct lab_options *options, const char *to_client, const char *to_server,
                  struct emulator **emulator, struct lab_error *error);

/** Forwards frames and answers requests (control.h) until the other end of `control` closes (0) or
 * an interface fails (-errno). */
int emulator_run(struct emulator *emulator, int control);

#endif
