/*
 * A device's saved state: what its levels declare, registers included, as one table.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/bus.h"
#include "hw/core/device_parts.h"
#include "system/memory.h"
#include "system/migratable.h"
#include "system/ram_block.h"

static const VMState *level_state(const DeviceType *level)
{
    g_autofree VMField *rows = NULL;
    size_t count = register_rows(&level->registers, &rows);

    return count ? vmstate_expand(level->vmstate, rows, count) : level->vmstate;
}

/* What a level says of the device as a whole holds for the device. */
static void merge_level(VMState *whole, const VMState *state)
{
    whole->priority = MAX(whole->priority, state->priority);
    whole->is_early |= state->is_early;
    whole->is_unmigratable |= state->is_unmigratable;
    whole->needed = whole->needed ? whole->needed : state->needed;
}

static void collect_level(GArray *rows, const Type *type, VMState *whole, const VMState **only)
{
    const VMState *state = level_state((const DeviceType *)type_decl(type));
    VMField row;

    if (state) {
        row = vmstate_base_row(type_name(type), state);
        g_array_prepend_val(rows, row);
        merge_level(whole, state);
        *only = state;
    }
}

/* Type -> VMState, or a mark that there is none; for the life of the process. */
static GHashTable *states;

const VMState *device_type_state(const Type *type)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(VMField));
    VMState whole = { .version = 1 };
    const VMState *state = NULL;

    if (!states) {
        states = g_hash_table_new(NULL, NULL);
    }
    if (g_hash_table_lookup_extended(states, type, NULL, (gpointer *)&state)) {
        return state;
    }
    for (const Type *level = type; type_is_a(level, TYPE_DEVICE); level = type_parent(level)) {
        collect_level(rows, level, &whole, &state);
    }
    if (rows->len > 1) {
        state = vmstate_expand(&whole, (VMField *)rows->data, rows->len);
    }
    g_hash_table_insert(states, (void *)type, (void *)state);
    return state;
}

/* A name that does not depend on the order in which devices were made. */
static char *state_id(Device *dev)
{
    g_autofree char *place = dev->bus && bus_ops(dev->bus)->device_address ?
                             bus_ops(dev->bus)->device_address(dev->bus, dev) : NULL;
    g_autofree char *path = NULL;

    if (dev->id) {
        path = object_path(dev);
        return g_steal_pointer(&path);
    }
    return g_strdup_printf("%s%s%s", place ? place : "", place ? "/" : "", object_type_name(dev));
}

/* --- memory of its own, as an adapter's for pictures --- */

static bool is_own(const Device *dev, const RamBlock *block)
{
    return block->region->owner == &dev->parent && !(block->flags & (RAM_SHARED | RAM_READ_ONLY));
}

static bool name_block(void *opaque, RamBlock *block)
{
    const Device *dev = opaque;
    const Migratable *m = dev->migratable;
    g_autofree char *numbered = m->instance ? g_strdup_printf("%s-%u", m->id, m->instance) : NULL;

    if (is_own(dev, block) && !block->idstr[0] &&
        ram_block_set_id(block, numbered ? numbered : m->id, block->region->name, NULL)) {
        ram_block_set_migratable(block, true);
    }
    return true;
}

static bool forget_block(void *opaque, RamBlock *block)
{
    if (is_own(opaque, block)) {
        ram_block_set_migratable(block, false);
        ram_block_clear_id(block);
    }
    return true;
}

bool device_state_register(Device *dev, Error **errp)
{
    const VMState *state = device_type_state(dev->parent.type);
    g_autofree char *id = NULL;

    if (!state) {
        return true;
    }
    id = state_id(dev);
    dev->migratable = migratable_register(id, MIGRATABLE_NEXT, object_type_name(dev), state, dev,
                                          errp);
    if (dev->migratable) {
        ram_block_each(name_block, dev);
    }
    return dev->migratable;
}

void device_state_unregister(Device *dev)
{
    if (dev->migratable) {
        ram_block_each(forget_block, dev);
    }
    migratable_unregister(dev->migratable);
    dev->migratable = NULL;
}
