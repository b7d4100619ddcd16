/*
 * QMP commands on guest memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>

#include "hw/core/cpu_debug.h"
#include "qapi/qapi-commands-machine.h"

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

typedef struct Save {
    int fd;
    uint64_t addr, size;
    Cpu *cpu;  /* whose addresses they are; NULL: physical */
    Error *err;
} Save;

static bool read_part(const Save *save, uint8_t *chunk, size_t part)
{
    if (save->cpu) {
        return cpu_debug_read(save->cpu, save->addr, chunk, part);
    }
    address_space_read_or_zero(address_space_system(), save->addr, MEM_TX_NONE, chunk, part);
    return true;
}

static void save_memory(Cpu *cpu, void *opaque)
{
    g_autofree uint8_t *chunk = g_malloc(CHUNK_BYTES);
    uint64_t first = ((Save *)opaque)->addr, size = ((Save *)opaque)->size;
    Save *save = opaque;

    while (save->size && !save->err) {
        size_t part = MIN(save->size, CHUNK_BYTES);

        if (!read_part(save, chunk, part)) {
            error_set(&save->err, "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", first,
                      size);
        } else if (!write_all(save->fd, chunk, part)) {
            error_set_errno(&save->err, errno, "writing memory failed");
        }
        save->addr += part;
        save->size -= part;
    }
}

static bool save_to_file(Save *save, const char *filename, Error **errp)
{
    save->fd = open(filename, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (save->fd < 0) {
        return error_set_errno(errp, errno, "Could not open '%s'", filename);
    }
    if (save->cpu) {
        cpu_debug_call(save->cpu, save_memory, save);
    } else {
        save_memory(NULL, save);
    }
    if (close(save->fd) < 0 && !save->err) {
        error_set_errno(&save->err, errno, "writing memory to '%s' failed", filename);
    }
    return !save->err || error_propagate(errp, save->err);
}

static bool check_range(int64_t val, int64_t size, Error **errp)
{
    if (size < 0 || (uint64_t)val + size < (uint64_t)val) {
        return error_set(errp, "Invalid addr 0x%016" PRIx64 "/size %" PRId64 " specified", val,
                         size);
    }
    return true;
}

bool qmp_pmemsave(int64_t val, int64_t size, const char *filename, Error **errp)
{
    Save save = { .addr = val, .size = size };

    return check_range(val, size, errp) && save_to_file(&save, filename, errp);
}

bool qmp_memsave(int64_t val, int64_t size, const char *filename, bool has_cpu_index,
                 int64_t cpu_index, Error **errp)
{
    Vcpu *vcpu = !has_cpu_index ? vcpu_first() :
                 cpu_index < 0 || cpu_index >= VCPU_NO_INDEX ? NULL : vcpu_by_index(cpu_index);
    Save save = { .addr = val, .size = size };

    if (!vcpu) {
        return error_set(errp, "Parameter 'cpu-index' expects a CPU number");
    }
    save.cpu = CPU(vcpu->object);
    return check_range(val, size, errp) && save_to_file(&save, filename, errp);
}
