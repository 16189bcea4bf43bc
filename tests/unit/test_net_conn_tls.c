/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "net/conn.h"
#include "net/tls.h"

#define BIG ((size_t)4 * 1024 * 1024)
#define TURNS 100000

/* A connection of ours, and OpenSSL's client at the other end. */
struct wire {
	struct tls *tls;
	struct conn ours;
	SSL_CTX *ctx;
	SSL *theirs;
	int their_fd;
	char *sent; /* BIG bytes */
	char *got;
};

static FILE *
create(const char *name)
{
	FILE *f = fopen(unit_temppath(name), "w");

	assert_non_null(f);
	return f;
}

/* A certificate and its key, "cert.pem" and "key.pem". */
static void
make_pair(long serial)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *f;

	assert_true(key != NULL && cert != NULL);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
	    MBSTRING_ASC, (const unsigned char *)"unit", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	f = create("cert.pem");
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	f = create("key.pem");
	assert_int_equal(
	    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static struct tls *
open_pair(void)
{
	struct err err = ERR_INIT;
	char *cert = strdup(unit_temppath("cert.pem"));
	struct tls *tls = NULL;

	if (tls_new(cert, unit_temppath("key.pem"), &tls, &err) < 0)
		fail_msg("%s", err.msg);
	free(cert);
	return tls;
}

static void
set_nonblocking(int fd)
{
	assert_int_equal(
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

/* Two ends of TCP, that hold little. */
static void
connect_pair(int fds[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	const int little = 64 * 1024;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    setsockopt(fds[1], SOL_SOCKET, SO_RCVBUF, &little, sizeof(little)),
	    0);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&at, len), 0);
	fds[0] = accept(listener, NULL, NULL);
	assert_true(fds[0] >= 0);
	assert_int_equal(
	    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)),
	    0);
	close(listener);
	set_nonblocking(fds[0]);
	set_nonblocking(fds[1]);
}

static void
shake_hands(struct wire *w)
{
	struct err err = ERR_INIT;
	int ours = CONN_AGAIN, theirs = 0;

	for (int i = 0; i < TURNS && (ours != 1 || theirs != 1); i++) {
		if (theirs != 1)
			theirs = SSL_connect(w->theirs);
		if (ours != 1)
			ours = conn_tls_handshake(&w->ours, &err);
		assert_int_not_equal(ours, -1);
	}
	assert_int_equal(ours, 1);
	assert_int_equal(theirs, 1);
}

static void
wire_init(struct wire *w, int version)
{
	struct err err = ERR_INIT;
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	make_pair(1);
	w->tls = open_pair();
	connect_pair(fds);
	conn_tcp_init(&w->ours, fds[0]);
	assert_false(conn_is_tls(&w->ours));
	assert_int_equal(conn_tls_init(&w->ours, w->tls, &err), 0);
	assert_true(conn_is_tls(&w->ours));
	w->their_fd = fds[1];
	w->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_min_proto_version(w->ctx, version);
	SSL_CTX_set_max_proto_version(w->ctx, version);
	w->theirs = SSL_new(w->ctx);
	SSL_set_fd(w->theirs, w->their_fd);
	shake_hands(w);
	w->sent = malloc(BIG);
	w->got = calloc(1, BIG);
	for (size_t i = 0; i < BIG; i++)
		w->sent[i] = (char)(i * 31 ^ i >> 11);
}

static void
wire_fini(struct wire *w)
{
	w->ours.ops->close(&w->ours);
	SSL_free(w->theirs);
	SSL_CTX_free(w->ctx);
	close(w->their_fd);
	tls_free(w->tls);
	free(w->sent);
	free(w->got);
}

/* What of ours the client has now; it is added to ${n}. */
static void
take(struct wire *w, size_t *n)
{
	size_t one;

	while (*n < BIG &&
	       SSL_read_ex(w->theirs, w->got + *n, BIG - *n, &one) == 1)
		*n += one;
}

static void
wait_readable(struct wire *w)
{
	assert_int_equal(
	    w->ours.ops->wait(&w->ours, CONN_READ, -1, 10000), CONN_READY);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* --- reading -------------------------------------------------------------- */

TEST(test_net_conn_tls__what_was_decrypted_is_pending)
{
	for (size_t v = 0; v < 2; v++) {
		struct wire w = { 0 };
		struct err err = ERR_INIT;
		const struct conn_ops *ops;
		size_t n;

		wire_init(&w, versions[v]);
		ops = w.ours.ops;
		assert_false(ops->pending(&w.ours));
		assert_int_equal(
		    ops->read(&w.ours, w.got, BIG, &err), CONN_AGAIN);
		assert_int_equal(SSL_write_ex(w.theirs, w.sent, 1000, &n), 1);
		wait_readable(&w);
		assert_int_equal(ops->read(&w.ours, w.got, 10, &err), 10);
		assert_true(ops->pending(&w.ours));
		assert_true(ops->available(&w.ours) >= 990);
		/* nothing is in the socket, but there is something to read */
		assert_int_equal(
		    ops->wait(&w.ours, CONN_READ, -1, 0), CONN_READY);
		assert_int_equal(
		    ops->read(&w.ours, w.got + 10, BIG - 10, &err), 990);
		assert_false(ops->pending(&w.ours));
		assert_int_equal(
		    ops->wait(&w.ours, CONN_READ, -1, 0), CONN_TIMEOUT);
		assert_memory_equal(w.got, w.sent, 1000);
		wire_fini(&w);
	}
}

/* With room for one, whole records come, and nothing stays behind. */
TEST(test_net_conn_tls__reads_whole_records)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;
	size_t n, sum = 0;

	wire_init(&w, TLS1_3_VERSION);
	for (int i = 0; i < 7; i++) {
		assert_int_equal(
		    SSL_write_ex(w.theirs, w.sent + sum, 5000, &n), 1);
		sum += 5000;
	}
	for (sum = 0; sum < 35000;) {
		ssize_t done =
		    w.ours.ops->read(&w.ours, w.got + sum, 16384, &err);

		if (done == CONN_AGAIN) {
			wait_readable(&w);
			continue;
		}
		assert_true(done > 0);
		assert_false(w.ours.ops->pending(&w.ours));
		sum += (size_t)done;
	}
	assert_memory_equal(w.got, w.sent, 35000);
	wire_fini(&w);
}

TEST(test_net_conn_tls__an_end_that_was_said)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;

	wire_init(&w, TLS1_3_VERSION);
	assert_int_equal(SSL_shutdown(w.theirs), 0);
	wait_readable(&w);
	assert_int_equal(w.ours.ops->read(&w.ours, w.got, BIG, &err), 0);
	assert_int_equal(w.ours.ops->read(&w.ours, w.got, BIG, &err), 0);
	wire_fini(&w);
}

TEST(test_net_conn_tls__an_end_that_was_not_said)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;
	size_t n;

	wire_init(&w, TLS1_3_VERSION);
	assert_int_equal(SSL_write_ex(w.theirs, w.sent, 1000, &n), 1);
	assert_int_equal(shutdown(w.their_fd, SHUT_WR), 0);
	wait_readable(&w);
	/* what came is given, what is wrong is said after that */
	assert_int_equal(w.ours.ops->read(&w.ours, w.got, BIG, &err), 1000);
	wait_readable(&w);
	assert_int_equal(w.ours.ops->read(&w.ours, w.got, BIG, &err), -1);
	assert_int_equal(err.code, ERR_CLOSED);
	wire_fini(&w);
}

/* An alert answers it, which nobody confirms any more. */
TEST(test_net_conn_tls__an_alert_to_who_has_gone_does_not_count)
{
	for (size_t v = 0; v < 2; v++) {
		struct wire w = { 0 };
		struct err err = ERR_INIT;
		size_t n;

		wire_init(&w, versions[v]);
		/* what came with the handshake */
		(void)SSL_read(w.theirs, w.got, 1);
		assert_int_equal(SSL_write_ex(w.theirs, w.sent, 1000, &n), 1);
		while (w.ours.ops->unsent(&w.ours) > 0)
			continue;
		close(w.their_fd);
		w.their_fd = -1;
		while (w.ours.ops->available(&w.ours) < 1000)
			continue;
		assert_int_equal(
		    w.ours.ops->read(&w.ours, w.got, BIG, &err), 1000);
		assert_int_equal(w.ours.ops->unsent(&w.ours), 0);
		while (w.ours.ops->read(&w.ours, w.got, BIG, &err) != -1)
			wait_readable(&w);
		assert_int_equal(w.ours.ops->unsent(&w.ours), 0);
		wire_fini(&w);
	}
}

/* --- writing -------------------------------------------------------------- */

TEST(test_net_conn_tls__small_pieces_share_a_record)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;
	struct iovec iov[4];
	size_t n = 0;

	wire_init(&w, TLS1_3_VERSION);
	iov[0] = (struct iovec){ w.sent, 6 };
	iov[1] = (struct iovec){ w.sent + 6, 0 };
	iov[2] = (struct iovec){ w.sent + 6, 700 };
	iov[3] = (struct iovec){ w.sent + 706, 2 };
	assert_int_equal(w.ours.ops->write(&w.ours, iov, 4, false, &err), 708);
	while (SSL_read_ex(w.theirs, w.got, BIG, &n) != 1)
		continue;
	/* all in one, as records do not join when they are read */
	assert_int_equal(n, 708);
	assert_memory_equal(w.got, w.sent, 708);
	wire_fini(&w);
}

/* Writes all of it in pieces of odd sizes, the client reading only when the
 * socket is full: what was not taken is offered again, cut in other ways. */
TEST(test_net_conn_tls__goes_on_after_a_full_socket)
{
	for (size_t v = 0; v < 2; v++) {
		struct wire w = { 0 };
		struct err err = ERR_INIT;
		size_t done = 0, got = 0, size, stuck = 0;

		wire_init(&w, versions[v]);
		while (done < BIG) {
			struct iovec iov[3];
			ssize_t one;

			size = BIG - done < 90001 ? BIG - done : 90001;
			iov[0] = (struct iovec){ w.sent + done, size / 3 };
			iov[1] = (struct iovec){ w.sent + done + size / 3, 5 };
			iov[2] = (struct iovec){ w.sent + done + size / 3 + 5,
				size - size / 3 - 5 };
			if (size < 30)
				iov[0].iov_len = size;
			one = w.ours.ops->write(
			    &w.ours, iov, size < 30 ? 1 : 3, false, &err);
			assert_int_not_equal(one, -1);
			if (one == CONN_AGAIN) {
				assert_int_equal(
				    w.ours.write_wants, CONN_WRITE);
				stuck++;
				take(&w, &got);
				continue;
			}
			done += (size_t)one;
		}
		while (got < BIG)
			take(&w, &got);
		assert_true(stuck > 0);
		assert_memory_equal(w.got, w.sent, BIG);
		wire_fini(&w);
	}
}

/* A limit may allow less than what is stuck. */
TEST(test_net_conn_tls__an_extent_goes_on_with_less_allowed)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;
	struct extent e = { .offset = 0, .length = BIG };
	size_t got = 0, stuck = 0;

	wire_init(&w, TLS1_3_VERSION);
	e.fd = open(unit_temppath("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(file_write_all(e.fd, w.sent, BIG, &err), 0);
	while (e.length > 0) {
		struct extent slice = e;
		ssize_t one;

		if (stuck % 2 == 1 && slice.length > 100)
			slice.length = 100;
		one = w.ours.ops->send_extent(&w.ours, &slice, &err);
		assert_int_not_equal(one, -1);
		if (one == CONN_AGAIN) {
			stuck++;
			take(&w, &got);
			continue;
		}
		assert_true(one > 0 && (uint64_t)one <= e.length);
		e.offset += (uint64_t)one;
		e.length -= (uint64_t)one;
		if (stuck % 2 == 1)
			stuck++;
	}
	while (got < BIG)
		take(&w, &got);
	assert_true(stuck > 1);
	assert_memory_equal(w.got, w.sent, BIG);
	/* beyond its end there is nothing */
	e = (struct extent){ .fd = e.fd, .offset = BIG, .length = 10 };
	assert_int_equal(w.ours.ops->send_extent(&w.ours, &e, &err), 0);
	close(e.fd);
	wire_fini(&w);
}

/* A client asks for new keys and reads nothing: its words come all the same,
 * and ours go on, with new keys, once it reads. */
TEST(test_net_conn_tls__new_keys_with_a_full_socket)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;
	struct iovec iov;
	size_t n, sent = 0, got = 0;
	ssize_t done;

	wire_init(&w, TLS1_3_VERSION);
	iov = (struct iovec){ w.sent, 16384 };
	while (sent + iov.iov_len <= BIG &&
	       (done = w.ours.ops->write(&w.ours, &iov, 1, false, &err)) > 0)
		sent += (size_t)done;
	assert_int_equal(SSL_key_update(w.theirs, SSL_KEY_UPDATE_REQUESTED), 1);
	assert_int_equal(SSL_write_ex(w.theirs, "hello", 5, &n), 1);
	do {
		done = w.ours.ops->read(&w.ours, w.got, BIG, &err);
		if (done == CONN_AGAIN && w.ours.read_wants == CONN_WRITE)
			take(&w, &got);
	} while (done == CONN_AGAIN);
	assert_int_equal(done, 5);
	assert_memory_equal(w.got, "hello", 5);
	do {
		take(&w, &got);
		done = w.ours.ops->write(&w.ours, &iov, 1, false, &err);
	} while (done == CONN_AGAIN);
	assert_true(done > 0);
	for (sent += (size_t)done; got < sent && got < BIG;)
		take(&w, &got);
	wire_fini(&w);
}

/* A client sends new keys and nothing else: a read does not go on as long as
 * they come. */
TEST(test_net_conn_tls__new_keys_without_end)
{
	const uint64_t record = 5 + 5 + 1 + 16;
	const int yes = 1;
	struct wire w = { 0 };
	struct err err = ERR_INIT;

	wire_init(&w, TLS1_3_VERSION);
	setsockopt(w.their_fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(
		    SSL_key_update(w.theirs, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
		assert_int_equal(SSL_do_handshake(w.theirs), 1);
	}
	while (conn_tcp_ops.available(&w.ours) < 100 * record)
		wait_readable(&w);
	assert_int_equal(
	    w.ours.ops->read(&w.ours, w.got, BIG, &err), CONN_AGAIN);
	assert_int_equal(w.ours.read_wants, CONN_READ);
	assert_int_equal(conn_tcp_ops.available(&w.ours), 99 * record);
	wait_readable(&w);
	wire_fini(&w);
}

/* --- ends ----------------------------------------------------------------- */

TEST(test_net_conn_tls__our_end_is_said_and_does_not_count)
{
	for (size_t v = 0; v < 2; v++) {
		struct wire w = { 0 };
		struct err err = ERR_INIT;
		struct iovec iov;
		size_t n = 0;

		wire_init(&w, versions[v]);
		iov = (struct iovec){ w.sent, 100 };
		assert_int_equal(
		    w.ours.ops->write(&w.ours, &iov, 1, false, &err), 100);
		assert_true(w.ours.ops->shutdown(&w.ours));
		while (n < 100)
			take(&w, &n);
		while (w.ours.ops->unsent(&w.ours) > 0)
			continue;
		assert_int_equal(SSL_read(w.theirs, w.got, 1), 0);
		assert_int_equal(
		    SSL_get_error(w.theirs, 0), SSL_ERROR_ZERO_RETURN);
		wire_fini(&w);
	}
}

TEST(test_net_conn_tls__our_end_waits_for_room)
{
	struct wire w = { 0 };
	struct err err = ERR_INIT;
	struct iovec iov;
	size_t got = 0;
	int turns = 0;

	wire_init(&w, TLS1_3_VERSION);
	iov = (struct iovec){ w.sent, 1 };
	while (w.ours.ops->write(&w.ours, &iov, 1, false, &err) != CONN_AGAIN)
		continue;
	while (!w.ours.ops->shutdown(&w.ours) && turns++ < TURNS) {
		got = 0;
		take(&w, &got);
	}
	assert_true(turns > 0 && turns < TURNS);
	wire_fini(&w);
}

/* --- the certificate ------------------------------------------------------ */

TEST(test_net_tls__takes_a_new_pair_when_it_has_settled)
{
	struct err err = ERR_INIT;
	struct tls_facts facts;
	struct tls *tls;

	make_pair(1);
	tls = open_pair();
	tls_facts(tls, &facts);
	assert_string_equal(facts.subject, "/CN=unit");
	assert_true(facts.left_s > 3500 && facts.left_s <= 3600);
	assert_int_equal(tls_look(tls, false, &err), 0);
	make_pair(2);
	/* it is new, and might not be whole yet */
	assert_int_equal(tls_look(tls, false, &err), 0);
	assert_int_equal(tls_look(tls, false, &err), 1);
	assert_int_equal(tls_look(tls, false, &err), 0);
	assert_int_equal(tls_look(tls, true, &err), 1);
	tls_free(tls);
}

TEST(test_net_tls__says_once_that_a_pair_is_bad)
{
	struct err err = ERR_INIT;
	struct tls *tls;

	make_pair(1);
	tls = open_pair();
	assert_int_equal(unlink(unit_temppath("key.pem")), 0);
	assert_int_equal(tls_look(tls, false, &err), 0);
	assert_int_equal(tls_look(tls, false, &err), -1);
	assert_int_equal(err.code, ERR_SETTING);
	assert_non_null(strstr(err.msg, "TLS_KEY"));
	assert_int_equal(tls_look(tls, false, &err), 0);
	assert_int_equal(tls_look(tls, true, &err), -1);
	make_pair(2);
	assert_int_equal(tls_look(tls, true, &err), 1);
	tls_free(tls);
}
