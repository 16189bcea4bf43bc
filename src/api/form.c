/* SPDX-License-Identifier: MIT */
#include "api/form.h"

#include "api/call.h"
#include "proto/limits.h"

int
form_open(struct call *c, const struct form_kind *kind, struct source *body,
    struct multipart **ret_mp, struct err *err)
{
	const struct multipart_limits limits = {
		kind->parts_max,
		LIMIT_PART_HEAD,
	};
	struct slice type = http_field(http_request(c->x), "content-type");
	int rc = multipart_new(body, type, &limits, ret_mp, err);

	if (rc < 0 && err->code == ERR_UNSUPPORTED_MEDIA_TYPE)
		err_set(err, ERR_MISSING_FILE,
		    "there is no %s: send multipart/form-data with a part "
		    "named '%s'",
		    kind->holds, kind->part);
	return rc;
}

int
form_read(const struct form_kind *kind, struct multipart *mp, void *arg,
    struct err *err)
{
	struct multipart_part part;
	int more;

	while ((more = multipart_next(mp, &part, err)) > 0) {
		int rc = kind->is_bytes(part.name)
		             ? kind->take_bytes(arg, &part, err)
		             : kind->take_field(arg, part.name, err);

		if (rc == FORM_ENDS)
			return 0;
		if (rc != 0)
			return rc;
	}
	return more;
}

int
form_lacks(const struct form_kind *kind, struct err *err)
{
	return err_set(err, ERR_MISSING_FILE, "the form has no part named '%s'",
	    kind->part);
}
