/* SPDX-License-Identifier: MIT */

/*
 * A decoder that does what the image says, to see whether the walls hold and
 * whether anybody but its preview is harmed: the word after PREFIX.  Whoever
 * gets through a wall replies with the picture "ESCAPED".
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "preview/decode.h"
#include "proto/preview.h"

/* As a GIF begins: it has to pass for an image. */
#define PREFIX "GIF89a"
#define IMAGE_MAX 4096
#define MIB ((size_t)1024 * 1024)
/* Sanitizers take a multiple. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_MAX (4 * PREVIEW_MEMORY_MAX)
#else
#define MEMORY_MAX PREVIEW_MEMORY_MAX
#endif

static bool
crash(void)
{
	return raise(SIGSEGV) == 0;
}

static volatile unsigned turns;

static bool
hang(void)
{
	while (poll(NULL, 0, -1) <= 0)
		turns++;
	return true;
}

static bool
spin(void)
{
	do
		turns++;
	while (getpid() > 0);
	return true;
}

/* Up to the limit, and not beyond. */
static bool
eat(void)
{
	static char *eaten[2 * MEMORY_MAX / MIB];
	size_t mib = 0;

	while (mib * MIB <= MEMORY_MAX && (eaten[mib] = malloc(MIB)) != NULL)
		memset(eaten[mib++], 1, MIB);
	return mib * MIB > MEMORY_MAX;
}

static bool
share(void)
{
	return mmap(NULL, MIB, PROT_READ | PROT_WRITE,
	           MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
execute(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool
open_file(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0;
}

static bool
make_file(void)
{
	return open("/tmp", O_RDWR | O_TMPFILE, 0600) >= 0;
}

static bool
connect_out(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ||
	       socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool
start_program(void)
{
	static char *const args[] = { "/bin/true", NULL };

	return fork() >= 0 || execve(args[0], args, NULL) >= 0;
}

static bool
kill_server(void)
{
	return kill(getppid(), 0) == 0 || syscall(SYS_getppid) > 0;
}

/* Nothing but the pipe of its reply, /dev/null twice, and the image. */
static bool
find_files(void)
{
	struct stat st;

	for (int fd = 4; fd < 1024; fd++)
		if (fstat(fd, &st) == 0 || lseek(fd, 0, SEEK_CUR) >= 0)
			return true;
	return false;
}

/* Half an answer, and then nothing. */
static bool
stutter(void)
{
	return write(PREVIEW_FD, "x", 1) == 1 && hang();
}

/* More than a preview has. */
static bool
babble(void)
{
	const struct preview_reply r = { PREVIEW_MADE, UINT32_MAX };

	return write(PREVIEW_FD, &r, sizeof(r)) > 0 && hang();
}

/* What one image leaves behind for those after it. */
static bool has_seen;

static bool
remember(void)
{
	has_seen = true;
	return false;
}

static bool
recall(void)
{
	return has_seen;
}

/* All is well, and it stays. */
static bool
linger(void)
{
	const struct preview_reply r = { PREVIEW_NONE, 0 };

	return write(PREVIEW_FD, &r, sizeof(r)) > 0 && hang();
}

static bool
refuse(void)
{
	return false;
}

static const struct {
	const char *word;
	bool (*run)(void);
} deeds[] = {
	{ "crash", crash },
	{ "hang", hang },
	{ "spin", spin },
	{ "eat", eat },
	{ "share", share },
	{ "execute", execute },
	{ "open", open_file },
	{ "make", make_file },
	{ "connect", connect_out },
	{ "start", start_program },
	{ "kill", kill_server },
	{ "find", find_files },
	{ "stutter", stutter },
	{ "babble", babble },
	{ "remember", remember },
	{ "recall", recall },
	{ "linger", linger },
	{ "refuse", refuse },
};

/* The process that the server knows, not that of an image. */
static pid_t program_pid;

int
decode_init(const char *program, struct err *err)
{
	(void)program;
	(void)err;
	program_pid = getpid();
	return 0;
}

const char *
decode_version(void)
{
	return "double";
}

static int
give(struct buf *ret_jpeg, const char *text)
{
	return buf_append_str(ret_jpeg, text);
}

/* What is none of the deeds above is fine, and shows program_pid. */
int
decode(int fd, struct buf *ret_jpeg, struct err *err)
{
	char image[IMAGE_MAX + 1];
	size_t n = 0;
	ssize_t got;

	while ((got = read(fd, image + n, IMAGE_MAX - n)) > 0)
		n += (size_t)got;
	image[n] = '\0';
	if (strncmp(image, PREFIX, strlen(PREFIX)) != 0)
		return err_set(err, ERR_NO_THUMBNAIL, "not for this decoder");
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		if (strncmp(image + strlen(PREFIX), deeds[i].word,
		        strlen(deeds[i].word)) != 0)
			continue;
		if (deeds[i].run())
			return give(ret_jpeg, "\xff\xd8"
			                      "ESCAPED\xff\xd9");
		return err_set(err, ERR_NO_THUMBNAIL, "the wall holds");
	}
	return buf_printf(ret_jpeg, "\xff\xd8%ld\xff\xd9", (long)program_pid);
}
