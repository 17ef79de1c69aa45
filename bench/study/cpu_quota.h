/*
 * study/cpu_quota.h: whether this process may use all of its processors' time. In a container or a
 * unit of systemd it may have a quota; who uses it up stands still until the next period
 * (cgroups(7); Linux, admin-guide/cgroup-v2.rst, cpu.max; scheduler/sched-bwc.rst,
 * cpu.cfs_quota_us).
 */
#ifndef STUDY_CPU_QUOTA_H
#define STUDY_CPU_QUOTA_H

#include <stdbool.h>

/** False: none of its control groups has a quota. True: one has, or it can't be told. `membership`
 * and `mount`: "/proc/self/cgroup" and "/sys/fs/cgroup", tests apart. */
bool cpu_quota(const char *membership, const char *mount);

#endif
