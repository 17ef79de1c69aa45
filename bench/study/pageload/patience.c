/*
 * study/pageload/patience.c: see patience.h.
 */
#include "study/pageload/patience.h"

#include <stddef.h>
#include <string.h>

#include "web/carrier.h"

void patience_join(struct patience *patience, struct patient *patient, const char *name)
{
    *patient = (struct patient){
        .patience = patience, .next = patience->all, .link = &patience->all, .name = name};
    if (patient->next)
        patient->next->link = &patient->next;
    patience->all = patient;
}

void patience_leave(struct patient *patient)
{
    if (!patient->link)
        return;
    *patient->link = patient->next;
    if (patient->next)
        patient->next->link = patient->link;
    patient->link = NULL;
}

void patience_answered(struct patience *patience, double us)
{
    if (patience->shortest <= 0 || us < patience->shortest)
        patience->shortest = us;
}

/* Whether another connection's tickets are about to come. */
static bool one_is_due(const struct patient *patient)
{
    for (const struct patient *p = patient->patience->all; p; p = p->next) {
        if (p->up && !p->heard && strcmp(p->name, patient->name) == 0)
            return true;
    }
    return false;
}

static bool has_reason(const struct patient *patient)
{
    const struct patience *patience = patient->patience;

    return patience->ops->known(patience, patient->name) == 0 && one_is_due(patient);
}

/* Who has waited for longest; NULL: nobody waits. */
static struct patient *first_of(const struct patience *patience)
{
    struct patient *first = NULL;

    for (struct patient *p = patience->all; p; p = p->next) {
        if (p->waits && (!first || p->until <= first->until))
            first = p;
    }
    return first;
}

static bool one_may_begin(const struct patience *patience)
{
    for (const struct patient *p = patience->all; p; p = p->next) {
        if (p->waits && !has_reason(p))
            return true;
    }
    return false;
}

/* Who comes while one is about to ring, or rings, is looked at then: each setting of a timer is a
 * system call, and on a virtual machine dear. */
static int set_alarm(struct patience *patience, double us)
{
    int error = patience->rings ? 0 : patience->ops->alarm(patience, us);

    patience->rings = patience->rings || (error == 0 && us <= 0);
    return error;
}

/* For who waits. */
static int await(struct patience *patience, double now)
{
    return set_alarm(patience, one_may_begin(patience) ? 0 : first_of(patience)->until - now);
}

int patience_queue(struct patient *patient, double now)
{
    struct patience *patience = patient->patience;
    int error;

    patient->waits = true;
    patient->until = now + (patience->us > 0 ? patience->us : carrier_patience(patience->shortest));
    error = await(patience, now);
    if (error < 0)
        patient->waits = false;
    return error;
}

bool patience_waits(struct patient *patient, double now)
{
    return has_reason(patient) && patience_queue(patient, now) == 0;
}

void patience_up(struct patient *patient)
{
    patient->up = true;
}

void patience_heard(struct patient *patient)
{
    patient->heard = true;
}

void patience_look(struct patience *patience)
{
    if (one_may_begin(patience))
        (void)set_alarm(patience, 0);
}

/* Those that wait have begun in the order of their opening; each takes a session with it. */
static struct patient *next_to_begin(const struct patience *patience, double now)
{
    struct patient *next = NULL;

    for (struct patient *p = patience->all; p; p = p->next) {
        if (p->waits && (p->until <= now || !has_reason(p)) && (!next || p->until <= next->until))
            next = p;
    }
    return next;
}

void patience_expired(struct patience *patience, double now)
{
    struct patient *p;

    patience->rings = true;
    while ((p = next_to_begin(patience, now)) != NULL) {
        p->waits = false;
        patience->ops->go_on(p);
    }
    patience->rings = false;
    if (first_of(patience))
        (void)await(patience, now);
}
