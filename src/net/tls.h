/* SPDX-License-Identifier: MIT */
#ifndef NET_TLS_H
#define NET_TLS_H

/*
 * The server's certificate, and how it speaks TLS: 1.2 and 1.3, authenticated
 * ciphers with forward secrecy, HTTP/1.1 and 1.0 by ALPN, tickets, no
 * renegotiation, no compression, no early data.
 *
 * The certificate may be exchanged while connections go on: each keeps what it
 * began with.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct tls;
struct ssl_st;

/*
 * Reads the chain in the PEM file ${cert} and its key in ${key}.  ERR_SETTING
 * says in a sentence, with the setting's name (TLS_CERT or TLS_KEY), which of
 * them cannot be used and why.  Only reads: any thread.
 */
int tls_new(
    const char *cert, const char *key, struct tls **ret_tls, struct err *err);
/* Connections may go on; NULL is fine. */
void tls_free(struct tls *t);

/*
 * Looks whether the files have changed, and if so, reads them: 1 when a new
 * pair is in use, 0 when there is nothing new, -1 when what is there cannot be
 * used (said once for each change; the old pair stays in use).  Files that
 * still change are left alone until the next look, unless ${now} is set.  What
 * is a day old is read again in any case, which changes the keys of tickets.
 * Any thread.
 */
int tls_look(struct tls *t, bool now, struct err *err);

/* What the certificate in use says of itself. */
#define TLS_SUBJECT_SIZE 128
struct tls_facts {
	char subject[TLS_SUBJECT_SIZE]; /* cut when it is longer */
	char not_after[32];             /* "2027-01-31T12:00:00Z" */
	int64_t left_s; /* until then; negative: it has expired */
};
/* Any thread. */
void tls_facts(struct tls *t, struct tls_facts *ret);

/* A server's connection on ${fd}, which stays the caller's, to be freed by
 * SSL_free(); NULL: out of memory.  Any thread. */
struct ssl_st *tls_accept(struct tls *t, int fd);

#endif
