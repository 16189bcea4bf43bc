/* SPDX-License-Identifier: MIT */

/*
 * Stands in for libFuzzer in ordinary builds: runs every file of the
 * directories (or every file) named on the command line through the target
 * once, in the order of their names.  Nothing to run is a failure.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t n_done;

static int
replay_file(const char *path)
{
	uint8_t *data = NULL;
	FILE *f = NULL;
	struct stat st;
	size_t size;
	int rc = -1;

	f = fopen(path, "rb");
	if (f == NULL || fstat(fileno(f), &st) < 0)
		goto out;
	size = (size_t)st.st_size;
	/* to the byte, so that a sanitizer sees one read too far */
	data = malloc(size);
	if (data == NULL && size > 0)
		goto out;
	if (fread(data, 1, size, f) != size)
		goto out;
	LLVMFuzzerTestOneInput(data, size);
	n_done++;
	rc = 0;
out:
	if (rc < 0)
		perror(path);
	if (f != NULL)
		fclose(f);
	free(data);
	return rc;
}

static int
replay_dir(const char *dir)
{
	struct dirent **names = NULL;
	char *path = NULL;
	int n, i;
	int rc = 0;

	n = scandir(dir, &names, NULL, alphasort);
	if (n < 0) {
		perror(dir);
		return -1;
	}
	for (i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.' && rc == 0) {
			if (asprintf(&path, "%s/%s", dir, names[i]->d_name) < 0)
				abort();
			rc = replay_file(path);
			free(path);
		}
		free(names[i]);
	}
	free(names);
	return rc;
}

int
main(int argc, char **argv)
{
	struct stat st;
	int i, rc;

	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			rc = replay_dir(argv[i]);
		else
			rc = replay_file(argv[i]);
		if (rc < 0)
			return 1;
	}
	printf("%s: %zu inputs\n", argv[0], n_done);
	return n_done > 0 ? 0 : 1;
}
