/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "net/multipart.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define TYPE "multipart/form-data; boundary=b"
#define PART(name) "Content-Disposition: form-data; name=" name "\r\n\r\n"

/*
 * A body that comes in pieces of ${piece} bytes (the first of ${first}), and
 * of which only the first ${ready} bytes are there: to read further is an
 * error, as a test has no one to wait for.
 */
struct pieces {
	struct source source;
	struct slice text;
	size_t first;
	size_t piece;
	size_t ready;
	size_t at;
	size_t waits;
};

static ssize_t
pieces_read(struct source *s, void *buf, size_t n, struct err *err)
{
	struct pieces *p = CONTAINER_OF(s, struct pieces, source);
	size_t piece = p->at < p->first ? p->first - p->at : p->piece;

	if (p->at == p->ready && p->ready < p->text.n)
		return err_set(err, ERR_TIMEOUT, "would wait");
	if (n > piece)
		n = piece;
	if (n > p->ready - p->at)
		n = p->ready - p->at;
	if (n > 0)
		memcpy(buf, p->text.p + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

static int
pieces_wait(struct source *s, int timeout_ms, struct err *err)
{
	struct pieces *p = CONTAINER_OF(s, struct pieces, source);

	p->waits++;
	if (p->at < p->ready || p->ready == p->text.n)
		return 1;
	if (timeout_ms >= 0)
		return 0;
	return err_set(err, ERR_TIMEOUT, "would wait for ever");
}

static struct pieces
pieces_of(struct slice text, size_t piece)
{
	return (struct pieces){
		.source = { .read = pieces_read, .wait = pieces_wait },
		.text = text,
		.piece = piece,
		.ready = text.n,
	};
}

static const struct multipart_limits limits = { 100, 8192 };

/* The part's content, read ${step} bytes at a time, behind ${out}. */
static int
read_part(struct multipart *mp, size_t step, struct buf *out, struct err *err)
{
	char *chunk = mem_alloc(step);
	ssize_t got;

	do {
		got = source_read(multipart_body(mp), chunk, step, err);
		if (got > 0)
			assert_int_equal(
			    buf_append(out, chunk, (size_t)got), 0);
	} while (got > 0);
	free(chunk);
	return got < 0 ? -1 : 0;
}

/*
 * What a form says: "name|filename|content;" for each part that came whole,
 * and at the end "." or the error's name.
 */
static void
tell(struct source *body, size_t step, struct buf *out)
{
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp = NULL;
	size_t before;
	int more = -1;

	buf_clear(out);
	if (multipart_new(body, slice_str(TYPE), &limits, &mp, &err) == 0) {
		while ((more = multipart_next(mp, &part, &err)) > 0) {
			before = out->len;
			buf_printf(out, "%s|%s|", part.name,
			    part.filename == NULL ? "-" : part.filename);
			if (read_part(mp, step, out, &err) < 0) {
				out->len = before;
				more = -1;
				break;
			}
			buf_append_char(out, ';');
		}
	}
	buf_append_str(out, more == 0 ? "." : err_code_name(err.code));
	multipart_free(mp);
}

#define MALFORMED "malformed_request"

static const struct {
	const char *text;
	const char *told;
} forms[] = {
	{ "--b\r\n" PART("x") "hello\r\n--b--\r\n", "x|-|hello;." },
	{ "\r\n--b\r\n" PART("x") "hello\r\n--b--", "x|-|hello;." },
	{ "preamble\r\n--b\r\n" PART("x") "1\r\n--b--\r\nepilogue\r\n--b\r\n",
	    "x|-|1;." },
	{ "--b\r\n" PART("x") "1\r\n--b\r\n" PART("y") "2\r\n--b--\r\n",
	    "x|-|1;y|-|2;." },
	{ "--b\r\n" PART("f; filename=a") "1\r\n--b\r\n" PART("y") "\r\n--b--",
	    "f|a|1;y|-|;." },
	/* no part at all */
	{ "--b--\r\n", "." },
	{ "--b--", "." },
	{ "x\r\n--b--\t \r\n", "." },
	/* padding */
	{ "--b \t \r\n" PART("x") "1\r\n--b\t\r\n" PART("y") "2\r\n--b--  ",
	    "x|-|1;y|-|2;." },
	/* empty contents; the head's CRLF may be the delimiter's */
	{ "--b\r\n" PART("x") "\r\n--b\r\n" PART("y") "--b--\r\n",
	    "x|-|;y|-|;." },
	/* content that looks like delimiters */
	{ "--b\r\n" PART("x") "\r\n--\r\n-\r\n\r\r\n--a\r\n--b--",
	    "x|-|\r\n--\r\n-\r\n\r\r\n--a;." },
	{ "--b\r\n" PART("x") "--b\r\r\n--bb\r\n--b-\r\n\r--b\r\n--b--",
	    "x|-|--b\r\r\n--bb\r\n--b-\r\n\r--b;." },
	{ "--b\r\n" PART("x") "a--b--\r\n\n--b\r\n--b--",
	    "x|-|a--b--\r\n\n--b;." },
	{ "--b\r\n" PART("x") "\r\n--b\n\r\n--b-x\r\n--b\rx\r\n--b--",
	    "x|-|\r\n--b\n\r\n--b-x\r\n--b\rx;." },
	{ "--b\r\n" PART("x") "\r\r\r\r\n\r\n--b--", "x|-|\r\r\r\r\n;." },
	{ "--b\r\n" PART("x") "\n\n\r\n--b--", "x|-|\n\n;." },
	/* a form in a form */
	{ "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n" PART(
	      "x") "--c\r\n\r\n1\r\n--c--\r\n--b--",
	    "x|-|--c\r\n\r\n1\r\n--c--;." },
	/* the end is missing */
	{ "", MALFORMED },
	{ "hello", MALFORMED },
	{ "--b", MALFORMED },
	{ "--b-", MALFORMED },
	{ "--b\r", MALFORMED },
	{ "--b\r\n", MALFORMED },
	{ "--b\r\n\r\n", MALFORMED },
	{ "--b\r\n" PART("x"), MALFORMED },
	{ "--b\r\n" PART("x") "hello", MALFORMED },
	{ "--b\r\n" PART("x") "hello\r\n", MALFORMED },
	{ "--b\r\n" PART("x") "hello\r\n--b", MALFORMED },
	{ "--b\r\n" PART("x") "hello\r\n--b-", MALFORMED },
	{ "--b\r\n" PART("x") "hello\r\n--b\r\n", "x|-|hello;" MALFORMED },
	{ "--b\r\n" PART("x") "hello--b--\r\n", MALFORMED },
	/* lines that end in LF */
	{ "--b\nContent-Disposition: form-data; name=x\n\n1\n--b--\n",
	    MALFORMED },
	{ "--b\r\nContent-Disposition: form-data; name=x\nX: y\r\n\r\n"
	  "1\r\n--b--",
	    MALFORMED },
	/* something on a delimiter's line */
	{ "--b x\r\n" PART("x") "1\r\n--b--", MALFORMED },
	{ "--b --\r\n" PART("x") "1\r\n--b--", MALFORMED },
	{ "--b--x\r\n", MALFORMED },
	{ "--b-- x\r\n", MALFORMED },
	{ "--b--\n", MALFORMED },
	{ "--b--\r", MALFORMED },
	{ "--b--\rx", MALFORMED },
	/* no name */
	{ "--b\r\n\r\nhello\r\n--b--", MALFORMED },
	{ "--b\r\n--b--", MALFORMED },
	{ "--b\r\nX: y\r\n\r\nhello\r\n--b--", MALFORMED },
	{ "--b\r\n" PART("x") "1\r\n--b\r\n" PART("\"\"") "2\r\n--b--",
	    "x|-|1;" MALFORMED },
	{ "--b\r\n" PART("x; filename*=UTF-8''%FF") "1\r\n--b--",
	    "invalid_filename" },
};

TEST(test_net_multipart__tells_the_same_in_all_pieces)
{
	static const size_t pieces[] = { 1, 2, 3, 5, 7, 31, 4096 };
	static const size_t steps[] = { 1, 2, 3, 7, 4095, 4096, 70000 };
	struct pieces body;
	size_t i, j, k;
	struct buf out;

	buf_init(&out, 10000);
	for (i = 0; i < COUNT(forms); i++) {
		for (j = 0; j < COUNT(pieces) * COUNT(steps); j++) {
			k = j % COUNT(steps);
			body = pieces_of(
			    slice_str(forms[i].text), pieces[j / COUNT(steps)]);
			tell(&body.source, steps[k], &out);
			if (strcmp(buf_str(&out), forms[i].told) == 0)
				continue;
			fail_msg("form %zu in pieces of %zu, read by %zu: '%s'",
			    i, body.piece, steps[k], buf_str(&out));
		}
	}
	buf_fini(&out);
}

/* The first piece ends at every byte in turn. */
TEST(test_net_multipart__is_split_at_every_byte)
{
	struct pieces body;
	struct buf out;
	size_t i, at;

	buf_init(&out, 10000);
	for (i = 0; i < COUNT(forms); i++) {
		for (at = 1; at < strlen(forms[i].text); at++) {
			body = pieces_of(slice_str(forms[i].text), SIZE_MAX);
			body.first = at;
			tell(&body.source, 65536, &out);
			if (strcmp(buf_str(&out), forms[i].told) != 0)
				fail_msg("form %zu split at %zu: '%s'", i, at,
				    buf_str(&out));
		}
	}
	buf_fini(&out);
}

/* Appends ${n} bytes that have all of a delimiter in them but its end. */
static void
append_noise(struct buf *b, size_t n, unsigned seed)
{
	static const char bits[] = "\r\n--aa\r\n-\r\r\n--a\n";

	while (n-- > 0) {
		seed = seed * 1103515245u + 12345u;
		buf_append_char(b, bits[(seed >> 16) % (sizeof(bits) - 1)]);
	}
}

/* Parts of many sizes, read with room for several of them at once. */
TEST(test_net_multipart__reads_large_and_small_parts)
{
	static const size_t sizes[] = { 100000, 0, 1, 5000, 4096, 300000, 2, 3,
		4090, 70 };
	static const size_t steps[] = { 1, 100, 4096, 65536, 1048576 };
	struct buf text, expected, out;
	struct pieces body;
	size_t i, j;

	buf_init(&text, SIZE_MAX);
	buf_init(&expected, SIZE_MAX);
	buf_init(&out, SIZE_MAX);
	for (i = 0; i < COUNT(sizes); i++) {
		buf_append_str(&text, "\r\n--b\r\n" PART("x"));
		/* so that chance writes no delimiter at its two ends */
		buf_append_char(&text, '<');
		buf_append_str(&expected, "x|-|<");
		j = text.len;
		append_noise(&text, sizes[i], (unsigned)i);
		buf_append(&expected, text.p + j, text.len - j);
		buf_append_char(&text, '>');
		buf_append_str(&expected, ">;");
	}
	buf_append_str(&text, "\r\n--b--");
	buf_append_char(&expected, '.');
	for (i = 0; i < COUNT(steps) * 2; i++) {
		body =
		    pieces_of(buf_slice(&text), i % 2 == 0 ? 1500 : SIZE_MAX);
		tell(&body.source, steps[i / 2], &out);
		assert_int_equal(out.len, expected.len);
		assert_memory_equal(out.p, expected.p, out.len);
	}
	buf_fini(&text);
	buf_fini(&expected);
	buf_fini(&out);
}

/* Many small parts that came with one read are not copied again and again:
 * 40,000 of them take a moment, not minutes. */
TEST(test_net_multipart__many_parts_in_one_read)
{
	struct multipart_limits many = { 40000, 100 };
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct buf text, out;
	struct pieces body;
	size_t n = 0;

	buf_init(&text, SIZE_MAX);
	buf_init(&out, 100);
	while (n++ < 40000)
		buf_append_str(&text, "\r\n--b\r\n" PART("x") "1");
	buf_append_str(&text, "\r\n--b--");
	body = pieces_of(buf_slice(&text), SIZE_MAX);
	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &many, &mp, &err), 0);
	n = 0;
	while (multipart_next(mp, &part, &err) > 0) {
		buf_clear(&out);
		/* all of it with the first, as that is what is asked for */
		assert_int_equal(
		    read_part(mp, n == 0 ? text.len : 4096, &out, &err), 0);
		assert_string_equal(buf_str(&out), "1");
		n++;
	}
	assert_int_equal(n, 40000);
	assert_int_equal(err.code, ERR_NONE);
	multipart_free(mp);
	buf_fini(&text);
	buf_fini(&out);
}

TEST(test_net_multipart__next_discards_what_is_left)
{
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct pieces body;
	struct buf text;
	char c;

	buf_init(&text, SIZE_MAX);
	buf_append_str(&text, "--b\r\n" PART("x") "123");
	append_noise(&text, 100000, 1);
	buf_append_str(&text, "!\r\n--b\r\n" PART("y") "2\r\n--b--");
	body = pieces_of(buf_slice(&text), 1000);
	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &limits, &mp, &err),
	    0);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	assert_int_equal(source_read(multipart_body(mp), &c, 1, &err), 1);
	assert_int_equal(c, '1');
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	assert_string_equal(part.name, "y");
	assert_int_equal(multipart_next(mp, &part, &err), 0);
	/* and it stays at the end */
	assert_int_equal(multipart_next(mp, &part, &err), 0);
	assert_int_equal(source_read(multipart_body(mp), &c, 1, &err), 0);
	multipart_free(mp);
	buf_fini(&text);
}

/* One part with a head of ${head_n} bytes: what multipart_next() says. */
static int
next_of_head(size_t head_n, size_t head_max, size_t piece)
{
	struct multipart_limits small = { 1, head_max };
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct pieces body;
	struct buf text;
	size_t before;
	int rc;

	buf_init(&text, SIZE_MAX);
	buf_append_str(&text, "--b\r\n");
	before = text.len;
	buf_append_str(&text, "Content-Disposition: form-data; name=x\r\n"
	                      "X:");
	while (text.len - before < head_n)
		buf_append_char(&text, 'x');
	buf_append_str(&text, "\r\n\r\n1\r\n--b--");
	body = pieces_of(buf_slice(&text), piece);
	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &small, &mp, &err), 0);
	rc = multipart_next(mp, &part, &err);
	if (rc < 0) {
		assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
		/* it does not read on for ever */
		assert_true(body.at <= head_max + 20000);
		/* and nothing can be got out of it */
		assert_int_equal(multipart_next(mp, &part, &err), -1);
		assert_int_equal(
		    source_read(multipart_body(mp), &part, 1, &err), -1);
	}
	multipart_free(mp);
	buf_fini(&text);
	return rc;
}

TEST(test_net_multipart__bounds_a_head)
{
	static const size_t pieces[] = { 1, 3, 1000, SIZE_MAX };
	size_t i;

	for (i = 0; i < COUNT(pieces); i++) {
		assert_int_equal(next_of_head(200, 200, pieces[i]), 1);
		assert_int_equal(next_of_head(201, 200, pieces[i]), -1);
		assert_int_equal(next_of_head(8192, 8192, pieces[i]), 1);
		assert_int_equal(next_of_head(8193, 8192, pieces[i]), -1);
		assert_int_equal(next_of_head(100000, 8192, pieces[i]), -1);
	}
}

TEST(test_net_multipart__bounds_the_parts)
{
	static const char text[] =
	    "--b\r\n" PART("x") "1\r\n--b\r\n" PART("x") "2\r\n--b--";
	struct multipart_limits few = { 2, 8192 };
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct pieces body;
	int i;

	for (i = 2; i >= 1; i--) {
		few.parts_max = (size_t)i;
		body = pieces_of(slice_str(text), SIZE_MAX);
		assert_int_equal(multipart_new(&body.source, SLICE_LIT(TYPE),
		                     &few, &mp, &err),
		    0);
		assert_int_equal(multipart_next(mp, &part, &err), 1);
		assert_int_equal(
		    multipart_next(mp, &part, &err), i == 2 ? 1 : -1);
		multipart_free(mp);
	}
	assert_int_equal(err.code, ERR_MALFORMED_REQUEST);
}

static void
check_value(const char *name, size_t max, int rc, const char *message)
{
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct pieces body;
	struct buf text, value;

	buf_init(&text, 1000);
	buf_init(&value, max);
	buf_printf(&text, "--b\r\n" PART("\"%s\"") "12345\r\n--b--", name);
	body = pieces_of(buf_slice(&text), 3);
	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &limits, &mp, &err),
	    0);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	assert_int_equal(multipart_value(mp, &value, &err), rc);
	if (rc == 0) {
		assert_string_equal(buf_str(&value), "12345");
	} else {
		assert_int_equal(err.code, ERR_INVALID_PARAMETER);
		assert_string_equal(err.msg, message);
	}
	multipart_free(mp);
	buf_fini(&text);
	buf_fini(&value);
}

TEST(test_net_multipart__bounds_a_value)
{
	check_value("x", 5, 0, NULL);
	check_value("x", 4, -1, "the field 'x' is longer than 4 bytes");
	check_value(
	    "\xc3\xa4", 4, -1, "the field '\xc3\xa4' is longer than 4 bytes");
	/* a name that is not fit to be shown */
	check_value(
	    "a%0D%0Ab", 4, -1, "a field of the form is longer than 4 bytes");
	check_value(
	    "\xff", 4, -1, "a field of the form is longer than 4 bytes");
}

#define WAITING "--b\r\n" PART("x") "1234\r\n--b--"

/* After every byte that came: wait() says that there is something to read
 * exactly when read() can go without more of the body. */
TEST(test_net_multipart__waits_for_what_can_be_read)
{
	const size_t start = sizeof("--b\r\n" PART("x")) - 1;
	struct slice text = SLICE_LIT(WAITING);
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct pieces body = pieces_of(text, SIZE_MAX);
	char room[8192];
	size_t got = 0;
	ssize_t done;

	body.ready = start;
	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &limits, &mp, &err),
	    0);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	for (; body.ready <= text.n; body.ready++) {
		if (source_wait(multipart_body(mp), 1000, &err) == 0)
			continue;
		done =
		    source_read(multipart_body(mp), room, sizeof(room), &err);
		assert_true(done >= 0);
		got += (size_t)done;
		assert_int_equal(
		    got, body.ready < start + 4 ? body.ready - start : 4);
		if (done == 0)
			break;
	}
	assert_int_equal(got, 4);
	/* the delimiter needs two bytes more to be one */
	assert_int_equal(body.ready, text.n);
	assert_int_equal(err.code, ERR_NONE);
	multipart_free(mp);
}

/* A bounded wait stays so however little comes at a time. */
TEST(test_net_multipart__wait_is_bounded_as_a_whole)
{
	struct slice text = SLICE_LIT("--b\r\n" PART("x") "\r\n--b");
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct pieces body = pieces_of(text, 1);
	size_t before;

	body.ready = text.n - 5;
	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &limits, &mp, &err),
	    0);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	before = body.waits;
	body.ready = text.n - 1;
	assert_int_equal(source_wait(multipart_body(mp), 1000, &err), 0);
	assert_true(body.waits > before);
	/* without a bound it is the body's own that counts */
	assert_int_equal(source_wait(multipart_body(mp), -1, &err), -1);
	assert_int_equal(err.code, ERR_TIMEOUT);
	multipart_free(mp);
}

/* What the body says about itself reaches the caller untouched. */
TEST(test_net_multipart__passes_errors_on)
{
	struct slice text = SLICE_LIT("--b\r\n" PART("x") "1\r\n--b--\r\n");
	struct multipart_part part;
	struct multipart *mp;
	struct pieces body;
	struct err err;
	struct buf out;
	size_t at;

	buf_init(&out, 100);
	for (at = 0; at < text.n; at++) {
		body = pieces_of(text, SIZE_MAX);
		body.ready = at;
		err_clear(&err);
		assert_int_equal(multipart_new(&body.source, SLICE_LIT(TYPE),
		                     &limits, &mp, &err),
		    0);
		while (multipart_next(mp, &part, &err) > 0 &&
		       read_part(mp, 5000, &out, &err) == 0)
			continue;
		assert_int_equal(err.code, ERR_TIMEOUT);
		multipart_free(mp);
	}
	buf_fini(&out);
	multipart_free(NULL);
}

TEST(test_net_multipart__close_is_of_no_effect)
{
	struct slice text = SLICE_LIT("--b\r\n" PART("x") "1\r\n--b--");
	struct pieces body = pieces_of(text, SIZE_MAX);
	struct multipart_part part;
	struct err err = ERR_INIT;
	struct multipart *mp;
	struct extent extent;
	char c;

	assert_int_equal(
	    multipart_new(&body.source, SLICE_LIT(TYPE), &limits, &mp, &err),
	    0);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	source_close(multipart_body(mp));
	assert_false(source_extent(multipart_body(mp), &extent));
	assert_int_equal(source_read(multipart_body(mp), &c, 1, &err), 1);
	assert_int_equal(multipart_next(mp, &part, &err), 0);
	multipart_free(mp);
}

/* What is left of the body when the file is the last part. */
TEST(test_net_multipart__tells_the_size_to_expect)
{
	static const char form[] =
	    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n"
	    "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
	    "hello\r\n--b--\r\n";
	struct source *body = source_mem(form, sizeof(form) - 1);
	struct multipart_part part;
	struct multipart *mp;
	struct err err = ERR_INIT;

	assert_int_equal(
	    multipart_new(body, SLICE_LIT("multipart/form-data; boundary=b"),
	        &limits, &mp, &err),
	    0);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	assert_int_equal(multipart_next(mp, &part, &err), 1);
	assert_int_equal(multipart_expected(mp, sizeof(form) - 1), 5);
	assert_int_equal(multipart_expected(mp, 10), UINT64_MAX);
	assert_int_equal(multipart_expected(mp, UINT64_MAX), UINT64_MAX);
	multipart_free(mp);
	source_close(body);
}
