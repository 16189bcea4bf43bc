/* SPDX-License-Identifier: MIT */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

/*
 * The settings of the server: one table (settings_table.c) with name, type,
 * default, bounds, help; --help, --print-config, the manual page and the
 * sample file are made from it.  The values are one struct, filled once at
 * the start and constant afterwards (so any thread may read it).
 *
 * Where a value comes from, strongest first: option, environment, file,
 * default.  A bad one is ERR_SETTING naming the setting, the value (never a
 * secret's) and what would be valid.  A setting whose part is not built yet
 * may only have its default.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/opt.h"

enum settings_durability { SETTINGS_FULL, SETTINGS_RELAXED };

/* Strings are owned; NULL where unset.  Durations are ms, sizes bytes. */
struct settings {
	char *server_host;
	uint64_t server_port;
	char *upload_dir;
	char *log_file;
	char *database_url;
	char *storage_url;
	char *encryption_key;
	char *encryption_key_previous;
	uint64_t max_file_size;
	bool auto_restart_enabled;
	char *admin_api_key;
	bool require_api_key;
	char *cors_origins;
	char *trusted_proxies;
	uint64_t max_active_transfers;
	uint64_t bandwidth_limit;
	uint64_t queue_keep_seconds;
	int64_t upload_expiry;
	int durability; /* enum settings_durability */
	uint64_t min_free_space;
	uint64_t max_connections;
	uint64_t max_connections_per_client;
	int64_t header_timeout;
	int64_t idle_timeout;
	int64_t stall_timeout;
	uint64_t auth_fail_limit;
	uint64_t rate_limit;
	int64_t shutdown_grace;
	int log_level;  /* enum log_level */
	int log_format; /* enum log_format */
	int64_t history_keep;
	char *tls_cert;
	char *tls_key;
	uint64_t http_redirect_port; /* 0: none */
	char *run_as;
	uint64_t worker_threads; /* 0: from the cores */
	char *tcp_congestion;
};

/*
 * Reads defaults, the file ${config} (NULL: none), ${env} (like environ) and
 * --NAME VALUE options from argv[1..]; what is no setting's option, other
 * options too, is moved to the front and counted in *${ret_nargs}.  "PORT"
 * (in the environment or the file) stands in for SERVER_PORT where that is
 * set nowhere; "--port" is "--server-port".
 *
 * A secret given as an option is overwritten in argv, which the process list
 * shows.  On failure there is nothing to release.
 */
struct settings_input {
	const char *config;
	char *const *env; /* NULL: none */
	int argc;
	char **argv;
};
int settings_load(struct settings *ret_settings,
    const struct settings_input *in, int *ret_nargs, struct err *err);
void settings_fini(struct settings *s); /* wipes the secrets */

/* NAME=value lines, usable as a config file; secrets are masked, in
 * comments. */
void settings_print(const struct settings *s, struct buf *b);
/* The settings as a table of options with their help, for settings_help() and
 * base/complete.h, not to parse with; settings_options_free() it. */
struct opt *settings_options(void);
void settings_options_free(struct opt *table);
/* The options' help for --help. */
void settings_help(struct buf *b);
/* The commented sample file. */
void settings_sample(struct buf *b);
/* The settings' section of the manual page: man(7) macros, a .TP each. */
void settings_man(struct buf *b);

#endif
