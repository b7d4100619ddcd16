/*
 * Regions and their tree: see system/memory.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_core.h"

#include "system/memory_log.h"
#include "system/ram_block.h"

/* --- life --- */

void memory_region_init(MemoryRegion *mr, Object *owner, const char *name, uint64_t size)
{
    *mr = (MemoryRegion){
        .kind = MEMORY_CONTAINER,
        .name = g_strdup(name),
        .owner = owner,
        .opaque = owner,
        .size = size,
        .is_enabled = true,
        .is_rom_mode = true,
    };
    mr->guard = &mr->is_busy;
    mr->link.data = mr;
    mr->alias_link.data = mr;
}

void memory_region_init_io(MemoryRegion *mr, Object *owner, const MemoryOps *ops, const char *name,
                           uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = MEMORY_IO;
    mr->ops = ops;
}

void memory_region_init_ones(MemoryRegion *mr, Object *owner, const MemoryOps *ops,
                             const char *name, uint64_t size)
{
    memory_region_init_io(mr, owner, ops, name, size);
    mr->kind = MEMORY_ONES;
}

void memory_region_init_reserved(MemoryRegion *mr, Object *owner, const char *name, uint64_t size)
{
    memory_region_init(mr, owner, name, size);
    mr->kind = MEMORY_RESERVED;
}

void memory_region_init_alias(MemoryRegion *mr, Object *owner, const char *name,
                              MemoryRegion *target, MemoryWindow window)
{
    memory_region_init(mr, owner, name, window.size);
    mr->kind = MEMORY_ALIAS;
    mr->target = target;
    mr->target_offset = window.offset;
    g_queue_push_tail_link(&target->aliases, &mr->alias_link);
}

bool memory_region_init_ram_spec(MemoryRegion *mr, Object *owner, const RamSpec *spec,
                                 Error **errp)
{
    memory_region_init(mr, owner, spec->name, spec->bytes);
    mr->ram = ram_block_new(mr, spec, errp);
    if (!mr->ram) {
        g_clear_pointer(&mr->name, g_free);
        return false;
    }
    mr->kind = MEMORY_RAM;
    mr->is_read_only = spec->flags & RAM_READ_ONLY;
    mr->is_ram_device = spec->flags & RAM_DEVICE;
    mr->is_nonvolatile = spec->flags & RAM_NONVOLATILE;
    return true;
}

bool memory_region_init_ram(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            Error **errp)
{
    RamSpec spec = { .name = name, .bytes = size };

    return memory_region_init_ram_spec(mr, owner, &spec, errp);
}

bool memory_region_init_rom(MemoryRegion *mr, Object *owner, const char *name, uint64_t size,
                            Error **errp)
{
    RamSpec spec = { .name = name, .bytes = size, .flags = RAM_READ_ONLY };

    return memory_region_init_ram_spec(mr, owner, &spec, errp);
}

bool memory_region_init_rom_device(MemoryRegion *mr, Object *owner, const MemoryOps *ops,
                                   const RamSpec *spec, Error **errp)
{
    if (!memory_region_init_ram_spec(mr, owner, spec, errp)) {
        return false;
    }
    mr->kind = MEMORY_ROM_DEVICE;
    mr->ops = ops;
    return true;
}

/* Their owners go in any order, once the last view that shows them is gone. */
static void forget_aliases(MemoryRegion *mr)
{
    for (GList *link; (link = g_queue_pop_head_link(&mr->aliases));) {
        MemoryRegion *alias = link->data;

        assert(!alias->container);
        alias->target = NULL;
    }
}

void memory_region_clear(MemoryRegion *mr)
{
    assert(!mr->container && !mr->children.length);
    memory_forget_changed(mr);
    forget_aliases(mr);
    if (mr->target) {
        g_queue_unlink(&mr->target->aliases, &mr->alias_link);
        mr->target = NULL;
    }
    g_clear_pointer(&mr->ram, ram_block_free);
    memory_region_clear_eventfds(mr);
    g_clear_pointer(&mr->coalesced, g_array_unref);
    g_clear_pointer(&mr->name, g_free);
}

void memory_region_set_opaque(MemoryRegion *mr, void *opaque)
{
    mr->opaque = opaque;
}

void memory_region_set_guard(MemoryRegion *mr, bool *guard)
{
    mr->guard = guard;
}

/* --- the tree --- */

void memory_region_add_overlap(MemoryRegion *container, uint64_t addr, MemoryRegion *child,
                               int priority)
{
    GList *before = container->children.head;

    assert(!child->container);
    memory_transaction_begin();
    child->container = container;
    child->addr = addr;
    child->priority = priority;
    while (before && ((MemoryRegion *)before->data)->priority > priority) {
        before = before->next;
    }
    g_queue_insert_before_link(&container->children, before, &child->link);
    memory_changed(child);
    memory_changed(container);
    memory_transaction_commit();
}

void memory_region_add(MemoryRegion *container, uint64_t addr, MemoryRegion *child)
{
    memory_region_add_overlap(container, addr, child, 0);
}

void memory_region_remove(MemoryRegion *container, MemoryRegion *child)
{
    assert(child->container == container);
    memory_transaction_begin();
    memory_changed(child);
    g_queue_unlink(&container->children, &child->link);
    child->container = NULL;
    memory_transaction_commit();
}

void memory_region_set_address(MemoryRegion *mr, uint64_t addr)
{
    MemoryRegion *container = mr->container;

    if (mr->addr == addr) {
        return;
    }
    if (!container) {
        mr->addr = addr;
        return;
    }
    memory_transaction_begin();
    memory_region_remove(container, mr);
    memory_region_add_overlap(container, addr, mr, mr->priority);
    memory_transaction_commit();
}

/* --- what a region is like --- */

#define SETTER(function, Type, field, argument)                                                    \
    void function(MemoryRegion *mr, Type argument)                                                 \
    {                                                                                              \
        if (mr->field == argument) {                                                               \
            return;                                                                                \
        }                                                                                          \
        memory_transaction_begin();                                                                \
        mr->field = argument;                                                                      \
        memory_changed(mr);                                                                        \
        memory_transaction_commit();                                                               \
    }
SETTER(memory_region_set_enabled, bool, is_enabled, is_enabled)
SETTER(memory_region_set_size, uint64_t, size, size)
SETTER(memory_region_set_alias_offset, uint64_t, target_offset, offset)
SETTER(memory_region_set_read_only, bool, is_read_only, is_read_only)
SETTER(memory_region_set_nonvolatile, bool, is_nonvolatile, is_nonvolatile)
SETTER(memory_region_set_rom_mode, bool, is_rom_mode, is_rom_mode)
SETTER(memory_region_set_log_mask, uint8_t, log_mask, log_mask)
#undef SETTER

void memory_region_set_log(MemoryRegion *mr, bool is_on, DirtyClient client)
{
    while (mr->kind == MEMORY_ALIAS) {
        mr = mr->target;
    }
    if (is_on && mr->ram) {
        ram_block_start_log(mr->ram, client);
    }
    memory_region_set_log_mask(mr, is_on ? mr->log_mask | BIT(client)
                                         : mr->log_mask & ~BIT(client));
}

void *memory_region_host(MemoryRegion *mr)
{
    uint64_t offset = 0;

    while (mr->kind == MEMORY_ALIAS) {
        offset += mr->target_offset;
        mr = mr->target;
    }
    return mr->ram ? ram_block_host(mr->ram) + offset : NULL;
}
