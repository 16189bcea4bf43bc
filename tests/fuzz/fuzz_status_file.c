/* SPDX-License-Identifier: MIT */

/*
 * The status file of another program, or of one who wants the start to fail:
 * what comes out can be recorded and summed, whatever stands in it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/utf8.h"
#include "engine/status_file.h"
#include "proto/filename.h"
#include "proto/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_MS INT64_C(1700000000000)

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check_name(const char *name)
{
	char *again = NULL;

	must(filename_normalise(slice_str(name), &again, NULL) == 0);
	must(strcmp(again, name) == 0);
	free(again);
}

static void
check_checksum(const char *sha256)
{
	size_t n = strspn(sha256, "0123456789abcdef");

	must(sha256[n] == '\0' && (n == 0 || n == 64));
}

static void
check_text(const char *text, size_t most)
{
	struct slice s = slice_str(text);
	size_t n, chars;
	uint32_t cp;

	for (chars = 0; s.n > 0; s.p += n, s.n -= n, chars++) {
		n = utf8_next(s, &cp);
		must(n > 0 && utf8_is_printable(cp));
	}
	must(chars > 0 && chars <= most);
}

static int
check(void *arg, const struct rec_transfer *t, struct err *err)
{
	unsigned *count = arg;

	(void)err;
	++*count;
	check_name(t->filename);
	check_checksum(t->sha256);
	must(id_is_valid(t->id) && id_wall_ms(t->id) == t->created_ms);
	must(rec_status_is_ended(t->status));
	must(t->direction == REC_UPLOAD || t->direction == REC_DOWNLOAD);
	must(t->priority >= 0 && t->priority <= LIMIT_PRIORITY);
	must(t->created_ms >= 0 && t->created_ms <= t->updated_ms);
	must(t->updated_ms <= NOW_MS);
	must(t->updated_ms - t->created_ms <= STATUS_FILE_LASTS_MAX_MS);
	must(t->total == REC_SIZE_UNKNOWN || t->total <= STATUS_FILE_SIZE_MAX);
	must(t->transferred <= STATUS_FILE_SIZE_MAX);
	must(t->transferred <= t->total);
	must(t->retry_count <= 0xffff && t->speed_bps == 0);
	check_text(t->client_ip, 63);
	if (t->client_id != NULL)
		check_text(t->client_id, LIMIT_CLIENT_ID);
	must(t->error == NULL && t->error_code == NULL);
	return 0;
}

/* Its errors end it, at once. */
static int
refuse(void *arg, const struct rec_transfer *t, struct err *err)
{
	unsigned *count = arg;

	(void)t;
	must(++*count == 1);
	return err_set(err, ERR_INTERNAL, "no");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct slice text = { (const char *)data, size };
	struct err err = ERR_INIT;
	unsigned count = 0, refused = 0;

	if (status_file_parse(text, NOW_MS, check, &count, &err) < 0) {
		must(count == 0 && err.code == ERR_INVALID_JSON);
		return 0;
	}
	must(status_file_parse(text, NOW_MS, refuse, &refused, &err) ==
	     (count > 0 ? -1 : 0));
	return 0;
}
