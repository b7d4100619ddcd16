/*
 * The machine's RAM: one memory back end, the user's or our own, or those of the NUMA nodes. See
 * hw/core/machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "hw/core/machine_parts.h"
#include "hw/core/numa.h"
#include "qom/user_creatable.h"
#include "system/memory_backend.h"

/* What -object would make: clients see it under its id. */
static bool make_backend(Machine *machine, Error **errp)
{
    g_autoptr(JsonObject) options = json_object_new_object();
    Object *backend;

    json_set(options, "qom-type",
             json_string(machine->mem_path ? "memory-backend-file" : "memory-backend-ram"));
    json_set(options, "id", json_string(machine_ops(machine)->default_ram_id));
    json_set(options, "size", json_object_new_uint64(machine->memory.size_bytes));
    json_set(options, "merge", json_object_new_boolean(machine->mem_merge));
    json_set(options, "dump", json_object_new_boolean(machine->dump_guest_core));
    json_set(options, "prealloc", json_object_new_boolean(machine->is_ram_preallocated));
    json_set(options, "x-use-canonical-path-for-ramblock-id", json_object_new_boolean(false));
    if (machine->mem_path) {
        json_set(options, "mem-path", json_string(machine->mem_path));
    }
    backend = user_creatable_add(options, PROPERTY_TYPED, errp);
    machine->memory_backend = backend ? object_ref(backend) : NULL;
    return backend;
}

static bool use_backend(Machine *machine, Error **errp)
{
    MemoryBackend *backend = MEMORY_BACKEND(machine->memory_backend);

    if (backend->size_bytes != machine->memory.size_bytes) {
        return error_set(errp, "Size specified by -m option must match size of explicitly "
                         "specified 'memory-backend' property");
    }
    if (!memory_backend_claim(backend, errp)) {
        return false;
    }
    machine->ram = memory_backend_region(backend);
    return true;
}

static bool use_nodes(Machine *machine, Error **errp)
{
    const char *id = machine_ops(machine)->default_ram_id;

    memory_region_init(&machine->own_ram, &machine->parent, id ? id : "ram",
                       machine->memory.size_bytes);
    if (!numa_fill_ram(machine, &machine->own_ram, errp)) {
        memory_region_clear(&machine->own_ram);
        return false;
    }
    machine->ram = &machine->own_ram;
    return true;
}

bool machine_make_ram(Machine *machine, Error **errp)
{
    if (numa_provides_memory(machine->numa)) {
        return use_nodes(machine, errp);
    }
    if (!machine->memory_backend) {
        if (!machine_ops(machine)->default_ram_id || !machine->memory.size_bytes) {
            return true;
        }
        if (!make_backend(machine, errp)) {
            return false;
        }
    }
    return use_backend(machine, errp);
}

void machine_free_ram(Machine *machine)
{
    if (!machine->ram) {
        return;
    }
    if (machine->ram->container) {
        memory_region_remove(machine->ram->container, machine->ram);
    }
    if (machine->ram == &machine->own_ram) {
        numa_release_ram(machine);
        memory_region_clear(&machine->own_ram);
    } else {
        memory_backend_release(MEMORY_BACKEND(machine->memory_backend));
    }
    machine->ram = NULL;
}
