/*
 * link/pcap.c: frames captured through libpcap and injected through libnet; or read from
 * a capture file.
 *
 * Read first: pcap(3pcap), pcap-filter(7).
 *
 * For machines and interfaces where libpcap is what there is, and for a capture filter in its
 * language. It says nothing of offload: an unfinished checksum is guessed (see tlsyn/link.h), and
 * coalesced frames come without their segment size.
 */
#include <errno.h>
#include <libnet.h>
#include <linux/filter.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>

#include "link/frame.h"
#include "link/interface.h"

#define SNAPLEN      FRAME_MAX
#define LOOKS        (8 * TLSYN_LINK_BATCH) /* at packets, for one batch of frames */
#define BUFFER_BYTES (32 << 20) /* 256 super-frames, or 16000 frames where offload is off */

struct pcap_link {
    struct tlsyn_link link;
    pcap_t *pcap;
    libnet_t *net; /* NULL: a file */
    int error;     /* the link is dead */
    uint8_t *memory;
    char interface[IF_NAMESIZE];
};

static struct pcap_link *pcap_link_of(struct tlsyn_link *link)
{
    return container_of(link, struct pcap_link, link);
}

/* Writes the sentence and returns the error. */
__attribute__((format(printf, 3, 4))) static int explain(char *message, int error,
                                                         const char *format, ...)
{
    va_list arguments;

    if (message) {
        va_start(arguments, format);
        vsnprintf(message, TLSYN_PCAP_MESSAGE, format, arguments);
        va_end(arguments);
    }
    return error;
}

/* ---- receive --------------------------------------------------------------------------------- */

static bool is_wanted(const struct pcap_link *p, const uint8_t *bytes)
{
    return !p->net || (bytes[0] & 1) || memcmp(bytes, p->link.caps.hwaddr, 6) == 0;
}

/* Copies a captured packet into a slot of ours, as libpcap's own memory is lent for one packet
 * only. */
static void take_packet(const struct pcap_link *p, const struct pcap_pkthdr *header,
                        const uint8_t *bytes, int slot, struct tlsyn_frame *frame)
{
    uint8_t *copy = p->memory + (size_t)slot * FRAME_SLOT_BYTES;

    memcpy(copy, bytes, header->caplen);
    *frame = (struct tlsyn_frame){.iovcnt = 1};
    frame->iov[0] = (struct iovec){.iov_base = copy, .iov_len = header->caplen};
    frame->when = TLSYN_SECONDS(header->ts.tv_sec) + header->ts.tv_usec;
    if (frame_looks_unfinished(frame))
        frame_mark_unfinished(frame);
}

/* What pcap_next_ex() said instead of a packet. When an interface goes down, libpcap takes the
 * error off the descriptor, says at first that there is nothing, and the descriptor never wakes
 * anybody again: so nothing is a reason to look. */
static int error_of(const struct pcap_link *p, int status)
{
    if (status == 0)
        return interface_is_up(libnet_getfd(p->net), p->interface) ? 0 : -ENETDOWN;
    if (!p->net)
        return status == PCAP_ERROR_BREAK ? -ENODATA : -EIO;
    return -ENETDOWN;
}

static int pcap_link_receive(struct tlsyn_link *link, struct tlsyn_frame *frames, int max,
                             tlsyn_time now)
{
    struct pcap_link *p = pcap_link_of(link);
    tlsyn_time clock_offset = p->net ? interface_clock_offset() : 0;
    int n = 0;

    if (max > TLSYN_LINK_BATCH)
        max = TLSYN_LINK_BATCH;
    /* A flood of what we pass over does not keep the rest of the program waiting. */
    for (int looked = 0; n < max && looked < LOOKS && p->error == 0; looked++) {
        struct pcap_pkthdr *header;
        const uint8_t *bytes;
        int status = pcap_next_ex(p->pcap, &header, &bytes);

        if (status != 1) {
            p->error = error_of(p, status);
            break;
        }
        if (header->caplen < header->len || header->caplen < FRAME_ETHER_LEN ||
            header->caplen > SNAPLEN || !is_wanted(p, bytes))
            continue;
        take_packet(p, header, bytes, n, &frames[n]);
        if (p->net) {
            frames[n].when += clock_offset;
            if (frames[n].when > now)
                frames[n].when = now;
        }
        n++;
    }
    return n > 0 ? n : p->error;
}

/* ---- transmit -------------------------------------------------------------------------------- */

static int inject(struct pcap_link *p, const struct tlsyn_frame *frame)
{
    uint8_t bytes[FRAME_MAX];
    int error = frame_check(frame, &p->link.caps);

    if (error)
        return error;
    if (libnet_adv_write_link(p->net, bytes, (uint32_t)frame_gather(frame, bytes)) >= 0)
        return 0;
    if (errno == ENETDOWN || errno == ENXIO || errno == ENODEV) {
        p->error = -ENETDOWN;
        return p->error;
    }
    return errno == EMSGSIZE || errno == EINVAL ? -errno : -ENOBUFS;
}

static int pcap_link_transmit(struct tlsyn_link *link, const struct tlsyn_frame *frames, int n,
                              tlsyn_time now)
{
    struct pcap_link *p = pcap_link_of(link);

    (void)now;
    if (!p->net)
        return n;
    if (p->error)
        return p->error;
    for (int i = 0; i < n; i++) {
        int error = inject(p, &frames[i]);

        if (error)
            return i > 0 ? i : error;
    }
    return n;
}

/* ---- life ------------------------------------------------------------------------------------ */

static int pcap_link_fd(struct tlsyn_link *link)
{
    struct pcap_link *p = pcap_link_of(link);

    return p->net ? pcap_get_selectable_fd(p->pcap) : -1;
}

/* A file is always ready, until its end. */
static tlsyn_time pcap_link_next_timeout(struct tlsyn_link *link)
{
    return pcap_link_of(link)->net ? TLSYN_NEVER : 0;
}

static void pcap_link_close(struct tlsyn_link *link)
{
    struct pcap_link *p = pcap_link_of(link);

    if (p->pcap)
        pcap_close(p->pcap);
    if (p->net)
        libnet_destroy(p->net);
    link_free(p->memory);
    link_free(p);
}

static const struct tlsyn_link_ops pcap_ops = {
    .receive = pcap_link_receive,
    .transmit = pcap_link_transmit,
    .fd = pcap_link_fd,
    .next_timeout = pcap_link_next_timeout,
    .close = pcap_link_close,
};

static struct pcap_link *pcap_link_new(void)
{
    struct pcap_link *p = link_alloc(sizeof(*p));

    if (!p)
        return NULL;
    p->link.ops = &pcap_ops;
    p->memory = link_alloc((size_t)TLSYN_LINK_BATCH * FRAME_SLOT_BYTES);
    if (!p->memory) {
        link_free(p);
        return NULL;
    }
    return p;
}

static int set_filter(struct pcap_link *p, const char *filter, char *message)
{
    struct bpf_program program;
    int status;

    if (pcap_datalink(p->pcap) != DLT_EN10MB)
        return explain(message, -EPFNOSUPPORT, "the frames are not Ethernet's");
    if (!filter)
        return 0;
    if (pcap_compile(p->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return explain(message, -EINVAL, "filter \"%s\": %s", filter, pcap_geterr(p->pcap));
    status = pcap_setfilter(p->pcap, &program);
    pcap_freecode(&program);
    if (status != 0)
        return explain(message, -EINVAL, "filter \"%s\": %s", filter, pcap_geterr(p->pcap));
    return 0;
}

static int errno_of_status(int status)
{
    switch (status) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return -ENODEV;
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return -EPERM;
    case PCAP_ERROR_IFACE_NOT_UP:
        return -ENETDOWN;
    default:
        return -EIO;
    }
}

static int open_capture(struct pcap_link *p, const char *interface, char *message)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    int status;

    p->pcap = pcap_create(interface, text);
    if (!p->pcap)
        return explain(message, -ENOMEM, "%s: %s", interface, text);
    pcap_set_snaplen(p->pcap, SNAPLEN);
    pcap_set_promisc(p->pcap, 0);
    pcap_set_immediate_mode(p->pcap, 1);
    pcap_set_buffer_size(p->pcap, BUFFER_BYTES);
    status = pcap_activate(p->pcap);
    if (status < 0) /* above zero is a warning */
        return explain(message, errno_of_status(status), "%s: %s", interface,
                       pcap_statustostr(status));
    if (pcap_setnonblock(p->pcap, 1, text) != 0)
        return explain(message, -EIO, "%s: %s", interface, text);
    if (pcap_setdirection(p->pcap, PCAP_D_IN) != 0)
        return explain(message, -EIO, "%s: %s", interface, pcap_geterr(p->pcap));
    return 0;
}

/* libnet's socket takes in every frame of the machine, though nobody ever reads it: a filter
 * refuses them all. */
static void keep_quiet(int fd)
{
    struct sock_filter refuse = {.code = BPF_RET | BPF_K, .k = 0};
    struct sock_fprog program = {.len = 1, .filter = &refuse};

    setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int open_injection(struct pcap_link *p, const char *interface, char *message)
{
    char text[LIBNET_ERRBUF_SIZE] = "";
    struct interface found = {0};
    int error;

    p->net = libnet_init(LIBNET_LINK_ADV, interface, text);
    if (!p->net)
        return explain(message, errno == EPERM ? -EPERM : -EIO, "%s: %s", interface, text);
    keep_quiet(libnet_getfd(p->net));
    error = interface_query(libnet_getfd(p->net), interface, &found);
    if (error)
        return explain(message, error, "%s: %s", interface, strerror(-error));
    snprintf(p->interface, sizeof(p->interface), "%s", interface);
    p->link.caps.mtu = found.mtu;
    memcpy(p->link.caps.hwaddr, found.hwaddr, sizeof(found.hwaddr));
    return 0;
}

int tlsyn_pcap_open(const char *interface, const char *filter, char *message,
                    struct tlsyn_link **link)
{
    struct pcap_link *p = pcap_link_new();
    int error;

    if (!p)
        return explain(message, -ENOMEM, "%s", strerror(ENOMEM));
    error = open_capture(p, interface, message);
    if (!error)
        error = set_filter(p, filter, message);
    if (!error)
        error = open_injection(p, interface, message);
    if (error) {
        pcap_link_close(&p->link);
        return error;
    }
    *link = &p->link;
    return 0;
}

static int open_file(struct pcap_link *p, const char *path, char *message)
{
    char text[PCAP_ERRBUF_SIZE] = "";
    FILE *file = fopen(path, "rbe");

    if (!file)
        return explain(message, -errno, "%s: %s", path, strerror(errno));
    p->pcap = pcap_fopen_offline(file, text);
    if (!p->pcap) {
        fclose(file);
        return explain(message, -EINVAL, "%s: %s", path, text);
    }
    p->link.caps.mtu = UINT16_MAX;
    return 0;
}

int tlsyn_pcap_open_file(const char *path, const char *filter, char *message,
                         struct tlsyn_link **link)
{
    struct pcap_link *p = pcap_link_new();
    int error;

    if (!p)
        return explain(message, -ENOMEM, "%s", strerror(ENOMEM));
    error = open_file(p, path, message);
    if (!error)
        error = set_filter(p, filter, message);
    if (error) {
        pcap_link_close(&p->link);
        return error;
    }
    *link = &p->link;
    return 0;
}
