/*
 * Named descriptors: see util/fd_names.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/fd_names.h"

struct FdNames {
    GHashTable *fds; /* name -> descriptor */
};

static __thread FdNames *current;

static void close_fd(gpointer value)
{
    close(GPOINTER_TO_INT(value));
}

FdNames *fd_names_new(void)
{
    FdNames *names = g_new(FdNames, 1);

    names->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_fd);
    return names;
}

void fd_names_free(FdNames *names)
{
    if (names) {
        g_hash_table_destroy(names->fds);
        g_free(names);
    }
}

void fd_names_set_current(FdNames *names)
{
    current = names;
}

FdNames *fd_names_current(void)
{
    return current;
}

void fd_names_put(FdNames *names, const char *name, int fd)
{
    g_hash_table_replace(names->fds, g_strdup(name), GINT_TO_POINTER(fd));
}

int fd_names_take(FdNames *names, const char *name)
{
    gpointer key, value;

    if (!names || !g_hash_table_steal_extended(names->fds, name, &key, &value)) {
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(value);
}
