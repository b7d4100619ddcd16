/*
 * -acpitable: tables that users give, whole or as contents to which we put a header.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_ACPI_USER_TABLES_H
#define HW_ACPI_USER_TABLES_H

#include "qom/error.h"
#include "util/json.h"

/*
 * The table that keys as of -acpitable describe (their values may be text): complete, with its
 * length and sum. NULL with *errp set. Owned by the caller.
 */
GByteArray *acpi_user_table_new(json_object *keys, Error **errp);

#endif
