/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "proto/preview.h"
#include "sft/cmd.h"
#include "sft/fetching.h"
#include "sft/landing.h"
#include "sft/out.h"
#include "sft/target.h"
#include "sft/text.h"

#define LINE_MAX_BYTES 16384u

struct options {
	const char *output;
	bool force;
	struct retry_options retry;
};

static int
print(const struct cli *cli, const char *path, struct err *err)
{
	struct buf b;
	int rc;

	/* standard output may be the picture's */
	if (cli->quiet || strcmp(path, LANDING_STDOUT) == 0)
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	buf_append_str(&b, "preview of ");
	text_clean(&b, slice_str(cli->argv[0]));
	buf_append_str(&b, " in ");
	text_clean(&b, slice_str(path));
	buf_append_char(&b, '\n');
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static int
tell(struct cli *cli, const char *path, const struct fetching_result *r,
    struct err *err)
{
	json_t *j = json_object();
	int rc;

	json_object_set_new(j, "success", json_true());
	json_object_set_new(j, "filename", json_string(cli->argv[0]));
	json_object_set_new(j, "path", json_str_or_null(path));
	json_object_set_new(j, "size", json_integer((json_int_t)r->size));
	json_object_set_new(j, "hash", json_string(r->hash));
	rc = cli_tell(cli, j, err);
	json_decref(j);
	return rc;
}

static int
fetch(
    struct cli *cli, const char *path, const struct options *o, struct err *err)
{
	const struct landing_options landing = {
		.path = path,
		.force = o->force,
		.interrupt = cli->interrupt,
	};
	const struct fetching_options fo = {
		.name = cli->argv[0],
		.landing = &landing,
		.is_preview = true,
		.parallel = 1,
		.retry = &o->retry,
	};
	struct fetching_result r;

	if (fetching_run(cli, &fo, &r, err) < 0)
		return -1;
	return cli->json ? tell(cli, path, &r, err) : print(cli, path, err);
}

static int
run(struct cli *cli, const struct options *o, struct err *err)
{
	/* What it is called, where the line does not say. */
	char *name = mem_printf("%s" PREVIEW_SUFFIX, cli->argv[0]);
	const struct target_input in = { &name, 1, o->output };
	struct target *target = NULL;
	int rc = -1;

	if (target_list(&in, &target, err) < 0)
		goto out;
	if (cli->json && strcmp(target->path, LANDING_STDOUT) == 0) {
		(void)err_set(err, ERR_USAGE,
		    "standard output cannot have both the picture and --json");
		goto out;
	}
	if (cli_http(cli, err) == 0)
		rc = fetch(cli, target->path, o, err);
out:
	target_list_free(target, in.n);
	free(name);
	return rc;
}

int
cmd_thumbnail(struct cli *cli, struct err *err)
{
	struct options o = { .retry = RETRY_OPTIONS_INIT };
	const struct opt options[] = {
		{ "output", 'o', OPT_STR, "FILE",
		    "the file, the folder (an existing one, or with '/' at "
		    "its end), or '-' for standard output (NAME" PREVIEW_SUFFIX
		    ")",
		    &o.output, 0, 0, NULL },
		{ "force", 'f', OPT_FLAG, NULL, "replace a file that is there",
		    &o.force, 0, 0, NULL },
		{ "retry", 0, OPT_UINT, "N",
		    "how often what failed is tried again (5)", &o.retry.times,
		    0, RETRY_LIMIT, &o.retry.is_given },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "NAME",
		.about =
		    "Fetches a small picture of an image: a JPEG of at "
		    "most 256 pixels a side,\nupright. The server makes it "
		    "when it has none yet.\n",
		.options = options,
		.min_args = 1,
		.max_args = 1,
	};
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : run(cli, &o, err);
}
