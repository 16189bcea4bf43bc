/* SPDX-License-Identifier: MIT */
#include "engine/masterkey.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/rand.h"

#define KEY_FILE "encryption.key"
#define KEY_FILE_MAX 1024u
#define IDS_FILE "encryption.ids"
/* Far more than there can be keys. */
#define IDS_FILE_MAX (64u * 1024)

/* --- the file ------------------------------------------------------------- */

static int
make_file(
    const struct home *home, unsigned char ret[EAX_KEY_SIZE], struct err *err)
{
	char line[2 * EAX_KEY_SIZE + 2];
	struct file_content content = {
		.p = line,
		.n = sizeof(line) - 1,
		.mode = 0600,
	};
	int rc;

	rand_bytes(ret, EAX_KEY_SIZE);
	hex_encode(ret, EAX_KEY_SIZE, line);
	line[2 * EAX_KEY_SIZE] = '\n';
	rc = file_replace(home->dirfd, KEY_FILE, &content, err);
	mem_wipe(line, sizeof(line));
	return rc;
}

/* 1 with the file's key, 0 when there is none, -1. */
static int
read_file(
    const struct home *home, unsigned char ret[EAX_KEY_SIZE], struct err *err)
{
	struct err e = ERR_INIT;
	struct slice text;
	struct buf b;
	int rc = -1;

	buf_init(&b, KEY_FILE_MAX);
	if (file_read_all(home->dirfd, KEY_FILE, &b, &e) < 0) {
		if (e.code == ERR_ABSENT)
			rc = 0;
		else
			*err = e;
		goto out;
	}
	/* As an editor may have left it; spaces may be a key's own. */
	text = buf_slice(&b);
	while (text.n > 0 && strchr("\r\n", text.p[text.n - 1]) != NULL)
		text.n--;
	if (keyring_parse(text, ret, &e) < 0) {
		err_set(err, ERR_SETTING,
		    "'%s/" KEY_FILE "' holds no key: put back what it held, "
		    "without which encrypted files cannot be read",
		    home->path);
		goto out;
	}
	rc = 1;
out:
	if (b.p != NULL)
		mem_wipe(b.p, b.len);
	buf_fini(&b);
	return rc;
}

/* --- the settings --------------------------------------------------------- */

static int
parse_setting(const char *name, struct slice text,
    unsigned char ret[EAX_KEY_SIZE], struct err *err)
{
	struct err e = ERR_INIT;

	if (keyring_parse(text, ret, &e) == 0)
		return 0;
	return err_set(err, ERR_SETTING, "%s: %s", name, e.msg);
}

static int
add_previous(
    struct keyring *ring, const struct settings *settings, struct err *err)
{
	struct slice rest = slice_str(settings->encryption_key_previous);
	unsigned char key[EAX_KEY_SIZE];
	struct slice text;
	int rc = -1;

	while (slice_next(&rest, ',', &text)) {
		text = slice_trim(text);
		if (text.n == 0)
			continue;
		if (parse_setting("ENCRYPTION_KEY_PREVIOUS", text, key, err) <
		        0 ||
		    keyring_add(ring, key, err) < 0)
			goto out;
	}
	rc = 0;
out:
	mem_wipe(key, sizeof(key));
	return rc;
}

/* The current key, and the file's beside it where that is another. */
static int
choose(const struct masterkey_config *cf, struct keyring **ret_ring,
    struct masterkey_report *report, struct err *err)
{
	const char *text = cf->settings->encryption_key;
	unsigned char current[EAX_KEY_SIZE], file[EAX_KEY_SIZE];
	struct keyring *ring = NULL;
	int in_file, rc = -1;

	in_file = read_file(cf->home, file, err);
	if (in_file < 0)
		goto out;
	if (text != NULL) {
		if (parse_setting(
		        "ENCRYPTION_KEY", slice_str(text), current, err) < 0)
			goto out;
		ring = keyring_new(current);
		if (in_file > 0 && keyring_add(ring, file, err) < 0)
			goto out;
	} else {
		if (in_file == 0 && !cf->may_make) {
			err_set(err, ERR_SETTING,
			    "there is no encryption key: neither "
			    "ENCRYPTION_KEY nor '%s/" KEY_FILE "'",
			    cf->home->path);
			goto out;
		}
		if (in_file == 0 && make_file(cf->home, file, err) < 0)
			goto out;
		report->from_file = true;
		report->made = in_file == 0;
		ring = keyring_new(file);
	}
	*ret_ring = ring;
	ring = NULL;
	rc = 0;
out:
	keyring_free(ring);
	mem_wipe(current, sizeof(current));
	mem_wipe(file, sizeof(file));
	return rc;
}

int
masterkey_load(const struct masterkey_config *cf, struct keyring **ret_ring,
    struct masterkey_report *ret_report, struct err *err)
{
	struct masterkey_report report = { 0 };
	struct keyring *ring;

	if (choose(cf, &ring, &report, err) < 0)
		return -1;
	if (add_previous(ring, cf->settings, err) < 0) {
		keyring_free(ring);
		return -1;
	}
	*ret_report = report;
	*ret_ring = ring;
	return 0;
}

/* --- the ids ----------------------------------------------------------------
 */

static int
read_ids(const struct home *home, struct buf *b, struct err *err)
{
	struct err e = ERR_INIT;

	if (file_read_all(home->dirfd, IDS_FILE, b, &e) == 0)
		return 0;
	if (e.code != ERR_ABSENT) {
		*err = e;
		return -1;
	}
	buf_clear(b);
	return 0;
}

static int
write_ids(const struct home *home, const struct buf *b, struct err *err)
{
	const struct file_content content = {
		.p = b->p,
		.n = b->len,
		.mode = 0600,
	};

	return file_replace(home->dirfd, IDS_FILE, &content, err);
}

static void
append_current(const struct keyring *ring, struct buf *b)
{
	char hex[KEYRING_ID_HEX_SIZE];

	hex_encode(keyring_current_id(ring), KEYRING_ID_SIZE, hex);
	buf_printf(b, "%s\n", hex);
}

/* Is the current key's among ${ids}?  Counts those without a key. */
static bool
look_through(const struct keyring *ring, struct slice ids,
    struct masterkey_report *report)
{
	unsigned char id[KEYRING_ID_SIZE];
	bool has_current = false;
	struct slice line;

	while (slice_next(&ids, '\n', &line)) {
		line = slice_trim(line);
		if (!hex_decode(line, id, sizeof(id)))
			continue;
		if (memcmp(id, keyring_current_id(ring), sizeof(id)) == 0)
			has_current = true;
		else if (keyring_find(ring, id) == NULL &&
		         report->missing++ == 0)
			hex_encode(id, sizeof(id), report->missing_id);
	}
	return has_current;
}

int
masterkey_announce(const struct home *home, const struct keyring *ring,
    struct masterkey_report *report, struct err *err)
{
	struct buf b;
	int rc = -1;

	buf_init(&b, IDS_FILE_MAX);
	report->missing = 0;
	if (read_ids(home, &b, err) < 0)
		goto out;
	if (look_through(ring, buf_slice(&b), report)) {
		rc = 0;
		goto out;
	}
	if (b.len > 0 && b.p[b.len - 1] != '\n')
		buf_append_char(&b, '\n');
	append_current(ring, &b);
	rc = write_ids(home, &b, err);
out:
	buf_fini(&b);
	return rc;
}

int
masterkey_is_announced(const struct home *home, const struct keyring *ring,
    bool *ret, struct err *err)
{
	struct masterkey_report ignored = { 0 };
	struct buf b;
	int rc;

	buf_init(&b, IDS_FILE_MAX);
	rc = read_ids(home, &b, err);
	if (rc == 0)
		*ret = look_through(ring, buf_slice(&b), &ignored);
	buf_fini(&b);
	return rc;
}

int
masterkey_settle(
    const struct home *home, const struct keyring *ring, struct err *err)
{
	struct buf b;
	int rc;

	buf_init(&b, IDS_FILE_MAX);
	append_current(ring, &b);
	rc = write_ids(home, &b, err);
	buf_fini(&b);
	return rc;
}
