/*
 * web/reference.h: who hears of what documents and style sheets refer to, in their order.
 */
#ifndef WEB_REFERENCE_H
#define WEB_REFERENCE_H

#include "web/page.h"
#include "web/url.h"

#define REFERENCE_MAX 2048 /* bytes of a reference as it is written; longer ones are passed over */

struct reference_user {
    /** As what it is wanted, and where it is. What is no https URL is not told. */
    void (*on_reference)(struct reference_user *, enum page_kind kind, const struct url *url);
};

/** Tells of a reference that was written in a document of this base. */
static inline void reference_tell(struct reference_user *user, enum page_kind kind,
                                  const struct url *base, const char *written)
{
    struct url url;

    if (written[0] != '\0' && written[0] != '#' && url_resolve(base, written, &url) == 0)
        user->on_reference(user, kind, &url);
}

#endif
