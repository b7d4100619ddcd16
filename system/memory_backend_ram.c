/*
 * memory-backend-ram: memory from nowhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include "system/ram_block.h"

static bool ram_fill_spec(MemoryBackend *backend, RamSpec *spec, Error **errp)
{
    return true;
}

static const MemoryBackendType memory_backend_ram_type = {
    .name = "memory-backend-ram",
    .doc = "Anonymous host memory",
    .parent = TYPE_MEMORY_BACKEND,
    .fill_spec = ram_fill_spec,
};
OBJECT_TYPE(memory_backend_ram_type)
