/* SPDX-License-Identifier: MIT */
#ifndef DB_REC_FILE_PRIV_H
#define DB_REC_FILE_PRIV_H

/* What the statements over files have in common. */

#include "db/rec_file.h"
#include "db/sql.h"

/* What rec_file_take_row() takes. */
#define REC_FILE_COLUMNS                                                       \
	"filename, blob_id, sha256, crc32, size, mime_type, encryption, "      \
	"layout, created_ms, modified_ms, transfer_id, damaged, width, height"

void rec_file_take_row(struct sql *q, struct rec_file *f);

#endif
