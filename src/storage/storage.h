/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

/*
 * Where bytes lie: blobs under opaque ids (base/id.h), behind a face that a
 * directory, memory (tests) or an object store can have (rule 23).
 *
 * A blob is written (invisible), published (whole, with its birth record, and
 * durable), opened, removed.  What makes a *file* visible is the commit of
 * its record, never publishing.  Publishing an id twice is an error.
 *
 * The birth record is text of at most STORAGE_BIRTH_MAX bytes that the
 * caller understands; storage keeps it with the object (rule 3).
 *
 * A struct storage may be used by many threads; a struct blob, which is a
 * handle, by one at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/source.h"

#define STORAGE_BIRTH_MAX 4096
#define STORAGE_BESIDE_MAX ((size_t)512 * 1024)
#define STORAGE_SIZE_UNKNOWN UINT64_MAX

struct storage;
struct blob;

/*
 * A write that goes on where the one before it ended may have any size on any
 * back end: one that needs larger parts gathers them itself.
 */
struct storage_caps {
	uint64_t grain;         /* another write begins at a multiple of it */
	uint64_t smallest_part; /* of what one after another is written, but
	                         * for the last of the blob; 1: any */
	bool random_writes;     /* in any order, again in place; else each
	                         * begins where the one before ended */
	bool extents;           /* opened blobs offer extents */
	bool reserves;          /* blob_new() takes a known size off the free
	                         * space at once */
};

/* Bytes [offset, offset + length). */
struct storage_range {
	uint64_t offset;
	uint64_t length;
};

typedef int (*storage_list_fn)(
    void *arg, const char *id, uint64_t size, struct err *err);

struct storage_ops {
	const char *scheme; /* "file", "mem", later "s3" */
	/* ${rest}: of the URL, after the scheme and ':'. */
	int (*open)(const char *rest, struct storage **ret_st, struct err *err);
	void (*close)(struct storage *st);
	const struct storage_caps *(*caps)(const struct storage *st);
	/* Begins a blob; ${size} (or unknown) is reserved: ERR_STORAGE_FULL. */
	int (*blob_new)(struct storage *st, const char *id, uint64_t size,
	    struct blob **ret_blob, struct err *err);
	int (*blob_write_at)(struct blob *b, uint64_t offset, const void *buf,
	    size_t n, struct err *err);
	/* What is written so far survives a power failure. A failure is
	 * final for this blob (rule 4): only blob_abort() may follow. */
	int (*blob_sync)(struct blob *b, struct err *err);
	/*
	 * Data and birth record durable (unless ${durable} is false: then
	 * they survive a crash of the process only), under the id, whole.
	 * ${size}: the final size; what was reserved beyond it is given back.
	 * Frees ${b} whatever comes out.
	 */
	int (*blob_publish)(struct blob *b, uint64_t size, const char *birth,
	    bool durable, struct err *err);
	/*
	 * The same in two steps, for many blobs at once.  Prepared, data and
	 * birth record are durable, and the blob waits unpublished, without a
	 * handle; blob_discard() undoes it.  Frees ${b} whatever comes out; a
	 * failure is one of blob_publish().
	 */
	int (*blob_prepare)(struct blob *b, uint64_t size, const char *birth,
	    bool durable, struct err *err);
	/* Publishes ${n} prepared blobs.  A failure may leave some of them
	 * published: blob_remove() and blob_discard() of all may follow. */
	int (*blobs_place)(struct storage *st, const char *const *ids, size_t n,
	    bool durable, struct err *err);
	/* Removes what was written and frees; NULL is fine. */
	void (*blob_abort)(struct blob *b);
	/*
	 * Another handle on a blob that was begun, in this run or an earlier
	 * one (clean_temp() must have kept it), and is not published.  Several
	 * may write ranges apart from one another at once.  A blob_publish()
	 * that fails through such a handle leaves the bytes, where it can, for
	 * another try.  ERR_ABSENT.
	 */
	int (*blob_reopen)(struct storage *st, const char *id,
	    struct blob **ret_blob, struct err *err);
	/* Frees the handle only: the bytes wait for blob_reopen(). */
	void (*blob_close)(struct blob *b);
	/* Reads back what was written: ${n} bytes, or ERR_IO. */
	int (*blob_read_at)(struct blob *b, uint64_t offset, void *buf,
	    size_t n, struct err *err);
	/* A published blob that no record names is one that was begun again.
	 * ERR_ABSENT. */
	int (*blob_withdraw)(
	    struct storage *st, const char *id, struct err *err);
	/* Removes a blob that was begun and has no handle; none is fine. */
	int (*blob_discard)(
	    struct storage *st, const char *id, struct err *err);
	/* Bytes of a published blob, as a source that goes on to its end
	 * after blob_remove().  ERR_ABSENT; ERR_FILE_DAMAGED when the blob is
	 * shorter than the range. */
	int (*blob_open)(struct storage *st, const char *id,
	    struct storage_range range, struct source **ret_src,
	    struct err *err);
	/* ERR_ABSENT. */
	int (*blob_size)(struct storage *st, const char *id, uint64_t *ret_size,
	    struct err *err);
	/* The first ${n} bytes as one blob_set_head() left them, never half of
	 * two, in whatever process it runs; ERR_ABSENT, ERR_FILE_DAMAGED when
	 * the blob is shorter. */
	int (*blob_get_head)(struct storage *st, const char *id, void *head,
	    size_t n, struct err *err);
	/* Overwrites the first ${n} bytes, durably (key rotation). */
	int (*blob_set_head)(struct storage *st, const char *id,
	    const void *head, size_t n, struct err *err);
	/* The birth record, NUL-terminated, into ${ret}: ERR_ABSENT when
	 * there is no such blob, or it has none. */
	int (*blob_birth)(struct storage *st, const char *id,
	    char ret[STORAGE_BIRTH_MAX + 1], struct err *err);
	/* With what lies beside it.  Removing what is not there succeeds. */
	int (*blob_remove)(struct storage *st, const char *id, struct err *err);
	/* Out of the objects into a place for people to look at; what lay
	 * beside it goes.  ERR_ABSENT. */
	int (*blob_set_aside)(
	    struct storage *st, const char *id, struct err *err);
	/* Every blob that was there at the beginning once, in any order; not
	 * 0 from ${fn} stops and is returned. */
	int (*blob_list)(
	    struct storage *st, storage_list_fn fn, void *arg, struct err *err);
	/*
	 * What lies beside a published blob: a few bytes, at most
	 * STORAGE_BESIDE_MAX, that were made from it and can be made again
	 * (its preview).  Putting replaces, as a whole or not at all; whoever
	 * puts keeps the blob from being removed meanwhile.
	 */
	int (*beside_put)(struct storage *st, const char *id, const void *p,
	    size_t n, struct err *err);
	/* In place of what is in ${b}.  ERR_ABSENT. */
	int (*beside_get)(
	    struct storage *st, const char *id, struct buf *b, struct err *err);
	/* Removing what is not there succeeds. */
	int (*beside_remove)(
	    struct storage *st, const char *id, struct err *err);
	/* As blob_list(); of a blob that is there no more, too. */
	int (*beside_list)(
	    struct storage *st, storage_list_fn fn, void *arg, struct err *err);
	/* Removes unpublished data of earlier runs, but for the ids for
	 * which ${keep} (may be NULL) says true.  Only at the start. */
	int (*clean_temp)(struct storage *st,
	    bool (*keep)(void *arg, const char *id), void *arg,
	    struct err *err);
	/* Bytes that can still be written; UINT64_MAX: no bound known. */
	int (*free_space)(
	    struct storage *st, uint64_t *ret_bytes, struct err *err);
};

/* Every struct of a back end begins with this. */
struct storage {
	const struct storage_ops *ops;
};
struct blob {
	const struct storage_ops *ops;
};

/* ${url}: "file:/path" or "mem:" (with "?grain=5242880&random=0"). */
int storage_open(const char *url, struct storage **ret_st, struct err *err);
void storage_close(struct storage *st); /* NULL is fine */

#endif
