/*
 * QMP commands on descriptors that clients hand over.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor_state.h"
#include "qapi/qapi-commands-misc.h"
#include "ui/vnc.h"
#include "util/fd_names.h"
#include "util/fdset.h"

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

bool qmp_add_client(const char *protocol, const char *fdname, bool has_skipauth, bool skipauth,
                    bool has_tls, bool tls, Error **errp)
{
    int fd = fd_names_take(fd_names_current(), fdname);

    if (fd < 0) {
        return error_set(errp, "File descriptor named '%s' not found", fdname);
    }
    if (strcmp(protocol, "vnc") || (has_tls && tls)) {
        close(fd);
        return strcmp(protocol, "vnc") ? error_set(errp, "protocol '%s' is invalid", protocol)
                                       : error_set(errp, "there is no TLS for VNC");
    }
    if (!vnc_add_client(fd, has_skipauth && skipauth, errp)) {
        close(fd);
        return false;
    }
    return true;
}

/* --- sets --- */

AddfdInfo *qmp_add_fd(bool has_fdset_id, int64_t fdset_id, const char *opaque, Error **errp)
{
    int fd = take_fd(errp);
    AddfdInfo *info;

    if (fd < 0) {
        return NULL;
    }
    if (has_fdset_id && fdset_id < 0) {
        close(fd);
        error_set(errp, "Parameter 'fdset-id' expects a non-negative value");
        return NULL;
    }
    info = g_new0(AddfdInfo, 1);
    info->fd = fd;
    info->fdset_id = fdset_add(has_fdset_id ? fdset_id : -1, fd, opaque);
    return info;
}

bool qmp_remove_fd(int64_t fdset_id, bool has_fd, int64_t fd, Error **errp)
{
    g_autofree char *name = has_fd
        ? g_strdup_printf("fdset-id:%" PRId64 ", fd:%" PRId64, fdset_id, fd)
        : g_strdup_printf("fdset-id:%" PRId64, fdset_id);

    if (fdset_id < 0 || (has_fd && (fd < 0 || fd > INT_MAX)) ||
        !fdset_remove(fdset_id, has_fd ? fd : -1)) {
        return error_set(errp, "File descriptor named '%s' not found", name);
    }
    return true;
}

/* Descriptors come set by set. */
static void add_descriptor(void *opaque, int64_t set_id, int fd, const char *fd_opaque)
{
    FdsetInfoArray *sets = opaque;
    FdsetInfo *set = sets->count ? sets->items[sets->count - 1] : NULL;
    FdsetFdInfo *info = g_new0(FdsetFdInfo, 1);

    if (!set || set->fdset_id != set_id) {
        set = g_new0(FdsetInfo, 1);
        set->fdset_id = set_id;
        set->fds = g_new0(FdsetFdInfoArray, 1);
        fdset_info_array_add(sets, set);
    }
    info->fd = fd;
    info->opaque = g_strdup(fd_opaque);
    fdset_fd_info_array_add(set->fds, info);
}

FdsetInfoArray *qmp_query_fdsets(Error **errp)
{
    FdsetInfoArray *sets = g_new0(FdsetInfoArray, 1);

    fdset_each(add_descriptor, sets);
    return sets;
}
