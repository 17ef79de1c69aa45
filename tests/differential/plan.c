/*
 * differential/plan.c: sequences out of seeds. The first steps lead to a state by segments that
 * nobody objects to; then come some that are near the borders of what is acceptable; the last ones
 * show what state was really reached.
 */
#include "differential/plan.h"

#include <stdio.h>

#include "core/random.h"

struct maker {
    struct random_seeded random;
    struct plan *plan;
};

static uint32_t below(struct maker *m, uint32_t n)
{
    return random_below(&m->random.base, n);
}

static bool percent(struct maker *m, uint32_t n)
{
    return below(m, 100) < n;
}

/* An index by weights, which end with 0. */
static int weighted(struct maker *m, const uint8_t *weights)
{
    uint32_t sum = 0, at;

    for (int i = 0; weights[i]; i++)
        sum += weights[i];
    at = below(m, sum);
    for (int i = 0;; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
}

static struct step *add(struct maker *m, enum act act)
{
    struct plan *plan = m->plan;
    struct step *step = &plan->step[plan->count < PLAN_STEPS ? plan->count++ : PLAN_STEPS - 1];

    *step = (struct step){.act = act,
                          .wnd = 60000,
                          .stamp = STAMP_NOW,
                          .seq = {MARK_PEER_NXT, 0},
                          .ack = {MARK_SND_NXT, 0}};
    return step;
}

static struct step *segment(struct maker *m, uint8_t flags)
{
    struct step *step = add(m, ACT_SEGMENT);

    step->flags = flags;
    return step;
}

/* --- towards a state ------------------------------------------------------------------------- */

static void offer(struct maker *m, struct step *syn)
{
    static const uint16_t sizes[] = {1460, 1460, 1460, 536, 1000, 0};

    syn->offer.mss = sizes[below(m, 6)];
    syn->offer.sack_permitted = percent(m, 70);
    syn->offer.has_wscale = percent(m, 60);
    syn->offer.wscale = (uint8_t)below(m, 16);
}

static void lead_to_syn_received(struct maker *m)
{
    if (m->plan->active)
        offer(m, segment(m, TCP_SYN)); /* both open */
    else
        offer(m, segment(m, TCP_SYN));
}

static void lead_to_established(struct maker *m)
{
    if (m->plan->active) {
        offer(m, segment(m, TCP_SYN | TCP_ACK));
        return;
    }
    lead_to_syn_received(m);
    segment(m, TCP_ACK);
}

static void user_closes(struct maker *m)
{
    add(m, ACT_SHUTDOWN);
}

static void lead_to_fin_wait_1(struct maker *m)
{
    lead_to_established(m);
    user_closes(m);
}

static void lead_to_fin_wait_2(struct maker *m)
{
    lead_to_fin_wait_1(m);
    segment(m, TCP_ACK);
}

static void lead_to_closing(struct maker *m)
{
    lead_to_fin_wait_1(m);
    segment(m, TCP_FIN | TCP_ACK)->ack.mark = MARK_SND_UNA;
}

static void lead_to_time_wait(struct maker *m)
{
    lead_to_fin_wait_2(m);
    segment(m, TCP_FIN | TCP_ACK);
}

static void lead_to_close_wait(struct maker *m)
{
    lead_to_established(m);
    segment(m, TCP_FIN | TCP_ACK);
}

static void lead_to_last_ack(struct maker *m)
{
    lead_to_close_wait(m);
    user_closes(m);
}

static void lead_nowhere(struct maker *m)
{
    (void)m;
}

static const struct {
    const char *name;
    void (*lead)(struct maker *);
} states[] = {
    {"LISTEN or SYN-SENT", lead_nowhere}, {"SYN-RECEIVED", lead_to_syn_received},
    {"ESTABLISHED", lead_to_established}, {"FIN-WAIT-1", lead_to_fin_wait_1},
    {"FIN-WAIT-2", lead_to_fin_wait_2},   {"CLOSING", lead_to_closing},
    {"TIME-WAIT", lead_to_time_wait},     {"CLOSE-WAIT", lead_to_close_wait},
    {"LAST-ACK", lead_to_last_ack},
};

/* --- near the borders ------------------------------------------------------------------------ */

static int32_t distance(struct maker *m)
{
    static const uint8_t weights[] = {45, 25, 15, 8, 4, 3, 0};
    int32_t sign = percent(m, 50) ? 1 : -1;

    switch (weighted(m, weights)) {
    case 0:
        return 0;
    case 1:
        return sign;
    case 2:
        return sign * (int32_t)below(m, 20);
    case 3:
        return sign * (int32_t)below(m, 1500);
    case 4:
        return sign * (int32_t)below(m, 200000);
    default:
        return (int32_t)(percent(m, 50) ? 0x7fffffffu : 0x80000001u);
    }
}

static uint8_t some_flags(struct maker *m)
{
    static const uint8_t flags[] = {TCP_ACK,           TCP_FIN | TCP_ACK, TCP_PSH | TCP_ACK,
                                    TCP_SYN,           TCP_SYN | TCP_ACK, TCP_RST,
                                    TCP_RST | TCP_ACK, TCP_URG | TCP_ACK, 0};
    static const uint8_t weights[] = {36, 12, 12, 8, 5, 8, 4, 2, 3, 10, 0};
    int which = weighted(m, weights);

    return which < 9 ? flags[which] : (uint8_t)below(m, 64);
}

static uint32_t some_length(struct maker *m)
{
    static const uint8_t weights[] = {50, 15, 15, 20, 0};
    static const uint32_t most[] = {1, 2, 20, PLAN_TEXT};
    int which = weighted(m, weights);

    return which == 0 ? 0 : 1 + below(m, most[which]);
}

static uint16_t some_window(struct maker *m)
{
    if (percent(m, 75))
        return (uint16_t)(20000 + below(m, 45536));
    return (uint16_t)(percent(m, 40) ? 0 : below(m, 3000));
}

static enum stamp some_stamp(struct maker *m)
{
    static const uint8_t weights[] = {1, 79, 10, 5, 5, 0};

    return (enum stamp)weighted(m, weights);
}

static void hostile_segment(struct maker *m)
{
    static const uint8_t seq_marks[] = {52, 32, 8, 0};
    static const uint8_t ack_marks[] = {30, 50, 2, 12, 6, 0};
    struct step *step = segment(m, some_flags(m));

    step->seq = (struct place){(enum mark)(MARK_PEER_NXT + weighted(m, seq_marks)), distance(m)};
    step->ack = (struct place){(enum mark)(MARK_SND_UNA + weighted(m, ack_marks)), distance(m)};
    /* The windows differ in size a little, and so does what lies far below their edges; at the
     * edge the kernel is known to differ. */
    if (step->seq.mark == MARK_EDGE && step->seq.distance < 0)
        step->seq.distance %= 1000;
    if (step->seq.mark == MARK_EDGE && step->seq.distance == 0 && percent(m, 80))
        step->seq.distance = percent(m, 50) ? 1 : -1;
    if (percent(m, 30)) /* most that arrives is all right in this respect */
        step->seq = (struct place){MARK_PEER_NXT, 0};
    if (percent(m, 50))
        step->ack = (struct place){MARK_SND_NXT, 0};
    step->len = some_length(m);
    step->wnd = some_window(m);
    step->stamp = some_stamp(m);
    if (percent(m, 5))
        step->echo = distance(m);
    if (step->flags & TCP_SYN)
        offer(m, step);
    if (step->flags & TCP_URG)
        step->urgent = (uint16_t)below(m, 3000);
}

static void one_step(struct maker *m)
{
    static const uint8_t weights[] = {78, 10, 4, 6, 2, 0};

    switch (weighted(m, weights)) {
    case 0:
        hostile_segment(m);
        break;
    case 1:
        add(m, ACT_WRITE)->len = 1 + below(m, 300);
        break;
    case 2:
        user_closes(m);
        break;
    case 3: /* what a well-behaved peer sends */
        segment(m, TCP_ACK)->len = some_length(m);
        break;
    default:
        add(m, ACT_ABORT);
    }
}

/* Which state was reached shows in what is said to these. */
static void probes(struct maker *m)
{
    segment(m, TCP_ACK)->len = 1;
    segment(m, TCP_ACK)->ack.distance = 1;
    segment(m, TCP_FIN | TCP_ACK);
    segment(m, TCP_ACK)->seq.distance = -1;
}

void plan_make(struct plan *plan, uint64_t seed)
{
    struct maker m = {.plan = plan};
    static const uint8_t weights[] = {8, 14, 30, 8, 8, 6, 10, 8, 8, 0};

    random_seed(&m.random, seed);
    *plan = (struct plan){.seed = seed};
    plan->ip6 = percent(&m, 30);
    plan->active = percent(&m, 35);
    plan->stamps = percent(&m, 60);
    plan->peer_iss = percent(&m, 30) ? 0u - below(&m, 4000) : random_u32(&m.random.base);
    int state = weighted(&m, weights);
    plan->towards = states[state].name;
    states[state].lead(&m);
    plan->prologue = plan->count;
    if (percent(&m, 20))
        add(&m, ACT_WRITE)->len = 1 + below(&m, 300);
    for (uint32_t n = 1 + below(&m, 6); n > 0; n--)
        one_step(&m);
    probes(&m);
}

/* --- for the reader -------------------------------------------------------------------------- */

static const char *const mark_names[] = {"peer.nxt", "edge", "peer.iss",    "una",
                                         "nxt",      "iss",  "una-max.wnd", "0"};
static const char *const stamp_names[] = {"none", "now", "old", "ancient", "ahead"};

void plan_print(const struct step *step, char *line, size_t room)
{
    static const char letters[] = "FSRPAUEC";
    char flags[9] = "";
    int n = 0;

    for (int bit = 0; bit < 8; bit++)
        if (step->flags & 1 << bit)
            flags[n++] = letters[bit];
    flags[n] = '\0';
    switch (step->act) {
    case ACT_SEGMENT:
        snprintf(line, room,
                 "segment %-4s seq %s%+d len %u ack %s%+d wnd %u stamp %s echo %+d urg %u",
                 n ? flags : ".", mark_names[step->seq.mark], step->seq.distance, step->len,
                 mark_names[step->ack.mark], step->ack.distance, step->wnd,
                 stamp_names[step->stamp], step->echo, step->urgent);
        break;
    case ACT_WRITE:
        snprintf(line, room, "write %u", step->len);
        break;
    case ACT_SHUTDOWN:
        snprintf(line, room, "shutdown");
        break;
    case ACT_ABORT:
        snprintf(line, room, "abort");
        break;
    }
}
