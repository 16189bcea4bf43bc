/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "sft/again.h"
#include "sft/cmd.h"
#include "sft/crew.h"
#include "sft/fetching.h"
#include "sft/landing.h"
#include "sft/out.h"
#include "sft/target.h"
#include "sft/text.h"
#include "sft/zipping.h"

#define LINE_MAX_BYTES 16384u

struct options {
	const char *output;
	bool force;
	bool raw;
	bool zip;
	struct zipping zipping; /* with zip */
	bool resume;
	uint64_t parallel;
	struct retry_options retry;
};

static int
print_received(struct cli *cli, const struct target *t,
    const struct fetching_result *r, struct err *err)
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
		buf_printf(&b, "  sha256 %s%s\n", r->hash,
		    r->is_checked
		        ? ""
		        : " (the server names none to check it against)");
	rc = out_text(&b, err);
	buf_fini(&b);
	return rc;
}

static json_t *
received_json(const struct target *t, const struct fetching_result *r)
{
	json_t *j = json_object();

	json_object_set_new(j, "success", json_true());
	json_object_set_new(j, "filename", json_string(t->name));
	json_object_set_new(j, "path", json_str_or_null(t->path));
	json_object_set_new(j, "size", json_integer((json_int_t)r->size));
	json_object_set_new(j, "hash", json_string(r->hash));
	return j;
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

/* Gives the JSON object of what became of it; failures are told. */
static json_t *
fetch(struct cli *cli, const struct target *t, const struct options *o,
    struct err *err)
{
	const struct landing_options landing = landing_for(cli, t, o);
	const struct fetching_options fo = {
		.name = t->name,
		.target = o->zip ? o->zipping.target : NULL,
		.body = o->zipping.body,
		.landing = &landing,
		.raw = o->raw,
		.is_resumed = o->resume,
		.parallel = (unsigned)o->parallel,
		.retry = &o->retry,
	};
	struct fetching_result r;
	json_t *one;

	if (fetching_run(cli, &fo, &r, err) == 0 &&
	    print_received(cli, t, &r, err) == 0)
		return received_json(t, &r);
	one = cli_error_json(err);
	json_object_set_new(one, "filename", json_string(t->name));
	cli_fail(cli, t->name, err);
	if (r.is_kept)
		again_say(cli, "what has come is kept", "--resume");
	return one;
}

/* Archives have all names. */
static int
target_count(const struct cli *cli, const struct options *o)
{
	return o->zip ? 1 : cli->argc;
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
	for (i = 0; i < target_count(cli, o); i++) {
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
	int i;

	for (i = 0; i < target_count(cli, o); i++) {
		err_clear(&err);
		json_array_append_new(list, fetch(cli, &targets[i], o, &err));
		if (err.code == ERR_NONE && !o->zip)
			args_note_done(&cli->args, cli->argv[i]);
		if (cli_is_hopeless(&err))
			break;
	}
	return list;
}

static int
run(struct cli *cli, const struct options *o, struct err *err)
{
	static char *const archive[] = { (char *)ZIPPING_NAME };
	const struct target_input in = {
		.names = o->zip ? archive : cli->argv,
		.n = (size_t)target_count(cli, o),
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
	struct options o = { .parallel = 1, .retry = RETRY_OPTIONS_INIT };
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
		{ "zip", 0, OPT_FLAG, NULL,
		    "fetch all of them as one ZIP archive (" ZIPPING_NAME
		    "); needs an API key that may read",
		    &o.zip, 0, 0, NULL },
		{ "resume", 0, OPT_FLAG, NULL,
		    "go on where an earlier download was broken off", &o.resume,
		    0, 0, NULL },
		{ "parallel", 0, OPT_UINT, "N", "parts of a file at once (1)",
		    &o.parallel, 1, CREW_MAX, NULL },
		{ "retry", 0, OPT_UINT, "N",
		    "how often what failed is tried again (5)", &o.retry.times,
		    0, RETRY_LIMIT, &o.retry.is_given },
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

	if (rc != 0)
		return rc;
	if (o.zip && o.raw)
		return err_set(err, ERR_USAGE,
		    "an archive (--zip) holds files as they were sent, not as "
		    "they are stored (--raw)");
	if (o.zip)
		zipping_init(&o.zipping, cli->argv, cli->argc);
	rc = run(cli, &o, err);
	if (o.zip)
		zipping_fini(&o.zipping);
	return rc;
}
