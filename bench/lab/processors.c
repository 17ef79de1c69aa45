/*
 * lab/processors.c: parts the processors. Read first: sched_setaffinity(2), CPU_SET(3).
 */
#include "lab/processors.h"

#include <stddef.h>

bool processors_part(cpu_set_t *emulator, cpu_set_t *hosts)
{
    size_t first = 0;

    if (sched_getaffinity(0, sizeof(*hosts), hosts) < 0 || CPU_COUNT(hosts) < 2)
        return false;
    while (!CPU_ISSET(first, hosts))
        first++;
    CPU_CLR(first, hosts);
    CPU_ZERO(emulator);
    CPU_SET(first, emulator);
    return true;
}
