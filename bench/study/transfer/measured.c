/*
 * study/transfer/measured.c: see measured.h.
 */
#include "study/transfer/measured.h"

#include <stdio.h>
#include <string.h>

int measured_run(struct measured *measured, struct rounds *rounds, char message[STUDY_MESSAGE_MAX])
{
    int error;

    noise_begin(&measured->noise);
    error = rounds_run(rounds, message);
    noise_end(&measured->noise);
    measured->interrupted = rounds->interrupted;
    measured->seconds = rounds->seconds;
    if (error < 0 && !message[0])
        (void)snprintf(message, STUDY_MESSAGE_MAX, "the laboratory has broken down: %s",
                       strerror(-error));
    return error;
}
