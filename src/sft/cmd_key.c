/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/num.h"
#include "sft/cmd.h"
#include "sft/out.h"
#include "sft/table.h"
#include "sft/text.h"
#include "sft/url.h"

#define LINE_MAX_BYTES 8192u
#define EXPIRES_MAX_MS (100 * 365 * (int64_t)86400 * 1000)

/* "read,write" as a list. */
static json_t *
scope_list(const char *text)
{
	struct slice rest = slice_str(text);
	json_t *list = json_array();
	struct slice part;

	while (slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		json_array_append_new(list, json_stringn(part.p, part.n));
	}
	return list;
}

struct new_options {
	const char *name;
	const char *scopes;
	const char *expires;
};

static int
new_body(const struct new_options *o, json_t **ret_body, struct err *err)
{
	int64_t ms = 0;
	json_t *body;

	if (o->expires != NULL &&
	    (!num_duration(slice_str(o->expires), EXPIRES_MAX_MS, &ms) ||
	        ms < 1000))
		return err_set(err, ERR_USAGE,
		    "option '--expires' is a time like 3600, 12h or 30d, not "
		    "'%.64s'",
		    o->expires);
	body = json_object();
	if (o->name != NULL)
		json_object_set_new(body, "name", json_str_or_null(o->name));
	if (o->scopes != NULL)
		json_object_set_new(body, "scopes", scope_list(o->scopes));
	if (ms > 0)
		json_object_set_new(
		    body, "expires_in", json_integer(ms / 1000));
	*ret_body = body;
	return 0;
}

static void
add_scopes(struct buf *b, const json_t *key)
{
	const json_t *list = json_object_get(key, "scopes");
	const json_t *scope;
	size_t i;

	json_array_foreach(list, i, scope)
	{
		if (i > 0)
			buf_append_char(b, ' ');
		text_clean(b, slice_str(json_string_value(scope)));
	}
}

/* The key alone on standard output, so that KEY=$(sft key new) works; what
 * there is to say on standard error. */
static int
print_new(struct cli *cli, const json_t *key, struct err *err)
{
	char expires[TEXT_SIZE];
	struct buf b, scopes;
	int rc;

	buf_init(&b, LINE_MAX_BYTES);
	buf_init(&scopes, LINE_MAX_BYTES);
	text_clean(&b, slice_str(out_str(key, "api_key")));
	buf_append_char(&b, '\n');
	rc = out_text(&b, err);
	add_scopes(&scopes, key);
	text_time(
	    json_string_value(json_object_get(key, "expires_at")), expires);
	if (rc == 0 && !cli->quiet)
		cli_say(cli,
		    "this key is shown only now: id %s, name %s, scopes %s, "
		    "expires %s",
		    out_str(key, "id"), out_str(key, "name"), buf_str(&scopes),
		    expires[0] == '-' ? "never" : expires);
	buf_fini(&scopes);
	buf_fini(&b);
	return rc;
}

int
cmd_key_new(struct cli *cli, struct err *err)
{
	struct new_options o = { 0 };
	const struct opt options[] = {
		{ "name", 0, OPT_STR, "TEXT", "what it is for", &o.name, 0, 0,
		    NULL },
		{ "scopes", 0, OPT_STR, "LIST",
		    "of read, write and admin, with commas (read,write)",
		    &o.scopes, 0, 0, NULL },
		{ "expires", 0, OPT_STR, "TIME",
		    "how long it is good for: 3600 (seconds), 12h, 30d "
		    "(for ever)",
		    &o.expires, 0, 0, NULL },
		{ 0 },
	};
	const struct cli_syntax syntax = {
		.args = "",
		.about = "Makes an API key and prints it. It is shown this "
		         "once: the server keeps only\nits hash. Needs a key "
		         "with the scope admin.\n",
		.options = options,
	};
	struct cli_ask ask = { "POST", "/generate_key", NULL };
	json_t *body = NULL;
	json_t *key = NULL;
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	if (new_body(&o, &body, err) < 0)
		return -1;
	ask.body = body;
	rc = -1;
	if (cli_http(cli, err) < 0 || cli_ask(cli, &ask, &key, err) < 0)
		goto out;
	rc = cli->json ? cli_tell(cli, key, err) : print_new(cli, key, err);
out:
	json_decref(key);
	json_decref(body);
	return rc;
}

static void
add_key(struct table *t, const json_t *key)
{
	char created[TEXT_SIZE], expires[TEXT_SIZE], used[TEXT_SIZE];
	struct buf scopes;
	const char *cells[6];

	text_time(
	    json_string_value(json_object_get(key, "created_at")), created);
	text_time(
	    json_string_value(json_object_get(key, "expires_at")), expires);
	text_time(
	    json_string_value(json_object_get(key, "last_used_at")), used);
	buf_init(&scopes, LINE_MAX_BYTES);
	add_scopes(&scopes, key);
	cells[0] = out_str(key, "id");
	cells[1] = out_str(key, "name");
	cells[2] = buf_str(&scopes);
	cells[3] = created;
	cells[4] = expires[0] == '-' ? "never" : expires;
	cells[5] = used[0] == '-' ? "never" : used;
	table_add(t, cells);
	buf_fini(&scopes);
}

static int
print_list(const json_t *answer, struct err *err)
{
	static const struct table_column columns[] = {
		{ "ID", false, false },
		{ "NAME", false, true },
		{ "SCOPES", false, false },
		{ "CREATED (UTC)", false, false },
		{ "EXPIRES", false, false },
		{ "LAST USED", false, false },
		{ NULL, false, false },
	};
	const struct table_list list = {
		.columns = columns,
		.objects = json_object_get(answer, "keys"),
		.add = add_key,
		.none = "No keys but the admin key of the server.\n",
	};

	return table_print(&list, cli_width(), err);
}

int
cmd_key_list(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "",
		.about = "Lists the API keys by their ids; the keys themselves "
		         "are nowhere kept.\nNeeds a key with the scope "
		         "admin.\n",
	};
	const struct cli_ask ask = { "GET", "/keys", NULL };
	int rc = cli_parse(cli, &syntax, err);

	return rc != 0 ? rc : cli_show(cli, &ask, print_list, err);
}

/* What a script gets where the server's answer is empty. */
static int
print_revoked(struct cli *cli, const char *id, struct err *err)
{
	json_t *j;
	int rc;

	if (!cli->json) {
		if (!cli->quiet)
			cli_say(cli, "revoked the key '%s'", id);
		return 0;
	}
	j = json_object();
	json_object_set_new(j, "success", json_true());
	json_object_set_new(j, "id", json_str_or_null(id));
	rc = cli_tell(cli, j, err);
	json_decref(j);
	return rc;
}

int
cmd_key_revoke(struct cli *cli, struct err *err)
{
	static const struct cli_syntax syntax = {
		.args = "ID",
		.about = "Takes the API key with this id (see 'sft key list') "
		         "back, at once.\nNeeds a key with the scope "
		         "admin.\n",
		.min_args = 1,
		.max_args = 1,
	};
	struct cli_ask ask = { "DELETE", NULL, NULL };
	json_t *answer = NULL;
	struct buf target;
	int rc = cli_parse(cli, &syntax, err);

	if (rc != 0)
		return rc;
	buf_init(&target, URL_MAX);
	buf_append_str(&target, "/keys/");
	url_add_name(&target, cli->argv[0]);
	ask.target = buf_str(&target);
	rc = -1;
	if (cli_http(cli, err) == 0 && cli_ask(cli, &ask, &answer, err) == 0)
		rc = print_revoked(cli, cli->argv[0], err);
	json_decref(answer);
	buf_fini(&target);
	return rc;
}
