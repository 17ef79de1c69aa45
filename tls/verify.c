/*
 * verify.c: collects why mbedTLS refuses a chain, and says it with the remedy.
 */
#include "verify.h"

#include <arpa/inet.h>
#include <mbedtls/ssl.h>
#include <stdio.h>
#include <time.h>

#include "sentence.h"

/* A name is in ASCII (RFC 5280 4.2.1.6); another octet, a line end say, would write
 * sentences of its own. */
static void add_name(struct sentence *text, const unsigned char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sentence_add(text, "%c", name[i] > 0x20 && name[i] < 0x7f ? name[i] : '?');
}

/* "a.example, *.b.example": the DNS names and addresses of the leaf, or its common name. */
static void list_names(const mbedtls_x509_crt *leaf, struct sentence *text)
{
    const mbedtls_x509_sequence *entry = &leaf->subject_alt_names;
    const char *comma = "";

    for (; entry != NULL && entry->buf.p != NULL; entry = entry->next) {
        int choice = entry->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
        const unsigned char *at = entry->buf.p;

        if (choice == MBEDTLS_X509_SAN_DNS_NAME) {
            sentence_add(text, "%s", comma);
            add_name(text, at, entry->buf.len);
        } else if (choice == MBEDTLS_X509_SAN_IP_ADDRESS && entry->buf.len == 4) {
            sentence_add(text, "%s%d.%d.%d.%d", comma, at[0], at[1], at[2], at[3]);
        } else if (choice == MBEDTLS_X509_SAN_IP_ADDRESS && entry->buf.len == 16) {
            char address[INET6_ADDRSTRLEN];

            sentence_add(text, "%s%s", comma, inet_ntop(AF_INET6, at, address, sizeof(address)));
        } else {
            continue;
        }
        comma = ", ";
    }
    if (*comma == '\0')
        sentence_add(text, "nobody by name");
}

int verify_note(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
    struct verify_finding *f = context;

    (void)depth;
    f->flags |= *flags;
    if ((*flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0)
        f->expired = crt->valid_to;
    if ((*flags & MBEDTLS_X509_BADCERT_FUTURE) != 0)
        f->future = crt->valid_from;
    if ((*flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
        struct sentence names = sentence_in(f->names, sizeof(f->names));

        list_names(crt, &names);
    }
    if ((*flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0 &&
        mbedtls_x509_dn_gets(f->issuer, sizeof(f->issuer), &crt->issuer) < 0)
        snprintf(f->issuer, sizeof(f->issuer), "an issuer with a long name");
    return 0;
}

int verify_alert(uint32_t flags)
{
    static const struct {
        uint32_t flags;
        int alert;
    } alerts[] = {
        {MBEDTLS_X509_BADCERT_OTHER, MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED},
        {MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_CN_MISMATCH,
         MBEDTLS_SSL_ALERT_MSG_BAD_CERT},
        {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
             MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
         MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT},
        {MBEDTLS_X509_BADCERT_EXPIRED, MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED},
        {MBEDTLS_X509_BADCERT_REVOKED, MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED},
        {MBEDTLS_X509_BADCERT_NOT_TRUSTED, MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA},
    };

    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if ((flags & alerts[i].flags) != 0)
            return alerts[i].alert;
    }
    return MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN;
}

static void add_date(struct sentence *text, const char *lead, const mbedtls_x509_time *t)
{
    sentence_add(text, "%s %04d-%02d-%02d %02d:%02d", lead, t->year, t->mon, t->day, t->hour,
                 t->min);
}

static void add_clock(struct sentence *text, int64_t wall)
{
    time_t seconds = (time_t)wall;
    struct tm tm;

    if (gmtime_r(&seconds, &tm) != NULL)
        sentence_add(text, " (our clock says %04d-%02d-%02d %02d:%02d, UTC)", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
}

/* The reasons that need no more than a phrase. */
static const struct {
    uint32_t flags;
    const char *reason;
} phrases[] = {
    {MBEDTLS_X509_BADCERT_REVOKED, "it was revoked"},
    {MBEDTLS_X509_BADCERT_MISSING, "the peer sent none"},
    {MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
         MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
     "it was not issued for this use (key usage)"},
    {MBEDTLS_X509_BADCERT_BAD_MD, "it is signed with a hash that is too weak"},
    {MBEDTLS_X509_BADCERT_BAD_PK | MBEDTLS_X509_BADCERT_BAD_KEY,
     "a key in its chain is too weak or of a kind that is not accepted"},
    {MBEDTLS_X509_BADCERT_OTHER, "its chain could not be checked"},
};

static void add_reasons(struct sentence *text, const struct verify_finding *f, const char *host,
                        int64_t wall)
{
    const char *lead = ": ";

    if ((f->flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) {
        sentence_add(text, "%s", lead);
        add_date(text, "it (or one in its chain) expired on", &f->expired);
        add_clock(text, wall);
        lead = "; ";
    }
    if ((f->flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) {
        sentence_add(text, "%s", lead);
        add_date(text, "it (or one in its chain) is not valid before", &f->future);
        add_clock(text, wall);
        lead = "; ";
    }
    if ((f->flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
        sentence_add(text, "%sit is for %s, not for the expected %s", lead, f->names, host);
        lead = "; ";
    }
    if ((f->flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        sentence_add(text, "%sits issuer is not trusted (%s)", lead, f->issuer);
        lead = "; ";
    }
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if ((f->flags & phrases[i].flags) == 0)
            continue;
        sentence_add(text, "%s%s", lead, phrases[i].reason);
        lead = "; ";
    }
}

/* One remedy, for what has to be mended first. */
static const char *remedy(uint32_t flags)
{
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0)
        return "Trust its CA";
    if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0)
        return "Connect by a name that it has";
    if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0)
        return "Have it renewed, set the clock if that is wrong";
    if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0)
        return "Set the clock if that is wrong";
    return "Have it replaced";
}

void verify_sentence(const struct verify_finding *finding, const char *host, int64_t wall,
                     char *text, size_t size)
{
    struct sentence t = sentence_in(text, size);

    sentence_add(&t, "the certificate of %s was refused", host);
    add_reasons(&t, finding, host, wall);
    sentence_add(&t, ". %s, or go on without verification.", remedy(finding->flags));
}
