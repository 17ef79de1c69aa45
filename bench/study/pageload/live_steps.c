/*
 * study/pageload/live_steps.c: what happened in a load, in the form in which the journal keeps it,
 * so that a run that goes on has the waterfalls of those before it. What is read from a file may be
 * anything: steps that cannot be are none.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "study/pageload/live.h"

static bool is_whole(double value, double lo, double hi)
{
    return value >= lo && value <= hi && floor(value) == value;
}

static bool is_step(const double *number, size_t urls)
{
    return is_whole(number[LIVE_STEP_CONNECTION], 1, POLICY_CONNECTIONS_MAX) &&
           is_whole(number[LIVE_STEP_KIND], LOAD_DNS, LOAD_GET) &&
           is_whole(number[LIVE_STEP_URL], -1, (double)urls - 1) && number[LIVE_STEP_START] >= 0 &&
           isfinite(number[LIVE_STEP_END]) && number[LIVE_STEP_END] >= number[LIVE_STEP_START];
}

size_t live_steps(const struct live_sample *sample)
{
    const struct journal_list *list = &sample->steps;
    size_t n = list->count / LIVE_STEP;
    bool whole = n * LIVE_STEP == list->count && n <= LOADER_STEPS_MAX;

    for (size_t i = 0; i < n && whole; i++)
        whole = is_step(&list->value[i * LIVE_STEP], sample->urls.count);
    return whole ? n : 0;
}

struct live_step live_step(const struct live_sample *sample, size_t i)
{
    const double *number = &sample->steps.value[i * LIVE_STEP];
    int url = (int)number[LIVE_STEP_URL];

    return (struct live_step){.connection = (int)number[LIVE_STEP_CONNECTION],
                              .kind = (enum load_step)number[LIVE_STEP_KIND],
                              .start_ms = number[LIVE_STEP_START],
                              .end_ms = number[LIVE_STEP_END],
                              .url = url < 0 ? NULL : sample->urls.word[url]};
}

/* To the microsecond. */
static double ms_of(double us)
{
    return round(us) / 1000;
}

int live_keep_steps(const struct page_answer *answer, struct live_sample *sample)
{
    const struct load_result *load = &answer->load;
    const char *labels[POLICY_URLS_MAX];
    double *number = calloc((size_t)load->events * LIVE_STEP + 1, sizeof(*number));
    int error = number ? 0 : -ENOMEM;

    for (int i = 0; i < load->urls; i++)
        labels[i] = answer->label[i];
    if (error == 0)
        error = journal_words_make(labels, (size_t)load->urls, &sample->urls);
    if (error < 0) {
        free(number);
        return error;
    }
    for (int i = 0; i < load->events; i++) {
        const struct load_event *e = &load->event[i];
        double *at = &number[i * LIVE_STEP];

        at[LIVE_STEP_CONNECTION] = e->connection;
        at[LIVE_STEP_KIND] = e->step;
        at[LIVE_STEP_START] = ms_of(e->start);
        at[LIVE_STEP_END] = ms_of(e->end);
        at[LIVE_STEP_URL] = e->url;
    }
    sample->steps = (struct journal_list){number, (size_t)load->events * LIVE_STEP};
    return 0;
}

void live_forget_steps(struct live_sample *sample)
{
    free(sample->steps.value);
    free(sample->urls.word);
}
