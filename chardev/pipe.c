/*
 * chardev-pipe: named pipes PATH.in and PATH.out, or one at PATH for both directions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "chardev/fd.h"
#include "util/fdset.h"

static int open_side(const char *path, const char *suffix)
{
    g_autofree char *name = g_strconcat(path, suffix, NULL);

    return fdset_open_path(name, O_RDWR, 0);
}

static bool pipe_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const char *path = backend->u.pipe.data->device;
    int in = open_side(path, ".in");
    int out = open_side(path, ".out");

    if (in < 0 || out < 0) {
        if (in >= 0) {
            close(in);
        }
        if (out >= 0) {
            close(out);
        }
        in = out = open_side(path, "");
        if (in < 0) {
            return error_set_errno(errp, errno, "Could not open '%s'", path);
        }
    }
    char_fd_start(CHAR_FD(chr), in, out);
    return true;
}

const ChardevType chardev_pipe_type = {
    .name = TYPE_CHARDEV_PIPE,
    .doc = "Named pipes",
    .parent = TYPE_CHARDEV_FD,
    .open = pipe_open,
};
OBJECT_TYPE(chardev_pipe_type)
