/*
 * -sandbox: a filter of system calls, for ever, for all threads.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef CLI_SANDBOX_H
#define CLI_SANDBOX_H

#include "cli/option.h"

/* Before threads are made. `keys` is -sandbox's, NULL: none. */
bool sandbox_enter(json_object *keys, Error **errp);

#endif
