/*
 * ecdsa.h: signatures are verified as mbedTLS asks for it, over any curve that it knows.
 */
#ifndef TLS_ECDSA_H
#define TLS_ECDSA_H

#include <mbedtls/ecp.h>

/** 0, MBEDTLS_ERR_ECP_VERIFY_FAILED, or another error of mbedTLS. */
int ecdsa_verify(mbedtls_ecp_group *group, const unsigned char *hash, size_t length,
                 const mbedtls_ecp_point *key, const mbedtls_mpi *r, const mbedtls_mpi *s);

#endif
