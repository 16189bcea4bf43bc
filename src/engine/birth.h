/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_BIRTH_H
#define ENGINE_BIRTH_H

/*
 * The birth record that every object carries (rule 3): what the database
 * needs to be rebuilt from the objects, as one line of JSON.
 *
 * {"v":1,"filename":…,"sha256":…,"crc32":…,"size":…,"mime_type":…,
 *  "encryption":false,"layout":"plain","created":…,"modified":…,
 *  "transfer":…}   (times in unix milliseconds)
 */

#include "base/err.h"
#include "db/rec_file.h"
#include "storage/storage.h"

int birth_write(
    const struct rec_file *f, char ret[STORAGE_BIRTH_MAX + 1], struct err *err);
/* ${blob_id} is the object's; *${ret} is for rec_file_fini(). A record that
 * does not parse, or breaks a rule of names, is ERR_IO. */
int birth_read(const char *text, const char *blob_id, struct rec_file *ret,
    struct err *err);

#endif
