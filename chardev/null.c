/*
 * chardev-null: output vanishes, there is no input.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/backend.h"
#include "chardev/kinds.h"

static bool null_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    return true;
}

const ChardevType chardev_null_type = {
    .name = TYPE_CHARDEV_NULL,
    .doc = "Nothing: output vanishes, there is no input",
    .parent = TYPE_CHARDEV,
    .open = null_open,
};
OBJECT_TYPE(chardev_null_type)
