/* SPDX-License-Identifier: MIT */

/*
 * usage: bench_seal HOW WHO BYTES SECONDS
 *
 * Encrypts for SECONDS on one core and prints how many bytes a second.
 *   HOW  buffers  BYTES at a time, under one key
 *        files    files of BYTES one by one, a new key for each
 *   WHO  ours     containers (crypto/seal.h)
 *        gcm      OpenSSL's AES-128-GCM, 64 KiB at a time
 *        gcrypt   libgcrypt's AES-128-EAX, 64 KiB (files: all) at a time
 */

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gcrypt.h>
#include <openssl/evp.h>

#include "base/buffers.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/rand.h"
#include "crypto/seal.h"

/* What is done between two looks at the clock takes about so long. */
#define LOOK_BYTES ((size_t)8 * 1024 * 1024)

struct work {
	bool is_files;
	size_t n;
	unsigned char *in;
	unsigned char *out;
	struct keyring *ring;
	struct seal *seal;
	EVP_CIPHER_CTX *gcm;
	gcry_cipher_hd_t eax;
};

static _Noreturn void
die(const char *what)
{
	(void)fprintf(stderr, "bench_seal: %s\n", what);
	exit(2);
}

static void
run_ours(struct work *w)
{
	struct seal_run run = { 0, w->is_files, w->in, w->n };
	struct seal *seal = w->seal;

	unsigned char *out = w->out;

	if (w->is_files) {
		seal = seal_new(w->ring);
		seal_header(seal, out);
		out += SEAL_HEADER_SIZE;
	}
	(void)seal_run(seal, &run, out);
	if (w->is_files)
		seal_free(seal);
}

static void
run_gcm(struct work *w)
{
	unsigned char iv[12], tag[16];
	int done;

	for (size_t at = 0; at < w->n; at += SEAL_SEGMENT) {
		size_t n = w->n - at < SEAL_SEGMENT ? w->n - at : SEAL_SEGMENT;

		rand_bytes(iv, sizeof(iv));
		if (EVP_EncryptInit_ex2(w->gcm, NULL, NULL, iv, NULL) != 1 ||
		    EVP_EncryptUpdate(
		        w->gcm, w->out + at, &done, w->in + at, (int)n) != 1 ||
		    EVP_EncryptFinal_ex(w->gcm, w->out + at, &done) != 1 ||
		    EVP_CIPHER_CTX_ctrl(
		        w->gcm, EVP_CTRL_AEAD_GET_TAG, 16, tag) != 1)
			die("OpenSSL fails");
	}
}

static void
run_gcrypt(struct work *w)
{
	size_t step = w->is_files ? w->n : SEAL_SEGMENT;
	unsigned char key[16], nonce[16], tag[16];

	if (w->is_files) {
		rand_bytes(key, sizeof(key));
		if (gcry_cipher_setkey(w->eax, key, sizeof(key)) != 0)
			die("libgcrypt takes no key");
	}
	for (size_t at = 0; at < w->n; at += step) {
		rand_bytes(nonce, sizeof(nonce));
		if (gcry_cipher_setiv(w->eax, nonce, sizeof(nonce)) != 0 ||
		    gcry_cipher_final(w->eax) != 0 ||
		    gcry_cipher_encrypt(
		        w->eax, w->out + at, step, w->in + at, step) != 0 ||
		    gcry_cipher_gettag(w->eax, tag, sizeof(tag)) != 0)
			die("libgcrypt fails");
	}
}

static const struct {
	const char *name;
	void (*run)(struct work *w);
} subjects[] = {
	{ "ours", run_ours },
	{ "gcm", run_gcm },
	{ "gcrypt", run_gcrypt },
};

/* As the server has them: whole pages. */
static unsigned char *
pages(size_t n)
{
	const struct buffers_config cf = { (n + 4095) / 4096 * 4096, 1, 1 };
	unsigned char *p = buffers_take(buffers_new(&cf));

	memset(p, 0, n);
	return p;
}

static void
set_up(struct work *w)
{
	unsigned char key[16];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	(void)sched_setaffinity(0, sizeof(one), &one);
	w->in = pages(w->n);
	w->out = pages((size_t)seal_size(w->n));
	rand_bytes(w->in, w->n);
	rand_bytes(key, sizeof(key));
	w->ring = keyring_new(key);
	w->seal = seal_new(w->ring);
	w->gcm = EVP_CIPHER_CTX_new();
	if (!gcry_check_version(GCRYPT_VERSION) ||
	    gcry_cipher_open(
	        &w->eax, GCRY_CIPHER_AES128, GCRY_CIPHER_MODE_EAX, 0) != 0 ||
	    gcry_cipher_setkey(w->eax, key, sizeof(key)) != 0)
		die("libgcrypt has no EAX");
	if (w->gcm == NULL || EVP_EncryptInit_ex2(w->gcm, EVP_aes_128_gcm(),
	                          key, NULL, NULL) != 1)
		die("OpenSSL has no GCM");
}

static double
measure(struct work *w, void (*run)(struct work *w), uint64_t seconds)
{
	int64_t began_ns, now_ns, end_ns;
	uint64_t bytes = 0;

	for (size_t n = 0; n < LOOK_BYTES; n += w->n) /* warm */
		run(w);
	now_ns = began_ns = clock_mono_ns(clock_system());
	end_ns = began_ns + (int64_t)seconds * 1000000000;
	while (now_ns < end_ns) {
		for (size_t n = 0; n < LOOK_BYTES; n += w->n) {
			run(w);
			bytes += w->n;
		}
		now_ns = clock_mono_ns(clock_system());
	}
	return (double)bytes * 1e9 / (double)(now_ns - began_ns);
}

int
main(int argc, char **argv)
{
	struct work w = { 0 };
	uint64_t n, seconds;

	if (argc != 5 || !num_uint(slice_str(argv[3]), 1u << 30, &n) ||
	    !num_uint(slice_str(argv[4]), 60, &seconds) || n == 0)
		die("usage: bench_seal buffers|files ours|gcm|gcrypt BYTES "
		    "SECONDS");
	w.is_files = strcmp(argv[1], "files") == 0;
	w.n = (size_t)n;
	if (!w.is_files && n % SEAL_SEGMENT != 0)
		die("buffers are of whole segments");
	set_up(&w);
	for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		if (strcmp(subjects[i].name, argv[2]) != 0)
			continue;
		(void)printf("%s %.0f\n", eax_path_name(),
		    measure(&w, subjects[i].run, seconds));
		return 0;
	}
	die("no such subject");
}
