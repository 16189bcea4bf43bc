/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "proto/limits.h"
#include "sft/cli_priv.h"
#include "sft/term.h"
#include "sft/text.h"
#include "sft/url.h"

#define KEY_FILE_MAX 4096u

/* It becomes a line of the request's head: nothing else may get in. */
static int
check_key(struct slice key, struct err *err)
{
	size_t i;

	if (key.n == 0 || key.n > LIMIT_KEY_TEXT)
		return err_set(err, ERR_USAGE, "the key is %s",
		    key.n == 0 ? "empty" : "too long to be one");
	for (i = 0; i < key.n; i++) {
		if (key.p[i] <= ' ' || key.p[i] > '~')
			return err_set(err, ERR_USAGE,
			    "the key has a character that no key has");
	}
	return 0;
}

static int
read_key_file(const char *path, char **ret_key, struct err *err)
{
	struct slice text;
	struct buf b;
	int rc = -1;

	buf_init(&b, KEY_FILE_MAX);
	if (file_read_all(AT_FDCWD, path, &b, err) < 0)
		goto out;
	text = buf_slice(&b);
	while (text.n > 0 && strchr(" \t\r\n", text.p[text.n - 1]) != NULL)
		text.n--;
	if (check_key(text, err) < 0)
		goto out;
	*ret_key = slice_dup(text);
	rc = 0;
out:
	if (b.p != NULL)
		mem_wipe(b.p, b.len);
	buf_fini(&b);
	return rc;
}

/* What stands on the line goes before the environment.  NULL: no key. */
static int
find_key(const struct cli *cli, char **ret_key, struct err *err)
{
	const char *key = cli->key;

	if (key != NULL && cli->key_file != NULL)
		return err_set(
		    err, ERR_USAGE, "either --key or --key-file, not both");
	if (cli->key_file != NULL)
		return read_key_file(cli->key_file, ret_key, err);
	if (key == NULL) {
		key = getenv("SFT_API_KEY");
		if (key == NULL || key[0] == '\0') {
			*ret_key = NULL;
			return 0;
		}
	}
	if (check_key(slice_str(key), err) < 0)
		return -1;
	*ret_key = mem_strdup(key);
	return 0;
}

static void
on_trace(void *arg, const char *line)
{
	struct cli *cli = arg;

	cli_say(cli, "%s", line);
}

static void
on_tick(void *arg)
{
	struct cli *cli = arg;

	progress_tick(cli->progress);
}

static enum progress_mode
progress_mode(const struct cli *cli)
{
	if (cli->quiet)
		return PROGRESS_NONE;
	return term_is_live(STDERR_FILENO) ? PROGRESS_BAR : PROGRESS_LINES;
}

int
cli_http(struct cli *cli, struct err *err)
{
	struct http_options o = {
		.ca = cli->ca,
		.insecure = cli->insecure,
		.timeout_ms = (int64_t)cli->timeout_s * 1000,
		.trace = cli->verbose ? on_trace : NULL,
		.tick = on_tick,
		.arg = cli,
	};
	char *base = NULL;
	char *key = NULL;
	int rc = -1;

	if (url_server(cli->server == NULL ? CLI_SERVER_DEFAULT : cli->server,
	        &base, err) < 0 ||
	    find_key(cli, &key, err) < 0)
		goto out;
	if (cli->ca != NULL && access(cli->ca, R_OK) < 0) {
		err_set_errno(err, ERR_USAGE, "cannot read '%s'", cli->ca);
		goto out;
	}
	if (interrupt_open(&cli->interrupt, err) < 0)
		goto out;
	cli->progress =
	    progress_new(progress_mode(cli), STDERR_FILENO, clock_system());
	o.base = base;
	o.key = key;
	o.interrupt = cli->interrupt;
	rc = http_open(&o, &cli->http, err);
out:
	if (key != NULL)
		mem_wipe(key, strlen(key));
	free(key);
	free(base);
	return rc;
}

int
cli_ask(struct cli *cli, const struct cli_ask *ask, json_t **ret_json,
    struct err *err)
{
	struct http_request req = {
		.method = ask->method,
		.target = ask->target,
		.json = ask->body,
	};
	struct http_reply reply;

	if (http_do(cli->http, &req, &reply, err) < 0)
		return -1;
	*ret_json = reply.json;
	return 0;
}

int
cli_show(struct cli *cli, const struct cli_ask *ask,
    int (*print)(const json_t *answer, struct err *err), struct err *err)
{
	json_t *answer = NULL;
	int rc;

	if (cli_http(cli, err) < 0 || cli_ask(cli, ask, &answer, err) < 0)
		return -1;
	rc = cli->json ? cli_tell(cli, answer, err) : print(answer, err);
	json_decref(answer);
	return rc;
}
