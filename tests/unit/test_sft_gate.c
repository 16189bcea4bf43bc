/* SPDX-License-Identifier: MIT */
#include "sft/gate.h"

#include "unit.h"

TEST(test_sft_gate__the_first_piece_goes_first)
{
	struct gate g;

	gate_init(&g, 1, 8);
	gate_wait(&g, 5);
	gate_wait(&g, 3);
	assert_false(gate_is_open(&g, 5));
	assert_true(gate_is_open(&g, 3));
	gate_enter(&g, 3);
	assert_false(gate_is_open(&g, 5));
	gate_leave(&g);
	assert_true(gate_is_open(&g, 5));
	gate_wait(&g, 4);
	assert_false(gate_is_open(&g, 5));
	gate_give_up(&g, 4);
	assert_true(gate_is_open(&g, 5));
}

TEST(test_sft_gate__allows_no_more_than_what_broke_nothing)
{
	struct gate g;

	gate_init(&g, 9, 8);
	assert_int_equal(g.allowed, 8);
	gate_allow(&g, 4);
	assert_int_equal(g.allowed, 4);
	gate_halve(&g);
	assert_int_equal(g.allowed, 2);
	gate_allow(&g, 1);
	assert_int_equal(g.allowed, 1);
	gate_allow(&g, 8);
	assert_int_equal(g.allowed, 2);
	gate_halve(&g);
	gate_halve(&g);
	assert_int_equal(g.allowed, 1);
}
