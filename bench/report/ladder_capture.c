/* One pass over the TCP segments of a capture file, counting what is in it. */
#include "report/ladder_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <string.h>

int ladder_capture_open(struct ladder_capture *capture, FILE *stream, char error[LADDER_ERROR_MAX])
{
    char reason[PCAP_ERRBUF_SIZE] = "";

    *capture = (struct ladder_capture){0};
    pcap_t *pcap = pcap_fopen_offline(stream, reason);
    if (pcap == NULL) {
        fclose(stream);
        snprintf(error, LADDER_ERROR_MAX, "not a capture that can be read: %s", reason);
        return -EINVAL;
    }
    capture->pcap = pcap;
    capture->link_type = pcap_datalink(pcap);
    return 0;
}

void ladder_capture_close(struct ladder_capture *capture)
{
    pcap_close(capture->pcap);
}

/* A frame's time in microseconds; pcapng has room for times that overflow the product, which are
 * clamped. */
static int64_t timestamp(const struct pcap_pkthdr *header)
{
    const int64_t limit = INT64_C(1) << 40; /* 35,000 years */
    int64_t seconds = header->ts.tv_sec;

    seconds = seconds < 0 ? 0 : seconds > limit ? limit : seconds;
    return seconds * 1000000 + header->ts.tv_usec % 1000000;
}

bool ladder_capture_next(struct ladder_capture *capture, struct ladder_segment *segment,
                         int64_t *time_us)
{
    struct ladder_seen *seen = &capture->seen;
    struct pcap_pkthdr *header = NULL;
    const u_char *bytes = NULL;

    while (seen->frames < LADDER_FRAMES_MAX) {
        int result = pcap_next_ex(capture->pcap, &header, &bytes);
        if (result == PCAP_ERROR) {
            snprintf(seen->broken, sizeof seen->broken, "%s", pcap_geterr(capture->pcap));
        }
        if (result != 1) {
            return false;
        }
        seen->frames++;
        if (ladder_frame_parse(capture->link_type, bytes, header->caplen, segment) == 0) {
            seen->segments++;
            seen->cut += segment->captured < segment->length;
            *time_us = timestamp(header);
            return true;
        }
    }
    return false;
}

static void add(char error[LADDER_ERROR_MAX], const char *text)
{
    size_t n = strlen(error);
    snprintf(error + n, LADDER_ERROR_MAX - n, "%s", text);
}

void ladder_capture_explain(const struct ladder_capture *capture, char error[LADDER_ERROR_MAX])
{
    const struct ladder_seen *seen = &capture->seen;
    const char *link = pcap_datalink_val_to_name(capture->link_type);

    snprintf(error, LADDER_ERROR_MAX, "no TCP connection with its SYN is in the capture: ");
    if (seen->frames == 0) {
        add(error, seen->broken[0] != '\0' ? "it breaks off before its first frame"
                                           : "there is no frame in it");
    } else if (!ladder_frame_knows(capture->link_type)) {
        add(error, "frames of its link type are not read: ");
        add(error, link != NULL ? link : "unknown");
    } else if (seen->segments == 0) {
        add(error, "none of its frames holds TCP");
    } else {
        size_t n = strlen(error);
        snprintf(error + n, LADDER_ERROR_MAX - n,
                 "its %" PRIu64 " TCP segments belong to connections that were open before it "
                 "began, or to none that was asked for",
                 seen->segments);
    }
    if (seen->frames > 0 && seen->broken[0] != '\0') {
        add(error, "; and it breaks off: ");
        add(error, seen->broken);
    }
}
