/*
 * QMP commands on descriptors that clients hand over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor_state.h"
#include "qapi/qapi-commands-misc.h"
#include "util/fd_names.h"

static int take_fd(Error **errp)
{
    Monitor *mon = monitor_current();

    if (!mon) {
        error_set(errp, "No file descriptor supplied via SCM_RIGHTS");
        return -1;
    }
    return monitor_take_fd(mon, errp);
}

bool qmp_getfd(const char *fdname, Error **errp)
{
    int fd = take_fd(errp);

    if (fd < 0) {
        return false;
    }
    if (g_ascii_isdigit(*fdname)) { /* that would be a number of ours */
        close(fd);
        return error_set(errp, "Parameter 'fdname' expects a name not starting with a digit");
    }
    fd_names_put(fd_names_current(), fdname, fd);
    return true;
}

bool qmp_closefd(const char *fdname, Error **errp)
{
    int fd = fd_names_take(fd_names_current(), fdname);

    if (fd < 0) {
        return error_set(errp, "File descriptor named '%s' not found", fdname);
    }
    close(fd);
    return true;
}
