/* SPDX-License-Identifier: MIT */

/*
 * WebSocket frames: however the bytes are cut, the same comes of them.  The
 * first byte says how; the rest are what a client sends.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/ws.h"

#define MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	uint64_t sum; /* of all messages */
	unsigned n;
	int code;
};

static uint64_t
add(uint64_t sum, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		sum = sum * 31 + (unsigned char)s.p[i];
	return sum;
}

static void
read_all(const uint8_t *data, size_t size, size_t piece, struct outcome *ret)
{
	struct ws_reader r;
	struct ws_message m;
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	ws_reader_init(&r, MAX);
	for (size_t at = 0; at < size && rc >= 0; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		struct slice in = { (const char *)data + at, n };

		while ((rc = ws_read(&r, &in, &m, &ret->code)) == 1) {
			if (m.data.n > MAX ||
			    (m.opcode >= WS_CLOSE && m.data.n > WS_CONTROL_MAX))
				abort();
			ret->n++;
			ret->sum = add(ret->sum * 7 + (uint64_t)m.opcode +
			                   (uint64_t)m.code,
			    m.data);
		}
		if (rc == 0 && in.n != 0)
			abort();
	}
	if ((rc < 0) != (ret->code != 0))
		abort();
	ws_reader_fini(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, cut;

	if (size == 0)
		return 0;
	read_all(data + 1, size - 1, size, &whole);
	read_all(data + 1, size - 1, (size_t)data[0] + 1, &cut);
	if (whole.sum != cut.sum || whole.n != cut.n || whole.code != cut.code)
		abort();
	return 0;
}
