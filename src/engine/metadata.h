/* SPDX-License-Identifier: MIT */
#ifndef ENGINE_METADATA_H
#define ENGINE_METADATA_H

/*
 * What is known of a file besides its bytes: its record, and of images how
 * large they are.  That is read from the image's headers (engine/picture.h)
 * soon after the upload, or when somebody asks first, and kept in the record.
 * Any thread; waits for the database.
 */

#include "base/err.h"
#include "db/rec_file.h"
#include "engine/engine.h"

struct download;

/* ${ret}->width and height are set where there is an answer; an image whose
 * bytes cannot be read has a record like others. ERR_FILE_NOT_FOUND. */
int metadata_get(struct engine *e, const struct principal *who,
    const char *filename, struct rec_file *ret, struct err *err);
/* The same for a record that was read, or just made. */
void metadata_complete(struct engine *e, struct rec_file *f);
/* How large the image ${d} is goes into its own record and, later, into the
 * database's, unless it is known or cannot be told. */
void metadata_learn(struct download *d);

#endif
