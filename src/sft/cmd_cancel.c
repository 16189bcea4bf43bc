/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/text.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 8192u

static int
print(const json_t *answer, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, LINE_MAX_BYTES);
	text_clean(&b, slice_str(out_str(answer, "message")));
	if (out_uint(answer, "cancelled") != 1)
		buf_printf(&b, " (%llu transfers)",
		    (unsigned long long)out_uint(answer, "cancelled"));
	buf_append_char(&b, '\n');
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

int
cmd_cancel(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "NAME",
		.about = "Ends what is under way for a file: its uploads, "
		         "interrupted ones as well, and\ndownloads. What had "
		         "arrived is removed; a file that was there before "
		         "stays.\nNeeds a key that may write.\n",
		.min_args = 1,
		.max_args = 1,
	};
	struct cli_ask ask = { .method = "POST" };
	json_t *answer = NULL;
	struct buf target;
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/cancel/");
	url_add_name(&target, cli->argv[0]);
	ask.target = buf_str(&target);
	rc = -1;
	if (cli_http(cli, err) == 0 && cli_ask(cli, &ask, &answer, err) == 0) {
		if (cli->json)
			rc = cli_tell(cli, answer, err);
		else
			rc = cli->quiet ? 0 : print(answer, err);
	}
	json_decref(answer);
	buf_fini(&target);
	return rc;
}
