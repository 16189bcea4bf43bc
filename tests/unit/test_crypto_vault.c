/* SPDX-License-Identifier: MIT */
#include "crypto/vault.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "unit.h"

/* More than one slab of 64 KiB. */
#define CELLS 600

TEST(test_crypto_vault__gives_cells_of_zeroes)
{
	unsigned char **cells = mem_calloc(CELLS, sizeof(*cells));

	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < CELLS; i++) {
			cells[i] = vault_take(VAULT_CELL);
			assert_int_equal((uintptr_t)cells[i] % 64, 0);
			for (size_t j = 0; j < VAULT_CELL; j++)
				assert_int_equal(cells[i][j], 0);
			memset(cells[i], 0xa5, VAULT_CELL);
		}
		for (size_t i = 0; i < CELLS; i++) {
			/* nobody else wrote into it */
			assert_int_equal(cells[i][0], 0xa5);
			assert_int_equal(cells[i][VAULT_CELL - 1], 0xa5);
			vault_give(cells[i]);
		}
	}
	vault_give(NULL);
	free(cells);
}

/* Is it a mapping's first line, "begin-end ..."? */
static bool
is_head(const char *line, uint64_t *ret_begin, uint64_t *ret_end)
{
	struct slice rest = slice_str(line), begin, end;

	return slice_next(&rest, '-', &begin) && slice_next(&rest, ' ', &end) &&
	       num_hex(begin, UINT64_MAX, ret_begin) &&
	       num_hex(end, UINT64_MAX, ret_end);
}

/* The flags of the mapping that holds ${p}, from /proc/self/smaps. */
static void
flags_of(const void *p, char ret[256])
{
	FILE *f = fopen("/proc/self/smaps", "re");
	uint64_t begin, end, wanted = (uintptr_t)p;
	bool is_it = false;
	char line[512];

	assert_non_null(f);
	ret[0] = '\0';
	while (fgets(line, sizeof(line), f) != NULL) {
		if (is_head(line, &begin, &end))
			is_it = begin <= wanted && wanted < end;
		else if (is_it && strncmp(line, "VmFlags:", 8) == 0)
			(void)snprintf(ret, 256, "%.255s", line + 8);
	}
	(void)fclose(f);
}

TEST(test_crypto_vault__keeps_cells_out_of_dumps_and_children)
{
	void *p = vault_take(16);
	char flags[256];

	flags_of(p, flags);
	assert_non_null(strstr(flags, " dd"));
	assert_non_null(strstr(flags, " wf"));
	vault_give(p);
}
