/* What a connection was, from its events and its messages. Private to the ladder's files. */
#ifndef TLSYN_REPORT_LADDER_STORY_H
#define TLSYN_REPORT_LADDER_STORY_H

#include "report/ladder.h"
#include "report/ladder_tls.h"

/* Fill in ladder->story; all events are there yet. */
void ladder_story_tell(struct ladder *ladder, const struct ladder_tls *client,
                       const struct ladder_tls *server);

/* Where the event's text begins in its direction's stream. */
static inline size_t ladder_event_offset(const struct ladder_event *event)
{
    return event->seq - ((event->flags & LADDER_SYN) != 0 ? 0 : 1U);
}

#endif
