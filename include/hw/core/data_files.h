/*
 * Files that machines need and distributions install: firmware, option ROMs.
 *
 * Start-up only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_DATA_FILES_H
#define HW_CORE_DATA_FILES_H

#include "qom/error.h"

/* -L: searched before the folders that distributions use, in the order they are added. */
void data_files_add_folder(const char *path);
/* -L help: one per line, in the order of the search. */
void data_files_print_folders(GString *out);
/* The path of `name`, which may be a path itself; NULL: there is no such file. Free it. */
char *data_file_find(const char *name);
/* All of it; *bytes is the caller's. `what` is what people call it ("PC BIOS"). */
bool data_file_read(const char *name, const char *what, GByteArray **bytes, Error **errp);

#endif
