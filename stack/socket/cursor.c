/*
 * socket/cursor.c: see cursor.h.
 */
#include "socket/cursor.h"

#include <errno.h>
#include <limits.h>

int cursor_init(struct cursor *cursor, const struct iovec *parts, size_t count)
{
    *cursor = (struct cursor){.part = parts};
    if (count > IOV_MAX)
        return -EMSGSIZE;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > SSIZE_MAX - cursor->left)
            return -EINVAL;
        cursor->left += parts[i].iov_len;
    }
    return 0;
}

void *cursor_piece(struct cursor *cursor, size_t *n)
{
    if (cursor->left == 0)
        return NULL;
    while (cursor->offset == cursor->part->iov_len) {
        cursor->part++;
        cursor->offset = 0;
    }
    *n = cursor->part->iov_len - cursor->offset;
    if (*n > cursor->left)
        *n = cursor->left;
    return (uint8_t *)cursor->part->iov_base + cursor->offset;
}

void cursor_advance(struct cursor *cursor, size_t n)
{
    size_t piece;

    if (cursor->discards) {
        cursor->left -= n;
        return;
    }
    while (n > 0 && cursor_piece(cursor, &piece)) {
        if (piece > n)
            piece = n;
        cursor->offset += piece;
        cursor->left -= piece;
        n -= piece;
    }
}

static size_t copy(struct cursor *cursor, uint8_t *out, const uint8_t *in, size_t n)
{
    size_t done = 0, piece;

    while (done < n && cursor->left > 0) {
        uint8_t *at = cursor_piece(cursor, &piece);

        if (piece > n - done)
            piece = n - done;
        if (out)
            memcpy(out + done, at, piece);
        else
            memcpy(at, in + done, piece);
        cursor_advance(cursor, piece);
        done += piece;
    }
    return done;
}

size_t cursor_put(struct cursor *cursor, const void *bytes, size_t n)
{
    if (!cursor->discards)
        return copy(cursor, NULL, bytes, n);
    n = n < cursor->left ? n : cursor->left;
    cursor_advance(cursor, n);
    return n;
}

size_t cursor_get(struct cursor *cursor, void *bytes, size_t n)
{
    return copy(cursor, bytes, NULL, n);
}
