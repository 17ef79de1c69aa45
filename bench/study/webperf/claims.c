/*
 * study/webperf/claims.c: what the paper says of session keys, beside what was seen.
 *
 * The paper's robots measured five sites over the networks of 1998 at a clock of 10 ms; ours
 * measures one path. A claim is about shape, then: what is a fraction of what. It holds or fails if
 * the whole interval does, else the run was too short to tell.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "study/webperf/webperf.h"

const char *webperf_verdict_name(enum webperf_verdict verdict)
{
    static const char *const names[] = {
        [WEBPERF_HOLDS] = "holds", [WEBPERF_FAILS] = "fails", [WEBPERF_UNDECIDED] = "undecided"};

    return names[verdict];
}

/* Whether the interval lies within lo .. hi. */
static enum webperf_verdict within(const struct stats_interval *i, double lo, double hi)
{
    if (!isfinite(i->lo) || !isfinite(i->hi))
        return WEBPERF_UNDECIDED;
    if (i->lo >= lo && i->hi <= hi)
        return WEBPERF_HOLDS;
    return i->hi < lo || i->lo > hi ? WEBPERF_FAILS : WEBPERF_UNDECIDED;
}

/* `title` says of which connections it is. */
static struct webperf_claim *next_claim(struct webperf *study, enum webperf_verdict verdict,
                                        const char *title, const char *text)
{
    struct webperf_claim *claim = &study->claims[study->claim_count];

    study->claim_count++;
    claim->verdict = verdict;
    (void)snprintf(claim->claim, sizeof(claim->claim), "%s", text);
    (void)snprintf(claim->of, sizeof(claim->of), "%s", title);
    return claim;
}

enum { SPREAD_MAX = 48 };

/* "0.49 .. 0.52", each times `scale`. */
static const char *spread(const struct stats_interval *i, double scale, int digits,
                          char text[SPREAD_MAX])
{
    if (isfinite(i->lo) && isfinite(i->hi))
        (void)snprintf(text, SPREAD_MAX, "%.*f .. %.*f", digits, i->lo * scale, digits,
                       i->hi * scale);
    else
        (void)snprintf(text, SPREAD_MAX, "too few for an interval");
    return text;
}

static void fraction_of_new(struct webperf *study, const struct webperf_row *row, const char *title)
{
    /* The intervals of both, at their worst for the claim. */
    const struct stats_interval ratio = {row->s_cached.estimate / row->s_new.estimate,
                                         row->s_cached.lo / row->s_new.hi,
                                         row->s_cached.hi / row->s_new.lo};
    char text[SPREAD_MAX];
    struct webperf_claim *claim =
        next_claim(study, within(&ratio, -HUGE_VAL, 0.75), title,
                   "A handshake with a cached key takes a fraction (less than three quarters) of "
                   "one with a new key");

    (void)snprintf(claim->seen, sizeof(claim->seen), "%.2f (%s; %.1f of %.1f ms)", ratio.estimate,
                   spread(&ratio, 1, 2, text), row->s_cached.estimate, row->s_new.estimate);
}

static enum webperf_verdict both(enum webperf_verdict a, enum webperf_verdict b)
{
    if (a == WEBPERF_FAILS || b == WEBPERF_FAILS)
        return WEBPERF_FAILS;
    return a == WEBPERF_HOLDS ? b : a;
}

/* Both over that of a TCP connect, which is one round trip. */
static struct stats_interval trips(const struct stats_interval *s, const struct stats_interval *t)
{
    return (struct stats_interval){s->estimate / t->estimate, s->lo / t->hi, s->hi / t->lo};
}

/* What is computed in between may take half of one. */
static void round_trips(struct webperf *study, const struct webperf_row *row, const char *title)
{
    const struct stats_interval fresh = trips(&row->s_new, &row->t);
    const struct stats_interval cached = trips(&row->s_cached, &row->t);
    enum webperf_verdict two = within(&fresh, 1.9, 2.5), one = within(&cached, 0.9, 1.5);
    char two_text[SPREAD_MAX], one_text[SPREAD_MAX];
    struct webperf_claim *claim =
        next_claim(study, both(two, one), title,
                   "Behind a TCP connect, a handshake with a new key takes two round trips, with a "
                   "cached one it takes one");

    (void)snprintf(claim->seen, sizeof(claim->seen), "%.2f (%s) and %.2f (%s) times the connect",
                   fresh.estimate, spread(&fresh, 1, 2, two_text), cached.estimate,
                   spread(&cached, 1, 2, one_text));
}

static void saving_in_regime(struct webperf *study, const struct webperf_row *row,
                             const char *title)
{
    char text[SPREAD_MAX];
    struct webperf_claim *claim =
        next_claim(study, within(&row->saving, 0.15, 0.5), title,
                   "Caching saves 15 to 50 % of connecting and getting a page");

    (void)snprintf(claim->seen, sizeof(claim->seen), "%.1f %% (%s)", row->saving.estimate * 100,
                   spread(&row->saving, 100, 1, text));
}

static void under_200_ms(struct webperf *study, const struct webperf_row *row, const char *title)
{
    double p99 = row->fresh->summary.p99;
    struct webperf_claim *claim = next_claim(
        study, p99 < 200 ? WEBPERF_HOLDS : WEBPERF_FAILS, title,
        "99 % of the connections with a new key have their first byte within 200 ms of the "
        "connect (the paper: of the handshake alone)");

    (void)snprintf(claim->seen, sizeof(claim->seen), "%.1f ms where a TCP connect takes %.1f ms",
                   p99, row->t.estimate);
}

/* The paper's protocol is the sequential one, its cache that of session IDs. */
static bool is_papers(const struct webperf_row *row)
{
    const struct observation *o = &row->cached->what;

    return strcmp(o->mode, "sequential") == 0 &&
           (strcmp(o->session, "id") == 0 || strcmp(o->session, "psk") == 0);
}

void webperf_claim(struct webperf *study)
{
    char title[WEBPERF_TITLE_MAX];
    size_t len;

    study->claim_count = 0;
    for (size_t i = 0; i < study->row_count; i++) {
        const struct webperf_row *row = &study->rows[i];

        if (!is_papers(row) || row->pairs == 0 || study->claim_count + 4 > WEBPERF_CLAIMS_MAX)
            continue;
        len = strlen(webperf_full_title(study, row->cached, title));
        (void)snprintf(title + len, sizeof(title) - len, ", %s", row->cached->what.session);
        fraction_of_new(study, row, title);
        round_trips(study, row, title);
        saving_in_regime(study, row, title);
        under_200_ms(study, row, title);
    }
}
