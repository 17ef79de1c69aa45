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
    if (!parts && count > 0)
        return -EFAULT;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].iov_len > SSIZE_MAX - cursor->left)
            return -EINVAL;
        cursor->faulty = cursor->faulty || (!parts[i].iov_base && parts[i].iov_len > 0);
        cursor->left += parts[i].iov_len;
    }
    return 0;
}

void *cursor_piece(struct cursor *cursor, size_t *n)
{
    *n = 0;
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

size_t cursor_put(struct cursor *cursor, const void *bytes, size_t n)
{
    const uint8_t *in = bytes;
    size_t done = 0, piece;

    if (n > cursor->left)
        n = cursor->left;
    if (cursor->discards) {
        cursor_advance(cursor, n);
        return n;
    }
    while (done < n) {
        uint8_t *at = cursor_piece(cursor, &piece);

        if (piece > n - done)
            piece = n - done;
        memcpy(at, in + done, piece);
        cursor_advance(cursor, piece);
        done += piece;
    }
    return n;
}

size_t cursor_get(struct cursor *cursor, void *bytes, size_t n)
{
    uint8_t *out = bytes;
    size_t done = 0, piece;

    if (n > cursor->left)
        n = cursor->left;
    while (done < n) {
        const uint8_t *at = cursor_piece(cursor, &piece);

        if (piece > n - done)
            piece = n - done;
        memcpy(out + done, at, piece);
        cursor_advance(cursor, piece);
        done += piece;
    }
    return n;
}
