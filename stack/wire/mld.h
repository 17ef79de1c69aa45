/*
 * wire/mld.h: multicast listener discovery: queries and reports of version 2 (RFC 3810 5) and
 * 1 (RFC 2710 3).
 */
#ifndef TLSYN_WIRE_MLD_H
#define TLSYN_WIRE_MLD_H

#include <tlsyn/types.h>

#include "wire/icmp6.h"

#define MLD1_LEN        24
#define MLD2_QUERY_LEN  28
#define MLD2_REPORT_LEN 8
#define MLD2_RECORD_LEN 20
#define MLD2_IS_EXCLUDE 2 /* record: we listen, whoever sends */
#define MLD2_TO_INCLUDE 3 /* record: we have stopped to listen */
#define MLD2_TO_EXCLUDE 4 /* record: we have begun to listen */

struct wire_mld_query {
    bool version1;
    uint32_t max_delay_ms;   /* to spread the answers over */
    struct tlsyn_addr group; /* unspecified: asks for all groups */
};

/** 0; -EPROTONOSUPPORT: no query; -EMSGSIZE: of neither version's length; -EBADMSG: asks for
 * what is no group. */
int wire_mld_query_parse(const uint8_t *bytes, size_t len, struct wire_mld_query *query);

/** A report of version 2 with one record of this type per group, its checksum zero; its
 * length, or -ENOSPC. */
int wire_mld_report_emit(uint8_t record, const struct tlsyn_addr *group, int count, uint8_t *bytes,
                         size_t room);

/** A report or "done" of version 1 (`type`), its checksum zero; MLD1_LEN, or -ENOSPC. */
int wire_mld1_emit(uint8_t type, const struct tlsyn_addr *group, uint8_t *bytes, size_t room);

#endif
