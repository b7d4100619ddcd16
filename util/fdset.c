/*
 * Descriptor sets: see util/fdset.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/fdset.h"

#include <fcntl.h>

#define PREFIX "/dev/fdset/"

typedef struct FdsetEntry {
    int64_t set_id;
    int fd;
    char *opaque;
} FdsetEntry;

/* The sets of the process, sorted by set, in order of arrival. */
static struct {
    GMutex lock;
    GArray *entries;
} sets;

static void entry_clear(void *data)
{
    FdsetEntry *entry = data;

    close(entry->fd);
    g_free(entry->opaque);
}

static GArray *all_entries(void)
{
    if (!sets.entries) {
        sets.entries = g_array_new(FALSE, FALSE, sizeof(FdsetEntry));
        g_array_set_clear_func(sets.entries, entry_clear);
    }
    return sets.entries;
}

static FdsetEntry *entry_at(guint i)
{
    return &g_array_index(all_entries(), FdsetEntry, i);
}

static guint count_entries(void)
{
    return all_entries()->len;
}

static int64_t first_free(void)
{
    int64_t id = 0;

    for (guint i = 0; i < count_entries() && entry_at(i)->set_id <= id; i++) {
        id = entry_at(i)->set_id + 1;
    }
    return id;
}

int64_t fdset_add(int64_t set_id, int fd, const char *opaque)
{
    FdsetEntry entry = { .fd = fd, .opaque = g_strdup(opaque) };
    guint at = 0;

    g_mutex_lock(&sets.lock);
    entry.set_id = set_id < 0 ? first_free() : set_id;
    while (at < count_entries() && entry_at(at)->set_id <= entry.set_id) {
        at++;
    }
    g_array_insert_val(all_entries(), at, entry);
    g_mutex_unlock(&sets.lock);
    return entry.set_id;
}

bool fdset_remove(int64_t set_id, int fd)
{
    bool is_found = false;

    g_mutex_lock(&sets.lock);
    for (guint i = count_entries(); i-- > 0;) {
        if (entry_at(i)->set_id == set_id && (fd < 0 || entry_at(i)->fd == fd)) {
            g_array_remove_index(all_entries(), i);
            is_found = true;
        }
    }
    g_mutex_unlock(&sets.lock);
    return is_found;
}

void fdset_each(FdsetVisit *visit, void *opaque)
{
    g_mutex_lock(&sets.lock);
    for (guint i = 0; i < count_entries(); i++) {
        visit(opaque, entry_at(i)->set_id, entry_at(i)->fd, entry_at(i)->opaque);
    }
    g_mutex_unlock(&sets.lock);
}

static int dup_matching(int64_t set_id, int access)
{
    int fd = -1;
    int why = ENOENT;

    g_mutex_lock(&sets.lock);
    for (guint i = 0; i < count_entries() && fd < 0; i++) {
        int flags = entry_at(i)->set_id == set_id ? fcntl(entry_at(i)->fd, F_GETFL) : -1;

        if (flags < 0) {
            continue;
        }
        why = EACCES;
        if ((flags & O_ACCMODE) == access) {
            fd = fcntl(entry_at(i)->fd, F_DUPFD_CLOEXEC, 3);
            why = errno;
        }
    }
    g_mutex_unlock(&sets.lock);
    if (fd < 0) {
        errno = why;
    }
    return fd;
}

int fdset_open_path(const char *path, int flags, mode_t mode)
{
    guint64 set_id;

    if (!g_str_has_prefix(path, PREFIX)) {
        return open(path, flags | O_CLOEXEC, mode);
    }
    if (!g_ascii_string_to_unsigned(path + strlen(PREFIX), 10, 0, G_MAXINT64, &set_id, NULL)) {
        errno = EINVAL;
        return -1;
    }
    return dup_matching(set_id, flags & O_ACCMODE);
}

void fdset_clear(void)
{
    g_mutex_lock(&sets.lock);
    g_array_set_size(all_entries(), 0);
    g_mutex_unlock(&sets.lock);
}
