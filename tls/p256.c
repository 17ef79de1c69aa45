/*
 * p256.c: ECDSA signatures over P-256 are verified.
 *
 * Read first: SEC 1 4.1.4 (verification), FIPS 186-4 D.1.2.3 (the curve).
 *
 * A signature (r, s) of a hash e by the key Q holds if the point u1 G + u2 Q, with u1 = e / s and
 * u2 = r / s modulo the order n, has x = r modulo n. mbedTLS computes that by numbers of any size
 * on its heap, and in constant time, which nothing here needs: key, hash and signature are public.
 *
 * Numbers are four limbs of 64 bits, the least significant first, always less than their modulus,
 * and modulo p as modulo n in Montgomery's form: a stands as a R, R = 2^256, so that a product is
 * reduced by shifts (mont_mul). Points are Jacobian: x = X / Z^2, y = Y / Z^3, and Z = 0 is the one
 * at infinity. Both multiples are made in one pass over both scalars, four bits of each at a time,
 * from tables of the first fifteen multiples of G and Q.
 */
#include "p256.h"

#include <string.h>

#define LIMBS  4
#define BITS   4 /* of a scalar at a time */
#define DIGITS (64 * LIMBS / BITS)

__extension__ typedef unsigned __int128 wide;

struct number {
    uint64_t limb[LIMBS];
};

struct modulus {
    struct number m, square; /* square: R^2 modulo m, which takes a number into Montgomery's form */
    uint64_t inverse;        /* of -m, modulo 2^64 */
};

struct point {
    struct number x, y, z;
};

static const struct modulus field = {
    .m = {{UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000ffffffff), 0,
           UINT64_C(0xffffffff00000001)}},
    .square = {{UINT64_C(0x0000000000000003), UINT64_C(0xfffffffbffffffff),
                UINT64_C(0xfffffffffffffffe), UINT64_C(0x00000004fffffffd)}},
    .inverse = 1,
};

static const struct modulus order = {
    .m = {{UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84), UINT64_C(0xffffffffffffffff),
           UINT64_C(0xffffffff00000000)}},
    .square = {{UINT64_C(0x83244c95be79eea2), UINT64_C(0x4699799c49bd6fa6),
                UINT64_C(0x2845b2392b6bec59), UINT64_C(0x66e12d94f3d95620)}},
    .inverse = UINT64_C(0xccd1c8aaee00bc4f),
};

/* G, in Montgomery's form; z is 1. */
static const struct point base = {
    .x = {{UINT64_C(0x79e730d418a9143c), UINT64_C(0x75ba95fc5fedb601), UINT64_C(0x79fb732b77622510),
           UINT64_C(0x18905f76a53755c6)}},
    .y = {{UINT64_C(0xddf25357ce95560a), UINT64_C(0x8b4ab8e4ba19e45c), UINT64_C(0xd2e88688dd21f325),
           UINT64_C(0x8571ff1825885d85)}},
    .z = {{UINT64_C(0x0000000000000001), UINT64_C(0xffffffff00000000), UINT64_C(0xffffffffffffffff),
           UINT64_C(0x00000000fffffffe)}},
};

/* --- numbers ---------------------------------------------------------------------------------- */

static bool is_zero(const struct number *a)
{
    return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

/* *r = a + b; the carry. */
static uint64_t add(struct number *r, const struct number *a, const struct number *b)
{
    wide carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (wide)a->limb[i] + b->limb[i];
        r->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return (uint64_t)carry;
}

/* *r = a - b; 1 if that is negative, and r is 2^256 too much. */
static uint64_t subtract(struct number *r, const struct number *a, const struct number *b)
{
    uint64_t borrow = 0;

    for (int i = 0; i < LIMBS; i++) {
        wide difference = (wide)a->limb[i] - b->limb[i] - borrow;

        r->limb[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    return borrow;
}

/* Of a + carry 2^256, less than 2 m: what it is modulo m. */
static void reduce_once(struct number *a, uint64_t carry, const struct modulus *modulus)
{
    struct number less;
    uint64_t borrow = subtract(&less, a, &modulus->m);

    if (carry >= borrow)
        *a = less;
}

static void mod_add(struct number *r, const struct number *a, const struct number *b,
                    const struct modulus *modulus)
{
    uint64_t carry = add(r, a, b);

    reduce_once(r, carry, modulus);
}

static void mod_subtract(struct number *r, const struct number *a, const struct number *b,
                         const struct modulus *modulus)
{
    if (subtract(r, a, b))
        (void)add(r, r, &modulus->m);
}

/* *r = a b / R modulo m: for each limb of b, a multiple of m is added that makes the lowest limb of
 * the sum zero, which is dropped. */
static inline void mont_mul(struct number *r, const struct number *a, const struct number *b,
                            const struct modulus *modulus)
{
    const uint64_t *m = modulus->m.limb;
    uint64_t t[LIMBS + 1] = {0};

    for (int i = 0; i < LIMBS; i++) {
        wide sum = 0, zeroed;
        uint64_t q, over;

        for (int j = 0; j < LIMBS; j++) {
            sum += (wide)a->limb[j] * b->limb[i] + t[j];
            t[j] = (uint64_t)sum;
            sum >>= 64;
        }
        sum += t[LIMBS];
        over = (uint64_t)(sum >> 64);
        t[LIMBS] = (uint64_t)sum;
        q = t[0] * modulus->inverse;
        zeroed = ((wide)q * m[0] + t[0]) >> 64;
        for (int j = 1; j < LIMBS; j++) {
            zeroed += (wide)q * m[j] + t[j];
            t[j - 1] = (uint64_t)zeroed;
            zeroed >>= 64;
        }
        zeroed += t[LIMBS];
        t[LIMBS - 1] = (uint64_t)zeroed;
        t[LIMBS] = over + (uint64_t)(zeroed >> 64);
    }
    memcpy(r->limb, t, sizeof(r->limb));
    reduce_once(r, t[LIMBS], modulus);
}

static struct number read_number(const uint8_t bytes[P256_BYTES])
{
    struct number a = {{0}};

    for (int i = 0; i < P256_BYTES; i++)
        a.limb[LIMBS - 1 - i / 8] = a.limb[LIMBS - 1 - i / 8] << 8 | bytes[i];
    return a;
}

static unsigned digit(const struct number *a, int i)
{
    return a->limb[i * BITS / 64] >> (i * BITS % 64) & ((1U << BITS) - 1);
}

/* *r = 1 / a, both in Montgomery's form: a^(n - 2), for n is prime. */
static void invert(struct number *r, const struct number *a)
{
    static const struct number two = {{2}};
    struct number exponent, power = *a; /* of n's bits the highest is one */

    (void)subtract(&exponent, &order.m, &two);
    for (int i = 254; i >= 0; i--) {
        mont_mul(&power, &power, &power, &order);
        if (exponent.limb[i / 64] >> (i % 64) & 1)
            mont_mul(&power, &power, a, &order);
    }
    *r = power;
}

/* --- points ----------------------------------------------------------------------------------- */

static void f_mul(struct number *r, const struct number *a, const struct number *b)
{
    mont_mul(r, a, b, &field);
}

static void f_add(struct number *r, const struct number *a, const struct number *b)
{
    mod_add(r, a, b, &field);
}

static void f_subtract(struct number *r, const struct number *a, const struct number *b)
{
    mod_subtract(r, a, b, &field);
}

/* With y^2 = x^3 - 3 x + b: the tangent's slope is 3 (x^2 - 1) / 2 y = alpha / 2 Y Z. */
static void point_double(struct point *p)
{
    struct number zz, yy, beta, alpha, t;

    f_mul(&zz, &p->z, &p->z);
    f_mul(&yy, &p->y, &p->y);
    f_mul(&beta, &p->x, &yy);
    f_subtract(&t, &p->x, &zz);
    f_add(&alpha, &p->x, &zz);
    f_mul(&alpha, &alpha, &t);
    f_add(&t, &alpha, &alpha);
    f_add(&alpha, &t, &alpha); /* 3 (X - Z^2) (X + Z^2) */

    f_mul(&p->z, &p->y, &p->z);
    f_add(&p->z, &p->z, &p->z); /* 2 Y Z */

    f_add(&beta, &beta, &beta);
    f_add(&beta, &beta, &beta); /* 4 X Y^2 */
    f_mul(&p->x, &alpha, &alpha);
    f_subtract(&p->x, &p->x, &beta);
    f_subtract(&p->x, &p->x, &beta);

    f_add(&yy, &yy, &yy);
    f_mul(&yy, &yy, &yy);
    f_add(&yy, &yy, &yy); /* 8 Y^4 */
    f_subtract(&t, &beta, &p->x);
    f_mul(&p->y, &alpha, &t);
    f_subtract(&p->y, &p->y, &yy);
}

/* p = p + q. Whoever chose the signature may have made them equal, or opposite. */
static void point_add(struct point *p, const struct point *q)
{
    struct number zz, u1, u2, s1, s2, h, slope, t;

    if (is_zero(&q->z))
        return;
    if (is_zero(&p->z)) {
        *p = *q;
        return;
    }
    f_mul(&zz, &q->z, &q->z);
    f_mul(&u1, &p->x, &zz);
    f_mul(&t, &zz, &q->z);
    f_mul(&s1, &p->y, &t);
    f_mul(&zz, &p->z, &p->z);
    f_mul(&u2, &q->x, &zz);
    f_mul(&t, &zz, &p->z);
    f_mul(&s2, &q->y, &t);
    f_subtract(&h, &u2, &u1);
    f_subtract(&slope, &s2, &s1);
    if (is_zero(&h) && is_zero(&slope)) {
        point_double(p);
        return;
    }
    f_mul(&t, &p->z, &q->z);
    f_mul(&p->z, &t, &h); /* 0 if they are opposite: infinity */
    f_mul(&zz, &h, &h);
    f_mul(&u1, &u1, &zz);
    f_mul(&h, &h, &zz);
    f_mul(&p->x, &slope, &slope);
    f_subtract(&p->x, &p->x, &h);
    f_subtract(&p->x, &p->x, &u1);
    f_subtract(&p->x, &p->x, &u1);
    f_subtract(&u1, &u1, &p->x);
    f_mul(&u1, &u1, &slope);
    f_mul(&s1, &s1, &h);
    f_subtract(&p->y, &u1, &s1);
}

static void multiples(struct point table[1 << BITS], const struct point *p)
{
    memset(&table[0], 0, sizeof(table[0]));
    for (int i = 1; i < 1 << BITS; i++) {
        table[i] = table[i - 1];
        point_add(&table[i], p);
    }
}

/* u1 G + u2 Q */
static struct point combine(const struct number *u1, const struct number *u2,
                            const struct point *key)
{
    struct point of_base[1 << BITS], of_key[1 << BITS], sum = {.z = {{0}}};

    multiples(of_base, &base);
    multiples(of_key, key);
    for (int i = DIGITS - 1; i >= 0; i--) {
        for (int bit = 0; bit < BITS; bit++)
            point_double(&sum);
        point_add(&sum, &of_base[digit(u1, i)]);
        point_add(&sum, &of_key[digit(u2, i)]);
    }
    return sum;
}

/* --- signatures ------------------------------------------------------------------------------- */

static bool is_scalar(const struct number *a)
{
    struct number less;

    return !is_zero(a) && subtract(&less, a, &order.m) == 1;
}

/* Whether the point's x is a, less than p: X = a Z^2. */
static bool has_x(const struct point *p, const struct number *a)
{
    struct number t, zz;

    f_mul(&zz, &p->z, &p->z);
    f_mul(&t, a, &field.square);
    f_mul(&t, &t, &zz);
    return memcmp(&t, &p->x, sizeof(t)) == 0;
}

bool p256_verifies(const struct p256_signature *signature)
{
    struct number r = read_number(signature->r), s = read_number(signature->s), less, more;
    struct number e = read_number(signature->e), u1, u2, w;
    struct point key = {read_number(signature->x), read_number(signature->y), base.z}, sum;

    if (!is_scalar(&r) || !is_scalar(&s))
        return false;
    reduce_once(&e, 0, &order);
    f_mul(&key.x, &key.x, &field.square);
    f_mul(&key.y, &key.y, &field.square);

    mont_mul(&w, &s, &order.square, &order);
    invert(&w, &w);
    mont_mul(&u1, &e, &w, &order); /* one factor stands for itself: so does the product */
    mont_mul(&u2, &r, &w, &order);
    sum = combine(&u1, &u2, &key);
    if (is_zero(&sum.z))
        return false;
    /* x is less than p, which is more than n: x modulo n is r if x is r, or r + n. */
    if (has_x(&sum, &r))
        return true;
    return add(&more, &r, &order.m) == 0 && subtract(&less, &more, &field.m) == 1 &&
           has_x(&sum, &more);
}
