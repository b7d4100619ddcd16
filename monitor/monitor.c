/*
 * All monitors: making and ending them, the one that is current, descriptors they were sent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "monitor_state.h"
#include "chardev/chardev.h"
#include "util/fd_names.h"

/* How long a client that does not read can hold up the end of the process. */
#define MONITOR_FINISH_MS 100

static GMutex monitors_lock;
static GPtrArray *monitors; /* Monitor *; guarded by monitors_lock */
static bool is_preconfig;
static __thread Monitor *current;

Monitor *monitor_current(void)
{
    return current;
}

Monitor *monitor_set_current(Monitor *mon)
{
    Monitor *previous = current;

    current = mon;
    fd_names_set_current(mon ? mon->fd_names : NULL);
    return previous;
}

void monitor_set_preconfig(bool is_on)
{
    is_preconfig = is_on;
}

bool monitor_is_preconfig(void)
{
    return is_preconfig;
}

void monitor_each(void (*fn)(Monitor *mon, void *opaque), void *opaque)
{
    g_mutex_lock(&monitors_lock);
    for (guint i = 0; monitors && i < monitors->len; i++) {
        fn(g_ptr_array_index(monitors, i), opaque);
    }
    g_mutex_unlock(&monitors_lock);
}

static void monitor_drop(void *opaque)
{
    Monitor *mon = opaque;

    warn_report("monitor '%s': the client does not read its events, dropping it",
                chardev_label(char_frontend_chardev(&mon->fe)));
    char_frontend_disconnect(&mon->fe);
}

static void monitor_overflowed(void *opaque)
{
    Monitor *mon = opaque;

    deferred_schedule(mon->drop);
}

static void monitor_free(Monitor *mon)
{
    char_frontend_detach(&mon->fe);
    deferred_free(mon->drop);
    monitor_output_clear(&mon->out);
    monitor_close_fds(mon);
    g_mutex_clear(&mon->fd_lock);
    fd_names_free(mon->fd_names);
    mon->kind->free(mon);
}

bool monitor_new(const char *id, MonitorMode mode, Error **errp)
{
    Chardev *chr = chardev_get(id, errp);
    Monitor *mon;

    if (!chr) {
        return false;
    }
    mon = mode == MONITOR_TEXT ? hmp_monitor_new() : qmp_monitor_new();
    mon->mode = mode;
    mon->fd_names = fd_names_new();
    g_mutex_init(&mon->fd_lock);
    monitor_output_init(&mon->out, &mon->fe);
    mon->drop = deferred_new(event_loop_main(), monitor_drop, mon);
    mon->out.overflowed = monitor_overflowed;
    mon->out.opaque = mon;
    if (!char_frontend_attach(&mon->fe, chr, errp)) {
        monitor_free(mon);
        return false;
    }
    g_mutex_lock(&monitors_lock);
    g_ptr_array_add(monitors, mon);
    g_mutex_unlock(&monitors_lock);
    mon->kind->start(mon);
    return true;
}

void monitor_init(void)
{
    monitors = g_ptr_array_new();
    monitor_events_init();
}

void monitor_cleanup(void)
{
    GPtrArray *all;

    monitor_events_cleanup();
    g_mutex_lock(&monitors_lock);
    all = monitors;
    monitors = NULL;
    g_mutex_unlock(&monitors_lock);
    for (guint i = 0; all && i < all->len; i++) {
        Monitor *mon = g_ptr_array_index(all, i);

        monitor_output_finish(&mon->out, MONITOR_FINISH_MS);
    }
    monitor_thread_stop(); /* it must not use the front ends while they are taken away */
    for (guint i = 0; all && i < all->len; i++) {
        monitor_free(g_ptr_array_index(all, i));
    }
    if (all) {
        g_ptr_array_free(all, TRUE);
    }
}

void monitor_collect_fds(Monitor *mon)
{
    int fds[MONITOR_MAX_FDS];
    size_t count = char_frontend_take_fds(&mon->fe, fds, ARRAY_SIZE(fds));

    if (!count) {
        return;
    }
    g_mutex_lock(&mon->fd_lock);
    for (size_t i = 0; i < count; i++) {
        if (mon->fd_count == MONITOR_MAX_FDS) {
            close(mon->fds[0]);
            memmove(mon->fds, mon->fds + 1, --mon->fd_count * sizeof(int));
        }
        mon->fds[mon->fd_count++] = fds[i];
    }
    g_mutex_unlock(&mon->fd_lock);
}

int monitor_take_fd(Monitor *mon, Error **errp)
{
    int fd = -1;

    g_mutex_lock(&mon->fd_lock);
    if (mon->fd_count) {
        fd = mon->fds[0];
        memmove(mon->fds, mon->fds + 1, --mon->fd_count * sizeof(int));
    }
    g_mutex_unlock(&mon->fd_lock);
    if (fd < 0) {
        error_set(errp, "No file descriptor supplied via SCM_RIGHTS");
    }
    return fd;
}

void monitor_close_fds(Monitor *mon)
{
    g_mutex_lock(&mon->fd_lock);
    while (mon->fd_count) {
        close(mon->fds[--mon->fd_count]);
    }
    g_mutex_unlock(&mon->fd_lock);
}
