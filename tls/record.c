/*
 * record.c: protected records. Read first: RFC 8446 5.2, 5.3.
 */
#include "record.h"

#include <errno.h>
#include <string.h>

/* RFC 8446 5.3: the number, padded to the length of the IV, and xored with it. */
static void make_nonce(const struct traffic_keys *keys, uint64_t seq, uint8_t nonce[KEYS_IV])
{
    memcpy(nonce, keys->iv, KEYS_IV);
    for (int i = 0; i < 8; i++)
        nonce[KEYS_IV - 1 - i] ^= (uint8_t)(seq >> 8 * i);
}

int record_seal(const struct traffic_keys *keys, uint64_t seq, enum record_type type,
                uint8_t *record, size_t n)
{
    uint8_t *body = record + BIO_HEADER;
    size_t body_len = n + 1 + RECORD_TAG, written;
    uint8_t nonce[KEYS_IV];
    psa_status_t status;

    if (n > RECORD_TEXT)
        return -EINVAL;
    record[0] = RECORD_DATA; /* whatever it is: the true type is inside */
    record[1] = 3;
    record[2] = 3;
    record[3] = (uint8_t)(body_len >> 8);
    record[4] = (uint8_t)body_len;
    body[n] = (uint8_t)type;
    make_nonce(keys, seq, nonce);
    status = psa_aead_encrypt(keys->key, keys->aead, nonce, sizeof(nonce), record, BIO_HEADER, body,
                              n + 1, body, body_len, &written);
    if (status == PSA_SUCCESS && written == body_len)
        return (int)(BIO_HEADER + body_len);
    return status == PSA_ERROR_INSUFFICIENT_MEMORY ? -ENOMEM : -EPROTO;
}
