/* libarchive's functions as this room uses them, loaded by the first archive. */
#ifndef CCTM_ARCHIVE_ARCHIVE_INTERNAL_H
#define CCTM_ARCHIVE_ARCHIVE_INTERNAL_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

#include "core/cleanup.h"

struct error;

/* X(symbol, field) */
#define ARCHIVE_SYMBOLS(X)                                    \
	X(archive_error_string, error)                        \
	X(archive_entry_new, entry_new)                       \
	X(archive_entry_free, entry_free)                     \
	X(archive_entry_set_pathname, entry_set_path)         \
	X(archive_entry_set_pathname_utf8, entry_set_utf8)    \
	X(archive_entry_set_filetype, entry_set_type)         \
	X(archive_entry_set_perm, entry_set_mode)             \
	X(archive_entry_set_size, entry_set_size)             \
	X(archive_entry_set_uid, entry_set_uid)               \
	X(archive_entry_set_gid, entry_set_gid)               \
	X(archive_entry_set_mtime, entry_set_mtime)           \
	X(archive_entry_pathname_utf8, entry_path)            \
	X(archive_entry_filetype, entry_type)                 \
	X(archive_entry_hardlink_utf8, entry_hardlink)        \
	X(archive_entry_size, entry_size)                     \
	X(archive_entry_size_is_set, entry_has_size)          \
	X(archive_write_new, write_new)                       \
	X(archive_write_free, write_free)                     \
	X(archive_write_close, write_close)                   \
	X(archive_write_set_format_ustar, write_ustar)        \
	X(archive_write_set_format_pax_restricted, write_pax) \
	X(archive_write_add_filter_zstd, write_zstd)          \
	X(archive_write_add_filter_gzip, write_gzip)          \
	X(archive_write_set_bytes_in_last_block, write_pad)   \
	X(archive_write_open, write_open)                     \
	X(archive_write_header, write_header)                 \
	X(archive_write_data, write_data)                     \
	X(archive_read_new, read_new)                         \
	X(archive_read_free, read_free)                       \
	X(archive_read_support_format_tar, read_tar)          \
	X(archive_read_support_filter_zstd, read_zstd)        \
	X(archive_read_support_filter_gzip, read_gzip)        \
	X(archive_read_open, read_open)                       \
	X(archive_read_next_header, read_next)                \
	X(archive_read_data, read_data)

struct archive_functions {
#define X(symbol, field) __typeof__(symbol) *(field);
	ARCHIVE_SYMBOLS(X)
#undef X
};

extern struct archive_functions archive_lib;

bool archive_load(struct error *err) MUST_CHECK;

#endif
