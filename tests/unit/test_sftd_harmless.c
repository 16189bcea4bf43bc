/* SPDX-License-Identifier: MIT */
#include "sftd/harmless.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

TEST(test_sftd_harmless__shows_no_controls)
{
	static const struct {
		const char *text;
		const char *shown;
	} rows[] = {
		{ "a/report \xc3\xbc.pdf", "a/report \xc3\xbc.pdf" },
		{ "\x1b[2Jx\n", "\xef\xbf\xbd[2Jx\xef\xbf\xbd" },
		{ "\xe2\x80\xae"
		  "fdp.exe",
		    "\xef\xbf\xbd"
		    "fdp.exe" },
		{ "\xff\xc3", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "", "" },
	};
	const char *path = unit_temppath("out");
	struct buf b;
	int fd, saved;

	buf_init(&b, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)fflush(stdout);
		saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
		fd = file_open(
		    AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600, NULL);
		(void)dup2(fd, STDOUT_FILENO);
		harmless_print(rows[i].text);
		(void)fflush(stdout);
		(void)dup2(saved, STDOUT_FILENO);
		file_close(saved);
		file_close(fd);
		assert_int_equal(file_read_all(AT_FDCWD, path, &b, NULL), 0);
		assert_string_equal(buf_str(&b), rows[i].shown);
	}
	buf_fini(&b);
}
