/*
 * study/lab_node.h: our stack on the interface of a laboratory's host, for a process in that host.
 */
#ifndef STUDY_LAB_NODE_H
#define STUDY_LAB_NODE_H

#include "lab/lab.h"
#include "study/node.h"

/** With the address that the host keeps for a stack of ours; node->link is a tap (study/tap.h)
 * around the interface if it is to be `tapped`. 0 or -errno with a sentence. */
int lab_node_open(struct node *node, enum lab_host host, bool tapped, char *message, size_t size);

#endif
