/*
 * tls_tally.c: the counters of a TLS configuration, by name.
 */
#include "tls_tally.h"

#include <stddef.h>

#define COUNTED(member, name)                                                                      \
    {                                                                                              \
        offsetof(struct tlsyn_tls_counters, member), name                                          \
    }

static const struct {
    size_t at;
    const char *name;
} counted[] = {
    COUNTED(handshakes[TLSYN_TLS_NEW], "TlsHandshakesNew"),
    COUNTED(handshakes[TLSYN_TLS_ID], "TlsHandshakesById"),
    COUNTED(handshakes[TLSYN_TLS_TICKET], "TlsHandshakesByTicket"),
    COUNTED(handshakes[TLSYN_TLS_PSK], "TlsHandshakesByPsk"),
    COUNTED(waited, "TlsHandshakesWaited"),
    COUNTED(too_many, "TlsHandshakesTooMany"),
    COUNTED(ids_unknown, "TlsSessionsUnknown"),
    COUNTED(ids_expired, "TlsSessionsExpired"),
    COUNTED(evicted, "TlsSessionsEvicted"),
    COUNTED(tickets_sent, "TlsTicketsSent"),
    COUNTED(tickets_expired, "TlsTicketsExpired"),
    COUNTED(tickets_foreign, "TlsTicketsForeign"),
};

static void tell(struct tlsyn_control_source *source,
                 void (*put)(void *out, const char *name, uint64_t value), void *out)
{
    const struct tls_tally *tally = (const struct tls_tally *)source; /* first member */
    struct tlsyn_tls_counters counters;

    tlsyn_tls_config_counters(tally->config, &counters);
    for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++)
        put(out, counted[i].name,
            *(const uint64_t *)(const void *)((const char *)&counters + counted[i].at));
    put(out, "TlsSessionsKept", counters.sessions);
}

void tls_tally_init(struct tls_tally *tally, const struct tlsyn_tls_config *config)
{
    *tally = (struct tls_tally){.source.tell = tell, .config = config};
}
