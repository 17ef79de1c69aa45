/*
 * study/table2/parts.h: what table2.c, which knows the cells, gives to run.c.
 */
#ifndef STUDY_TABLE2_PARTS_H
#define STUDY_TABLE2_PARTS_H

#include "study/table2/table2.h"

/** A study of these options on this testbed, without samples, or NULL. */
struct table2 *table2_new(const struct table2_options *options, const struct testbed *testbed);

/** Numbers the cells: target * member_count + member. 0, -EINVAL, -ENOMEM. */
int table2_list_cells(struct table2 *table);

#endif
