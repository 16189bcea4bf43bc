/* SPDX-License-Identifier: MIT */
#include "sftd/foresight.h"

#include "base/id.h"
#include "engine/preview.h"
#include "engine_fixture.h"
#include "unit.h"

/* Of images that nobody knows any more: far more than it remembers. */
TEST(test_sftd_foresight__forgets_what_is_too_much)
{
	struct err err = ERR_INIT;
	struct foresight *fs;
	char id[ID_SIZE];
	struct fixture f;

	fixture_init(&f, NULL);
	f.engine->previews = previews_new("/there/is/none");
	assert_int_equal(foresight_start(f.engine, &fs, &err), 0);
	for (int i = 0; i < 5 * FORESIGHT_QUEUE_MAX; i++) {
		id_new(1700000000000, id);
		f.engine->stored(f.engine->stored_arg, id);
	}
	foresight_stop(fs);
	assert_null(f.engine->stored);
	foresight_stop(NULL);
	previews_free(f.engine->previews);
	fixture_fini(&f);
}
