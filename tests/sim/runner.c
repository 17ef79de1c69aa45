/*
 * sim/runner.c: worker j plays the seeds from + j, from + j + jobs, ... and notes in shared memory
 * where it is. When it dies its seed has failed, and another worker goes on behind it.
 */
#include "sim/runner.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/identity.h"
#include "support/must.h"

#define SECONDS_MAX 120 /* of CPU time, for one plan: who is stopped meanwhile does not hang */
#define JOBS_MAX    64
#define TELL_EVERY  10000

struct worker {
    uint64_t next; /* the seed that it plays, or will */
    uint64_t ran, failed;
    pid_t pid;
};

static void *shared(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED);
    return memory;
}

static void limit_time(void)
{
    const struct itimerval limit = {.it_value.tv_sec = SECONDS_MAX};

    must(setitimer(ITIMER_PROF, &limit, NULL) == 0);
}

static void replay(const struct runner_options *o, uint64_t seed, const char *wrong)
{
    printf("seed %llu: %s\nagain: %s --trace --from %llu --count 1\n", (unsigned long long)seed,
           wrong, o->program, (unsigned long long)seed);
    fflush(stdout);
}

/* A seed's plan, told if that is wanted. */
static void play_seed(const struct runner_options *o, uint64_t seed, struct worker *w)
{
    struct plan plan;
    struct outcome outcome;

    clock_t began = clock();

    plan_choose(&plan, seed);
    limit_time();
    run_play(&plan, TELL_NOTHING, &outcome);
    w->ran++;
    if (o->verbose)
        printf("seed %llu: %s, %llu frames, %llu turns, %.3f s, %.1f ms\n",
               (unsigned long long)seed, outcome.failed ? outcome.wrong : "ok",
               (unsigned long long)outcome.frames, (unsigned long long)outcome.turns,
               (double)outcome.lasted / 1e6, (double)(clock() - began) * 1e3 / CLOCKS_PER_SEC);
    if (!outcome.failed)
        return;
    w->failed++;
    replay(o, seed, outcome.wrong);
}

static void work(const struct runner_options *o, struct worker *w)
{
    uint64_t end = o->from + o->count;

    for (; w->next < end; w->next += (uint64_t)o->jobs) {
        play_seed(o, w->next, w);
        if (o->stop && w->failed)
            break;
        if (o->count > TELL_EVERY && (w->next - o->from) % TELL_EVERY == 0)
            fprintf(stderr, "sim: at seed %llu\n", (unsigned long long)w->next);
    }
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

static void start(const struct runner_options *o, struct worker *w)
{
    fflush(stdout);
    pid_t pid = fork();

    must(pid >= 0);
    if (pid == 0)
        work(o, w);
    w->pid = pid; /* in shared memory, and the parent's alone */
}

static void died(const struct runner_options *o, struct worker *w, int status)
{
    char wrong[64];

    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
        w->pid = 0;
        return;
    }
    if (WIFSIGNALED(status))
        snprintf(wrong, sizeof(wrong), "died of signal %d", WTERMSIG(status));
    else
        snprintf(wrong, sizeof(wrong), "exit status %d", WEXITSTATUS(status));
    w->ran++;
    w->failed++;
    replay(o, w->next, wrong);
    w->next += (uint64_t)o->jobs;
    w->pid = 0;
    if (!o->stop)
        start(o, w);
}

void runner_seeds(const struct runner_options *o, struct runner_result *result)
{
    struct worker *workers = shared(JOBS_MAX * sizeof(*workers));
    int status;
    pid_t pid;

    *result = (struct runner_result){0};
    identity_make();
    for (int j = 0; j < o->jobs && j < JOBS_MAX; j++) {
        workers[j].next = o->from + (uint64_t)j;
        start(o, &workers[j]);
    }
    while ((pid = wait(&status)) > 0)
        for (int j = 0; j < o->jobs; j++)
            if (workers[j].pid == pid)
                died(o, &workers[j], status);
    for (int j = 0; j < o->jobs; j++) {
        result->ran += workers[j].ran;
        result->failed += workers[j].failed;
    }
    munmap(workers, JOBS_MAX * sizeof(*workers));
}

void runner_probe(const struct plan *plan, struct outcome *outcome)
{
    struct outcome *theirs = shared(sizeof(*theirs));
    int status, null;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        limit_time();
        run_play(plan, TELL_NOTHING, theirs);
        _exit(EXIT_SUCCESS);
    }
    must(waitpid(pid, &status, 0) == pid);
    *outcome = *theirs;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
        outcome->failed = true;
        snprintf(outcome->wrong, sizeof(outcome->wrong), "died, status %#x", (unsigned)status);
    }
    munmap(theirs, sizeof(*theirs));
}
