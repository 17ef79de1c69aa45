/*
 * ecdsa.h: signatures are verified as mbedTLS asks for it, by libcrypto; over the curves of NIST
 * from 256 bits on, and Brainpool's.
 */
#ifndef TLS_ECDSA_H
#define TLS_ECDSA_H

#include <mbedtls/ecp.h>

/** 0, MBEDTLS_ERR_ECP_VERIFY_FAILED, or another error of mbedTLS. */
int ecdsa_verify(const mbedtls_ecp_group *group, const unsigned char *hash, size_t length,
                 const mbedtls_ecp_point *point, const mbedtls_mpi *r, const mbedtls_mpi *s);

#endif
