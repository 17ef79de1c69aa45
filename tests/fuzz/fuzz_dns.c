/*
 * fuzz_dns: the input is a datagram to the DNS server. Its answer belongs to it, fits, repeats the
 * question, and is not answered in turn.
 */
#include <string.h>

#include "support/must.h"
#include "web/dns.h"

static void make_zone(struct dns_zone *zone)
{
    must(dns_zone_init(zone, "page.test", 300) == 0);
    must(dns_zone_add(zone, "www.page.test", "\x0a\x4d\0\x02", 4) == 0);
    must(dns_zone_add(zone, "www.page.test", "0123456789abcdef", 16) == 0);
    must(dns_zone_add(zone, "images.page.test", "\x0a\x4d\0\x03", 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_zone zone;
    uint8_t answer[DNS_ANSWER_MAX];
    uint8_t again[DNS_ANSWER_MAX];
    size_t len = 0;

    if (zone.hosts == 0)
        make_zone(&zone);
    len = dns_answer(&zone, data, size, answer);
    must(len <= sizeof(answer));
    if (len == 0)
        return 0;
    must(size >= 12 && len >= 12);
    must(memcmp(answer, data, 2) == 0 && (answer[2] & 0x80) != 0);
    must(dns_answer(&zone, answer, len, again) == 0);
    if (answer[5] == 1) /* the question: what follows the header is the same */
        must(size >= 17 && memcmp(answer + 12, data + 12, 5) == 0);
    must(answer[4] == 0 && answer[5] <= 1);
    return 0;
}
