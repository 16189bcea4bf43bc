/* SPDX-License-Identifier: MIT */

/* POST /generate_key, GET /keys, DELETE /keys/<id>. */

#include <stdlib.h>
#include <string.h>

#include "api/call.h"
#include "api/handlers.h"
#include "api/reply.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/limits.h"

static json_t *
time_or_null(int64_t ms)
{
	return ms == 0 ? json_null() : json_time(ms);
}

static json_t *
scopes_json(unsigned scopes)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < 3; i++)
		if ((scopes & (1u << i)) != 0)
			(void)json_array_append_new(
			    list, json_string(auth_scope_names[i]));
	return list;
}

static json_t *
key_json(const struct rec_key *k)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "id", k->id, "name",
	    json_str_or_null(k->name), "scopes", scopes_json(k->scopes),
	    "prefix", json_str_or_null(k->prefix), "created_at",
	    json_time(k->created_ms), "expires_at",
	    time_or_null(k->expires_ms));
}

/* --- what is asked for ------------------------------------------------------
 */

static int
bad(const char *field, const char *wanted, struct err *err)
{
	return err_set(
	    err, ERR_INVALID_PARAMETER, "'%s' must be %s", field, wanted);
}

static int
take_name(const json_t *v, struct auth_new_key *nk, struct err *err)
{
	const char *s = json_string_value(v);

	if (s == NULL)
		return bad("name", "a text of at most 128 bytes", err);
	nk->name = s[0] == '\0' ? NULL : s;
	return 0;
}

static int
take_scopes(const json_t *v, struct auth_new_key *nk, struct err *err)
{
	const json_t *word;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) == 0)
		return bad(
		    "scopes", "a list of 'read', 'write' and 'admin'", err);
	nk->scopes = 0;
	json_array_foreach(v, i,
	    word) if (auth_scopes_parse(slice_str(json_string_value(word)),
	                  &nk->scopes, err) < 0) return -1;
	return 0;
}

static int
take_expires(const json_t *v, struct auth_new_key *nk, struct err *err)
{
	json_int_t s = json_integer_value(v);

	if (!json_is_integer(v) || s < 1 || s > AUTH_EXPIRES_MAX / 1000)
		return bad(
		    "expires_in", "a whole number of seconds, at least 1", err);
	nk->expires_in_ms = s * 1000;
	return 0;
}

static int
take_prefix(const json_t *v, struct auth_new_key *nk, struct err *err)
{
	nk->prefix = json_string_value(v);
	if (nk->prefix == NULL)
		return bad("prefix", "a text, as \"team-a/\"", err);
	return 0;
}

static const struct {
	const char *name;
	int (*take)(const json_t *v, struct auth_new_key *nk, struct err *err);
} fields[] = {
	{ "name", take_name },
	{ "scopes", take_scopes },
	{ "expires_in", take_expires },
	{ "prefix", take_prefix },
};

static int
take_field(
    const char *name, const json_t *v, struct auth_new_key *nk, struct err *err)
{
	if (json_is_null(v))
		return 0;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(fields[i].name, name) == 0)
			return fields[i].take(v, nk, err);
	return 0;
}

static int
take_fields(const json_t *j, struct auth_new_key *nk, struct err *err)
{
	const char *name;
	json_t *v;

	if (!json_is_object(j))
		return err_set(err, ERR_INVALID_JSON,
		    "the body must be a JSON object, or empty");
	json_object_foreach((json_t *)j, name,
	    v) if (take_field(name, v, nk, err) < 0) return -1;
	return auth_check_new(nk, err);
}

/* *${ret_json} owns the strings in ${nk}; NULL when the body was empty. */
static int
read_body(
    struct call *c, json_t **ret_json, struct auth_new_key *nk, struct err *err)
{
	struct buf b;
	void *room;
	ssize_t n;
	int rc = -1;

	buf_init(&b, LIMIT_SMALL_BODY);
	room = buf_reserve(&b, LIMIT_SMALL_BODY);
	if (room == NULL) {
		err_set(err, ERR_UNAVAILABLE, "no memory for a body");
		goto out;
	}
	n = source_read_full(http_body(c->x), room, LIMIT_SMALL_BODY, err);
	if (n < 0)
		goto out;
	if (n > 0) {
		*ret_json = json_parse(room, (size_t)n, err);
		if (*ret_json == NULL || take_fields(*ret_json, nk, err) < 0)
			goto out;
	}
	rc = 0;
out:
	buf_fini(&b);
	return rc;
}

/* --- the handlers
 * -------------------------------------------------------------- */

void
h_key_new(struct call *c)
{
	struct auth_new_key nk = { .scopes = AUTH_READ | AUTH_WRITE };
	char key[AUTH_KEY_SIZE];
	struct rec_key k = { 0 };
	struct err e = ERR_INIT;
	json_t *body = NULL;
	json_t *o;

	if (read_body(c, &body, &nk, &e) < 0 ||
	    auth_generate(c->app->engine->auth, &nk, key, &k, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
	} else {
		log_info("key made", LOG_STR("id", k.id),
		    LOG_STR("name", k.name), LOG_END);
		o = key_json(&k);
		(void)json_object_set_new(o, "api_key", json_string(key));
		reply_json(c->app, c->x, 200, o);
	}
	mem_wipe(key, sizeof(key));
	rec_key_fini(&k);
	json_decref(body);
}

static int
add_key(void *arg, const struct rec_key *k, struct err *err)
{
	json_t *o = key_json(k);

	(void)err;
	(void)json_object_set_new(
	    o, "last_used_at", time_or_null(k->last_used_ms));
	(void)json_array_append_new(arg, o);
	return 0;
}

void
h_key_list(struct call *c)
{
	json_t *list = json_array();
	struct err e = ERR_INIT;

	if (auth_list(c->app->engine->auth, add_key, list, &e) < 0) {
		json_decref(list);
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	reply_json(c->app, c->x, 200, json_pack("{s:o}", "keys", list));
}

void
h_key_revoke(struct call *c)
{
	struct err e = ERR_INIT;

	if (auth_revoke(c->app->engine->auth, c->name, &e) < 0) {
		reply_error(c->app, c->x, &e, NULL);
		return;
	}
	/* What it may see ends with it, and what moves by it. */
	bus_close_key(c->app->engine->bus, c->name);
	tenants_evict_key(c->app->engine->tenants, c->name);
	log_info("key revoked", LOG_STR("id", c->name), LOG_END);
	reply_begin(c->app, c->x, 204);
	http_send_empty(c->x);
}
