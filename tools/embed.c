/* SPDX-License-Identifier: MIT */

/*
 * usage: embed NAME FILE [NAME FILE]...
 *
 * Writes a C source file with the content of each FILE as a string, "const
 * char NAME[]".
 */

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS 12

static int
embed(const char *name, const char *path)
{
	FILE *f = fopen(path, "rb");
	unsigned n = 0;
	int c;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	printf("\nextern const char %s[];\nconst char %s[] = {", name, name);
	while ((c = getc(f)) != EOF)
		printf("%s%d,", n++ % COLUMNS == 0 ? "\n\t" : " ", c);
	printf("\n\t0,\n};\n");
	if (ferror(f)) {
		perror(path);
		(void)fclose(f);
		return -1;
	}
	(void)fclose(f);
	return 0;
}

int
main(int argc, char **argv)
{
	int i;

	if (argc < 3 || argc % 2 == 0) {
		(void)fprintf(
		    stderr, "usage: embed NAME FILE [NAME FILE]...\n");
		return 2;
	}
	printf("/* Made by tools/embed.c. */\n");
	for (i = 1; i < argc; i += 2) {
		if (embed(argv[i], argv[i + 1]) < 0)
			return 1;
	}
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
