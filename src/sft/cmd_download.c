/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sft/cmd.h"
#include "sft/landing.h"
#include "sft/out.h"
#include "sft/receiving.h"
#include "sft/target.h"
#include "sft/text.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 16384u

struct options {
	const char *output;
	bool force;
	bool raw;
};

static int
print_received(struct cli *cli, const struct target *t,
    const struct receiving *r, struct err *err)
{
	struct buf b;
	int rc;

	/* standard output may be the file's */
	if (cli->json || cli->quiet || strcmp(t->path, LANDING_STDOUT) == 0)
		return 0;
	buf_init(&b, LINE_MAX_BYTES);
	buf_append_str(&b, "downloaded ");
	text_clean(&b, slice_str(t->name));
	if (strcmp(t->name, t->path) != 0) {
		buf_append_str(&b, " to ");
		text_clean(&b, slice_str(t->path));
	}
	progress_summary(cli->progress, &b);
	buf_append_char(&b, '\n');
	if (cli->verbose)
		buf_printf(&b, "  sha256 %s%s\n", receiving_hash(r),
		    receiving_is_checked(r)
		        ? ""
		        : " (the server names none to check it against)");
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static json_t *
received_json(const struct target *t, const struct receiving *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "success", json_true());
	json_object_set_new(j, "filename", json_string(t->name));
	json_object_set_new(j, "path", json_str_or_null(t->path));
	json_object_set_new(
	    j, "size", json_integer((json_int_t)receiving_size(r)));
	json_object_set_new(j, "hash", json_string(receiving_hash(r)));
	return j;
}

/* What is the same for all files of a call. */
struct fetching {
	const struct options *options;
	const struct landing_options *landing;
};

static int
fetch(struct cli *cli, const struct target *t, const struct fetching *f,
    json_t **ret_one, struct err *err)
{
	const struct landing_options *landing = f->landing;
	struct receiving *r =
	    receiving_new(landing, cli->progress, f->options->raw);
	struct http_request req = {
		.method = "GET",
		.sink = receiving_sink(r),
	};
	struct buf target;
	int rc = -1;

	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/download/");
	url_add_name(&target, t->name);
	url_add_query(&target, "decrypt", f->options->raw ? "false" : NULL);
	req.target = buf_str(&target);
	/* another file of the same call may have taken the place */
	if (landing_check(landing, err) < 0)
		goto out;
	progress_begin(cli->progress, t->name, PROGRESS_UNKNOWN);
	rc = http_do(cli->http, &req, NULL, err);
	/* So ends what turns out damaged while it is decrypted, too. */
	if (rc < 0 && err->code == ERR_CLOSED && receiving_size(r) > 0)
		(void)err_set(err, ERR_CLOSED,
		    "the connection broke after %" PRIu64
		    " bytes: try again; if that happens at the same place "
		    "again, the file may be damaged on the server, where "
		    "'sftd verify' would tell",
		    receiving_size(r));
	if (rc == 0)
		rc = receiving_finish(r, err);
	progress_end(cli->progress);
	if (rc == 0)
		rc = print_received(cli, t, r, err);
	if (rc == 0)
		*ret_one = received_json(t, r);
out:
	receiving_free(r);
	buf_fini(&target);
	return rc;
}

static struct landing_options
landing_for(
    const struct cli *cli, const struct target *t, const struct options *o)
{
	return (struct landing_options){
		.path = t->path,
		.force = o->force,
		.interrupt = cli->interrupt,
	};
}

/* Looks at all targets before the first file is fetched. */
static int
check_targets(const struct cli *cli, const struct target *targets,
    const struct options *o, struct err *err)
{
	struct landing_options landing;
	int i;

	if (cli->json && o->output != NULL &&
	    strcmp(o->output, LANDING_STDOUT) == 0)
		return err_set(err, ERR_USAGE,
		    "standard output cannot have both the file and --json");
	for (i = 0; i < cli->argc; i++) {
		landing = landing_for(cli, &targets[i], o);
		if (landing_check(&landing, err) < 0)
			return -1;
	}
	return 0;
}

/* As send_all() of uploads. */
static json_t *
fetch_all(
    struct cli *cli, const struct target *targets, const struct options *o)
{
	json_t *list = json_array();
	struct err err = ERR_INIT;
	struct landing_options landing;
	const struct fetching fetching = { o, &landing };
	json_t *one = NULL;
	int i;

	for (i = 0; i < cli->argc; i++) {
		err_clear(&err);
		landing = landing_for(cli, &targets[i], o);
		if (fetch(cli, &targets[i], &fetching, &one, &err) < 0) {
			one = cli_error_json(&err);
			json_object_set_new(
			    one, "filename", json_string(targets[i].name));
			cli_fail(cli, targets[i].name, &err);
		}
		json_array_append_new(list, one);
		if (cli_is_hopeless(&err))
			break;
	}
	return list;
}

static int
run(struct cli *cli, const struct options *o, struct err *err)
{
	const struct target_input in = {
		.names = cli->argv,
		.n = (size_t)cli->argc,
		.output = o->output,
	};
	struct target *targets = NULL;
	json_t *document = NULL;
	int rc = -1;

	if (target_list(&in, &targets, err) < 0 ||
	    check_targets(cli, targets, o, err) < 0 || cli_http(cli, err) < 0)
		goto out;
	document = json_object();
	json_object_set_new(document, "files", fetch_all(cli, targets, o));
	json_object_set_new(
	    document, "success", json_boolean(cli->exit == FAIL_NONE));
	rc = cli->json ? cli_tell(cli, document, err) : 0;
out:
	json_decref(document);
	target_list_free(targets, in.n);
	return rc;
}

int
cmd_download(struct cli *cli, struct err *err)
{
	struct options o = { 0 };
	const struct opt options[] = {
		{ "output", 'o', OPT_STR, "PATH",
		    "the file, the folder (an existing one, or with '/' at "
		    "its end), or '-' for standard output (the current "
		    "folder)",
		    &o.output, 0, 0, NULL },
		{ "force", 'f', OPT_FLAG, NULL, "replace files that are there",
		    &o.force, 0, 0, NULL },
		{ "raw", 0, OPT_FLAG, NULL,
		    "fetch encrypted files as they are stored, for who has "
		    "the key; needs an API key that may read",
		    &o.raw, 0, 0, NULL },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "NAME...",
		.about = "Fetches files under temporary names, checks them "
		         "against the server's SHA-256,\nand only then gives "
		         "them their names: the last part of each NAME. What "
		         "is there\nalready stays, unless --force is given.\n",
		.options = options,
		.min_args = 1,
		.max_args = -1,
	};
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : run(cli, &o, err);
}
