/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "engine/picture_priv.h"

/* AVIF and HEIF: boxes (ISO/IEC 14496-12 4.2); what an item looks like stands
 * in properties that are associated with it (ISO/IEC 23008-12 9.3). */

#define FULL_BOX 4 /* version and flags */
/* An association's index has 7 or 15 bits. */
#define PROPERTY_MAX 0x7fffu

struct box {
	char type[4];
	uint64_t at; /* its content */
	uint64_t end;
};

/* The box at ${at}, within ${end}. */
static bool
box_at(struct peek *k, uint64_t at, uint64_t end, struct box *ret)
{
	const unsigned char *p;
	uint64_t header = 8;
	uint64_t size;

	if (at > end || end - at < header || (p = peek(k, at, 8)) == NULL)
		return false;
	memcpy(ret->type, p + 4, 4);
	size = be32(p);
	if (size == 1) {
		header = 16;
		p = peek(k, at, 16);
		if (p == NULL)
			return false;
		size = (uint64_t)be32(p + 8) << 32 | be32(p + 12);
	} else if (size == 0) {
		size = end - at;
	}
	if (size < header || size > end - at)
		return false;
	ret->at = at + header;
	ret->end = at + size;
	return true;
}

/* The first box of that type in [${at}, ${end}). */
static bool
find(struct peek *k, uint64_t at, uint64_t end, const char *type,
    struct box *ret)
{
	for (; box_at(k, at, end, ret); at = ret->end)
		if (memcmp(ret->type, type, 4) == 0)
			return true;
	return false;
}

static bool
primary_item(struct peek *k, const struct box *meta, uint32_t *ret)
{
	const unsigned char *p;
	struct box pitm;

	if (!find(k, meta->at + FULL_BOX, meta->end, "pitm", &pitm))
		return false;
	p = peek(k, pitm.at, FULL_BOX + 2);
	if (p == NULL)
		return false;
	if (p[0] == 0) {
		*ret = be16(p + FULL_BOX);
		return true;
	}
	p = peek(k, pitm.at, FULL_BOX + 4);
	*ret = p == NULL ? 0 : be32(p + FULL_BOX);
	return p != NULL;
}

/* --- properties --------------------------------------------------------------
 */

struct properties {
	struct box list; /* ipco */
	struct picture_size size;
	bool is_turned;
};

/* Property ${index}, from 1, belongs to the item. */
static void
take(struct peek *k, struct properties *props, uint32_t index)
{
	uint64_t at = props->list.at;
	const unsigned char *p;
	struct box b;

	do {
		if (!box_at(k, at, props->list.end, &b))
			return;
		at = b.end;
	} while (--index > 0);
	if (memcmp(b.type, "ispe", 4) == 0) {
		p = peek(k, b.at, FULL_BOX + 8);
		if (p != NULL)
			props->size = (struct picture_size){
				be32(p + FULL_BOX),
				be32(p + FULL_BOX + 4),
			};
	} else if (memcmp(b.type, "irot", 4) == 0) {
		p = peek(k, b.at, 1);
		/* In quarters of a turn. */
		props->is_turned = p != NULL && (*p & 1) != 0;
	}
}

/* One entry of ipma at *${at}, which moves behind it; false at its end. */
struct entry {
	unsigned id_size;    /* bytes */
	unsigned index_size; /* bytes of an association */
	uint32_t item;
};

static bool
read_entry(struct peek *k, const struct entry *e, uint64_t *at,
    struct properties *props)
{
	const unsigned char *p = peek(k, *at, e->id_size + 1);
	uint32_t index;
	bool is_ours;
	unsigned n;

	if (p == NULL)
		return false;
	is_ours = (e->id_size == 2 ? be16(p) : be32(p)) == e->item;
	n = p[e->id_size];
	*at += e->id_size + 1;
	for (; n > 0; n--, *at += e->index_size) {
		if (!is_ours)
			continue;
		p = peek(k, *at, e->index_size);
		if (p == NULL)
			return false;
		index =
		    e->index_size == 1 ? p[0] & 0x7fu : be16(p) & PROPERTY_MAX;
		if (index > 0)
			take(k, props, index);
	}
	return true;
}

/* What ipma says of the item. */
static void
associate(struct peek *k, const struct box *ipma, uint32_t item,
    struct properties *props)
{
	const unsigned char *p = peek(k, ipma->at, FULL_BOX + 4);
	uint64_t at = ipma->at + FULL_BOX + 4;
	struct entry e = { .item = item };
	uint32_t count;

	if (p == NULL)
		return;
	e.id_size = p[0] == 0 ? 2 : 4;
	e.index_size = (p[3] & 1) == 0 ? 1 : 2;
	count = be32(p + FULL_BOX);
	while (count-- > 0 && at < ipma->end && read_entry(k, &e, &at, props))
		continue;
}

bool
picture_bmff(struct peek *k, struct picture_size *ret)
{
	struct properties props = { .is_turned = false };
	struct box meta, iprp, ipma;
	uint32_t item;

	if (!find(k, 0, k->bytes->size, "meta", &meta) ||
	    !primary_item(k, &meta, &item) ||
	    !find(k, meta.at + FULL_BOX, meta.end, "iprp", &iprp) ||
	    !find(k, iprp.at, iprp.end, "ipco", &props.list))
		return false;
	for (uint64_t at = iprp.at; find(k, at, iprp.end, "ipma", &ipma);
	     at = ipma.end)
		associate(k, &ipma, item, &props);
	*ret = props.size;
	if (props.is_turned)
		*ret = (struct picture_size){
			props.size.height,
			props.size.width,
		};
	return true;
}
