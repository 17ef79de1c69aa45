/*
 * study/pageload/live_json.c: live loads for programs.
 */
#include "report/json.h"
#include "study/pageload/pageload.h"

void live_json_rows(const struct live_study *s, struct json *j)
{
    for (int i = 0; i < s->kinds * s->options.rtts; i++) {
        const struct live_cell *cell = &s->cell[i];
        int r = i / s->kinds, k = i % s->kinds;

        json_object(j);
        json_member_string(j, "http", browser_http_name(s->kind[k].kind.http));
        json_member_string(j, "handshake", s->kind[k].kind.handshake->name);
        json_member_string(j, "visit", browser_visit_name(s->kind[k].kind.visit));
        json_member_number(j, "round_trips", cell->round_trips);
        json_member_number(j, "rtt_ms", s->options.rtt_ms[r]);
        json_member_number(j, "seconds", cell->median);
        json_member_interval(j, "seconds_ci95", cell->interval.lo, cell->interval.hi);
        json_member_string(j, "stack", study_stack_name(s->kind[k].stack));
        json_member_integer(j, "model", s->kind[k].model);
        json_member_number(j, "allowed_seconds", cell->allowed);
        json_member_string(j, "verdict", live_verdict_name(cell->verdict));
        json_member_number(j, "computing_seconds", s->kind[k].computing);
        json_member_number(j, "round_trips_computing_apart", cell->apart);
        json_member_string(j, "verdict_computing_apart", live_verdict_name(cell->verdict_apart));
        json_member_integer(j, "loads", (int64_t)cell->loads);
        json_member_integer(j, "failed", (int64_t)cell->failed);
        json_member_string(j, "reason", cell->failed ? cell->reason : NULL);
        json_member_bool(j, "link_kept", study_link_kept(cell->loads, cell->missed));
        json_key(j, "observed_seconds");
        json_array(j);
        for (size_t n = 0; n < cell->loads; n++)
            json_number(j, cell->seconds[n]);
        json_end(j);
        json_end(j);
    }
}

static void write_line(const struct live_kind *kind, struct json *j)
{
    json_object(j);
    json_member_string(j, "stack", study_stack_name(kind->stack));
    json_member_string(j, "http", browser_http_name(kind->kind.http));
    json_member_string(j, "handshake", kind->kind.handshake->name);
    json_member_string(j, "visit", browser_visit_name(kind->kind.visit));
    json_member_integer(j, "model", kind->model);
    json_member_number(j, "slope", kind->fit.a.estimate);
    json_member_number(j, "slope_lo", kind->fit.a.lo);
    json_member_number(j, "slope_hi", kind->fit.a.hi);
    json_member_number(j, "intercept_seconds", kind->fit.b.estimate);
    json_end(j);
}

/* What one of the waterfalls shows. */
static void write_sample(const struct live_kind *kind, struct json *j)
{
    json_object(j);
    json_member_string(j, "stack", study_stack_name(kind->stack));
    json_member_string(j, "http", browser_http_name(kind->kind.http));
    json_member_string(j, "handshake", kind->kind.handshake->name);
    json_member_string(j, "visit", browser_visit_name(kind->kind.visit));
    json_member_number(j, "rtt_ms", kind->longest_ms);
    json_member_number(j, "seconds", kind->shown->seconds);
    json_key(j, "events");
    json_array(j);
    for (size_t i = 0; i < live_steps(kind->shown); i++) {
        const struct live_step step = live_step(kind->shown, i);

        json_object(j);
        json_member_integer(j, "connection", step.connection);
        json_member_string(j, "step", pageload_step_name(step.kind));
        json_member_number(j, "start_ms", step.start_ms);
        json_member_number(j, "end_ms", step.end_ms);
        json_member_string(j, "url", step.url);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

void live_json_members(const struct live_study *s, struct json *j)
{
    char text[LIVE_SENTENCE_MAX];

    live_sum_up(s, text);
    json_member_string(j, "verdict", text);
    json_key(j, "lines");
    json_array(j);
    for (int k = 0; k < s->kinds; k++)
        write_line(&s->kind[k], j);
    json_end(j);
    json_key(j, "samples");
    json_array(j);
    for (int k = 0; k < s->kinds; k++) {
        if (s->kind[k].shown)
            write_sample(&s->kind[k], j);
    }
    json_end(j);
    json_key(j, "pings");
    json_array(j);
    for (int r = 0; r < s->options.rtts; r++) {
        json_object(j);
        json_member_number(j, "rtt_ms", s->options.rtt_ms[r]);
        json_member_number(j, "median_ms", s->ping_ms[r]);
        json_member_number(j, "off_by_ms", s->ping_off_ms[r]);
        json_end(j);
    }
    json_end(j);
    json_member_integer(j, "rounds", s->options.rounds);
    json_member_integer(j, "seed", (int64_t)s->options.seed);
    study_link_json(&s->options.link, j);
    noise_json(&s->noise, j);
}
