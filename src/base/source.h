/* SPDX-License-Identifier: MIT */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

/*
 * A stream of bytes that is pulled.  Everything that moves bytes is one, and
 * hash, limit, range, seal are sources over sources.
 *
 * Embed struct source first in your own struct.  A source is used by one
 * thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

/* Bytes of a file that may be sent without passing through memory. */
struct extent {
	int fd; /* borrowed from the source */
	uint64_t offset;
	uint64_t length;
};

struct source {
	/* Blocks until it can return 1..n bytes, 0 at the end, or -1 with err
	 * set.  After 0 or -1 it is not called again. */
	ssize_t (*read)(struct source *s, void *buf, size_t n, struct err *err);
	/* The same into several buffers, one after the other.  May be NULL. */
	ssize_t (*read_parts)(struct source *s, const struct iovec *parts,
	    int n, struct err *err);
	/*
	 * Waits until read() would return at once, so that a thread which
	 * waits holds no buffer: 1 when it would, 0 when ${timeout_ms} ran out
	 * first (-1: none but the source's own bound on a stalled peer, which
	 * is ERR_TIMEOUT), -1 with err set.  May be NULL: read() never waits
	 * for a peer.
	 */
	int (*wait)(struct source *s, int timeout_ms, struct err *err);
	/* What is left to read, as one extent; false when it is not one.
	 * May be NULL. */
	bool (*extent)(struct source *s, struct extent *ret_extent);
	/* Of what is in parts: the next bytes as an extent, good until the next
	 * call, which count as read with this; false: they are none, or not
	 * worth it, and have to be read.  May be NULL. */
	bool (*take_extent)(struct source *s, struct extent *ret_extent);
	/* Also closes whatever the source was built on. */
	void (*close)(struct source *s);
};

ssize_t source_read(struct source *s, void *buf, size_t n, struct err *err);
/* 1 where there is no wait(). */
int source_wait(struct source *s, int timeout_ms, struct err *err);
bool source_extent(struct source *s, struct extent *ret_extent);
void source_close(struct source *s); /* NULL is fine */

/* Reads until ${n} bytes are there or the end: the count, or -1. */
ssize_t source_read_full(
    struct source *s, void *buf, size_t n, struct err *err);

/* The same over ${n} buffers, which it uses up: ${parts} is changed. */
ssize_t source_read_parts(
    struct source *s, struct iovec *parts, int n, struct err *err);

/* Over ${p}, which must outlive the source (not copied). */
struct source *source_mem(const void *p, size_t n);
/* Over a file's bytes from ${offset}, ${length} of them (fewer is an
 * ERR_IO); owns ${fd}; offers an extent. */
struct source *source_file(int fd, uint64_t offset, uint64_t length);
/* A copy of the ${n} bytes at ${p}, then ${inner}, which it owns. */
struct source *source_prefixed(const void *p, size_t n, struct source *inner);
/* At most ${limit} bytes pass: one more gives -1 with ${code}, "the file is
 * larger than N bytes".  Owns ${inner}. */
struct source *source_limit(
    struct source *inner, uint64_t limit, enum err_code code);

#endif
