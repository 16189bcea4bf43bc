/* SPDX-License-Identifier: MIT */
#include "api/metadata_json.h"

#include <stdlib.h>

#include "engine/metadata.h"
#include "engine/preview.h"
#include "proto/filename.h"

static json_t *
side(uint32_t pixels)
{
	return pixels == 0 ? json_null() : json_integer(pixels);
}

json_t *
metadata_json(const struct rec_file *f)
{
	char extension[FILENAME_EXTENSION_SIZE];
	char *preview = preview_name(f->filename, f->mime_type);
	json_t *j;

	filename_extension(f->filename, extension);
	j = json_pack("{s:o, s:I, s:o, s:o, s:o, s:s, s:o, s:s, s:b, s:o, s:o}",
	    "filename", json_str_or_null(f->filename), "size",
	    (json_int_t)f->size, "created", json_time(f->created_ms),
	    "modified", json_time(f->modified_ms), "mime_type",
	    json_str_or_null(f->mime_type), "extension", extension, "thumbnail",
	    json_str_or_null(preview), "hash", f->sha256, "encryption",
	    (int)f->encryption, "width", side(f->width), "height",
	    side(f->height));
	free(preview);
	return j;
}
