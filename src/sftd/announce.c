/* SPDX-License-Identifier: MIT */
#include "sftd/announce.h"

#include <stdlib.h>

#include "base/log.h"
#include "engine/status_file.h"
#include "net/addr.h"
#include "sftd/certificate.h"

static void
say_addresses(int listen_fd, const char *scheme)
{
	char ip[ADDR_TEXT_SIZE];
	struct addr bound;
	struct buf urls;
	struct slice rest, url;
	struct err e = ERR_INIT;

	if (addr_of_socket(listen_fd, &bound, &e) < 0) {
		log_warning("the address is unknown", LOG_ERR(&e), LOG_END);
		return;
	}
	addr_ip_text(&bound, ip);
	log_info("listening", LOG_STR("host", ip),
	    LOG_UINT("port", addr_port(&bound)), LOG_END);
	buf_init(&urls, 64u * 1024);
	addr_reach(&bound, scheme, &urls);
	rest = buf_slice(&urls);
	while (slice_next(&rest, '\n', &url))
		log_info("clients reach this server at", LOG_SLICE("url", url),
		    LOG_END);
	buf_fini(&urls);
}

static void
say_recovery(const struct engine_report *r)
{
	if (r->db.was_damaged)
		log_warning("the database was damaged and has been set aside",
		    LOG_STR("as", r->db.set_aside),
		    LOG_STR("restored_from",
		        r->db.from_backup ? r->db.backup : "nothing"),
		    LOG_UINT("files_rebuilt", r->rebuilt), LOG_END);
	else if (r->db.from_backup)
		log_warning("there was no database; a copy of it was restored",
		    LOG_STR("restored_from", r->db.backup),
		    LOG_UINT("files_rebuilt", r->rebuilt), LOG_END);
	else if (r->db.is_other)
		log_warning(
		    "the database is not the one that the last run "
		    "left; records were completed from the stored files",
		    LOG_UINT("files_rebuilt", r->rebuilt), LOG_END);
	else if (r->rebuilt > 0)
		log_warning("records were rebuilt from the stored files",
		    LOG_UINT("files", r->rebuilt), LOG_END);
	/* What a copy says of its run is not news. */
	if (r->db.was_unclean && !r->db.is_other)
		log_warning("the last run did not end properly; checking in "
		            "the background",
		    LOG_UINT("interrupted_transfers", r->interrupted), LOG_END);
	if (r->status_file.code != ERR_NONE)
		log_warning("the status file was damaged and has been set "
		            "aside",
		    LOG_ERR(&r->status_file), LOG_END);
	if (r->taken_over > 0)
		log_info("transfers were taken over from the status file",
		    LOG_UINT("transfers", r->taken_over), LOG_END);
}

static void
say_places(const struct settings *settings, const struct engine *engine,
    const struct engine_report *r)
{
	char *key = home_path(engine->home, "admin.key");
	char *db = home_path(engine->home, "records.db");
	struct err e = ERR_INIT;

	log_info("files are kept in", LOG_STR("directory", engine->home->path),
	    LOG_STR("database", db), LOG_STR("status_file", settings->log_file),
	    LOG_END);
	if (status_file_check_folder(settings->log_file, &e) < 0)
		log_error(
		    "no status file will be written", LOG_ERR(&e), LOG_END);
	if (r->admin_key_in_file)
		log_info(r->made_admin_key
		             ? "a first admin key was made; it is in"
		             : "the admin key is in",
		    LOG_STR("file", key), LOG_END);
	else
		log_info("the admin key is that of ADMIN_API_KEY", LOG_END);
	free(key);
	free(db);
}

static void
say_master_key(const struct engine *engine, const struct masterkey_report *r)
{
	char *file = home_path(engine->home, "encryption.key");

	if (r->from_file)
		log_info(r->made ? "an encryption key was made; without a copy "
		                   "of it encrypted files cannot be restored"
		                 : "the encryption key is in",
		    LOG_STR("file", file), LOG_END);
	else
		log_info(
		    "the encryption key is that of ENCRYPTION_KEY", LOG_END);
	if (r->missing > 0)
		log_error("files may be encrypted with keys that are neither "
		          "in ENCRYPTION_KEY nor in ENCRYPTION_KEY_PREVIOUS",
		    LOG_UINT("keys", r->missing),
		    LOG_STR("first_key_id", r->missing_id), LOG_END);
	free(file);
}

void
announce(const struct announcement *a)
{
	say_recovery(a->report);
	say_places(a->settings, a->engine, a->report);
	say_master_key(a->engine, &a->report->masterkey);
	if (a->tls != NULL)
		certificate_say(a->tls);
	if (!a->settings->require_api_key)
		log_warning("anyone who reaches this server may upload, "
		            "download and replace files; REQUIRE_API_KEY=true "
		            "asks for a key",
		    LOG_END);
	say_addresses(a->listen_fd, a->tls == NULL ? "http" : "https");
	log_info("ready", LOG_STR("version", SFT_VERSION), LOG_END);
}
