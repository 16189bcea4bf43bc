/* SPDX-License-Identifier: MIT */
#ifndef SFT_LANDING_H
#define SFT_LANDING_H

/*
 * Where a download lands: a temporary file beside the target, which gets the
 * target's name only when all is there; or a stream (standard output, a
 * device, a FIFO), which gets the bytes as they come.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sft/interrupt.h"

#define LANDING_STDOUT "-"

struct landing_options {
	const char *path; /* LANDING_STDOUT is standard output */
	bool force;       /* replace what is there */
	struct interrupt *interrupt;
};

struct landing;

/*
 * May ${o->path} be written?  Asked before anything is fetched: ERR_EXISTS for
 * a file that is there already (not with force), ERR_USAGE for a directory.
 */
int landing_check(const struct landing_options *o, struct err *err);

int landing_open(
    const struct landing_options *o, struct landing **ret_l, struct err *err);
int landing_write(struct landing *l, const void *p, size_t n, struct err *err);
/* Syncs and gives the file its name; ERR_EXISTS when somebody took it
 * meanwhile (not with force). */
int landing_commit(struct landing *l, struct err *err);
/* Removes what was not committed.  NULL is fine. */
void landing_close(struct landing *l);

/* --- for what can be gone on with (resumable.h) --------------------------- */

/*
 * A temporary file whose name another run finds, locked; of an earlier run, or
 * with ${is_new} an empty one.  ERR_ABSENT: there is none; ERR_EXISTS: another
 * program has it.
 */
int landing_open_kept(const struct landing_options *o, bool is_new,
    struct landing **ret_l, struct err *err);
/* Makes it so large, and takes the space where the file system can. */
int landing_reserve(struct landing *l, uint64_t size, struct err *err);
int landing_write_at(struct landing *l, uint64_t offset, const void *p,
    size_t n, struct err *err);
int landing_fd(const struct landing *l);  /* for reading */
int landing_dir(const struct landing *l); /* its folder */
/* The name of the journal beside it, for the caller to free(). */
char *landing_journal_name(const struct landing *l);
/* landing_close() leaves it where it is. */
void landing_keep(struct landing *l);
/* Can ${path} have such a file beside it? */
bool landing_is_file(const char *path);

#endif
