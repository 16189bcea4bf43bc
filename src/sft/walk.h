/* SPDX-License-Identifier: MIT */
#ifndef SFT_WALK_H
#define SFT_WALK_H

/*
 * Files by the names of files and folders: what a batch sends.
 *
 * A file is called by its last segment.  The files of a folder, and of those in
 * it, are called "folder/in/it/file"; those of "." (or "..", or "/") without a
 * folder's name in front.  A symbolic link that is named is followed; within a
 * folder one to a file is, too, and one to a folder is not, for it may lead
 * anywhere, or back.  What is neither file nor folder is left out.
 *
 * One thread's.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sha256.h"

struct walk_file {
	char *path;
	char *name; /* on the server; valid */
	uint64_t size;
	char sha256[SHA256_HEX_SIZE]; /* for whoever sends it; "" before */
};

struct walk {
	struct walk_file *files;
	size_t count;
	size_t capacity;
	/* ${path} cannot be sent. */
	void (*failed)(void *arg, const char *path, const struct err *err);
	/* ${path} is left out; ${why} is "a symbolic link to a folder" ... */
	void (*skipped)(void *arg, const char *path, const char *why);
	void *arg;
};

/* Adds ${path}, or what is in it, in the order of the names. */
void walk_add(struct walk *w, const char *path);
/* Are two called the same?  ERR_USAGE names them. */
int walk_check(const struct walk *w, struct err *err);
uint64_t walk_bytes(const struct walk *w); /* of all files */
void walk_fini(struct walk *w);

#endif
