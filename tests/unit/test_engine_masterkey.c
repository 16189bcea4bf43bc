/* SPDX-License-Identifier: MIT */
#include "engine/masterkey.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "unit.h"

#define OLD "0123456789abcdef"
#define NEW "fedcba9876543210"

/* A directory, settings, what loading gave. */
struct place {
	struct home *home;
	struct settings settings;
	struct keyring *ring;
	struct masterkey_report report;
	struct err err;
};

static void
place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	assert_int_equal(home_open(unit_tempdir(), &p->home, &p->err), 0);
}

static int
load(struct place *p, const char *current, const char *previous, bool may_make)
{
	struct masterkey_config cf = { &p->settings, p->home, may_make };

	keyring_free(p->ring);
	p->ring = NULL;
	err_clear(&p->err);
	p->settings.encryption_key = (char *)(uintptr_t)current;
	p->settings.encryption_key_previous = (char *)(uintptr_t)previous;
	return masterkey_load(&cf, &p->ring, &p->report, &p->err);
}

static void
place_fini(struct place *p)
{
	keyring_free(p->ring);
	home_close(p->home);
}

static bool
has(const struct place *p, const char *key)
{
	unsigned char id[KEYRING_ID_SIZE];

	keyring_id((const unsigned char *)key, id);
	return keyring_find(p->ring, id) != NULL;
}

static bool
is_current(const struct place *p, const char *key)
{
	unsigned char id[KEYRING_ID_SIZE];

	keyring_id((const unsigned char *)key, id);
	return memcmp(keyring_current_id(p->ring), id, sizeof(id)) == 0;
}

static void
write_file(struct place *p, const char *name, const char *text)
{
	struct file_content c = { .p = text, .n = strlen(text), .mode = 0600 };

	assert_int_equal(file_replace(p->home->dirfd, name, &c, NULL), 0);
}

TEST(test_engine_masterkey__makes_one_and_finds_it_again)
{
	unsigned char id[KEYRING_ID_SIZE];
	struct place p;
	struct stat st;

	place_init(&p);
	assert_int_equal(load(&p, NULL, NULL, false), -1);
	assert_int_equal(p.err.code, ERR_SETTING);
	assert_int_equal(load(&p, NULL, NULL, true), 0);
	assert_true(p.report.made && p.report.from_file);
	assert_int_equal(fstatat(p.home->dirfd, "encryption.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	memcpy(id, keyring_current_id(p.ring), sizeof(id));
	assert_int_equal(load(&p, NULL, NULL, false), 0);
	assert_false(p.report.made);
	assert_true(p.report.from_file);
	assert_memory_equal(keyring_current_id(p.ring), id, sizeof(id));
	place_fini(&p);
}

TEST(test_engine_masterkey__takes_the_settings_before_the_file)
{
	struct place p;

	place_init(&p);
	assert_int_equal(load(&p, NEW, " " OLD " ,,", true), 0);
	assert_false(p.report.made || p.report.from_file);
	assert_true(is_current(&p, NEW));
	assert_true(has(&p, OLD));
	assert_int_equal(
	    faccessat(p.home->dirfd, "encryption.key", F_OK, 0), -1);
	/* the file's is an older one then; as an editor leaves it */
	write_file(&p, "encryption.key", OLD "\r\n");
	assert_int_equal(load(&p, NEW, NULL, true), 0);
	assert_true(is_current(&p, NEW));
	assert_true(has(&p, OLD));
	assert_int_equal(load(&p, NULL, NEW, true), 0);
	assert_true(is_current(&p, OLD));
	assert_true(has(&p, NEW));
	place_fini(&p);
}

TEST(test_engine_masterkey__names_what_is_no_good)
{
	struct place p;

	place_init(&p);
	assert_int_equal(load(&p, "short", NULL, true), -1);
	assert_non_null(strstr(p.err.msg, "ENCRYPTION_KEY: "));
	assert_null(strstr(p.err.msg, "short"));
	assert_int_equal(load(&p, NEW, OLD ",short", true), -1);
	assert_non_null(strstr(p.err.msg, "ENCRYPTION_KEY_PREVIOUS: "));
	write_file(&p, "encryption.key", "");
	assert_int_equal(load(&p, NULL, NULL, true), -1);
	assert_non_null(strstr(p.err.msg, "encryption.key"));
	/* a broken file is not passed over, either */
	assert_int_equal(load(&p, NEW, NULL, true), -1);
	place_fini(&p);
}

TEST(test_engine_masterkey__keeps_a_list_of_ids)
{
	unsigned char id[KEYRING_ID_SIZE];
	char hex[KEYRING_ID_HEX_SIZE];
	struct place p;
	bool yes;

	place_init(&p);
	assert_int_equal(load(&p, OLD, NULL, false), 0);
	assert_int_equal(
	    masterkey_is_announced(p.home, p.ring, &yes, &p.err), 0);
	assert_false(yes);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
		    masterkey_announce(p.home, p.ring, &p.report, &p.err), 0);
		assert_int_equal(p.report.missing, 0);
	}
	assert_int_equal(
	    masterkey_is_announced(p.home, p.ring, &yes, &p.err), 0);
	assert_true(yes);
	/* another key, without the old one */
	assert_int_equal(load(&p, NEW, NULL, false), 0);
	assert_int_equal(
	    masterkey_announce(p.home, p.ring, &p.report, &p.err), 0);
	assert_int_equal(p.report.missing, 1);
	keyring_id((const unsigned char *)OLD, id);
	hex_encode(id, sizeof(id), hex);
	assert_string_equal(p.report.missing_id, hex);
	/* with it */
	assert_int_equal(load(&p, NEW, OLD, false), 0);
	assert_int_equal(
	    masterkey_announce(p.home, p.ring, &p.report, &p.err), 0);
	assert_int_equal(p.report.missing, 0);
	/* after a rotation nobody misses the old one */
	assert_int_equal(masterkey_settle(p.home, p.ring, &p.err), 0);
	assert_int_equal(load(&p, NEW, NULL, false), 0);
	assert_int_equal(
	    masterkey_announce(p.home, p.ring, &p.report, &p.err), 0);
	assert_int_equal(p.report.missing, 0);
	place_fini(&p);
}
