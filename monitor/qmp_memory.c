/*
 * QMP commands on guest memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "qapi/qapi-commands-machine.h"
#include "system/address_space.h"

#define CHUNK_BYTES (64 * KiB)

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(fd, bytes, size);

        if (written < 0 && errno != EINTR) {
            return false;
        }
        bytes += MAX(written, 0);
        size -= MAX(written, 0);
    }
    return true;
}

static bool save(int fd, uint64_t addr, uint64_t size)
{
    g_autofree uint8_t *chunk = g_malloc(CHUNK_BYTES);

    while (size) {
        size_t part = MIN(size, CHUNK_BYTES);

        address_space_read_or_zero(address_space_system(), addr, MEM_TX_NONE, chunk, part);
        if (!write_all(fd, chunk, part)) {
            return false;
        }
        addr += part;
        size -= part;
    }
    return true;
}

bool qmp_pmemsave(int64_t val, int64_t size, const char *filename, Error **errp)
{
    bool is_ok;
    int fd;

    if (size < 0 || (uint64_t)val + size < (uint64_t)val) {
        return error_set(errp, "Invalid addr 0x%016" PRIx64 "/size %" PRId64 " specified", val,
                         size);
    }
    fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        return error_set_errno(errp, errno, "Could not open '%s'", filename);
    }
    is_ok = save(fd, val, size) || error_set_errno(errp, errno, "writing memory to '%s' failed",
                                                   filename);
    if (close(fd) < 0 && is_ok) {
        return error_set_errno(errp, errno, "writing memory to '%s' failed", filename);
    }
    return is_ok;
}
