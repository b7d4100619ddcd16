/*
 * A build without libseccomp: see cli/sandbox.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/sandbox.h"

bool sandbox_enter(json_object *keys, Error **errp)
{
    const char *text = keys ? json_object_get_string(json_member(keys, "enable")) : NULL;

    return !keys || (text && !strcmp(text, "off")) ||
           error_set(errp, "this build has no system call filter (libseccomp)");
}
