/*
 * The smallest parts of saved state: integers and bytes in the stream and in memory.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/vmstate_kind.h"

void vm_put_bytes(VMWriter *w, const void *bytes, size_t size)
{
    if (size) {
        g_byte_array_append(w->out, bytes, size);
    }
}

void vm_put(VMWriter *w, uint64_t value, size_t bytes)
{
    uint64_t big_endian = GUINT64_TO_BE(value);

    vm_put_bytes(w, (char *)&big_endian + sizeof(value) - bytes, bytes);
}

const uint8_t *vm_get_bytes(VMReader *r, size_t size, Error **errp)
{
    const uint8_t *bytes = r->data + r->pos;

    if (vm_left(r) < size) {
        error_set(errp, "needs %zu bytes, only %zu are left", size, vm_left(r));
        return NULL;
    }
    r->pos += size;
    return bytes;
}

bool vm_get(VMReader *r, uint64_t *value, size_t bytes, Error **errp)
{
    const uint8_t *from = vm_get_bytes(r, bytes, errp);

    if (!from) {
        return false;
    }
    *value = 0;
    for (size_t i = 0; i < bytes; i++) {
        *value = *value << 8 | from[i];
    }
    return true;
}

uint64_t vm_peek(const void *at, size_t bytes)
{
    switch (bytes) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        assert(bytes == 8);
        return *(const uint64_t *)at;
    }
}

void vm_poke(void *at, uint64_t value, size_t bytes)
{
    switch (bytes) {
    case 1:
        *(uint8_t *)at = value;
        break;
    case 2:
        *(uint16_t *)at = value;
        break;
    case 4:
        *(uint32_t *)at = value;
        break;
    default:
        assert(bytes == 8);
        *(uint64_t *)at = value;
    }
}

uint64_t vm_counter(const VMField *f, const void *opaque)
{
    return vm_peek((const char *)opaque + f->counter_offset, f->counter_size);
}

void vm_set_counter(const VMField *f, void *opaque, uint64_t value)
{
    vm_poke((char *)opaque + f->counter_offset, value, f->counter_size);
}
