/* SPDX-License-Identifier: MIT */
#include "preview/decode.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <vips/vips.h>

#include "proto/preview.h"

#define QUALITY 80
/* Where there is transparency. */
#define WHITE 255.0

/* What may be read.  The rest of libvips's loaders (PDF, SVG, ImageMagick's
 * hundred formats, its own) sees no byte of anybody. */
static const char *const loaders[] = {
	"VipsForeignLoadJpeg",
	"VipsForeignLoadPng",
	"VipsForeignLoadNsgif",
	"VipsForeignLoadWebp",
	"VipsForeignLoadTiff",
	"VipsForeignLoadHeif",
};

/* Bytes that every HEIF loader refuses, but not before its library has loaded
 * what it loads at its first use. */
static void
warm_up(void)
{
	static const char avif[32] = "\0\0\0\x20"
	                             "ftypavif";
	VipsImage *image =
	    vips_image_new_from_buffer(avif, sizeof(avif), "", NULL);

	if (image != NULL)
		g_object_unref(image);
	vips_error_clear();
}

int
decode_init(const char *program, struct err *err)
{
	/* No temporary files: what does not fit in memory is too large. */
	(void)setenv("VIPS_DISC_THRESHOLD", "100g", 1);
	/* No code made at run time: no memory is made executable. */
	(void)setenv("VIPS_NOVECTOR", "1", 1);
	/* Nobody reads them. */
	(void)setenv("VIPS_WARNING", "0", 1);
	if (VIPS_INIT(program) != 0)
		return err_set(err, ERR_INTERNAL, "libvips does not start");
	vips_concurrency_set(1);
	vips_cache_set_max(0);
	vips_operation_block_set("VipsForeignLoad", TRUE);
	for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++)
		vips_operation_block_set(loaders[i], FALSE);
	warm_up();
	return 0;
}

const char *
decode_version(void)
{
	static char text[40];

	(void)snprintf(text, sizeof(text), "libvips %d.%d.%d", vips_version(0),
	    vips_version(1), vips_version(2));
	return text;
}

/* By its header; nothing has been decoded.  *${ret_profile}: its colours are
 * not simply sRGB. */
static int
look_at(VipsSource *source, bool *ret_profile)
{
	VipsImage *image = vips_image_new_from_source(
	    source, "", "access", VIPS_ACCESS_SEQUENTIAL, NULL);
	uint64_t pixels;

	if (image == NULL)
		return -1;
	pixels = (uint64_t)vips_image_get_width(image) *
	         (uint64_t)vips_image_get_height(image);
	*ret_profile = vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0;
	g_object_unref(image);
	if (pixels > PREVIEW_PIXELS_MAX) {
		vips_error("preview", "too many pixels");
		return -1;
	}
	return 0;
}

/* JPEG knows no transparency.  Takes ${in}. */
static VipsImage *
flatten(VipsImage *in)
{
	VipsArrayDouble *white;
	VipsImage *out = NULL;

	if (!vips_image_hasalpha(in))
		return in;
	white = vips_array_double_newv(1, WHITE);
	if (vips_flatten(in, &out, "background", white, NULL) != 0)
		out = NULL;
	vips_area_unref(VIPS_AREA(white));
	g_object_unref(in);
	return out;
}

static VipsImage *
shrink(VipsSource *source, bool has_profile)
{
	VipsImage *image = NULL;

	/* An image that ends too early is none: half of a picture, grey
	 * below, would be kept for its preview for ever. */
	if (vips_thumbnail_source(source, &image, PREVIEW_SIDE, "height",
	        PREVIEW_SIDE, "size", VIPS_SIZE_DOWN, "option_string",
	        "[fail-on=truncated]", has_profile ? "export_profile" : NULL,
	        "srgb", NULL) != 0)
		return NULL;
	return flatten(image);
}

static int
save(VipsImage *image, struct buf *ret_jpeg)
{
	void *p = NULL;
	size_t n = 0;
	int rc;

	if (vips_jpegsave_buffer(image, &p, &n, "Q", QUALITY, "strip", TRUE,
	        "optimize_coding", TRUE, NULL) != 0)
		return -1;
	rc = buf_append(ret_jpeg, p, n);
	g_free(p);
	return rc;
}

int
decode(int fd, struct buf *ret_jpeg, struct err *err)
{
	VipsSource *source = vips_source_new_from_descriptor(fd);
	VipsImage *image = NULL;
	bool has_profile;
	int rc = -1;

	if (source != NULL && look_at(source, &has_profile) == 0)
		image = shrink(source, has_profile);
	if (image != NULL)
		rc = save(image, ret_jpeg);
	if (rc < 0)
		(void)err_set(err, ERR_NO_THUMBNAIL, "%s", vips_error_buffer());
	vips_error_clear();
	if (image != NULL)
		g_object_unref(image);
	if (source != NULL)
		g_object_unref(source);
	return rc;
}
