/* SPDX-License-Identifier: MIT */
#include "sftd/cmd_key.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "engine/attach.h"
#include "sftd/background.h"
#include "sftd/secrecy.h"

/* A server that is alive looks when the bell rings. */
#define ANSWER_MS 5000

static int
take_scopes(const char *list, unsigned *ret_scopes, struct err *err)
{
	struct slice rest = slice_str(list);
	struct slice word;

	*ret_scopes = 0;
	while (slice_next(&rest, ',', &word))
		if (auth_scopes_parse(slice_trim(word), ret_scopes, err) < 0)
			return -1;
	if (*ret_scopes == 0)
		return err_set(err, ERR_INVALID_PARAMETER,
		    "--scopes must be a comma list of read, write and admin");
	return 0;
}

static int
take_options(
    const struct commands_key *k, struct auth_new_key *ret, struct err *err)
{
	*ret = (struct auth_new_key){
		.name = k->name != NULL && k->name[0] != '\0' ? k->name : NULL,
		.scopes = AUTH_READ | AUTH_WRITE,
		.prefix = k->prefix,
	};
	if (k->scopes != NULL && take_scopes(k->scopes, &ret->scopes, err) < 0)
		return -1;
	if (k->expires != NULL && (!num_duration(slice_str(k->expires),
	                               AUTH_EXPIRES_MAX, &ret->expires_in_ms) ||
	                              ret->expires_in_ms < 1000))
		return err_set(err, ERR_INVALID_PARAMETER,
		    "--expires must be a time of at least 1s, as 12h or 30d");
	return auth_check_new(ret, err);
}

static int
make(const struct engine *e, const struct auth_new_key *nk, struct err *err)
{
	char until[CLOCK_RFC3339_SIZE] = "never";
	char key[AUTH_KEY_SIZE];
	struct rec_key k;
	int rc;

	if (auth_generate(e->auth, nk, key, &k, err) < 0)
		return -1;
	if (k.expires_ms != 0)
		clock_rfc3339(k.expires_ms, until);
	/* Before it is shown: who reads it from a pipe uses it at once. */
	if (home_is_served(e->home) && !home_bell_ring(e->home, ANSWER_MS))
		(void)fprintf(stderr,
		    "sftd: the running server has not said that it knows the "
		    "key; restart it if it refuses it\n");
	(void)fprintf(stderr, "made key %s, which expires: %s\n", k.id, until);
	rc = printf("%s\n", key) < 0 || fflush(stdout) != 0 ? -1 : 0;
	if (rc < 0)
		(void)err_set_errno(err, ERR_IO,
		    "the key could not be written to standard output; revoke "
		    "%s and make another",
		    k.id);
	mem_wipe(key, sizeof(key));
	rec_key_fini(&k);
	return rc;
}

int
cmd_key(struct commands_input *in)
{
	const struct engine_config cf = {
		&in->settings,
		clock_system(),
		background_fatal,
		NULL,
	};
	struct auth_new_key nk;
	struct engine *engine = NULL;
	struct err e = ERR_INIT;
	int rc;

	background_begin();
	if (take_options(&in->key, &nk, &e) < 0) {
		(void)fprintf(stderr, "sftd: %s\n", e.msg);
		return COMMANDS_USAGE;
	}
	rc = engine_visit(&cf, &engine, &e);
	secrecy_forget_keys(&in->settings);
	commands_forget_args(in);
	if (rc == 0)
		rc = make(engine, &nk, &e);
	engine_close(engine);
	if (rc == 0)
		return COMMANDS_OK;
	(void)fprintf(stderr, "sftd: %s\n", e.msg);
	return COMMANDS_FAILED;
}
