/* SPDX-License-Identifier: MIT */
#ifndef STORAGE_HOME_H
#define STORAGE_HOME_H

/*
 * A server's directory (UPLOAD_DIR): its FORMAT file, its lock, its parts.
 *
 *   FORMAT         "sft 1\n"
 *   maintenance.lock  the same by who checks it or changes its keys
 *   lock           flock()ed by the running server; dies with the process
 *   ballast        16 MiB (at most 1 % of the disk), given up when full so
 *                  that deleting still commits (rule 6)
 *   objects/xx/ID  published blobs, xx the id's last two digits
 *   temp/ID        blobs being written
 *   thumbs/xx/ID   what lies beside the object of that id: its preview
 *   lost/ backups/
 *   records.db     the database, with records.db.run, which tells it from
 *                  its older copies
 *   admin.key      the first admin key, mode 0600
 *   encryption.key the master key of sealed files, mode 0600, and
 *   encryption.ids ids of those in use (engine/masterkey.h)
 *
 * Made when missing, mode 0700.  A directory that is not empty and has no
 * FORMAT is foreign and refused, as is a FORMAT newer than ours, and one
 * whose lock is held: each ERR_SETTING with a sentence that says what to do.
 * A foreign directory is left as it was found.
 */

#include <stdbool.h>

#include "base/err.h"

struct home {
	int dirfd;
	int lockfd;
	char *path; /* absolute */
};

/* Makes it, and what is missing above it, empty; *${ret_made} (may be NULL):
 * it was not there.  ERR_SETTING. */
int home_make(const char *path, bool *ret_made, struct err *err);
/* Opens or makes it, and holds the lock until home_close().  On a disk that
 * is full the ballast is dropped, so that one can start and delete. */
int home_open(const char *path, struct home **ret_home, struct err *err);
/*
 * A directory that is there and ours, for work beside a server or without one
 * (checking, changing keys): instead of the server's lock it holds
 * "maintenance.lock", so that one such work is done at a time.  ERR_SETTING.
 */
int home_attach(const char *path, struct home **ret_home, struct err *err);
/* The same without a lock, for what needs none but the database's own: adding a
 * record, with the server running or not. */
int home_visit(const char *path, struct home **ret_home, struct err *err);
/*
 * A bell: who has changed records beside the running server rings, and the
 * server looks.  The server's side: a descriptor, the caller's to close, that
 * becomes readable when somebody has rung; ERR_UNAVAILABLE.
 */
int home_bell_open(const struct home *home, struct err *err);
/* All that has rung until now is taken notice of ... */
void home_bell_take(int bell);
/* ... and was seen to; for who holds the server's lock. */
void home_bell_answer(const struct home *home);
/* Rings, and waits at most ${wait_ms} for an answer; false: there was none. */
bool home_bell_ring(const struct home *home, int wait_ms);
/* Does a server hold its lock now? */
bool home_is_served(const struct home *home);
void home_close(struct home *home); /* NULL is fine */
/* The path of a part inside it, for the caller to free(). */
char *home_path(const struct home *home, const char *part);

/* Makes the ballast, or keeps the one there is, which costs next to nothing;
 * ERR_STORAGE_FULL when the disk has less than twice its size left. */
int home_ballast_fill(struct home *home, struct err *err);
/* Gives its space back; fine when there is none.  Any thread. */
void home_ballast_drop(struct home *home);

#endif
