/*
 * study/calibrate.h: finds the delay with which a ping over the link takes as long as it should.
 */
#ifndef STUDY_CALIBRATE_H
#define STUDY_CALIBRATE_H

#include "study/observer.h"
#include "study/testbed.h"

/** What came of it: delays to the server and to the client, half each, and the median ping over
 * them. */
struct calibration {
    tlsyn_time delay[2];
    double ping_ms;
};

/** Sets a link that only delays so that the median ping is `target_ms`. Starts from what *c holds
 * (zeros: from nothing). A target below the ping of the undelayed link leaves it undelayed:
 * c->ping_ms tells. The observer hears of it, and may end it: -EINTR. 0 or -errno. */
int calibrate(struct testbed *testbed, double target_ms, struct study_observer *observer,
              struct calibration *c);

#endif
