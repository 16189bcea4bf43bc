/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_EAX_PRIV_H
#define CRYPTO_EAX_PRIV_H

/* What the paths of EAX share; for src/crypto/eax*.c and their tests. */

#include <stdint.h>

#include "crypto/eax.h"

#define EAX_BLOCK 16
#define EAX_ROUNDS 10

/*
 * Bytes in the order of FIPS 197.  All but round[0], which is the key, follows
 * from it once.  OMACt(M) is CMAC over [t] || M, where [t] is a block that
 * ends in the byte t: its first step does not depend on M.
 */
struct eax_key {
	unsigned char round[EAX_ROUNDS + 1][EAX_BLOCK];
	unsigned char l2[EAX_BLOCK];      /* 2L: CMAC's K1, for whole blocks */
	unsigned char l4[EAX_BLOCK];      /* 4L: K2, for a padded last block */
	unsigned char omac[3][EAX_BLOCK]; /* E([0]), E([1]), E([2]) */
};

/* A way to compute it. */
struct eax_path {
	const char *name;
	bool (*is_supported)(void);
	/* All of ${k} from round[0]. */
	void (*expand)(struct eax_key *k);
	void (*seal)(
	    const struct eax_key *k, const struct eax_message *m, size_t count);
	/* Tells of each of the messages whether it is authentic; wipes the
	 * output of those that are not. */
	void (*open)(const struct eax_key *k, const struct eax_message *m,
	    size_t count, bool *ret_authentic);
};

/* Doubling in GF(2^128), as CMAC's sub-keys are made (NIST SP 800-38B 6.1). */
void eax_double(
    const unsigned char in[EAX_BLOCK], unsigned char out[EAX_BLOCK]);

extern const struct eax_path eax_path_generic;
#if defined(__x86_64__)
bool eax_x86_has_vaes(void);
void eax_x86_expand(struct eax_key *k);
extern const struct eax_path eax_path_aesni;
extern const struct eax_path eax_path_vaes256;
extern const struct eax_path eax_path_vaes512;
#endif

/* Best first, NULL-terminated. */
extern const struct eax_path *const eax_paths[];
/* The first path that this machine supports and ${wish} (SFT_CPU; may be
 * NULL) allows. */
const struct eax_path *eax_path_choose(const char *wish);

#endif
