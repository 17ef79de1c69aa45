/* What a connection was, in sentences. */
#include <inttypes.h>
#include <string.h>

#include "report/ladder.h"

static bool say_opening(const struct ladder *ladder, char *text, size_t size)
{
    const struct ladder_story *s = &ladder->story;

    if (!s->answered) {
        snprintf(text, size, "No SYN-ACK that answers the SYN is in the capture.");
    } else if (s->syn_text == 0) {
        snprintf(text, size, "Sequential: nothing rode in the SYN.");
    } else if (s->syn_acked == 0) {
        snprintf(text, size,
                 "Sequential: %" PRIu32 " bytes rode in the SYN, but the SYN-ACK acknowledged only "
                 "the SYN, and they went again as ordinary text.",
                 s->syn_text);
    } else if (s->syn_acked < s->syn_text) {
        snprintf(text, size,
                 "Embedded in part: of %" PRIu32 " bytes in the SYN the SYN-ACK acknowledged "
                 "%" PRIu32 ".",
                 s->syn_text, s->syn_acked);
    } else if (s->synack_text == 0) {
        snprintf(text, size,
                 "Embedded: %" PRIu32 " bytes rode in the SYN, and the SYN-ACK acknowledged them; "
                 "it carried nothing itself.",
                 s->syn_text);
    } else {
        snprintf(text, size,
                 "Embedded: %" PRIu32 " bytes rode in the SYN, and the SYN-ACK acknowledged them "
                 "and carried %" PRIu32 ".",
                 s->syn_text, s->synack_text);
    }
    return true;
}

static bool say_cookie(const struct ladder *ladder, char *text, size_t size)
{
    const struct ladder_story *s = &ladder->story;
    char given[64] = "";

    if (s->cookie_sent < 0) {
        return false;
    }
    if (s->cookie_given > 0) {
        snprintf(given, sizeof given, " and got one of %d bytes", s->cookie_given);
    } else if (s->cookie_sent == 0) {
        snprintf(given, sizeof given, " and got none");
    }
    if (s->cookie_sent == 0) {
        snprintf(text, size, "The client asked for a Fast Open cookie%s.", given);
    } else {
        snprintf(text, size, "The client showed a Fast Open cookie of %d bytes%s.", s->cookie_sent,
                 given);
    }
    return true;
}

static bool say_session(const struct ladder *ladder, char *text, size_t size)
{
    static const char *const sessions[] = {
        [LADDER_SESSION_UNKNOWN] = "what the server answered is not in the capture",
        [LADDER_SESSION_NEW] = "a new session",
        [LADDER_SESSION_ID] = "resumed by its session ID",
        [LADDER_SESSION_TICKET] = "resumed by a ticket",
        [LADDER_SESSION_PSK] = "resumed by a pre-shared key",
    };
    const struct ladder_story *s = &ladder->story;
    const char *version = s->session == LADDER_SESSION_UNKNOWN ? "" : s->tls13 ? " 1.3" : " 1.2";

    if (!s->tls) {
        snprintf(text, size, "%s",
                 ladder->seen.cut
                     ? "Whether it carried TLS, the capture has too little of it to tell."
                     : "What it carried is not TLS from its beginning.");
        return true;
    }
    snprintf(text, size, "TLS%s, %s%s%s.", version, sessions[s->session],
             s->session == LADDER_SESSION_NEW && s->psk_offered
                 ? ", for the server did not take the pre-shared key that was offered"
                 : "",
             s->retry ? "; HelloRetryRequest cost a round trip" : "");
    return true;
}

static bool say_early(const struct ladder *ladder, char *text, size_t size)
{
    const struct ladder_story *s = &ladder->story;

    if (s->early > 0) {
        snprintf(text, size,
                 "Early data: %" PRIu32 " bytes of records before the server's answer, "
                 "%s.",
                 s->early,
                 s->early_taken ? "accepted (EndOfEarlyData follows, by its length)"
                                : "not accepted, as far as the lengths of later records tell");
    }
    return s->early > 0;
}

static bool say_ready(const struct ladder *ladder, char *text, size_t size)
{
    const struct ladder_story *s = &ladder->story;

    if (s->tls && s->round_trips < 0) {
        snprintf(text, size, "The handshake did not come to its end in this capture.");
    } else if (s->tls) {
        snprintf(text, size, "The client could send after %d round trip%s, %.3f ms behind its SYN.",
                 s->round_trips, s->round_trips == 1 ? "" : "s", (double)s->ready_us / 1000);
    }
    return s->tls;
}

static bool say_again(const struct ladder *ladder, char *text, size_t size)
{
    uint32_t n = ladder->story.sent_again;

    if (n > 0) {
        snprintf(text, size, "%" PRIu32 " segment%s sent again.", n, n == 1 ? " was" : "s were");
    }
    return n > 0;
}

/* The first FIN or RST of a direction, or of both. */
static const struct ladder_event *find_end(const struct ladder *ladder, uint8_t flag, int from)
{
    for (size_t i = 0; i < ladder->count; i++) {
        const struct ladder_event *event = &ladder->events[i];
        if ((event->flags & flag) != 0 && (from < 0 || event->from_client == (from == 1))) {
            return event;
        }
    }
    return NULL;
}

/* Whether an ACK of the FIN went before the other FIN. */
static bool in_four(const struct ladder_event *fin, const struct ladder_event *second)
{
    uint32_t end = fin->seq + fin->length + 1;

    for (const struct ladder_event *event = fin; event != second; event++) {
        if (event->from_client != fin->from_client && (event->flags & LADDER_ACK) != 0 &&
            event->ack == end) {
            return true;
        }
    }
    return false;
}

static const char *who(const struct ladder_event *event)
{
    return event->from_client ? "client" : "server";
}

static bool say_close(const struct ladder *ladder, char *text, size_t size)
{
    const struct ladder_event *reset = find_end(ladder, LADDER_RST, -1);
    const struct ladder_event *fin = find_end(ladder, LADDER_FIN, -1);
    const struct ladder_event *second =
        fin != NULL ? find_end(ladder, LADDER_FIN, !fin->from_client) : NULL;

    if (fin != NULL && second != NULL) {
        bool crossed = second->ack != fin->seq + fin->length + 1 && !in_four(fin, second);
        snprintf(text, size, "The %s closed first; %s%s.", who(fin),
                 crossed                ? "the FINs crossed"
                 : in_four(fin, second) ? "four segments end it: FIN, ACK, FIN, ACK"
                                        : "three segments end it: FIN, FIN with ACK, ACK",
                 reset != NULL ? ", and a reset follows" : "");
    } else if (reset != NULL) {
        snprintf(text, size, "The %s reset it%s.", who(reset),
                 fin != NULL ? " after one of the ends had closed" : "");
    } else if (fin != NULL) {
        snprintf(text, size, "The %s closed; the other end had not by the end of the capture.",
                 who(fin));
    } else {
        snprintf(text, size, "It was open when the capture ended.");
    }
    return true;
}

static bool say_capture(const struct ladder *ladder, char *text, size_t size)
{
    const struct ladder_seen *seen = &ladder->seen;

    if (seen->broken[0] != '\0') {
        snprintf(text, size, "The capture breaks off after %" PRIu64 " frames: %.200s.",
                 seen->frames, seen->broken);
    } else if (seen->frames == LADDER_FRAMES_MAX) {
        snprintf(text, size, "Only the first %d frames were looked at.", LADDER_FRAMES_MAX);
    } else if (seen->cut > 0) {
        snprintf(text, size,
                 "Of %" PRIu64 " segments only the beginning was captured, so messages may lack "
                 "their names.",
                 seen->cut);
    } else {
        return false;
    }
    return true;
}

const char *ladder_sentence(const struct ladder *ladder, size_t i, char text[LADDER_SENTENCE_MAX])
{
    static bool (*const sentences[])(const struct ladder *, char *, size_t) = {
        say_opening, say_cookie, say_session, say_early,
        say_ready,   say_again,  say_close,   say_capture,
    };

    for (size_t k = 0; k < sizeof sentences / sizeof sentences[0]; k++) {
        if (sentences[k](ladder, text, LADDER_SENTENCE_MAX) && i-- == 0) {
            return text;
        }
    }
    return NULL;
}
