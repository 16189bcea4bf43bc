/* SPDX-License-Identifier: MIT */
#include "crypto/eax.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "base/rand.h"
#include "crypto/eax_priv.h"
#include "unit.h"
#include "vectors.h"

/* Calls ${fn} for every path that this machine has. */
static void
each_path(
    void (*fn)(const struct eax_path *path, const void *arg), const void *arg)
{
	for (size_t i = 0; eax_paths[i] != NULL; i++)
		if (eax_paths[i]->is_supported())
			fn(eax_paths[i], arg);
}

static struct eax_key
key_for(const struct eax_path *path, const unsigned char raw[EAX_KEY_SIZE])
{
	struct eax_key k = { 0 };

	memcpy(k.round[0], raw, EAX_KEY_SIZE);
	path->expand(&k);
	return k;
}

/* --- the published vectors ------------------------------------------------ */

static void
check_vector(const struct eax_path *path, const void *arg)
{
	const struct vectors_block *b = arg;
	const struct vectors_value *plain = vectors_get(b, "PLAIN");
	const struct vectors_value *header = vectors_get(b, "HEADER");
	const struct vectors_value *sealed = vectors_get(b, "SEALED");
	struct eax_key k = key_for(path, vectors_get(b, "KEY")->p);
	unsigned char out[64], tag[EAX_TAG_SIZE];
	struct eax_message m = {
		.nonce = vectors_get(b, "NONCE")->p,
		.header = header->p,
		.header_n = header->n,
		.in = plain->p,
		.out = out,
		.n = plain->n,
		.tag = tag,
	};
	bool ok = false;

	assert_int_equal(vectors_get(b, "NONCE")->n, EAX_NONCE_SIZE);
	assert_int_equal(sealed->n, plain->n + EAX_TAG_SIZE);
	path->seal(&k, &m, 1);
	assert_memory_equal(out, sealed->p, plain->n);
	assert_memory_equal(tag, sealed->p + plain->n, EAX_TAG_SIZE);
	m.in = sealed->p;
	path->open(&k, &m, 1, &ok);
	assert_true(ok);
	assert_memory_equal(out, plain->p, plain->n);
}

static void
check_on_all_paths(const struct vectors_block *b, void *arg)
{
	each_path(check_vector, b);
	++*(size_t *)arg;
}

TEST(test_crypto_eax__gives_the_published_vectors)
{
	size_t n = 0;

	vectors_each("eax.txt", check_on_all_paths, &n);
	assert_int_equal(n, 10);
}

/* The same in pieces of every size. */
static void
check_stream(const struct vectors_block *b, void *arg)
{
	const struct vectors_value *plain = vectors_get(b, "PLAIN");
	const struct vectors_value *sealed = vectors_get(b, "SEALED");
	struct eax_key *key = eax_key_new(vectors_get(b, "KEY")->p);
	struct eax_stream_config cf = {
		.key = key,
		.nonce = vectors_get(b, "NONCE")->p,
		.header = vectors_get(b, "HEADER")->p,
		.header_n = vectors_get(b, "HEADER")->n,
	};
	unsigned char out[64], tag[EAX_TAG_SIZE];
	struct eax_stream *s;

	(void)arg;
	for (size_t step = 1; step <= plain->n + 1; step++) {
		for (int opening = 0; opening < 2; opening++) {
			const unsigned char *in =
			    opening ? sealed->p : plain->p;

			cf.is_opening = opening;
			s = eax_stream_new(&cf);
			for (size_t at = 0; at < plain->n; at += step)
				eax_stream_update(s, in + at, out + at,
				    plain->n - at < step ? plain->n - at
				                         : step);
			if (opening) {
				assert_memory_equal(out, plain->p, plain->n);
				assert_true(
				    eax_stream_check(s, sealed->p + plain->n));
			} else {
				assert_memory_equal(out, sealed->p, plain->n);
				eax_stream_tag(s, tag);
				assert_memory_equal(
				    tag, sealed->p + plain->n, EAX_TAG_SIZE);
			}
			eax_stream_free(s);
		}
	}
	eax_key_free(key);
}

TEST(test_crypto_eax__gives_the_published_vectors_in_pieces)
{
	vectors_each("eax.txt", check_stream, NULL);
}

TEST(test_crypto_eax__a_stream_refuses_a_wrong_tag)
{
	unsigned char bytes[EAX_KEY_SIZE] = { 1 },
	              nonce[EAX_NONCE_SIZE] = { 2 };
	unsigned char text[20] = "some text", tag[EAX_TAG_SIZE];
	struct eax_key *key = eax_key_new(bytes);
	struct eax_stream_config cf = { .key = key, .nonce = nonce };
	struct eax_stream *s = eax_stream_new(&cf);

	eax_stream_update(s, text, text, sizeof(text));
	eax_stream_tag(s, tag);
	eax_stream_free(s);
	for (int bit = 0; bit < 128; bit++) {
		unsigned char out[20];

		tag[bit / 8] ^= (unsigned char)(1 << bit % 8);
		cf.is_opening = true;
		s = eax_stream_new(&cf);
		eax_stream_update(s, text, out, sizeof(text));
		assert_false(eax_stream_check(s, tag));
		eax_stream_free(s);
		tag[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	eax_stream_free(NULL);
	eax_key_free(key);
	eax_key_free(NULL);
}

/* --- every path against the generic one ----------------------------------- */

#define MESSAGES_MAX 40
#define HEADER_MAX 70
#define ALIGN_MAX 64

/* Messages of random form, each with room for the path's output and the
 * reference's. */
struct batch {
	size_t count;
	struct eax_message m[MESSAGES_MAX];         /* the path's */
	struct eax_message reference[MESSAGES_MAX]; /* the generic one's */
	unsigned char *memory[MESSAGES_MAX];
	unsigned char *plain[MESSAGES_MAX];
	unsigned char *out[MESSAGES_MAX];
	unsigned char nonce[MESSAGES_MAX][EAX_NONCE_SIZE];
	unsigned char header[MESSAGES_MAX][HEADER_MAX];
	unsigned char tag[2][MESSAGES_MAX][EAX_TAG_SIZE];
};

static void
batch_add(struct batch *b, size_t n, size_t header_n)
{
	size_t i = b->count++, align = rand_u64() % ALIGN_MAX;
	unsigned char *p = mem_alloc(3 * (n + ALIGN_MAX));

	b->memory[i] = p;
	b->plain[i] = p + align;
	rand_bytes(b->plain[i], n);
	rand_bytes(b->nonce[i], EAX_NONCE_SIZE);
	rand_bytes(b->header[i], HEADER_MAX);
	b->out[i] = p + n + ALIGN_MAX + rand_u64() % ALIGN_MAX;
	b->m[i] = (struct eax_message){
		.nonce = b->nonce[i],
		.header = header_n == 0 ? NULL : b->header[i],
		.header_n = header_n,
		.in = b->plain[i],
		.out = b->out[i],
		.n = n,
		.tag = b->tag[0][i],
	};
	b->reference[i] = b->m[i];
	b->reference[i].out = p + 2 * (n + ALIGN_MAX);
	b->reference[i].tag = b->tag[1][i];
}

static void
batch_clear(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->memory[i]);
	b->count = 0;
}

/* Seals, compares with the reference, opens apart and in place. */
static void
check_batch(const struct eax_path *path, struct batch *b)
{
	unsigned char raw[EAX_KEY_SIZE];
	bool ok[MESSAGES_MAX] = { false };
	struct eax_key k, g;

	for (size_t i = 0; i < b->count; i++) {
		b->m[i].in = b->plain[i];
		b->m[i].out = b->out[i];
	}
	rand_bytes(raw, sizeof(raw));
	k = key_for(path, raw);
	g = key_for(&eax_path_generic, raw);
	assert_memory_equal(k.l2, g.l2, EAX_BLOCK);
	assert_memory_equal(k.l4, g.l4, EAX_BLOCK);
	assert_memory_equal(k.omac, g.omac, sizeof(k.omac));
	path->seal(&k, b->m, b->count);
	eax_path_generic.seal(&g, b->reference, b->count);
	for (size_t i = 0; i < b->count; i++) {
		struct eax_message *m = &b->m[i];

		assert_memory_equal(m->out, b->reference[i].out, m->n);
		assert_memory_equal(m->tag, b->reference[i].tag, EAX_TAG_SIZE);
		m->in = m->out; /* in place */
	}
	path->open(&k, b->m, b->count, ok);
	for (size_t i = 0; i < b->count; i++) {
		assert_true(ok[i]);
		assert_memory_equal(b->m[i].out, b->plain[i], b->m[i].n);
	}
	/* back again in place, and opened apart */
	path->seal(&k, b->m, b->count);
	for (size_t i = 0; i < b->count; i++) {
		assert_memory_equal(
		    b->m[i].out, b->reference[i].out, b->m[i].n);
		b->m[i].out = b->plain[i];
	}
	path->open(&k, b->m, b->count, ok);
	for (size_t i = 0; i < b->count; i++)
		assert_true(ok[i]);
}

static void
check_lengths(const struct eax_path *path, const void *arg)
{
	struct batch *b = mem_calloc(1, sizeof(*b));

	(void)arg;
	/* every length by itself, and in the company of the next */
	for (size_t n = 0; n < 300; n++) {
		batch_add(b, n, n % HEADER_MAX);
		check_batch(path, b);
		if (b->count == 8)
			batch_clear(b);
	}
	batch_clear(b);
	free(b);
}

TEST(test_crypto_eax__paths_agree_on_every_length)
{
	each_path(check_lengths, NULL);
}

static void
check_random(const struct eax_path *path, const void *arg)
{
	static const size_t scales[] = { 20, 70, 300, 5000 };
	struct batch *b = mem_calloc(1, sizeof(*b));

	(void)arg;
	for (size_t count = 1; count <= MESSAGES_MAX; count++)
		for (size_t s = 0; s < 4; s++) {
			for (size_t i = 0; i < count; i++)
				batch_add(b, rand_u64() % scales[s],
				    rand_u64() % HEADER_MAX);
			check_batch(path, b);
			batch_clear(b);
		}
	/* whole segments, and a shorter one, as files have them */
	for (size_t i = 0; i < 18; i++)
		batch_add(b, i == 17 ? 34465 : 65536, 25);
	check_batch(path, b);
	batch_clear(b);
	free(b);
}

TEST(test_crypto_eax__paths_agree_on_any_number_of_messages)
{
	each_path(check_random, NULL);
}

/* --- the counter ---------------------------------------------------------- */

/* The nonce whose OMAC is ${first}: D(first) ^ E([0]) ^ 2L. */
static void
nonce_for(const struct eax_key *g, const unsigned char *first,
    unsigned char nonce[EAX_NONCE_SIZE])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char plain[2 * EAX_BLOCK];
	int n;

	assert_int_equal(EVP_DecryptInit_ex2(
	                     ctx, EVP_aes_128_ecb(), g->round[0], NULL, NULL),
	    1);
	EVP_CIPHER_CTX_set_padding(ctx, 0);
	assert_int_equal(
	    EVP_DecryptUpdate(ctx, plain, &n, first, EAX_BLOCK), 1);
	EVP_CIPHER_CTX_free(ctx);
	for (int i = 0; i < EAX_NONCE_SIZE; i++)
		nonce[i] = (unsigned char)(plain[i] ^ g->omac[0][i] ^ g->l2[i]);
}

/* Counters that begin ${before} blocks before the low half, or all of it,
 * goes over. */
static void
check_carry(const struct eax_path *path, const void *arg)
{
	unsigned char raw[EAX_KEY_SIZE], first[EAX_BLOCK];
	struct batch *b = mem_calloc(1, sizeof(*b));
	struct eax_key k, g;

	(void)arg;
	rand_bytes(raw, sizeof(raw));
	k = key_for(path, raw);
	g = key_for(&eax_path_generic, raw);
	for (unsigned before = 1; before <= 40; before++) {
		for (int high = 0; high < 2; high++) {
			rand_bytes(first, 8);
			memset(first, high ? 0xff : first[0] & 0x7f, 8);
			memset(first + 8, 0xff, 8);
			first[15] = (unsigned char)(256 - before);
			batch_add(b, 100 * EAX_BLOCK + before, 25);
			nonce_for(&g, first, b->nonce[b->count - 1]);
		}
		if (b->count < 20)
			continue;
		path->seal(&k, b->m, b->count);
		eax_path_generic.seal(&g, b->reference, b->count);
		for (size_t i = 0; i < b->count; i++)
			assert_memory_equal(
			    b->m[i].out, b->reference[i].out, b->m[i].n);
		batch_clear(b);
	}
	batch_clear(b);
	free(b);
}

TEST(test_crypto_eax__the_counter_carries_through_all_its_bits)
{
	each_path(check_carry, NULL);
}

/* --- forgeries ------------------------------------------------------------ */

/* What of one message is altered. */
static void
alter(struct batch *b, size_t i, unsigned what)
{
	switch (what) {
	case 0:
		b->nonce[i][rand_u64() % EAX_NONCE_SIZE] ^= 1;
		break;
	case 1:
		b->header[i][rand_u64() % 25] ^= 0x80;
		break;
	case 2:
		b->m[i].out[rand_u64() % b->m[i].n] ^= 0x10;
		break;
	default:
		b->tag[0][i][rand_u64() % EAX_TAG_SIZE] ^= 4;
		break;
	}
}

static void
check_forgery(const struct eax_path *path, const void *arg)
{
	unsigned char raw[EAX_KEY_SIZE];
	struct batch *b = mem_calloc(1, sizeof(*b));
	bool ok[MESSAGES_MAX];
	struct eax_key k;

	(void)arg;
	rand_bytes(raw, sizeof(raw));
	k = key_for(path, raw);
	for (unsigned turn = 0; turn < 200; turn++) {
		size_t bad = rand_u64() % 17;

		for (size_t i = 0; i < 17; i++)
			batch_add(b, 1 + rand_u64() % 400, 25);
		path->seal(&k, b->m, b->count);
		alter(b, bad, turn % 4);
		for (size_t i = 0; i < b->count; i++)
			b->m[i].in = b->m[i].out;
		path->open(&k, b->m, b->count, ok);
		for (size_t i = 0; i < b->count; i++) {
			assert_int_equal(ok[i], i != bad);
			for (size_t j = 0; i == bad && j < b->m[i].n; j++)
				assert_int_equal(b->m[i].out[j], 0);
			if (i != bad)
				assert_memory_equal(
				    b->m[i].out, b->plain[i], b->m[i].n);
		}
		batch_clear(b);
	}
	free(b);
}

TEST(test_crypto_eax__refuses_what_was_altered_and_wipes_it)
{
	each_path(check_forgery, NULL);
}

TEST(test_crypto_eax__counts_what_is_authentic_at_the_front)
{
	enum { COUNT = 150 };
	unsigned char raw[EAX_KEY_SIZE] = { 7 }, nonce[EAX_NONCE_SIZE] = { 8 };
	unsigned char text[COUNT][20] = { { 0 } }, tag[COUNT][EAX_TAG_SIZE];
	struct eax_key *key = eax_key_new(raw);
	struct eax_message m[COUNT];

	for (size_t i = 0; i < COUNT; i++)
		m[i] = (struct eax_message){
			.nonce = nonce,
			.in = text[i],
			.out = text[i],
			.n = sizeof(text[i]),
			.tag = tag[i],
		};
	for (size_t bad = 0; bad < COUNT; bad += 49) {
		eax_seal(key, m, COUNT);
		tag[bad][0] ^= 1;
		if (bad + 10 < COUNT)
			tag[bad + 10][0] ^= 1;
		assert_int_equal(eax_open(key, m, COUNT), bad);
		memset(text, 0, sizeof(text));
	}
	eax_seal(key, m, COUNT);
	assert_int_equal(eax_open(key, m, COUNT), COUNT);
	assert_int_equal(eax_open(key, m, 0), 0);
	eax_key_free(key);
}

/* --- which path ----------------------------------------------------------- */

TEST(test_crypto_eax__takes_the_path_that_is_asked_for)
{
	const struct eax_path *best = eax_path_choose(NULL);

	assert_true(best->is_supported());
	assert_ptr_equal(eax_path_choose(""), best);
	assert_ptr_equal(eax_path_choose("generic"), &eax_path_generic);
	/* What is not there is not taken. */
	assert_ptr_equal(eax_path_choose("abacus"), &eax_path_generic);
#if defined(__x86_64__)
	if (eax_path_aesni.is_supported())
		assert_ptr_equal(eax_path_choose("aesni"), &eax_path_aesni);
	if (eax_path_vaes256.is_supported())
		assert_ptr_equal(eax_path_choose("vaes256"), &eax_path_vaes256);
	if (eax_path_vaes512.is_supported())
		assert_ptr_equal(eax_path_choose("vaes"), &eax_path_vaes512);
#endif
}

static void *
seal_a_while(void *arg)
{
	unsigned char text[3000] = { 0 }, tag[EAX_TAG_SIZE];
	unsigned char nonce[EAX_NONCE_SIZE] = { 9 };
	const struct eax_message m = {
		.nonce = nonce,
		.in = text,
		.out = text,
		.n = sizeof(text),
		.tag = tag,
	};

	for (int i = 0; i < 50; i++) {
		eax_seal(arg, &m, 1);
		assert_int_equal(eax_open(arg, &m, 1), 1);
	}
	return NULL;
}

TEST(test_crypto_eax__threads_share_a_key)
{
	unsigned char raw[EAX_KEY_SIZE] = { 7 };
	struct eax_key *key = eax_key_new(raw);
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, seal_a_while, key), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	eax_key_free(key);
}
