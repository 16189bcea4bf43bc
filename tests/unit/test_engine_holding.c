/* SPDX-License-Identifier: MIT */
#include "engine/holding.h"

#include "unit.h"

TEST(test_engine_holding__gives_no_more_than_it_has)
{
	struct holding *h = holding_new(100);

	assert_true(holding_try(h, 60));
	assert_false(holding_try(h, 41));
	assert_true(holding_try(h, 40));
	assert_false(holding_try(h, 1));
	assert_true(holding_try(h, 0));
	holding_give(h, 60);
	assert_false(holding_try(h, 61));
	assert_false(holding_try(h, SIZE_MAX));
	holding_give(h, 40);
	assert_true(holding_try(h, 100));
	holding_give(h, 100);
	holding_free(h);
	holding_free(NULL);
}
