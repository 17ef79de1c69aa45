/*
 * differential/main.c: the same sequences of segments to the kernel's TCP and to ours, and the same
 * verdicts expected.
 *
 *     differential [--from SEED] [--count N] [--verbose] [--keep-going]
 *
 * Exit status: 0: no difference but explained ones; 1: others; 77: there can't be such a namespace
 * here.
 */
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "differential/judge.h"
#include "differential/stacks.h"

/* A difference that does not come again was a timer of the kernel's: where the machine is busy it
 * helps to wait, longer each time. */
#define TRIES    8
#define PAUSE_MS 20

struct run {
    struct subject *kernel, *ours;
    bool verbose;
    uint64_t show; /* so many of the unexplained */
    uint64_t sequences, segments, alike, unexplained, unsteady;
    uint64_t explained[64]; /* by class */
    uint64_t fields[DIFFERS_FIELDS];
};

static void print_side(const struct subject *s)
{
    static const char *const rst_names[] = {"", "RST.ack ", "RST.seq ", "RST.other "};
    const struct answer *a = &s->answer;
    const struct standing *p = &s->standing;

    printf("    %-6s %s%s%s%s%s", s->ops->name, a->syn ? "SYN " : "", a->ack ? "ACK " : "",
           a->text ? "text " : "", a->fin ? "FIN " : "", rst_names[a->rst]);
    printf("| %s rcv_nxt %ld una %ld nxt %d wnd %u got %lu%s edge %d\n",
           p->known ? tlsyn_state_name(p->state) : "-", (long)p->rcv_nxt, (long)p->snd_una,
           seq_diff(s->snd_nxt, s->iss), p->snd_wnd, (unsigned long)p->delivered,
           p->wrong ? " WRONG" : "", seq_diff(s->edge, s->irs));
}

static void print_step(const struct run *run, const struct plan *plan, int n)
{
    char line[200];

    plan_print(&plan->step[n], line, sizeof(line));
    printf("  %2d %s\n", n, line);
    print_side(run->kernel);
    print_side(run->ours);
}

struct outcome {
    enum field field;
    int step, class;
};

/* One plan, to its end or to the first difference behind which the two don't stand alike. */
static struct outcome take(struct run *run, const struct plan *plan, bool print)
{
    struct outcome outcome = {SAME, -1, -1};

    subject_begin(run->kernel, plan);
    subject_begin(run->ours, plan);
    if (print)
        printf("seed %lu: %s%s%s, towards %s\n", (unsigned long)plan->seed,
               plan->active ? "active" : "passive", plan->ip6 ? ", IPv6" : "",
               plan->stamps ? ", timestamps" : "", plan->towards);
    struct trial trial = {.plan = plan, .kernel = run->kernel, .ours = run->ours};
    for (int n = 0; n < plan->count; n++) {
        trial_begin(&trial, n);
        subject_step(run->kernel, n);
        subject_step(run->ours, n);
        if (print)
            print_step(run, plan, n);
        enum field field = judge_compare(&trial);
        if (field == SAME && (run->kernel->reopened || run->ours->reopened)) /* another plan's */
            break;
        int class = judge_explain(&trial, field);
        if (field == SAME && class < 0)
            continue;
        outcome = (struct outcome){field, n, class};
        if (print && class >= 0)
            printf("  --- %s: %s (%s)\n", judge_classes[class].name, judge_classes[class].why,
                   judge_classes[class].rfc);
        if (outcome.class < 0 || !judge_classes[outcome.class].goes_on)
            break;
    }
    run->kernel->ops->end(run->kernel);
    run->ours->ops->end(run->ours);
    return outcome;
}

static void judge(struct run *run, uint64_t seed)
{
    struct plan plan;
    struct outcome outcome;

    plan_make(&plan, seed);
    for (int i = 0; i < TRIES; i++) {
        if (i > 0)
            poll(NULL, 0, PAUSE_MS << i);
        outcome = take(run, &plan, run->verbose);
        if (outcome.step < 0 || outcome.class >= 0)
            break;
    }
    run->sequences++;
    run->segments += (uint64_t)plan.count;
    if (outcome.step < 0) {
        run->alike++;
    } else if (outcome.class >= 0) {
        run->explained[outcome.class]++;
    } else {
        run->unexplained++;
        run->fields[outcome.field]++;
        if (run->unexplained <= run->show) {
            take(run, &plan, true);
            printf("  *** they differ in %s at step %d\n", field_names[outcome.field],
                   outcome.step);
        }
    }
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const struct run *run, double took)
{
    printf("%lu sequences, %lu steps, %.0f sequences/s: %lu alike, %lu unexplained\n",
           (unsigned long)run->sequences, (unsigned long)run->segments,
           (double)run->sequences / took, (unsigned long)run->alike,
           (unsigned long)run->unexplained);
    for (int i = 0; i < judge_class_count; i++)
        if (run->explained[i])
            printf("  %8lu %s (%s)\n", (unsigned long)run->explained[i], judge_classes[i].name,
                   judge_classes[i].rfc);
    for (int i = 0; i < DIFFERS_FIELDS; i++)
        if (run->fields[i])
            printf("  unexplained, in %s: %lu\n", field_names[i], (unsigned long)run->fields[i]);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"show", required_argument, NULL, 's'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {0}};
    struct run run = {.show = 20};
    uint64_t from = 1, count = 1000;

    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'f')
            from = strtoull(optarg, NULL, 10);
        else if (o == 'c')
            count = strtoull(optarg, NULL, 10);
        else if (o == 's')
            run.show = strtoull(optarg, NULL, 10);
        else if (o == 'v')
            run.verbose = true;
        else
            return EXIT_FAILURE;
    }
    run.kernel = kernel_new();
    if (!run.kernel)
        return 77;
    run.ours = ours_new();
    double start = seconds();
    for (uint64_t seed = from; seed < from + count; seed++)
        judge(&run, seed);
    report(&run, seconds() - start);
    ours_free(run.ours);
    kernel_free(run.kernel);
    return run.unexplained ? EXIT_FAILURE : EXIT_SUCCESS;
}
