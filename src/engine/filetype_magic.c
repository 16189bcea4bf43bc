/* SPDX-License-Identifier: MIT */
#include "engine/filetype_magic.h"

#include <stddef.h>

/*
 * One row a type: what stands where (magic(5)), and the media type.  The
 * first that fits wins within equal strength.  What is text is not told by its
 * bytes alone: filetype.c looks at the name, too.
 */

/* clang-format off */
#define T(test, type) test "\tx\n!:mime\t" type "\n"

const char *const filetype_magic[] = {
	/* Documents */
	T("0\tstring\t%PDF-", "application/pdf"),
	T("0\tstring\t%!PS-Adobe", "application/postscript"),
	T("0\tstring\t{\\\\rtf", "text/rtf"),
	T("0\tstring\t\\xd0\\xcf\\x11\\xe0\\xa1\\xb1\\x1a\\xe1", "application/x-ole-storage"),
	/* Images */
	T("0\tstring\t\\x89PNG\\r\\n\\x1a\\n", "image/png"),
	T("0\tbelong&0xffffff00\t0xffd8ff00", "image/jpeg"),
	T("0\tstring\tGIF87a", "image/gif"),
	T("0\tstring\tGIF89a", "image/gif"),
	"0\tstring\tRIFF\n" T(">8\tstring\tWEBP", "image/webp"),
	"0\tstring\tRIFF\n" T(">8\tstring\tWAVE", "audio/x-wav"),
	"0\tstring\tRIFF\n" T(">8\tstring\tAVI\\x20", "video/x-msvideo"),
	T("0\tstring\tII*\\x00", "image/tiff"),
	T("0\tstring\tMM\\x00*", "image/tiff"),
	"0\tstring\tBM\n>6\tulong\t0\n" T(">>14\tulelong\t<125", "image/bmp"),
	"0\tbelong\t0x00000100\n>4\tuleshort\t>0\n>>4\tuleshort\t<64\n" T(">>>9\tbyte\t0", "image/vnd.microsoft.icon"),
	T("0\tstring\t8BPS", "image/vnd.adobe.photoshop"),
	T("0\tbelong\t0x0000000c\n>4\tstring\tJXL\\x20\\r\\n", "image/jxl"),
	T("0\tbelong\t0x0000000c\n>4\tstring\tjP\\x20\\x20\\r\\n", "image/jp2"),
	T("4\tstring\tftypavif", "image/avif"),
	T("4\tstring\tftypavis", "image/avif"),
	T("4\tstring\tftypheic", "image/heic"),
	T("4\tstring\tftypheix", "image/heic"),
	T("4\tstring\tftypmif1", "image/heif"),
	/* Sound and film */
	T("4\tstring\tftypM4A", "audio/mp4"),
	T("4\tstring\tftypqt\\x20\\x20", "video/quicktime"),
	T("4\tstring\tftyp3g", "video/3gpp"),
	T("4\tstring\tftypmp4", "video/mp4"),
	T("4\tstring\tftypisom", "video/mp4"),
	T("4\tstring\tftypiso", "video/mp4"),
	T("4\tstring\tftypM4V", "video/mp4"),
	T("4\tstring\tftypavc1", "video/mp4"),
	T("4\tstring\tftypdash", "video/mp4"),
	T("4\tstring\tftypMSNV", "video/mp4"),
	"0\tbelong\t0x1a45dfa3\n" T(">4\tsearch/64\twebm", "video/webm"),
	"0\tbelong\t0x1a45dfa3\n" T(">4\tsearch/64\tmatroska", "video/x-matroska"),
	T("0\tstring\tID3", "audio/mpeg"),
	T("0\tbeshort&0xfffe\t0xfffa", "audio/mpeg"),
	T("0\tstring\tfLaC", "audio/flac"),
	"0\tstring\tOggS\n" T(">28\tstring\tOpusHead", "audio/ogg"),
	"0\tstring\tOggS\n" T(">28\tstring\t\\x01vorbis", "audio/ogg"),
	"0\tstring\tOggS\n" T(">28\tstring\t\\x80theora", "video/ogg"),
	"0\tstring\tFORM\n" T(">8\tstring\tAIF", "audio/x-aiff"),
	T("0\tstring\tMThd", "audio/midi"),
	T("0\tstring\tFLV\\x01", "video/x-flv"),
	T("0\tbelong\t0x3026b275", "video/x-ms-asf"),
	T("0\tbelong\t0x000001ba", "video/mpeg"),
	T("0\tbelong\t0x000001b3", "video/mpeg"),
	/* Archives and what is built on them */
	"0\tstring\tPK\\x03\\x04\n>30\tstring\tmimetype\n" T(">>38\tstring\tapplication/epub+zip", "application/epub+zip"),
	"0\tstring\tPK\\x03\\x04\n>30\tstring\tmimetype\n" T(">>38\tstring\tapplication/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
	"0\tstring\tPK\\x03\\x04\n>30\tstring\tmimetype\n" T(">>38\tstring\tapplication/vnd.oasis.opendocument.spreadsheet", "application/vnd.oasis.opendocument.spreadsheet"),
	"0\tstring\tPK\\x03\\x04\n>30\tstring\tmimetype\n" T(">>38\tstring\tapplication/vnd.oasis.opendocument.presentation", "application/vnd.oasis.opendocument.presentation"),
	T("0\tstring\tPK\\x03\\x04", "application/zip"),
	T("0\tstring\tPK\\x05\\x06", "application/zip"),
	T("0\tbeshort\t0x1f8b", "application/gzip"),
	T("0\tstring\tBZh", "application/x-bzip2"),
	T("0\tstring\t\\xfd7zXZ\\x00", "application/x-xz"),
	T("0\tulelong\t0xfd2fb528", "application/zstd"),
	T("0\tulelong\t0x184d2204", "application/x-lz4"),
	T("0\tstring\t7z\\xbc\\xaf\\x27\\x1c", "application/x-7z-compressed"),
	T("0\tstring\tRar!\\x1a\\x07", "application/x-rar"),
	T("257\tstring\tustar", "application/x-tar"),
	"0\tstring\tMSCF\n" T(">4\tulelong\t0", "application/vnd.ms-cab-compressed"),
	"0\tstring\t!<arch>\n" T(">8\tstring\tdebian", "application/vnd.debian.binary-package"),
	T("0\tbelong\t0xedabeedb", "application/x-rpm"),
	/* Programs and data */
	"0\tstring\t\\x7fELF\n" T(">16\tbyte\tx", "application/x-executable"),
	"0\tstring\tMZ\n>0x3c\tulelong\t<4000\n" T(">>(0x3c.l)\tstring\tPE\\x00\\x00", "application/vnd.microsoft.portable-executable"),
	T("0\tbelong\t0xcafebabe\n>4\tubelong\t>40", "application/java-vm"),
	T("0\tulelong\t0xfeedfacf", "application/x-mach-binary"),
	T("0\tstring\t\\x00asm\\x01\\x00\\x00\\x00", "application/wasm"),
	T("0\tstring\tSQLite\\x20format\\x203\\x00", "application/vnd.sqlite3"),
	T("0\tstring\tPAR1", "application/vnd.apache.parquet"),
	T("0\tstring\t\\x89HDF\\r\\n\\x1a\\n", "application/x-hdf5"),
	T("0\tulelong\t0xa1b2c3d4", "application/vnd.tcpdump.pcap"),
	T("0\tubelong\t0x0a0d0d0a", "application/x-pcapng"),
	T("0\tstring\td8:announce", "application/x-bittorrent"),
	T("0\tstring\tSFTSEAL1", "application/x-sft-sealed"),
	/* Fonts */
	T("0\tstring\twOFF", "font/woff"),
	T("0\tstring\twOF2", "font/woff2"),
	T("0\tstring\tOTTO\\x00", "font/otf"),
	T("0\tstring\t\\x00\\x01\\x00\\x00\\x00", "font/ttf"),
	/* Text that says what it is */
	T("0\tsearch/256/ct\t\\<!doctype\\ html", "text/html"),
	T("0\tsearch/256/ct\t\\<html", "text/html"),
	T("0\tstring/t\t\\<svg", "image/svg+xml"),
	"0\tstring/t\t\\<?xml\n" T(">5\tsearch/1024\t\\<svg", "image/svg+xml"),
	T("0\tstring/t\t\\<?xml", "text/xml"),
	T("0\tstring/t\t-----BEGIN\\ CERTIFICATE", "application/x-pem-file"),
	T("0\tstring/t\t#!/bin/sh", "text/x-shellscript"),
	T("0\tstring/t\t#!/bin/bash", "text/x-shellscript"),
	T("0\tstring/t\t#!/usr/bin/env\\ bash", "text/x-shellscript"),
	T("0\tstring/t\t#!/usr/bin/env\\ python", "text/x-script.python"),
	T("0\tstring/t\t#!/usr/bin/python", "text/x-script.python"),
	NULL,
};
/* clang-format on */
