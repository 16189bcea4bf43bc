/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_VERIFY_H
#define ENGINE_VERIFY_H

/*
 * Are the stored bytes still those that came?  Plain files are held against
 * their SHA-256, sealed ones against the tags of their segments, and then
 * their SHA-256 too.  Works beside a running server.
 *
 * A file that is damaged, or whose bytes are gone, is marked in its record,
 * and the mark of one that is sound is taken off; one that is replaced or
 * removed meanwhile is left alone.  One whose master key is missing, or that
 * could not be read for want of rights or memory, can be neither.  Previews
 * that are damaged or of no object are removed without a word: they are made
 * again when somebody asks.
 */

#include <stdint.h>

#include "engine/engine.h"

enum verify_verdict {
	VERIFY_SOUND,
	VERIFY_DAMAGED,
	VERIFY_LOST,   /* its bytes are gone */
	VERIFY_NO_KEY, /* its master key is missing: nobody knows */
	VERIFY_UNREAD  /* it could not be read, which is not its fault */
};

struct verify_control {
	/* Bytes were read: may wait, which sets the pace.  Nothing is held. */
	void (*read)(void *arg, uint64_t bytes);
	/* A file that is not sound; ${why} says more. */
	void (*found)(void *arg, const char *filename,
	    enum verify_verdict verdict, const struct err *why);
	void *arg;
};

struct verify_sum {
	uint64_t files; /* that were looked at */
	uint64_t bytes; /* of their plaintext */
	uint64_t bad;   /* that are not sound */
};

/* One file.  ERR_FILE_NOT_FOUND. */
int verify_file(struct engine *e, const char *filename,
    const struct verify_control *control, struct verify_sum *sum,
    struct err *err);
/* Every file on record; those that come meanwhile are not waited for. */
int verify_all(struct engine *e, const struct verify_control *control,
    struct verify_sum *sum, struct err *err);

#endif
