/*
 * What -chardev and the old forms share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CHARDEV_OPTIONS_H
#define CHARDEV_OPTIONS_H

#include "chardev/kinds.h"

/* Borrowed text of an option, or NULL. */
const char *chardev_option(json_object *options, const char *key);
/* From an object of texts; owned by the caller. */
ChardevBackend *chardev_options_parse(json_object *options, Error **errp);
/* Makes it under `id`; start-up only, for it may wait for a client. */
Chardev *chardev_add_parsed(const char *id, json_object *options, Error **errp);
/*
 * An old form ("tcp:host:port,server=on") as an object of -chardev's texts, owned by the caller,
 * without an id. With "mon:" in front *is_monitor is set and "mux" is on.
 */
json_object *chardev_spec_parse(const char *spec, bool *is_monitor, Error **errp);

#endif
