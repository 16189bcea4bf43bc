/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/text.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 8192u

static int
print(struct cli *cli, const char *name, struct err *err)
{
	struct buf b;
	int rc;

	if (cli->json || cli->quiet)
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	buf_append_str(&b, "removed ");
	text_clean(&b, slice_str(name));
	buf_append_char(&b, '\n');
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

/* Gives the JSON object of what became of it; failures are told. */
static json_t *
remove_one(struct cli *cli, const char *name, struct err *err)
{
	struct cli_ask ask = { .method = "DELETE" };
	json_t *answer = NULL;
	struct buf target;
	json_t *one;
	int rc;

	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/files/");
	url_add_name(&target, name);
	ask.target = buf_str(&target);
	rc = cli_ask(cli, &ask, &answer, err);
	buf_fini(&target);
	json_decref(answer);
	if (rc == 0 && print(cli, name, err) == 0) {
		one = json_pack("{s:b}", "success", 1);
	} else {
		one = cli_error_json(err);
		cli_fail(cli, name, err);
	}
	json_object_set_new(one, "filename", json_str_or_null(name));
	return one;
}

static int
remove_all(struct cli *cli, struct err *err)
{
	json_t *list = json_array();
	struct err e = ERR_INIT;
	json_t *document;
	int rc;

	for (int i = 0; i < cli->argc; i++) {
		err_clear(&e);
		json_array_append_new(list, remove_one(cli, cli->argv[i], &e));
		if (cli_is_hopeless(&e))
			break;
	}
	document = json_pack("{s:o, s:b}", "files", list, "success",
	    (int)(cli->exit == FAIL_NONE));
	rc = cli->json ? cli_tell(cli, document, err) : 0;
	json_decref(document);
	return rc;
}

int
cmd_rm(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "NAME...",
		.about = "Removes files from the server, for ever. Downloads "
		         "under way go on to\ntheir end. Needs a key that may "
		         "write.\n",
		.min_args = 1,
		.max_args = -1,
	};
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	return cli_http(cli, err) < 0 ? -1 : remove_all(cli, err);
}
