/*
 * sim/sim.c: whole stacks on a simulated network under a virtual clock, by seeds.
 *
 * A seed draws a plan (plan.def): hosts, routers and links, faults that come and go, what users do,
 * what the scheduler does, which requests for memory fail. run.c plays it; witness.c sees every
 * segment on the wire, tcp_check() every connection after every call. A seed always gives the same
 * run.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/identity.h"
#include "sim/minimise.h"
#include "sim/runner.h"

#define COUNT 400

static const char help[] =
    "usage: sim [--from N] [--count M] [--jobs J] [--stop] [--verbose | --trace]\n"
    "       sim --plan 'key=value ...' [--verbose | --trace | --minimise]\n"
    "       sim --minimise --from N\n"
    "       sim --print --from N\n"
    "\n"
    "Plays the plans of M seeds, the first being N, in J processes; or one plan.\n"
    "  --stop      with the first that fails\n"
    "  --verbose   a line for each seed, or for each flow of one plan\n"
    "  --trace     one plan: every frame and every trace event, too\n"
    "  --minimise  turns off what a failure does not need, and prints the plan that remains\n"
    "  --print     the plan, without playing it\n"
    "\n"
    "Keys of a plan, and what they are without the feature:\n";

struct asked {
    struct runner_options runner;
    enum telling telling;
    const char *plan;
    bool minimise, print;
};

static void print_help(void)
{
    fputs(help, stdout);
    for (int k = 0; k < PLAN_KEYS; k++)
        printf("  %-20s %8lld  %s\n", plan_name((enum plan_key)k),
               (long long)plan_off_value((enum plan_key)k), plan_meaning((enum plan_key)k));
}

static bool read_options(int argc, char **argv, struct asked *asked)
{
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"count", required_argument, NULL, 'c'},
                                            {"jobs", required_argument, NULL, 'j'},
                                            {"verbose", no_argument, NULL, 'v'},
                                            {"trace", no_argument, NULL, 't'},
                                            {"plan", required_argument, NULL, 'p'},
                                            {"minimise", no_argument, NULL, 'm'},
                                            {"stop", no_argument, NULL, 's'},
                                            {"print", no_argument, NULL, 'P'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'f':
            asked->runner.from = strtoull(optarg, NULL, 0);
            break;
        case 'c':
            asked->runner.count = strtoull(optarg, NULL, 0);
            break;
        case 'j':
            asked->runner.jobs = atoi(optarg);
            break;
        case 'v':
            asked->telling = TELL_FLOWS;
            break;
        case 't':
            asked->telling = TELL_ALL;
            break;
        case 'p':
            asked->plan = optarg;
            break;
        case 'm':
            asked->minimise = true;
            break;
        case 's':
            asked->runner.stop = true;
            break;
        case 'P':
            asked->print = true;
            break;
        case 'h':
            print_help();
            exit(EXIT_SUCCESS);
        default:
            return false;
        }
    }
    return asked->runner.jobs >= 1 && asked->runner.jobs <= 64;
}

static int minimised(const struct asked *asked, struct plan *plan)
{
    char text[PLAN_TEXT_MAX];
    struct outcome outcome;
    int tried;

    if (!minimise(plan, &outcome, &tried)) {
        printf("sim: it does not fail\n");
        return EXIT_SUCCESS;
    }
    plan_print(plan, text);
    printf("%s, after %d plans:\n%s --trace --plan '%s'\n", outcome.wrong, tried,
           asked->runner.program, text);
    return EXIT_FAILURE;
}

static int one_plan(const struct asked *asked, struct plan *plan)
{
    char text[PLAN_TEXT_MAX];
    struct outcome outcome;

    plan_print(plan, text);
    printf("plan: %s\n", text);
    if (asked->print)
        return EXIT_SUCCESS;
    fflush(stdout);
    run_play(plan, asked->telling, &outcome);
    printf("sim: %s, %llu frames, %llu turns, %.3f s\n", outcome.failed ? outcome.wrong : "ok",
           (unsigned long long)outcome.frames, (unsigned long long)outcome.turns,
           (double)outcome.lasted / 1e6);
    return outcome.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int many(const struct asked *asked)
{
    struct runner_options o = asked->runner;
    struct runner_result result;

    o.verbose = asked->telling != TELL_NOTHING;
    runner_seeds(&o, &result);
    printf("sim: %llu seeds from %llu ran, %llu failed\n", (unsigned long long)result.ran,
           (unsigned long long)o.from, (unsigned long long)result.failed);
    return result.failed || (result.ran < o.count && !o.stop) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct asked asked = {.runner = {.from = 1, .count = COUNT, .jobs = 1, .program = argv[0]}};
    struct plan plan;
    char word[64];

    if (!read_options(argc, argv, &asked)) {
        fputs(help, stderr);
        return EXIT_FAILURE;
    }
    if (asked.plan && !plan_read(&plan, asked.plan, word)) {
        fprintf(stderr, "sim: %s is no part of a plan; --help lists the keys\n", word);
        return EXIT_FAILURE;
    }
    if (!asked.plan)
        plan_choose(&plan, asked.runner.from);
    if (asked.minimise)
        return minimised(&asked, &plan);
    if (asked.plan || asked.print || (asked.telling == TELL_ALL && asked.runner.count == 1))
        return one_plan(&asked, &plan);
    return many(&asked);
}
