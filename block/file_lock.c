/*
 * See block/file_lock.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/file_lock.h"

#include <fcntl.h>

#include "block/block_node.h"

#define USED_AT   100
#define DENIED_AT 200
#define PERMS     4

static const char *const names[PERMS] = { "consistent read", "write", "write unchanged",
                                          "resize" };

static int lock_byte(int fd, off_t at, int type)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };

    return fcntl(fd, F_OFD_SETLK, &lock) < 0 ? -errno : 0;
}

/* Holds exactly those of `wanted`. */
static int hold(int fd, off_t base, unsigned *held, unsigned wanted)
{
    for (unsigned i = 0; i < PERMS; i++) {
        if ((*held ^ wanted) & BIT(i)) {
            int err = lock_byte(fd, base + i, wanted & BIT(i) ? F_RDLCK : F_UNLCK);

            if (err) {
                return err;
            }
            *held ^= BIT(i);
        }
    }
    return 0;
}

/* -1: nobody else holds any of them; else which. */
static int find_other(int fd, off_t base, unsigned perms)
{
    for (unsigned i = 0; i < PERMS; i++) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = base + i,
                              .l_len = 1 };

        if (perms & BIT(i) && !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK) {
            return i;
        }
    }
    return -1;
}

static bool check(int fd, unsigned perms, unsigned denied, const char *path, Error **errp)
{
    int used = find_other(fd, DENIED_AT, perms);
    int other = used < 0 ? find_other(fd, USED_AT, denied) : -1;

    if (used < 0 && other < 0) {
        return true;
    }
    if (used >= 0) {
        error_set(errp, "Failed to get \"%s\" lock", names[used]);
    } else {
        error_set(errp, "Failed to get shared \"%s\" lock", names[other]);
    }
    error_hint(errp, "Is another process using the image [%s]?", path);
    return false;
}

bool file_lock_set(FileLock *lock, int fd, unsigned perms, unsigned shared, const char *path,
                   Error **errp)
{
    unsigned denied = BLOCK_PERM_ALL & ~shared, used = lock->used, was_denied = lock->denied;
    bool is_fine = true;
    int err;

    if (lock->is_off) {
        return true;
    }
    err = hold(fd, USED_AT, &lock->used, used | perms);
    err = err ? err : hold(fd, DENIED_AT, &lock->denied, was_denied | denied);
    if (err) {
        is_fine = error_set_errno(errp, -err, "Failed to lock '%s'", path);
    } else {
        is_fine = check(fd, perms & ~used, denied & ~was_denied, path, errp);
    }
    hold(fd, USED_AT, &lock->used, is_fine ? perms : used);
    hold(fd, DENIED_AT, &lock->denied, is_fine ? denied : was_denied);
    return is_fine;
}

int file_lock_copy(const FileLock *lock, int fd)
{
    unsigned used = 0, denied = 0;
    int err = hold(fd, USED_AT, &used, lock->used);

    return err ? err : hold(fd, DENIED_AT, &denied, lock->denied);
}

bool file_lock_is_possible(int fd)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

    return !fcntl(fd, F_OFD_GETLK, &lock);
}
