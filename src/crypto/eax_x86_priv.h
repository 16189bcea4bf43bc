/* SPDX-License-Identifier: MIT */
#ifndef CRYPTO_EAX_X86_PRIV_H
#define CRYPTO_EAX_X86_PRIV_H

/*
 * What the paths of EAX for x86-64 share: all but the kernel, which
 * eax_kernel_priv.h makes for each from its vectors.
 *
 * A lane has one message.  The lanes stand beside one another in vectors of
 * EAX_WIDTH blocks; a step of the kernel encrypts one block of every lane's
 * message and takes another into its CBC-MAC.  The nonce, the header and the
 * last block, which CMAC treats on its own, are done outside of the kernel.
 */

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/eax_priv.h"

#define EAX_LANES 16  /* at most */
#define EAX_VECTORS 4 /* at most, whatever their width */
#define EAX_TURN 4    /* steps */
#define EAX_SCRATCH 4608

/* Secret but for the pointers and numbers. */
struct eax_lanes {
	alignas(64) unsigned char mac[EAX_LANES][EAX_BLOCK];
	/* The next block's, in the order of the machine: low half first. */
	unsigned char counter[EAX_LANES][EAX_BLOCK];
	/* OMAC0(nonce) xor OMAC1(header) */
	unsigned char outer[EAX_LANES][EAX_BLOCK];
	const unsigned char *in[EAX_LANES];
	unsigned char *out[EAX_LANES];
	size_t left[EAX_LANES];    /* blocks before the last one */
	size_t message[EAX_LANES]; /* its number */
	size_t count;              /* lanes that have a message */
	/* The kernel's own, and wiped by it. */
	alignas(64) unsigned char scratch[EAX_SCRATCH];
};

/* Takes the first lanes on by ${steps} blocks, at least one, but for their
 * pointers and numbers. */
typedef void (*eax_kernel_fn)(
    const struct eax_key *k, struct eax_lanes *l, size_t steps);

struct eax_kernels {
	/* Narrower vectors are as fast, or faster, for up to ${few} lanes.
	 * May be NULL. */
	const struct eax_kernels *narrower;
	size_t few;
	size_t width; /* blocks in a vector */
	size_t lanes; /* as many as are worth while */
	/* By the number of vectors; those of the table's end may be NULL. */
	eax_kernel_fn seal[EAX_VECTORS + 1];
	eax_kernel_fn open[EAX_VECTORS + 1];
	/* For EAX_LANES lanes and whole turns; may be NULL. */
	eax_kernel_fn seal_turns, open_turns;
};

extern const struct eax_kernels eax_aesni_kernels;
extern const struct eax_kernels eax_vaes256_kernels;

/* Has this machine AES-NI and SSE4.1? */
bool eax_x86_has_aesni(void);
/* struct eax_path's, given the kernels. */
void eax_x86_seal(const struct eax_kernels *kernels, const struct eax_key *k,
    const struct eax_message *m, size_t count);
void eax_x86_open(const struct eax_kernels *kernels, const struct eax_key *k,
    const struct eax_message *m, size_t count, bool *ret_authentic);

#endif
