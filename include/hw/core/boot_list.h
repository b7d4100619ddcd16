/*
 * The list of what the machine boots from, as firmware reads it in fw_cfg's "bootorder": paths in
 * the order of "bootindex". Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BOOT_LIST_H
#define HW_CORE_BOOT_LIST_H

#include "qom/error.h"

#define BOOT_LIST_FILE "bootorder"

/* `path` is copied. Fails if another has the index. */
bool boot_list_add(int32_t index, const char *path, Error **errp);
void boot_list_remove(const char *path);
/* One path per line, the whole ends with a NUL. Empty, if there is none. Free it. */
GByteArray *boot_list_bytes(void);

#endif
