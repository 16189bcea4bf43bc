/* SPDX-License-Identifier: MIT */
#include "sft/zipping.h"

#include <stdlib.h>

#include "base/buf.h"
#include "sft/url.h"

#define TARGET "/download_batch"
/* Servers, and what stands before them, take requests of 8 KiB. */
#define TARGET_MAX 7168u

static json_t *
body(char *const *names, int n)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, json_str_or_null(names[i]));
	return json_pack("{s:o}", "filenames", list);
}

void
zipping_init(struct zipping *z, char *const *names, int n)
{
	struct buf b;

	*z = (struct zipping){ .body = NULL };
	buf_init(&b, 2 * URL_MAX);
	buf_append_str(&b, TARGET);
	for (int i = 0; i < n && b.len <= TARGET_MAX; i++)
		url_add_query(&b, "file", names[i]);
	if (b.len > TARGET_MAX) {
		z->body = body(names, n);
		buf_clear(&b);
		buf_append_str(&b, TARGET);
	}
	z->target = buf_take(&b);
}

void
zipping_fini(struct zipping *z)
{
	free(z->target);
	json_decref(z->body);
}
