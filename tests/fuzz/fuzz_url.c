/*
 * fuzz_url: a URL in the first line, and behind it a reference as documents and Location fields
 * write them. What is understood can be written and read again and is the same; what a reference
 * resolves to is in its shortest form, and has nothing in it that would end a request line.
 */
#include <string.h>

#include "support/must.h"
#include "web/url.h"

static void check(const struct url *url)
{
    char text[sizeof(url->target) + URL_AUTHORITY_MAX + 16], authority[URL_AUTHORITY_MAX];
    struct url again;

    must(url->host[0] && url->port != 0 && url->target[0] == '/');
    must(!strpbrk(url->target, " \t\r\n\f#") && !strpbrk(url->host, " \t\r\n\f/?#@"));
    must(strlen(url_authority(url, authority, sizeof(authority))) < sizeof(authority) - 1);
    must(url_parse(url_text(url, text, sizeof(text)), &again) == 0);
    must(strcmp(url->host, again.host) == 0 && url->port == again.port);
    must(strcmp(url->target, again.target) == 0);
}

static void check_resolved(const struct url *url)
{
    size_t path = strcspn(url->target, "?");
    struct url again;

    check(url);
    for (const char *at = url->target; (at = strstr(at, "/.")) && at < url->target + path; at++) {
        size_t dots = strspn(at + 1, ".");

        must(dots > 2 || !strchr("/?", at[1 + dots])); /* strchr() finds the end, too */
    }
    must(url_resolve(url, "", &again) == 0 && strcmp(url->target, again.target) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[8192];
    char *reference = NULL;
    struct url base, url;

    if (size >= sizeof(text))
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    reference = text + strcspn(text, "\n");
    if (*reference)
        *reference++ = '\0';
    if (url_parse(text, &base) < 0)
        return 0;
    check(&base);
    if (url_resolve(&base, reference, &url) == 0)
        check_resolved(&url);
    return 0;
}
