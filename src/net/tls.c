/* SPDX-License-Identifier: MIT */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

/* AEAD with forward secrecy.  AES first: processors do it in hardware; who
 * cannot puts ChaCha20 first, and is given it. */
#define CIPHERS_12                                                             \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"           \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"           \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define CIPHERS_13                                                             \
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"                       \
	"TLS_CHACHA20_POLY1305_SHA256"
/* Tickets are worth something for so long, ... */
#define SESSION_S (2L * 3600)
/* ... and their keys are no older than this. */
#define RENEW_MS (24LL * 3600 * 1000)

/* Whether a file is still the one that was read. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
	struct timespec written;
};

struct stamps {
	struct stamp cert;
	struct stamp key;
};

struct tls {
	char *cert;
	char *key;
	pthread_mutex_t lock; /* over the next */
	SSL_CTX *ctx;
	pthread_mutex_t looking; /* over the rest, and held before the other */
	struct stamps seen;      /* at the last look */
	struct stamps tried;     /* that were read last */
	int64_t tried_ms;
};

static void
look_at(const char *path, struct stamp *ret)
{
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (stat(path, &st) < 0)
		return;
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	ret->size = st.st_size;
	ret->changed = st.st_ctim;
	ret->written = st.st_mtim;
}

static void
look_at_both(const struct tls *t, struct stamps *ret)
{
	memset(ret, 0, sizeof(*ret));
	look_at(t->cert, &ret->cert);
	look_at(t->key, &ret->key);
}

static bool
is_same(const struct stamps *a, const struct stamps *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* --- making a context -------------------------------------------------------
 */

/* Why the library failed, in its own words. */
static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text == NULL ? "it is malformed" : text;
}

/* Nobody is asked at a terminal. */
static int
no_passphrase(char *buf, int size, int is_writing, void *arg)
{
	bool *was_asked = arg;

	(void)buf;
	(void)size;
	(void)is_writing;
	*was_asked = true;
	return -1;
}

static int
select_protocol(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
    const unsigned char *in, unsigned len, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
	unsigned char *found;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&found, ret_len, ours, sizeof(ours) - 1, in,
	        len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*ret = found;
	return SSL_TLSEXT_ERR_OK;
}

static int
set_up(SSL_CTX *ctx, struct err *err)
{
	static const unsigned char id[] = "sftd";

	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_options(
	    ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
	             SSL_OP_CIPHER_SERVER_PREFERENCE |
	             SSL_OP_PRIORITIZE_CHACHA | SSL_OP_ENABLE_KTLS);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
	                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
	                          SSL_MODE_RELEASE_BUFFERS);
	/* What comes and is no data is looked at once a read: who sends nothing
	 * else, new keys without end, would hold the loop. */
	(void)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
	/* Clients keep their sessions themselves, in tickets. */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, SESSION_S);
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_12) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, CIPHERS_13) != 1 ||
	    SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) != 1)
		return err_set(
		    err, ERR_INTERNAL, "cannot set TLS up: %s", reason());
	return 0;
}

/* The library's own words for a file that is not there are of no use. */
static int
check_readable(const char *setting, const char *path, struct err *err)
{
	struct err why = ERR_INIT;
	int fd = file_open(AT_FDCWD, path, O_RDONLY, 0, &why);
	struct stat st;
	bool is_file;

	if (fd < 0)
		return err_set(err, ERR_SETTING, "%s: cannot read '%s': %s",
		    setting, path, strerror(why.sys));
	is_file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	file_close(fd);
	if (!is_file)
		return err_set(
		    err, ERR_SETTING, "%s: '%s' is not a file", setting, path);
	return 0;
}

static int
read_cert(SSL_CTX *ctx, const char *path, struct err *err)
{
	if (check_readable("TLS_CERT", path, err) < 0)
		return -1;
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(ctx, path) != 1)
		return err_set(err, ERR_SETTING,
		    "TLS_CERT: '%s' has no certificate chain in PEM that can "
		    "be used: %s",
		    path, reason());
	return 0;
}

/* The key may be good, but is another certificate's. */
static bool
is_mismatch(unsigned long code)
{
	if (ERR_GET_LIB(code) == ERR_LIB_X509)
		return ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
		       ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH;
	/* It is of another kind. */
	return ERR_GET_LIB(code) == ERR_LIB_SSL &&
	       ERR_GET_REASON(code) == SSL_R_NO_CERTIFICATE_ASSIGNED;
}

static int
read_key(SSL_CTX *ctx, const char *path, struct err *err)
{
	bool was_asked = false;

	if (check_readable("TLS_KEY", path, err) < 0)
		return -1;
	ERR_clear_error();
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &was_asked);
	if (SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(ctx) == 1)
		return 0;
	if (was_asked)
		return err_set(err, ERR_SETTING,
		    "TLS_KEY: '%s' is locked with a passphrase: give one that "
		    "is not, readable by its owner only",
		    path);
	if (is_mismatch(ERR_peek_last_error()))
		return err_set(err, ERR_SETTING,
		    "TLS_KEY: '%s' is not the key of the first certificate of "
		    "TLS_CERT",
		    path);
	return err_set(err, ERR_SETTING,
	    "TLS_KEY: '%s' has no key in PEM that can be used: %s", path,
	    reason());
}

static int
make_ctx(const struct tls *t, SSL_CTX **ret_ctx, struct err *err)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = SSL_CTX_new(TLS_server_method());
	if (ctx == NULL)
		return err_set(
		    err, ERR_INTERNAL, "cannot set TLS up: %s", reason());
	if (set_up(ctx, err) < 0 || read_cert(ctx, t->cert, err) < 0 ||
	    read_key(ctx, t->key, err) < 0) {
		SSL_CTX_free(ctx);
		ERR_clear_error();
		return -1;
	}
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	*ret_ctx = ctx;
	return 0;
}

/* --- the pair in use --------------------------------------------------------
 */

static int64_t
now_ms(void)
{
	return clock_mono_ms(clock_system());
}

/* Under looking. */
static int
load(struct tls *t, const struct stamps *stamps, struct err *err)
{
	SSL_CTX *ctx = NULL;
	SSL_CTX *old;

	t->tried = *stamps;
	t->tried_ms = now_ms();
	if (make_ctx(t, &ctx, err) < 0)
		return -1;
	pthread_mutex_lock(&t->lock);
	old = t->ctx;
	t->ctx = ctx;
	pthread_mutex_unlock(&t->lock);
	SSL_CTX_free(old);
	return 0;
}

int
tls_new(
    const char *cert, const char *key, struct tls **ret_tls, struct err *err)
{
	struct tls *t = mem_calloc(1, sizeof(*t));

	t->cert = mem_strdup(cert);
	t->key = mem_strdup(key);
	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->looking, NULL);
	look_at_both(t, &t->seen);
	if (load(t, &t->seen, err) < 0) {
		tls_free(t);
		return -1;
	}
	*ret_tls = t;
	return 0;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_CTX_free(t->ctx);
	pthread_mutex_destroy(&t->looking);
	pthread_mutex_destroy(&t->lock);
	free(t->cert);
	free(t->key);
	free(t);
}

int
tls_look(struct tls *t, bool now, struct err *err)
{
	struct stamps stamps;
	bool is_settled, is_due;
	int rc = 0;

	pthread_mutex_lock(&t->looking);
	look_at_both(t, &stamps);
	is_settled = now || is_same(&stamps, &t->seen);
	is_due = now || !is_same(&stamps, &t->tried) ||
	         now_ms() - t->tried_ms >= RENEW_MS;
	t->seen = stamps;
	if (is_settled && is_due)
		rc = load(t, &stamps, err) < 0 ? -1 : 1;
	pthread_mutex_unlock(&t->looking);
	return rc;
}

static void
fill_times(const ASN1_TIME *not_after, struct tls_facts *ret)
{
	struct tm tm = { 0 };
	int days = 0, seconds = 0;

	if (ASN1_TIME_to_tm(not_after, &tm) == 1)
		(void)strftime(ret->not_after, sizeof(ret->not_after),
		    "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (ASN1_TIME_diff(&days, &seconds, NULL, not_after) == 1)
		ret->left_s = (int64_t)days * 86400 + seconds;
}

void
tls_facts(struct tls *t, struct tls_facts *ret)
{
	const X509 *cert;
	char *subject;

	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&t->lock);
	cert = SSL_CTX_get0_certificate(t->ctx);
	subject = X509_NAME_oneline(X509_get_subject_name(cert), NULL, 0);
	if (subject != NULL)
		(void)snprintf(
		    ret->subject, sizeof(ret->subject), "%s", subject);
	OPENSSL_free(subject);
	fill_times(X509_get0_notAfter(cert), ret);
	pthread_mutex_unlock(&t->lock);
}

struct ssl_st *
tls_accept(struct tls *t, int fd)
{
	SSL *ssl;

	pthread_mutex_lock(&t->lock);
	ssl = SSL_new(t->ctx);
	pthread_mutex_unlock(&t->lock);
	if (ssl == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return ssl;
}
