/*
 * identity.c: a server's certificate and key.
 */
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tlsyn/certify.h>

#include "cli.h"
#include "client.h"
#include "say.h"

/* tlsyn_tls_config_identity(), or ..._replace(). */
typedef int give_call(struct tlsyn_tls_config *, const void *, size_t, const void *, size_t,
                      char *);

struct pem {
    const char *chain, *key;
    size_t chain_len, key_len;
};

static int give(give_call *call, struct tlsyn_tls_config *config, const struct pem *pem)
{
    char message[256] = "";
    int error = call(config, pem->chain, pem->chain_len, pem->key, pem->key_len, message);

    if (error >= 0)
        return CLI_OK;
    say("the certificate can't be used: %s", message[0] ? message : strerror(-error));
    return CLI_TLS;
}

static int read_or_say(const char *option, const char *path, char **bytes, size_t *size)
{
    int error = client_read_file(path, bytes, size);

    if (error == 0)
        return CLI_OK;
    say("%s %s can't be read: %s", option, path, strerror(-error));
    return CLI_FAILURE;
}

static int load(give_call *call, const struct identity_options *o, struct tlsyn_tls_config *config)
{
    char *chain = NULL;
    char *key = NULL;
    size_t chain_len = 0;
    size_t key_len = 0;
    int status = read_or_say("--cert", o->cert, &chain, &chain_len);

    if (status == CLI_OK)
        status = read_or_say("--key", o->key, &key, &key_len);
    if (status == CLI_OK)
        status = give(call, config, &(struct pem){chain, key, chain_len, key_len});
    if (key)
        explicit_bzero(key, key_len);
    free(key);
    free(chain);
    return status;
}

static int write_ca(const char *path, const char *pem)
{
    FILE *file = fopen(path, "we");
    bool ok = file && fputs(pem, file) >= 0;

    if (file && fclose(file) != 0)
        ok = false;
    if (ok)
        return CLI_OK;
    say("--self-signed %s can't be written: %s", path, strerror(errno));
    return CLI_FAILURE;
}

static int make(const struct identity_options *o, struct tlsyn_tls_config *config)
{
    struct tlsyn_certify_options options = {
        .names = o->names,
        .rsa = o->rsa,
        .now = time(NULL),
        .days = 30,
        .random = tlsyn_random_kernel(),
    };
    struct tlsyn_certified made;
    int error = tlsyn_certify(&options, &made);
    int status = CLI_OK;

    if (error < 0) {
        say("a throwaway certificate can't be made: %s", strerror(-error));
        return CLI_FAILURE;
    }
    status = write_ca(o->self_signed, made.ca);
    if (status == CLI_OK)
        status = give(tlsyn_tls_config_identity, config,
                      &(struct pem){made.chain, made.key, strlen(made.chain), strlen(made.key)});
    explicit_bzero(made.key, sizeof(made.key));
    return status;
}

int identity_check(const struct identity_options *options, const char *command)
{
    if (options->self_signed && (options->cert || options->key)) {
        say("%s: --self-signed and --cert exclude each other", command);
        return CLI_USAGE;
    }
    if (!options->self_signed && !(options->cert && options->key)) {
        say("%s: name a certificate and its key with --cert and --key, or have one made: "
            "--self-signed CA-FILE",
            command);
        return CLI_USAGE;
    }
    return CLI_OK;
}

int identity_give(const struct identity_options *options, struct tlsyn_tls_config *config)
{
    return options->self_signed ? make(options, config)
                                : load(tlsyn_tls_config_identity, options, config);
}

void identity_renew(const struct identity_options *options, struct tlsyn_tls_config *config)
{
    if (options->self_signed)
        say("SIGHUP: a throwaway certificate stays as it is, and clients trust %s as before",
            options->self_signed);
    else if (load(tlsyn_tls_config_replace, options, config) == CLI_OK)
        say("SIGHUP: new connections have the certificate that is now in %s", options->cert);
    else
        say("SIGHUP: so the certificate stays the one that it was");
}
