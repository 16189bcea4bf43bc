/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "base/buf.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/text.h"
#include "sft/url.h"

#define VIEW_MAX_BYTES 16384u

static void
add(struct buf *b, const char *title, const char *value)
{
	buf_printf(b, "%-11s  ", title);
	text_clean(b, slice_str(value));
	buf_append_char(b, '\n');
}

static void
add_time(struct buf *b, const char *title, const char *value)
{
	char when[TEXT_SIZE];

	text_time(value, when);
	add(b, title, when);
}

static int
print(const json_t *answer, struct err *err)
{
	uint64_t width = out_uint(answer, "width");
	uint64_t size = out_uint(answer, "size");
	char text[TEXT_SIZE];
	struct buf b;
	int rc;

	buf_init(&b, VIEW_MAX_BYTES);
	add(&b, "name", out_str(answer, "filename"));
	add(&b, "type", out_str(answer, "mime_type"));
	text_size(size, text);
	buf_printf(&b, "%-11s  %s", "size", text);
	if (size >= 1024)
		buf_printf(&b, " (%" PRIu64 " bytes)", size);
	buf_append_char(&b, '\n');
	if (width > 0)
		buf_printf(&b, "%-11s  %" PRIu64 " x %" PRIu64 " pixels\n",
		    "image", width, out_uint(answer, "height"));
	add(&b, "preview", out_str(answer, "thumbnail"));
	add_time(&b, "created", out_str(answer, "created"));
	add_time(&b, "modified", out_str(answer, "modified"));
	add(&b, "encrypted", out_bool(answer, "encryption") ? "yes" : "no");
	add(&b, "SHA-256", out_str(answer, "hash"));
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

int
cmd_metadata(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "NAME",
		.about = "Shows what is known of a file: its type as its "
		         "content tells it, size, times,\nSHA-256, and of "
		         "images how large they are, upright.\n",
		.min_args = 1,
		.max_args = 1,
	};
	struct cli_ask ask = { .method = "GET" };
	int rc = cli_parse(cli, &syntax, err);
	struct buf target;

	if (rc != 0)
		return rc;
	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/metadata/");
	url_add_name(&target, cli->argv[0]);
	ask.target = buf_str(&target);
	rc = cli_show(cli, &ask, print, err);
	buf_fini(&target);
	return rc;
}
