/*
 * sim/minimise.h: a plan that fails, made smaller as long as it fails in the same way.
 */
#ifndef TEST_SIM_MINIMISE_H
#define TEST_SIM_MINIMISE_H

#include "sim/run.h"

/** False: it does not fail. `tried`: how many plans were played. */
bool minimise(struct plan *plan, struct outcome *outcome, int *tried);

#endif
