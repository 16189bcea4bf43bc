/* SPDX-License-Identifier: MIT */
#include "engine/birth.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "proto/filename.h"

int
birth_write(
    const struct rec_file *f, char ret[STORAGE_BIRTH_MAX + 1], struct err *err)
{
	struct buf b;
	json_t *j;
	int rc = -1;

	buf_init(&b, STORAGE_BIRTH_MAX);
	j = json_pack("{s:i, s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:I, s:I, s:s}",
	    "v", 1, "filename", f->filename, "sha256", f->sha256, "crc32",
	    (json_int_t)f->crc32, "size", (json_int_t)f->size, "mime_type",
	    f->mime_type, "encryption", f->encryption, "layout",
	    f->layout == REC_SEALED ? "sealed" : "plain", "created",
	    (json_int_t)f->created_ms, "modified", (json_int_t)f->modified_ms,
	    "transfer", f->transfer_id);
	if (j == NULL) {
		err_set(
		    err, ERR_INTERNAL, "no birth record for '%s'", f->filename);
		goto out;
	}
	if (json_write(j, &b, err) < 0)
		goto out;
	memcpy(ret, buf_str(&b), b.len + 1);
	rc = 0;
out:
	json_decref(j);
	buf_fini(&b);
	return rc;
}

/* Fields as they stand in the text; borrowed from the JSON. */
struct fields {
	const char *filename, *sha256, *mime_type, *layout, *transfer;
	json_int_t crc32, size, created, modified;
	int version, encryption;
};

static int
check(const struct fields *f, char **ret_name, struct err *err)
{
	unsigned char hash[32];
	char *name = NULL;

	if (f->version != 1)
		return err_set(
		    err, ERR_IO, "birth record of version %d", f->version);
	if (filename_normalise(slice_str(f->filename), &name, err) < 0)
		return -1;
	if (!hex_decode(slice_str(f->sha256), hash, sizeof(hash)) ||
	    f->size < 0 || f->crc32 < 0 || f->crc32 > UINT32_MAX ||
	    (strcmp(f->layout, "plain") != 0 &&
	        strcmp(f->layout, "sealed") != 0) ||
	    !id_is_valid(f->transfer)) {
		free(name);
		return err_set(err, ERR_IO, "birth record with a bad field");
	}
	*ret_name = name;
	return 0;
}

int
birth_read(const char *text, const char *blob_id, struct rec_file *ret,
    struct err *err)
{
	struct fields f = { 0 };
	char *name = NULL;
	json_t *j;
	int rc = -1;

	j = json_parse(text, strlen(text), err);
	if (j == NULL)
		return -1;
	if (json_unpack(j,
	        "{s:i, s:s, s:s, s:I, s:I, s:s, s:b, s:s, s:I, s:I, s:s}", "v",
	        &f.version, "filename", &f.filename, "sha256", &f.sha256,
	        "crc32", &f.crc32, "size", &f.size, "mime_type", &f.mime_type,
	        "encryption", &f.encryption, "layout", &f.layout, "created",
	        &f.created, "modified", &f.modified, "transfer",
	        &f.transfer) < 0) {
		err_set(err, ERR_IO, "birth record with a missing field");
		goto out;
	}
	if (check(&f, &name, err) < 0)
		goto out;
	memset(ret, 0, sizeof(*ret));
	ret->filename = name;
	memcpy(ret->blob_id, blob_id, ID_SIZE);
	memcpy(ret->sha256, f.sha256, sizeof(ret->sha256));
	memcpy(ret->transfer_id, f.transfer, ID_SIZE);
	ret->mime_type = mem_strdup(f.mime_type);
	ret->crc32 = (uint32_t)f.crc32;
	ret->size = (uint64_t)f.size;
	ret->encryption = f.encryption != 0;
	ret->layout = strcmp(f.layout, "sealed") == 0 ? REC_SEALED : REC_PLAIN;
	ret->created_ms = f.created;
	ret->modified_ms = f.modified;
	rc = 0;
out:
	json_decref(j);
	return rc;
}
