/* SPDX-License-Identifier: MIT */

/*
 * Every setting, once, in the order of --help.  A new one is a member of
 * struct settings and a row here.
 */

#include <string.h>

#include "base/ipnet.h"
#include "base/settings_priv.h"

#define SECOND UINT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/* What the records (SQLite) and off_t can hold. */
#define BYTES_MAX ((uint64_t)INT64_MAX)

#define KEY_MIN 16
#define HOST_MAX 255
#define CONGESTION_MAX 15 /* TCP_CA_NAME_MAX with its NUL is 16 */

#define AT(member) offsetof(struct settings, member)

/* By enum settings_durability, log_level, log_format. */
static const char *const durabilities[] = { "full", "relaxed", NULL };
static const char *const levels[] = {
	"debug",
	"info",
	"warning",
	"error",
	NULL,
};
static const char *const formats[] = { "text", "json", NULL };

static bool
is_graphic(char c)
{
	return c > ' ' && c < 0x7f;
}

static bool
is_all_graphic(struct slice s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (!is_graphic(s.p[i]))
			return false;
	}
	return true;
}

static bool
is_host(struct slice s)
{
	return s.n > 0 && s.n <= HOST_MAX && is_all_graphic(s);
}

static bool
is_path(struct slice s)
{
	return s.n > 0;
}

static bool
is_api_key(struct slice s)
{
	return s.n >= KEY_MIN && is_all_graphic(s);
}

/* http://host[:port] or https://..., as browsers send it: no path. */
static bool
is_origin(struct slice s)
{
	static const char *const schemes[] = { "http://", "https://" };
	size_t i;

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (!slice_starts(s, schemes[i]))
			continue;
		s.p += strlen(schemes[i]);
		s.n -= strlen(schemes[i]);
		return s.n > 0 && is_all_graphic(s) &&
		       memchr(s.p, '/', s.n) == NULL;
	}
	return false;
}

static bool
is_origin_list(struct slice s)
{
	struct slice part;

	if (s.n == 0 || s.p[s.n - 1] == ',')
		return false;
	while (slice_next(&s, ',', &part)) {
		part = slice_trim(part);
		if (!slice_eq_str(part, "*") &&
		    !slice_eq_str(part, "localhost") && !is_origin(part))
			return false;
	}
	return true;
}

static bool
is_net_list(struct slice s)
{
	return ipnet_parse_list(s, NULL, NULL);
}

static bool
is_congestion(struct slice s)
{
	size_t i;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '_' && c != '-')
			return false;
	}
	return s.n > 0 && s.n <= CONGESTION_MAX;
}

const struct settings_row settings_rows[] = {
	{
	    .name = "SERVER_HOST",
	    .kind = SETTINGS_STR,
	    .offset = AT(server_host),
	    .fallback = "0.0.0.0",
	    .is_valid = is_host,
	    .valid = "an address or a host name",
	    .arg = "HOST",
	    .help = "where to listen",
	},
	{
	    .name = "SERVER_PORT",
	    .alias = "PORT",
	    .kind = SETTINGS_UINT,
	    .offset = AT(server_port),
	    .fallback = "8080",
	    .max = 65535,
	    .arg = "PORT",
	    .help = "the port to listen on; 0 takes a free one and logs "
	            "it; PORT stands in where this is unset",
	},
	{
	    .name = "UPLOAD_DIR",
	    .kind = SETTINGS_STR,
	    .offset = AT(upload_dir),
	    .fallback = "storage/",
	    .is_valid = is_path,
	    .valid = "the path of a directory",
	    .arg = "DIR",
	    .help = "everything the server keeps: objects, temporary data, "
	            "database, keys; made when missing",
	},
	{
	    .name = "LOG_FILE",
	    .kind = SETTINGS_STR,
	    .offset = AT(log_file),
	    .fallback = "transfer_status.json",
	    .is_valid = is_path,
	    .valid = "the path of a file",
	    .arg = "FILE",
	    .help = "the status file: a snapshot of the newest transfers",
	},
	{
	    .name = "DATABASE_URL",
	    .kind = SETTINGS_STR,
	    .offset = AT(database_url),
	    .fallback = "sqlite:",
	    .is_not_built = true,
	    .arg = "URL",
	    .help = "where records are kept; 'sqlite:' is in UPLOAD_DIR",
	},
	{
	    .name = "STORAGE_URL",
	    .kind = SETTINGS_STR,
	    .offset = AT(storage_url),
	    .fallback = "file:",
	    .is_not_built = true,
	    .arg = "URL",
	    .help = "where bytes are kept; 'file:' is in UPLOAD_DIR",
	},
	{
	    .name = "ENCRYPTION_KEY",
	    .kind = SETTINGS_STR,
	    .offset = AT(encryption_key),
	    .is_secret = true,
	    .arg = "KEY",
	    .help = "16 characters, or base64 or hex of 16 bytes; made at "
	            "the first start and kept in UPLOAD_DIR",
	},
	{
	    .name = "ENCRYPTION_KEY_PREVIOUS",
	    .kind = SETTINGS_STR,
	    .offset = AT(encryption_key_previous),
	    .is_secret = true,
	    .arg = "KEYS",
	    .help = "comma list of older keys still needed to read",
	},
	{
	    .name = "MAX_FILE_SIZE",
	    .kind = SETTINGS_SIZE,
	    .offset = AT(max_file_size),
	    .fallback = "104857600",
	    .min = 1,
	    .max = BYTES_MAX,
	    .arg = "SIZE",
	    .help = "bytes of one file",
	},
	{
	    .name = "AUTO_RESTART_ENABLED",
	    .kind = SETTINGS_BOOL,
	    .offset = AT(auto_restart_enabled),
	    .fallback = "true",
	    .arg = "BOOL",
	    .help = "a supervisor process restarts the server when it dies",
	},
	{
	    .name = "ADMIN_API_KEY",
	    .kind = SETTINGS_STR,
	    .offset = AT(admin_api_key),
	    .is_valid = is_api_key,
	    .valid = "at least 16 printable characters without spaces",
	    .is_secret = true,
	    .arg = "KEY",
	    .help = "the first admin key; made at the first start and kept "
	            "in UPLOAD_DIR",
	},
	{
	    .name = "REQUIRE_API_KEY",
	    .kind = SETTINGS_BOOL,
	    .offset = AT(require_api_key),
	    .fallback = "false",
	    .arg = "BOOL",
	    .help = "every route needs a key",
	},
	{
	    .name = "CORS_ORIGINS",
	    .kind = SETTINGS_STR,
	    .offset = AT(cors_origins),
	    .fallback = "localhost",
	    .is_valid = is_origin_list,
	    .valid = "a comma list of origins like https://example.org, "
	             "'localhost' (on any port) or '*' (any)",
	    .arg = "ORIGINS",
	    .help = "pages of these origins may use the server from a "
	            "browser",
	},
	{
	    .name = "TRUSTED_PROXIES",
	    .kind = SETTINGS_STR,
	    .offset = AT(trusted_proxies),
	    .is_valid = is_net_list,
	    .valid = "a comma list of addresses and blocks like 10.0.0.0/8 or "
	             "2001:db8::1",
	    .arg = "ADDRESSES",
	    .help = "addresses or CIDR blocks whose X-Forwarded-For and "
	            "Forwarded are believed",
	},
	{
	    .name = "MAX_ACTIVE_TRANSFERS",
	    .kind = SETTINGS_UINT,
	    .offset = AT(max_active_transfers),
	    .fallback = "64",
	    .min = 1,
	    .max = 100000,
	    .arg = "N",
	    .help = "transfers that move at once; others wait in the queue",
	},
	{
	    .name = "BANDWIDTH_LIMIT",
	    .kind = SETTINGS_SIZE,
	    .offset = AT(bandwidth_limit),
	    .fallback = "0",
	    .max = BYTES_MAX,
	    .arg = "SIZE",
	    .help = "bytes per second of the whole server; 0: no limit",
	},
	{
	    .name = "QUEUE_KEEP_SECONDS",
	    .kind = SETTINGS_UINT,
	    .offset = AT(queue_keep_seconds),
	    .fallback = "300",
	    .max = 365 * DAY / SECOND,
	    .arg = "SECONDS",
	    .help = "how long an ended transfer stays in the queue view",
	},
	{
	    .name = "UPLOAD_EXPIRY",
	    .kind = SETTINGS_DURATION,
	    .offset = AT(upload_expiry),
	    .fallback = "24h",
	    .min = SECOND,
	    .max = 3650 * DAY,
	    .arg = "TIME",
	    .help = "unfinished uploads that are idle so long are removed",
	},
	{
	    .name = "DURABILITY",
	    .kind = SETTINGS_CHOICE,
	    .offset = AT(durability),
	    .fallback = "full",
	    .choices = durabilities,
	    .arg = "KIND",
	    .help = "what a completed upload survives: 'full' a power "
	            "failure, 'relaxed' the death of the process",
	},
	{
	    .name = "MIN_FREE_SPACE",
	    .kind = SETTINGS_SIZE,
	    .offset = AT(min_free_space),
	    .fallback = "256M",
	    .max = BYTES_MAX,
	    .arg = "SIZE",
	    .help = "uploads are refused before the disk is fuller; 0: off",
	},
	{
	    .name = "MAX_CONNECTIONS",
	    .kind = SETTINGS_UINT,
	    .offset = AT(max_connections),
	    .fallback = "10000",
	    .min = 1,
	    .max = 1000000,
	    .arg = "N",
	    .help = "connections at once",
	},
	{
	    .name = "MAX_CONNECTIONS_PER_CLIENT",
	    .kind = SETTINGS_UINT,
	    .offset = AT(max_connections_per_client),
	    .fallback = "512",
	    .max = 1000000,
	    .arg = "N",
	    .help = "of one address, or requests at once of one behind a "
	            "trusted proxy; 0: no limit",
	},
	{
	    .name = "HEADER_TIMEOUT",
	    .kind = SETTINGS_DURATION,
	    .offset = AT(header_timeout),
	    .fallback = "10s",
	    .min = SECOND / 10,
	    .max = DAY,
	    .arg = "TIME",
	    .help = "for a whole request head",
	},
	{
	    .name = "IDLE_TIMEOUT",
	    .kind = SETTINGS_DURATION,
	    .offset = AT(idle_timeout),
	    .fallback = "60s",
	    .min = SECOND / 10,
	    .max = DAY,
	    .arg = "TIME",
	    .help = "between two requests of a connection",
	},
	{
	    .name = "STALL_TIMEOUT",
	    .kind = SETTINGS_DURATION,
	    .offset = AT(stall_timeout),
	    .fallback = "30s",
	    .min = SECOND / 10,
	    .max = DAY,
	    .arg = "TIME",
	    .help = "without a byte of a body, either way",
	},
	{
	    .name = "AUTH_FAIL_LIMIT",
	    .kind = SETTINGS_UINT,
	    .offset = AT(auth_fail_limit),
	    .fallback = "30",
	    .max = 1000000,
	    .arg = "N",
	    .help = "wrong keys a minute from one address; 0: no limit",
	},
	{
	    .name = "RATE_LIMIT",
	    .kind = SETTINGS_UINT,
	    .offset = AT(rate_limit),
	    .fallback = "0",
	    .max = 1000000000,
	    .arg = "N",
	    .help = "requests a minute of one client; 0: no limit",
	},
	{
	    .name = "SHUTDOWN_GRACE",
	    .kind = SETTINGS_DURATION,
	    .offset = AT(shutdown_grace),
	    .fallback = "10s",
	    .max = DAY,
	    .arg = "TIME",
	    .help = "running transfers may finish so long after SIGTERM",
	},
	{
	    .name = "LOG_LEVEL",
	    .kind = SETTINGS_CHOICE,
	    .offset = AT(log_level),
	    .fallback = "info",
	    .choices = levels,
	    .arg = "LEVEL",
	    .help = "the least that is logged",
	},
	{
	    .name = "LOG_FORMAT",
	    .kind = SETTINGS_CHOICE,
	    .offset = AT(log_format),
	    .fallback = "text",
	    .choices = formats,
	    .arg = "FORMAT",
	    .help = "of the log on standard error",
	},
	{
	    .name = "HISTORY_KEEP",
	    .kind = SETTINGS_DURATION,
	    .offset = AT(history_keep),
	    .fallback = "365d",
	    .max = 36500 * DAY,
	    .arg = "TIME",
	    .help = "records of ended transfers are kept so long; 0: for "
	            "ever",
	},
	{
	    .name = "TLS_CERT",
	    .kind = SETTINGS_STR,
	    .offset = AT(tls_cert),
	    .is_valid = is_path,
	    .valid = "the path of a file",
	    .arg = "FILE",
	    .help = "PEM file with the certificate and its chain; given, the "
	            "port speaks TLS only",
	},
	{
	    .name = "TLS_KEY",
	    .kind = SETTINGS_STR,
	    .offset = AT(tls_key),
	    .is_valid = is_path,
	    .valid = "the path of a file",
	    .arg = "FILE",
	    .help = "PEM file with the key of the certificate, without a "
	            "passphrase",
	},
	{
	    .name = "HTTP_REDIRECT_PORT",
	    .kind = SETTINGS_UINT,
	    .offset = AT(http_redirect_port),
	    .fallback = "0",
	    .max = 65535,
	    .arg = "PORT",
	    .help = "plain HTTP on this port is sent on to the TLS port; 0: "
	            "none",
	},
	{
	    .name = "RUN_AS",
	    .kind = SETTINGS_STR,
	    .offset = AT(run_as),
	    .arg = "USER",
	    .help = "the user to change to when started as root",
	},
	{
	    .name = "WORKER_THREADS",
	    .kind = SETTINGS_UINT,
	    .offset = AT(worker_threads),
	    .fallback = "0",
	    .max = 1024,
	    .arg = "N",
	    .help = "threads for short requests; 0: from the cores",
	},
	{
	    .name = "TCP_CONGESTION",
	    .kind = SETTINGS_STR,
	    .offset = AT(tcp_congestion),
	    .fallback = "auto",
	    .is_valid = is_congestion,
	    .valid = "'auto', 'system' or the name of an algorithm",
	    .arg = "NAME",
	    .help = "'auto' sets a loss-based congestion control for "
	            "loopback and on-link peers, a name sets that one for "
	            "all, 'system' touches nothing",
	},
};

const size_t settings_n_rows = sizeof(settings_rows) / sizeof(settings_rows[0]);
