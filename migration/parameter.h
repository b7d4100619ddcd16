/*
 * Parameters of migrations, by the names that clients know. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_PARAMETER_H
#define MIGRATION_PARAMETER_H

#include "util/json.h"

uint64_t parameter_uint(const char *name);
const char *parameter_text(const char *name);
/* Told after each change. */
void parameter_set_listener(void (*changed)(void));
/* All of them by name; borrowed. */
json_object *parameter_all(void);

#endif
