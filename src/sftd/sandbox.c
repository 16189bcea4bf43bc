/* SPDX-License-Identifier: MIT */
#include "sftd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/slice.h"
#include "storage/home.h"

/* --- capabilities -----------------------------------------------------------
 */

/* Who has none need not, and may not everywhere, say so. */
static bool
has_capabilities(struct __user_cap_header_struct *header)
{
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t any = 0;

	if (syscall(SYS_capget, header, now) < 0)
		return true;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= now[i].effective | now[i].permitted | now[i].inheritable;
	return any != 0;
}

static int
drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* What is executed gets none either; root only may say so. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0;
	     cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (has_capabilities(&header) && syscall(SYS_capset, &header, none) < 0)
		return err_set_errno(err, ERR_INTERNAL, "capset");
	return 0;
}

/* --- landlock ---------------------------------------------------------------
 */

/* Of later versions than the headers may know (linux/landlock.h). */
#define FS_REFER (1ULL << 13)    /* 2 */
#define FS_TRUNCATE (1ULL << 14) /* 3 */
#define NET_BIND (1ULL << 0)     /* 4 */
#define NET_CONNECT (1ULL << 1)  /* 4 */
#define SCOPE_SIGNAL (1ULL << 1) /* 6 */

struct ruleset {
	uint64_t fs;
	uint64_t net;    /* since 4 */
	uint64_t scoped; /* since 6 */
};

#define READ                                                                   \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |          \
	    LANDLOCK_ACCESS_FS_EXECUTE)
#define WRITE                                                                  \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |          \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |   \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |      \
	    LANDLOCK_ACCESS_FS_MAKE_REG | FS_REFER | FS_TRUNCATE)
/* All of version 1: what no rule gives back is gone. */
#define VERSION_1 ((1ULL << 13) - 1)

/* What people share a machine with, as far as the server needs it. */
static const char *const readable[] = {
	"/usr",
	"/lib",
	"/lib64",
	"/bin",
	"/etc",
	"/proc",
	"/dev/urandom",
};
static const char *const writable[] = {
	"/dev/null",
};

static uint64_t
rights_of(int version)
{
	return VERSION_1 | FS_REFER | (version >= 3 ? FS_TRUNCATE : 0);
}

static int
make_ruleset(int version, struct err *err)
{
	const struct ruleset all = {
		.fs = rights_of(version),
		.net = NET_BIND | NET_CONNECT,
		.scoped = SCOPE_SIGNAL,
	};
	size_t size = version >= 6   ? sizeof(all)
	              : version >= 4 ? offsetof(struct ruleset, scoped)
	                             : offsetof(struct ruleset, net);
	int fd = (int)syscall(SYS_landlock_create_ruleset, &all, size, 0);

	if (fd < 0)
		return err_set_errno(err, ERR_INTERNAL, "landlock");
	return fd;
}

/* What is not there needs no rule. */
static int
allow(int ruleset, const char *path, uint64_t rights, struct err *err)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	struct err why = ERR_INIT;
	struct stat st;
	int rc;

	rule.parent_fd = file_open(AT_FDCWD, path, O_PATH, 0, &why);
	if (rule.parent_fd < 0 && why.sys != ENOENT && why.sys != ENOTDIR &&
	    why.sys != EACCES) {
		*err = why;
		return -1;
	}
	if (rule.parent_fd < 0)
		return 0;
	/* A file has no entries to make or to list. */
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &=
		    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
	rc = (int)syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	if (rc < 0)
		(void)err_set_errno(err, ERR_INTERNAL, "landlock: '%s'", path);
	file_close(rule.parent_fd);
	return rc;
}

/* The folder that ${path} lies in. */
static int
allow_folder_of(int ruleset, const char *path, uint64_t rights, struct err *err)
{
	char *folder;
	int rc;

	if (path == NULL || path[0] == '\0')
		return 0;
	folder = file_folder(path);
	rc = allow(ruleset, folder, rights, err);
	free(folder);
	return rc;
}

/* A certificate's folder, and the one that a link there leads to. */
static int
allow_pem(int ruleset, const char *path, uint64_t rights, struct err *err)
{
	char *real;
	int rc;

	if (path == NULL || path[0] == '\0')
		return 0;
	real = realpath(path, NULL);
	rc = allow_folder_of(ruleset, path, rights & READ, err);
	if (rc == 0)
		rc = allow_folder_of(ruleset, real, rights & READ, err);
	free(real);
	return rc;
}

/* Where previews are made from, and programs of ours executed. */
static int
allow_program(int ruleset, uint64_t rights, struct err *err)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		return 0;
	path[n] = '\0';
	return allow_folder_of(ruleset, path, rights & READ, err);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
/* A sanitizer writes what it finds to files. */
static int
allow_reports(int ruleset, uint64_t rights, struct err *err)
{
	static const char *const names[] = { "ASAN_OPTIONS", "TSAN_OPTIONS" };
	struct slice rest, part;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		rest = slice_str(getenv(names[i]));
		while (slice_next(&rest, ':', &part)) {
			char *path = slice_dup(part);
			int rc = strncmp(path, "log_path=", 9) == 0
			             ? allow_folder_of(
			                   ruleset, path + 9, rights, err)
			             : 0;

			free(path);
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}
#else
static int
allow_reports(int ruleset, uint64_t rights, struct err *err)
{
	(void)ruleset;
	(void)rights;
	(void)err;
	return 0;
}
#endif

static int
allow_all(
    int ruleset, uint64_t rights, const struct settings *s, struct err *err)
{
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		if (allow(ruleset, readable[i], rights & READ, err) < 0)
			return -1;
	for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++)
		if (allow(ruleset, writable[i], rights & WRITE, err) < 0)
			return -1;
	if (allow(ruleset, s->upload_dir, rights & WRITE, err) < 0 ||
	    allow_folder_of(ruleset, s->log_file, rights & WRITE, err) < 0 ||
	    allow_pem(ruleset, s->tls_cert, rights, err) < 0 ||
	    allow_pem(ruleset, s->tls_key, rights, err) < 0 ||
	    allow_program(ruleset, rights, err) < 0)
		return -1;
	return allow_reports(ruleset, rights & WRITE, err);
}

/* The version of it; 0: the kernel has none. */
static int
restrict_paths(const struct settings *s, struct err *err)
{
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset;
	int rc;

	/* The first one lets no file be moved to another folder. */
	if (version < 2)
		return 0;
	ruleset = make_ruleset(version, err);
	if (ruleset < 0)
		return -1;
	rc = allow_all(ruleset, rights_of(version), s, err);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		rc = err_set_errno(err, ERR_INTERNAL, "landlock");
	file_close(ruleset);
	return rc < 0 ? -1 : version;
}

int
sandbox_enter(
    const struct settings *s, struct sandbox_report *ret, struct err *err)
{
	if (home_make(s->upload_dir, NULL, err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_errno(err, ERR_INTERNAL, "no_new_privs");
	ret->landlock = restrict_paths(s, err);
	return ret->landlock < 0 ? -1 : drop_capabilities(err);
}
