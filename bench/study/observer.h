/*
 * study/observer.h: who hears what happens while a study runs, and may end it.
 */
#ifndef STUDY_OBSERVER_H
#define STUDY_OBSERVER_H

#include <stdbool.h>
#include <stdint.h>

enum { STUDY_MESSAGE_MAX = 640 }; /* a sentence about why a study ended */

struct study_observer {
    void (*note)(struct study_observer *, const char *sentence);
    void (*prepare)(struct study_observer *, const char *what); /* is being done before step one */
    void (*progress)(struct study_observer *, uint32_t done, uint32_t total, const char *status);
    bool (*interrupted)(struct study_observer *); /* true: stop here, and keep what there is */
};

#endif
