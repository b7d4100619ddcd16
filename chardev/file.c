/*
 * chardev-file: output to a file, input from another.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "chardev/fd.h"
#include "util/fdset.h"

static bool file_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const ChardevFile *options = backend->u.file.data;
    int flags = O_WRONLY | O_CREAT;
    int in = -1;
    int out;

    flags |= options->has_append && options->append ? O_APPEND : O_TRUNC;
    out = fdset_open_path(options->out, flags, 0666);
    if (out < 0) {
        return error_set_errno(errp, errno, "Could not open '%s'", options->out);
    }
    if (options->in) {
        in = fdset_open_path(options->in, O_RDONLY | O_NONBLOCK, 0);
        if (in < 0) {
            error_set_errno(errp, errno, "Could not open '%s'", options->in);
            close(out);
            return false;
        }
    }
    char_fd_start(CHAR_FD(chr), in, out);
    return true;
}

const ChardevType chardev_file_type = {
    .name = TYPE_CHARDEV_FILE,
    .doc = "Output to a file, input from another",
    .parent = TYPE_CHARDEV_FD,
    .open = file_open,
};
OBJECT_TYPE(chardev_file_type)
