/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_STATUS_FILE_H
#define ENGINE_STATUS_FILE_H

/*
 * The status file (LOG_FILE) in the layout that front ends of the original
 * read: {"transfers": {NAME: {...}}, "queue": [...], "metadata":
 * {"total_transfers", "last_updated", "version": "1.0"}}.  A snapshot of the
 * newest STATUS_FILE_TRANSFERS uploads; the records are the truth.
 */

#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"
#include "engine/engine.h"

#define STATUS_FILE_TRANSFERS 1000
#define STATUS_FILE_MAX (16u * 1024 * 1024) /* bytes that are read */

/* Writes it atomically; the one before becomes NAME.backup. */
int status_file_write(struct engine *e, struct err *err);

/* What is there and no regular file is refused: it would be set aside as a
 * damaged one, a directory with all that is in it, or replaced. */
int status_file_check(const char *path, struct err *err);
/* Could it be written where it is to be?  ERR_SETTING. */
int status_file_check_folder(const char *path, struct err *err);

/*
 * At the start.  A file that cannot be read as one is set aside as
 * NAME.damaged-<unix seconds>, NAME.backup is looked at instead, and
 * *${ret_damage} says why (its code stays ERR_NONE when all is well).  With
 * ${take_over} (the database is new) its transfers become records; their number
 * goes to *${ret_taken}.  -1 only when the database fails.
 */
int status_file_load(struct engine *e, bool take_over, uint64_t *ret_taken,
    struct err *ret_damage, struct err *err);

/* More than any file has (ext4 ends there): a size beyond is unknown, and as
 * many as fit in a status file can be summed. */
#define STATUS_FILE_SIZE_MAX ((uint64_t)1 << 44)
/* The same of times: who took longer began when it ended. */
#define STATUS_FILE_LASTS_MAX_MS (100 * INT64_C(86400000))

/*
 * The parsing alone (fuzzed): calls ${fn} for each transfer in it.  Whatever
 * the text says, each has ended, no later than ${now_ms} and not before it
 * began, has moved no more than its size, and can be recorded; an entry whose
 * name or state is none of ours is left out.
 */
int status_file_parse(struct slice text, int64_t now_ms, rec_transfer_fn fn,
    void *arg, struct err *err);

#endif
