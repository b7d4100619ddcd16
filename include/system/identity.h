/*
 * The guest's name and UUID, as the user gave them. Set once at start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_IDENTITY_H
#define SYSTEM_IDENTITY_H

#include "qom/error.h"

void identity_set_name(const char *name);
const char *identity_name(void); /* NULL when it has none */
bool identity_set_uuid(const char *text, Error **errp);
/* All zero when none was given. */
const uint8_t *identity_uuid(void);
bool identity_has_uuid(void);
/* Canonical text; free it. */
char *identity_uuid_text(void);

#endif
