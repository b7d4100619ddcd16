/*
 * Register tables at work: see hw/core/register.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/device.h"
#include "system/vmstate_kind.h"
#include "trace.h"
#include "util/log.h"

static unsigned reg_count(const RegDef *reg)
{
    return reg->count ? reg->count : 1;
}

static unsigned reg_stride(const RegisterMap *map, const RegDef *reg)
{
    return reg->stride ? reg->stride : map->width;
}

const RegDef *register_find(const RegisterMap *map, uint64_t at, unsigned *n)
{
    for (size_t i = 0; i < map->count; i++) {
        const RegDef *reg = &map->regs[i];
        unsigned stride = reg_stride(map, reg);

        if (at >= reg->at && at - reg->at < (uint64_t)stride * reg_count(reg) &&
            (at - reg->at) % stride == 0) {
            *n = (at - reg->at) / stride;
            return reg;
        }
    }
    return NULL;
}

static void *field(Device *dev, const RegDef *reg, unsigned n)
{
    return (char *)dev + reg->field + (size_t)n * reg->field_size;
}

static uint64_t load(Device *dev, const RegDef *reg, unsigned n)
{
    return reg->field_size ? vm_peek(field(dev, reg, n), reg->field_size) : 0;
}

static void store(Device *dev, const RegDef *reg, unsigned n, uint64_t value)
{
    if (reg->field_size) {
        vm_poke(field(dev, reg, n), value, reg->field_size);
    }
}

/* Which register, and where it was looked for. */
typedef struct Place {
    const RegDef *reg; /* NULL: there is none */
    unsigned n;
    uint64_t at;
} Place;

static uint64_t read_place(Device *dev, Place place)
{
    const RegDef *reg = place.reg;
    unsigned n = place.n;
    uint64_t value;

    if (!reg) {
        guest_error("%s: read of no register at 0x%" PRIx64, device_label(dev), place.at);
        return 0;
    }
    value = reg->read ? reg->read(dev, n) : load(dev, reg, n);
    if (reg->clears_on_read) {
        store(dev, reg, n, 0);
    }
    value &= reg->read_mask ? reg->read_mask : UINT64_MAX;
    trace_register_read(device_label(dev), reg->name, n, value);
    return value;
}

static void write_field(Device *dev, const RegDef *reg, unsigned n, uint64_t value)
{
    uint64_t old = load(dev, reg, n);

    old &= ~(value & reg->clear_on_1);
    old |= value & reg->set_on_1;
    store(dev, reg, n, (old & ~reg->writable) | (value & reg->writable));
}

static void write_place(Device *dev, Place place, uint64_t value)
{
    const RegDef *reg = place.reg;
    unsigned n = place.n;

    if (!reg) {
        guest_error("%s: write of no register at 0x%" PRIx64, device_label(dev), place.at);
        return;
    }
    trace_register_write(device_label(dev), reg->name, n, value);
    if (reg->write) {
        reg->write(dev, n, value);
        return;
    }
    if (!(reg->writable | reg->clear_on_1 | reg->set_on_1) && !reg->written && !reg->written_n) {
        guest_error("%s: write to %s, which is read-only", device_label(dev), reg->name);
        return;
    }
    write_field(dev, reg, n, value);
    if (reg->written) {
        reg->written(dev);
    }
    if (reg->written_n) {
        reg->written_n(dev, n);
    }
}

static Place find_place(const RegisterMap *map, uint64_t at)
{
    Place place = { .at = at };

    place.reg = register_find(map, at, &place.n);
    return place;
}

uint64_t register_read(Device *dev, const RegisterMap *map, uint64_t at)
{
    return read_place(dev, find_place(map, at));
}

void register_write(Device *dev, const RegisterMap *map, uint64_t at, uint64_t value)
{
    write_place(dev, find_place(map, at), value);
}

void register_reset(Device *dev, const RegisterMap *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const RegDef *reg = &map->regs[i];

        for (unsigned n = 0; n < reg_count(reg) && !reg->keeps_on_reset; n++) {
            store(dev, reg, n, reg->reset);
        }
    }
}

void register_print(GString *out, Device *dev, const RegisterMap *map)
{
    for (size_t i = 0; i < map->count; i++) {
        const RegDef *reg = &map->regs[i];

        for (unsigned n = 0; n < reg_count(reg) && reg->field_size; n++) {
            g_autofree char *index = reg_count(reg) > 1 ? g_strdup_printf("[%u]", n) :
                                                          g_strdup("");

            g_string_append_printf(out, "%s%s = 0x%0*" PRIx64 "\n", reg->name, index,
                                   reg->field_size * 2, load(dev, reg, n));
        }
    }
}

size_t register_rows(const RegisterMap *map, VMField **rows)
{
    size_t used = 0;

    *rows = g_new0(VMField, map->count);
    for (size_t i = 0; i < map->count; i++) {
        const RegDef *reg = &map->regs[i];

        if (reg->field_size) {
            (*rows)[used++] = vmstate_uint_row(reg->name, reg->field, reg->field_size,
                                               reg_count(reg));
        }
    }
    return used;
}

/* --- banks --- */

#define MOST_PLACES 1024
#define MOST_ROWS   UINT8_MAX

static void index_rows(RegisterBank *bank)
{
    const RegisterMap *map = bank->map;
    uint64_t places = (map->size + map->width - 1) / map->width;

    bank->rows = NULL;
    if (places > MOST_PLACES || map->count > MOST_ROWS) {
        return;
    }
    bank->rows = g_new0(uint8_t, places);
    for (uint64_t i = 0; i < places; i++) {
        unsigned n;
        const RegDef *reg = register_find(map, i * map->width, &n);

        bank->rows[i] = reg ? reg - map->regs + 1 : 0;
    }
}

/* Accesses begin at multiples of the width. */
static Place find_in_bank(const RegisterBank *bank, uint64_t at)
{
    const RegisterMap *map = bank->map;
    Place place = { .at = at };
    unsigned row;

    if (!bank->rows) {
        return find_place(map, at);
    }
    row = bank->rows[at / map->width];
    if (row) {
        place.reg = &map->regs[row - 1];
        place.n = at == place.reg->at ? 0 : (at - place.reg->at) / reg_stride(map, place.reg);
    }
    return place;
}

static uint64_t bank_read(void *opaque, uint64_t at, unsigned bytes)
{
    RegisterBank *bank = opaque;

    return read_place(bank->dev, find_in_bank(bank, at));
}

static void bank_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    RegisterBank *bank = opaque;

    write_place(bank->dev, find_in_bank(bank, at), value);
}

void register_bank_init(RegisterBank *bank, Device *dev, const RegisterMap *map, const char *name)
{
    bank->dev = dev;
    bank->map = map;
    index_rows(bank);
    bank->ops = (MemoryOps){
        .read = bank_read,
        .write = bank_write,
        .endian = map->endian,
        .valid = { map->access_min ? map->access_min : map->width,
                   map->access_max ? map->access_max : map->width },
        .impl = { map->width, map->width },
    };
    memory_region_init_io(&bank->region, &dev->parent, &bank->ops, name, map->size);
    memory_region_set_opaque(&bank->region, bank);
}

void register_bank_clear(RegisterBank *bank)
{
    memory_region_clear(&bank->region);
    g_clear_pointer(&bank->rows, g_free);
}
