/* SPDX-License-Identifier: MIT */
#include "base/settings.h"

#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "base/settings_priv.h"
#include "unit.h"

#define WORDS_MAX 8
#define KEY "0123456789abcdef-secret"

/* What a load is made from; NULL ends the lists. */
struct given {
	const char *file; /* text, NULL: no file */
	const char *env[WORDS_MAX];
	const char *args[WORDS_MAX];
};

struct loaded {
	struct settings s;
	char words[WORDS_MAX + 1][128];
	char *argv[WORDS_MAX + 2];
	int nargs;
	struct err err;
};

static int
load(const struct given *g, struct loaded *l)
{
	struct settings_file file = { "sftd.conf", slice_str(g->file) };
	char env_words[WORDS_MAX][128];
	char *env[WORDS_MAX + 1] = { NULL };
	struct settings_input in = { .env = env, .argv = l->argv };
	size_t i;

	memset(l, 0, sizeof(*l));
	for (i = 0; i < WORDS_MAX && g->env[i] != NULL; i++) {
		assert_true(strlen(g->env[i]) < sizeof(env_words[i]));
		memcpy(env_words[i], g->env[i], strlen(g->env[i]) + 1);
		env[i] = env_words[i];
	}
	memcpy(l->words[0], "sftd", 5);
	for (i = 0; i < WORDS_MAX && g->args[i] != NULL; i++) {
		assert_true(strlen(g->args[i]) < sizeof(l->words[0]));
		memcpy(l->words[1 + i], g->args[i], strlen(g->args[i]) + 1);
	}
	in.argc = (int)i + 1;
	for (i = 0; i < (size_t)in.argc; i++)
		l->argv[i] = l->words[i];
	return settings_load_text(
	    &l->s, &in, g->file == NULL ? NULL : &file, &l->nargs, &l->err);
}

static void
load_ok(const struct given *g, struct loaded *l)
{
	if (load(g, l) < 0)
		fail_msg("%s", l->err.msg);
}

static void
load_fails(const struct given *g, const char *msg)
{
	struct loaded l;

	if (load(g, &l) == 0)
		fail_msg("takes what should give '%s'", msg);
	assert_int_equal(l.err.code, ERR_SETTING);
	assert_string_equal(l.err.msg, msg);
}

TEST(test_base_settings__defaults_are_those_of_the_contract)
{
	static const struct given nothing = { 0 };
	struct loaded l;
	struct settings *s = &l.s;

	load_ok(&nothing, &l);
	assert_int_equal(l.nargs, 0);
	assert_string_equal(s->server_host, "0.0.0.0");
	assert_int_equal(s->server_port, 8080);
	assert_string_equal(s->upload_dir, "storage/");
	assert_string_equal(s->log_file, "transfer_status.json");
	assert_string_equal(s->database_url, "sqlite:");
	assert_string_equal(s->storage_url, "file:");
	assert_null(s->encryption_key);
	assert_null(s->encryption_key_previous);
	assert_int_equal(s->max_file_size, 104857600);
	assert_true(s->auto_restart_enabled);
	assert_null(s->admin_api_key);
	assert_false(s->require_api_key);
	assert_string_equal(s->cors_origins, "localhost");
	assert_null(s->trusted_proxies);
	assert_int_equal(s->max_active_transfers, 64);
	assert_int_equal(s->bandwidth_limit, 0);
	assert_int_equal(s->queue_keep_seconds, 300);
	assert_int_equal(s->upload_expiry, 24 * 3600 * 1000);
	assert_int_equal(s->durability, SETTINGS_FULL);
	assert_int_equal(s->min_free_space, 256 << 20);
	assert_int_equal(s->max_connections, 10000);
	assert_int_equal(s->max_connections_per_client, 512);
	assert_int_equal(s->header_timeout, 10000);
	assert_int_equal(s->idle_timeout, 60000);
	assert_int_equal(s->stall_timeout, 30000);
	assert_int_equal(s->auth_fail_limit, 30);
	assert_int_equal(s->rate_limit, 0);
	assert_int_equal(s->shutdown_grace, 10000);
	assert_int_equal(s->log_level, LOG_INFO);
	assert_int_equal(s->log_format, LOG_TEXT);
	assert_int_equal(s->history_keep, INT64_C(365) * 24 * 3600 * 1000);
	assert_null(s->tls_cert);
	assert_null(s->tls_key);
	assert_int_equal(s->http_redirect_port, 0);
	assert_null(s->run_as);
	assert_int_equal(s->worker_threads, 0);
	assert_string_equal(s->tcp_congestion, "auto");
	settings_fini(s);
}

TEST(test_base_settings__stronger_sources_win)
{
	static const struct {
		struct given given;
		uint64_t port;
	} cases[] = {
		{ { "SERVER_PORT=1", { NULL }, { NULL } }, 1 },
		{ { NULL, { "SERVER_PORT=2" }, { NULL } }, 2 },
		{ { "SERVER_PORT=1", { "SERVER_PORT=2" }, { NULL } }, 2 },
		{ { "SERVER_PORT=1", { "SERVER_PORT=2" },
		      { "--server-port", "3" } },
		    3 },
		{ { "SERVER_PORT=1", { NULL }, { "--server-port=3" } }, 3 },
		{ { NULL, { "SERVER_PORT=2" }, { "--port", "4" } }, 4 },
		/* PORT only stands in */
		{ { NULL, { "PORT=5" }, { NULL } }, 5 },
		{ { "PORT=6", { NULL }, { NULL } }, 6 },
		{ { "PORT=6", { "PORT=5" }, { NULL } }, 5 },
		{ { "SERVER_PORT=1", { "PORT=5" }, { NULL } }, 1 },
		{ { NULL, { "PORT=5", "SERVER_PORT=2" }, { NULL } }, 2 },
		{ { NULL, { "PORT=5" }, { "--port=7" } }, 7 },
		{ { "SERVER_PORT=1\nSERVER_PORT=8", { NULL }, { NULL } }, 8 },
		{ { NULL, { "PORTS=5", "PORT", "X=1" }, { NULL } }, 8080 },
	};
	struct loaded l;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		load_ok(&cases[i].given, &l);
		assert_int_equal(l.s.server_port, cases[i].port);
		settings_fini(&l.s);
	}
}

TEST(test_base_settings__takes_every_kind)
{
	static const struct given given = {
		.file = "MAX_FILE_SIZE=2G\nHEADER_TIMEOUT=250ms\n"
		        "IDLE_TIMEOUT=5m\nDURABILITY=relaxed\n"
		        "LOG_LEVEL=DEBUG\nLOG_FORMAT=json\n"
		        "UPLOAD_DIR=\"/srv/a b\"\n"
		        "CORS_ORIGINS=https://a.example, http://b.example:81",
		.env = { "REQUIRE_API_KEY=yes", "AUTO_RESTART_ENABLED=off",
		    "MIN_FREE_SPACE=0" },
		.args = { "--worker-threads", "4", "--tcp-congestion=cubic" },
	};
	struct loaded l;

	load_ok(&given, &l);
	assert_true(l.s.max_file_size == UINT64_C(2) << 30);
	assert_int_equal(l.s.header_timeout, 250);
	assert_int_equal(l.s.idle_timeout, 300000);
	assert_int_equal(l.s.durability, SETTINGS_RELAXED);
	assert_int_equal(l.s.log_level, LOG_DEBUG);
	assert_int_equal(l.s.log_format, LOG_JSON);
	assert_string_equal(l.s.upload_dir, "/srv/a b");
	assert_string_equal(
	    l.s.cors_origins, "https://a.example, http://b.example:81");
	assert_true(l.s.require_api_key);
	assert_false(l.s.auto_restart_enabled);
	assert_int_equal(l.s.min_free_space, 0);
	assert_int_equal(l.s.worker_threads, 4);
	assert_string_equal(l.s.tcp_congestion, "cubic");
	settings_fini(&l.s);
}

TEST(test_base_settings__leaves_other_words)
{
	static const struct given given = {
		.args = { "verify", "--file", "x", "--port", "9", "--help" },
	};
	struct loaded l;

	load_ok(&given, &l);
	assert_int_equal(l.s.server_port, 9);
	assert_int_equal(l.nargs, 4);
	assert_string_equal(l.argv[1], "verify");
	assert_string_equal(l.argv[2], "--file");
	assert_string_equal(l.argv[3], "x");
	assert_string_equal(l.argv[4], "--help");
	assert_null(l.argv[5]);
	settings_fini(&l.s);
}

TEST(test_base_settings__says_what_is_wrong)
{
	static const struct {
		struct given given;
		const char *msg;
	} cases[] = {
		{ { .args = { "--server-port", "99999" } },
		    "SERVER_PORT is '99999': it must be a whole number from "
		    "0 to 65535" },
		{ { .env = { "PORT=" } },
		    "PORT is '': it must be a whole number from 0 to 65535" },
		{ { .file = "\nPORT=x" },
		    "'sftd.conf', line 2: PORT is 'x': it must be a whole "
		    "number from 0 to 65535" },
		{ { .file = "#\n\nSEVER_PORT=1" },
		    "'sftd.conf', line 3: there is no setting "
		    "'SEVER_PORT'" },
		{ { .file = "server_port=1" },
		    "'sftd.conf', line 1: there is no setting "
		    "'server_port'" },
		{ { .file = "x" },
		    "'sftd.conf', line 1: there is no '=' in it" },
		{ { .env = { "MAX_FILE_SIZE=0" } },
		    "MAX_FILE_SIZE is '0': it must be a size from 1 to "
		    "9223372036854775807 bytes, as 64K, 256M or 2G" },
		{ { .env = { "HEADER_TIMEOUT=99ms" } },
		    "HEADER_TIMEOUT is '99ms': it must be a time from 100ms "
		    "to 1d, as 10s, 5m, 24h or 30d" },
		{ { .env = { "REQUIRE_API_KEY=maybe" } },
		    "REQUIRE_API_KEY is 'maybe': it must be true or false" },
		{ { .env = { "LOG_LEVEL=loud" } },
		    "LOG_LEVEL is 'loud': it must be debug, info, warning or "
		    "error" },
		{ { .env = { "UPLOAD_DIR=a\nb\x1b" } },
		    "UPLOAD_DIR is 'a?b?': it must be the path of a "
		    "directory" },
		{ { .env = { "UPLOAD_DIR=" } },
		    "UPLOAD_DIR is '': it must be the path of a directory" },
		{ { .env = { "SERVER_HOST=a b" } },
		    "SERVER_HOST is 'a b': it must be an address or a host "
		    "name" },
		{ { .env = { "TCP_CONGESTION=a/b" } },
		    "TCP_CONGESTION is 'a/b': it must be 'auto', 'system' or "
		    "the name of an algorithm" },
		{ { .env = { "LOG_LEVEL=1234567890123456789012345678901234567"
		             "890123456789012345678901234567890" } },
		    "LOG_LEVEL is '123456789012345678901234567890123456789012"
		    "3456789012345678901234...': it must be debug, info, "
		    "warning or error" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		load_fails(&cases[i].given, cases[i].msg);
}

TEST(test_base_settings__option_without_value)
{
	static const struct given given = { .args = { "--log-level" } };
	struct loaded l;

	assert_int_equal(load(&given, &l), -1);
	assert_int_equal(l.err.code, ERR_USAGE);
	assert_string_equal(l.err.msg, "option '--log-level' needs a value");
}

/* A value that nobody acts on must not be believed in. */
TEST(test_base_settings__refuses_what_is_not_built)
{
	static const struct {
		struct given given;
		const char *msg;
	} cases[] = {
		{ { .env = { "DATABASE_URL=postgresql://x" } },
		    "DATABASE_URL is 'postgresql://x': this version cannot "
		    "do that yet; leave it at 'sqlite:'" },
		{ { .file = "STORAGE_URL=s3://b" },
		    "'sftd.conf', line 1: STORAGE_URL is 's3://b': this "
		    "version cannot do that yet; leave it at 'file:'" },
		{ { .args = { "--database-url", "postgresql://x" } },
		    "DATABASE_URL is 'postgresql://x': this version cannot do "
		    "that yet; leave it at 'sqlite:'" },
		{ { .env = { "HTTP_REDIRECT_PORT=x" } },
		    "HTTP_REDIRECT_PORT is 'x': it must be a whole number from "
		    "0 to 65535" },
	};
	static const char *const others[] = { "STORAGE_URL=s3://b" };
	struct given given = { 0 };
	struct loaded l;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		load_fails(&cases[i].given, cases[i].msg);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		given.env[0] = others[i];
		assert_int_equal(load(&given, &l), -1);
		assert_non_null(strstr(l.err.msg, "cannot do that yet"));
	}
}

TEST(test_base_settings__takes_the_defaults_of_what_is_not_built)
{
	static const struct given given = {
		.file = "DATABASE_URL=sqlite:\nSTORAGE_URL=file:\n"
		        "UPLOAD_EXPIRY=1440m\nHISTORY_KEEP=365d\n"
		        "MAX_ACTIVE_TRANSFERS=64\nTLS_CERT=\nRUN_AS=''\n"
		        "ENCRYPTION_KEY=\nHTTP_REDIRECT_PORT=0\n",
	};
	struct loaded l;

	load_ok(&given, &l);
	assert_null(l.s.tls_cert);
	settings_fini(&l.s);
}

TEST(test_base_settings__secrets_are_never_shown)
{
	static const struct given by_option = {
		.args = { "--admin-api-key", KEY, "--admin-api-key=" KEY },
	};
	static const struct given too_short = {
		.env = { "ADMIN_API_KEY=123456789012345" },
	};
	static const struct given blank = {
		.env = { "ADMIN_API_KEY=12345678 90123456" },
	};
	struct loaded l;
	struct buf b;

	load_ok(&by_option, &l);
	assert_string_equal(l.s.admin_api_key, KEY);
	assert_null(strstr(l.words[3], "secret"));
	buf_init(&b, 100000);
	settings_print(&l.s, &b);
	assert_null(strstr(buf_str(&b), "secret"));
	assert_non_null(strstr(buf_str(&b), "\n#ADMIN_API_KEY=********\n"));
	buf_fini(&b);
	settings_fini(&l.s);
	assert_null(l.s.admin_api_key);
	load_fails(&too_short,
	    "ADMIN_API_KEY (not shown): it must be at least 16 printable "
	    "characters without spaces");
	load_fails(&blank,
	    "ADMIN_API_KEY (not shown): it must be at least 16 printable "
	    "characters without spaces");
}

TEST(test_base_settings__loads_a_file_by_name)
{
	const char *path = unit_temppath("sftd.conf");
	struct file_content c = { "SERVER_PORT=77\n", 15, 0600, NULL };
	struct settings_input in = { .config = path };
	struct err err = ERR_INIT;
	struct settings s;
	int nargs;

	assert_int_equal(file_replace(AT_FDCWD, path, &c, &err), 0);
	assert_int_equal(settings_load(&s, &in, &nargs, &err), 0);
	assert_int_equal(s.server_port, 77);
	settings_fini(&s);
	in.config = NULL;
	assert_int_equal(settings_load(&s, &in, &nargs, &err), 0);
	assert_int_equal(s.server_port, 8080);
	settings_fini(&s);
	in.config = unit_temppath("none.conf");
	assert_int_equal(settings_load(&s, &in, &nargs, &err), -1);
	assert_int_equal(err.code, ERR_ABSENT);
	assert_non_null(strstr(err.msg, "none.conf"));
}
