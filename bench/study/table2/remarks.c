/*
 * study/table2/remarks.c: what a reader of the figures has to know, as sentences that every
 * output repeats.
 */
#include <math.h>
#include <string.h>

#include "study/table2/table2.h"

static bool remark_link(const struct table2 *t, char *text, size_t size)
{
    if (t->options.link == TABLE2_MEMORY)
        (void)snprintf(
            text, size,
            "In memory, not packets: both ends were in one process over a link in memory; "
            "no host, no interface and no kernel stack was measured.");
    return t->options.link == TABLE2_MEMORY;
}

static bool remark_pad(const struct table2 *t, char *text, size_t size)
{
    if (t->options.pad > 0)
        (void)snprintf(
            text, size,
            "Emulated: every server stood still for %.1f ms per handshake (--cpu-pad), in "
            "all columns but the published.",
            (double)t->options.pad / 1e3);
    return t->options.pad > 0;
}

static bool remark_level(const struct table2 *t, char *text, size_t size)
{
    if (t->options.level == TLSYN_LEVEL_OPEN)
        (void)snprintf(
            text, size,
            "Level open: the client had no cookie, and until its address is validated a "
            "server sends at most three times what the SYN brought; so the ClientHello is "
            "padded.");
    if (t->options.level == TLSYN_LEVEL_PAPER)
        (void)snprintf(
            text, size,
            "Level paper: SYN padded to 1024 bytes and told apart by its length, as in the "
            "paper; for the laboratory only.");
    return t->options.level != TLSYN_LEVEL_COOKIE;
}

static bool remark_quic(const struct table2 *t, char *text, size_t size)
{
    bool asked = (t->options.modes & TABLE2_QUIC) != 0;

    if (asked && t->options.link == TABLE2_MEMORY)
        (void)snprintf(text, size, "QUIC was not measured: in memory there is none.");
    else if (asked && !testbed_has_quic())
        (void)snprintf(text, size,
                       "QUIC was not measured: tlsyn was built without ngtcp2 (libngtcp2-dev and "
                       "libngtcp2-crypto-gnutls-dev).");
    return asked && !table2_has_quic(t);
}

static bool remark_interrupted(const struct table2 *t, char *text, size_t size)
{
    if (t->interrupted)
        (void)snprintf(text, size, "Interrupted: fewer rounds than asked for.");
    return t->interrupted;
}

static bool remark_failures(const struct table2 *t, char *text, size_t size)
{
    const struct table2_row *first = NULL;
    size_t failed = 0;

    for (size_t i = 0; i < t->row_count; i++) {
        failed += t->rows[i].failed;
        if (!first && t->rows[i].failed > 0)
            first = &t->rows[i];
    }
    if (first)
        (void)snprintf(
            text, size,
            "%zu handshakes failed and are in no figure; the first: %s %s %s, session %s, at "
            "%g ms: %s.",
            failed, study_stack_name(first->member.way.stack),
            study_suite_name(first->member.way.suite), study_mode_name(first->member.way.mode),
            study_session_name(first->member.way.session), t->targets[first->target].ping_ms,
            first->reason);
    return first;
}

/* The one that was kept least stands for those that were not. */
static bool remark_targets(const struct table2 *t, char *text, size_t size)
{
    const struct table2_target *worst = NULL;
    int missed = 0;

    for (int i = 0; i < t->options.pings; i++) {
        const struct table2_target *target = &t->targets[i];

        if (table2_target_kept(target))
            continue;
        missed++;
        if (!worst || target->missed > worst->missed)
            worst = target;
    }
    if (worst)
        (void)snprintf(
            text, size,
            "The link did not keep what was asked for where a row is marked \"!\", at %d "
            "of %d pings. The worst: at %g ms its ping was %.2f ms when it was set, and "
            "in %u of %u turns frames left too late or were refused.",
            missed, t->options.pings, worst->ping_ms, worst->calibrated_ms, worst->missed,
            worst->turns);
    return worst;
}

static bool remark_path(const struct table2 *t, char *text, size_t size)
{
    char link[STUDY_LINK_TEXT];

    if (study_link_impairs(&t->options.path))
        (void)snprintf(text, size, "The link: %s.", study_link_text(&t->options.path, link));
    return study_link_impairs(&t->options.path);
}

const char *table2_remark(const struct table2 *t, size_t i, char text[TABLE2_REMARK_MAX])
{
    static bool (*const remarks[])(const struct table2 *, char *, size_t) = {
        remark_link,  remark_path, remark_pad,      remark_interrupted,
        remark_level, remark_quic, remark_failures, remark_targets,
    };

    for (size_t k = 0; k < sizeof(remarks) / sizeof(remarks[0]); k++) {
        if (remarks[k](t, text, TABLE2_REMARK_MAX) && i-- == 0)
            return text;
    }
    return NULL;
}

const char *table2_label(const struct table2 *t, char text[TABLE2_REMARK_MAX])
{
    bool memory = t->options.link == TABLE2_MEMORY;
    size_t len = 0;

    (void)snprintf(text, TABLE2_REMARK_MAX, "%s", memory ? "in memory, not packets" : "");
    len = strlen(text);
    if (t->options.pad > 0)
        (void)snprintf(text + len, TABLE2_REMARK_MAX - len, "%semulated: %.1f ms at the server",
                       memory ? "; " : "", (double)t->options.pad / 1e3);
    return text;
}

const char *table2_noise(const struct table2 *t, char text[TABLE2_REMARK_MAX])
{
    const struct testbed_precision *p = &t->precision;
    char noise[200];
    int n = 0;

    if (p->known && p->frames > 0)
        n = snprintf(text, TABLE2_REMARK_MAX,
                     "The link: of %llu frames, half left no more than %.1f us later than they "
                     "should, 99 %% no more than %.0f us, the worst %.0f us%s. ",
                     (unsigned long long)p->frames, p->p50_us, p->p99_us, p->max_us,
                     p->realtime ? " (realtime scheduler)" : "");
    (void)snprintf(text + n, TABLE2_REMARK_MAX - (size_t)n, "The machine: %s.",
                   noise_sentence(&t->noise, noise, sizeof(noise)));
    return text;
}
