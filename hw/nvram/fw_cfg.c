/*
 * fw_cfg_io and fw_cfg_mem: the guest's side of what the machine tells its firmware. Ports: a
 * 16-bit little-endian selector with the data byte behind it, and a 64-bit big-endian DMA address;
 * memory-mapped: data, a 16-bit big-endian selector, the DMA address. See hw/nvram/fw_cfg.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fw_cfg_state.h"

#define VERSION_TRADITIONAL BIT(0)
#define VERSION_DMA         BIT(1)
#define DMA_SIGNATURE       UINT64_C(0x51454d5520434647) /* "QEMU CFG" */

static void find_below(void *opaque, Object *at)
{
    Device **found = opaque;

    if (object_is_a(at, TYPE_FW_CFG) && DEVICE(at)->is_realized) {
        *found = DEVICE(at);
    }
    object_each_child(at, find_below, opaque);
}

Device *fw_cfg_find(void)
{
    Device *found = NULL;

    find_below(&found, object_root());
    return found;
}

bool fw_cfg_has_dma(Device *dev)
{
    return FW_CFG(dev)->has_dma;
}

/* --- registers --- */

static uint64_t read_data(void *opaque, uint64_t at, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes--) { /* the string's order, whatever the width */
        value = value << 8 | fw_cfg_next(opaque);
    }
    return value;
}

/* Blobs cannot be written this way. */
static void write_data(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
}

static uint64_t read_selector(void *opaque, uint64_t at, unsigned bytes)
{
    return 0;
}

static void write_selector(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    fw_cfg_select(opaque, value);
}

static uint64_t read_port(void *opaque, uint64_t at, unsigned bytes)
{
    return fw_cfg_next(opaque);
}

static void write_port(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    if (bytes == 2) {
        fw_cfg_select(opaque, value);
    }
}

/* A word to the selector, a byte from the data port behind it. */
static bool port_accepts(void *opaque, uint64_t at, unsigned bytes, bool is_write,
                         MemTxAttrs attrs)
{
    return bytes == 1 || (is_write && bytes == 2 && at == 0);
}

static uint64_t read_dma(void *opaque, uint64_t at, unsigned bytes)
{
    return DMA_SIGNATURE >> (8 * (8 - at - bytes)) & (bytes == 8 ? UINT64_MAX :
                                                      (BIT64(8 * bytes) - 1));
}

static void write_dma(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    FwCfg *s = opaque;

    if (bytes == 4 && at == 0) {
        s->dma_addr = value << 32;
        return;
    }
    s->dma_addr = bytes == 8 ? value : s->dma_addr | value;
    fw_cfg_dma_run(s);
}

static bool dma_accepts(void *opaque, uint64_t at, unsigned bytes, bool is_write,
                        MemTxAttrs attrs)
{
    return !is_write || (bytes == 4 && (at == 0 || at == 4)) || (bytes == 8 && at == 0);
}

static const MemoryOps port_ops = {
    .read = read_port, .write = write_port, .endian = ENDIAN_LITTLE,
    .valid = { .min = 1, .max = 2, .accepts = port_accepts }, .impl = { 1, 2 },
};
static const MemoryOps data_ops = {
    .read = read_data, .write = write_data, .endian = ENDIAN_BIG,
    .valid = { 1, 8 }, .impl = { 1, 8 },
};
static const MemoryOps selector_ops = {
    .read = read_selector, .write = write_selector, .endian = ENDIAN_BIG,
    .valid = { 2, 2 }, .impl = { 2, 2 },
};
static const MemoryOps dma_ops = {
    .read = read_dma, .write = write_dma, .endian = ENDIAN_BIG,
    .valid = { .min = 1, .max = 8, .accepts = dma_accepts }, .impl = { 1, 8 },
};

/* --- life --- */

static void fw_cfg_reset(Device *dev)
{
    fw_cfg_select(FW_CFG(dev), FW_CFG_SIGNATURE);
    FW_CFG(dev)->dma_addr = 0;
}

static bool fw_cfg_realize(Device *dev, Error **errp)
{
    FwCfg *s = FW_CFG(dev);

    if (fw_cfg_find()) {
        return error_set(errp, "at most one fw_cfg device is permitted");
    }
    if (s->file_slots < FW_CFG_MIN_SLOTS || s->file_slots >= FW_CFG_MAX_FILES - FW_CFG_FILE_FIRST) {
        return error_set(errp, "\"x-file-slots\" must be at least 0x%x and less than 0x%x",
                         FW_CFG_MIN_SLOTS, FW_CFG_MAX_FILES - FW_CFG_FILE_FIRST);
    }
    fw_cfg_set_copy(dev, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_set_u32(dev, FW_CFG_ID, VERSION_TRADITIONAL | (s->has_dma ? VERSION_DMA : 0));
    return true;
}

static bool fw_cfg_io_realize(Device *dev, Error **errp)
{
    FwCfg *s = FW_CFG(dev);

    memory_region_add(memory_region_io(), FW_CFG_IO_PORT, &s->selector);
    if (s->has_dma) {
        memory_region_add(memory_region_io(), FW_CFG_IO_PORT + 4, &s->dma);
    }
    return true;
}

static void fw_cfg_io_unrealize(Device *dev)
{
    FwCfg *s = FW_CFG(dev);

    memory_region_remove(memory_region_io(), &s->selector);
    if (s->has_dma) {
        memory_region_remove(memory_region_io(), &s->dma);
    }
}

/* Regions: selector, data, DMA, in the order boards map them. */
static bool fw_cfg_mem_realize(Device *dev, Error **errp)
{
    FwCfg *s = FW_CFG(dev);

    if (s->data_width != UINT32_MAX && (!s->data_width || s->data_width > 8)) {
        return error_set(errp, "fw_cfg_mem: 'data_width' %" PRIu32 " is not 1 to 8", s->data_width);
    }
    if (s->parent.region_count) { /* realized before */
        return true;
    }
    memory_region_set_size(&s->data, s->data_width == UINT32_MAX ? 1 : s->data_width);
    mmio_device_add_region(&s->parent, &s->selector);
    mmio_device_add_region(&s->parent, &s->data);
    if (s->has_dma) {
        mmio_device_add_region(&s->parent, &s->dma);
    }
    return true;
}

static void init_parts(FwCfg *s, const MemoryOps *selector, const MemoryOps *data)
{
    Object *obj = (Object *)s;

    memory_region_init_io(&s->selector, obj, selector, "fwcfg.ctl", 2);
    memory_region_init_io(&s->data, obj, data, "fwcfg.data", 1);
    memory_region_init_io(&s->dma, obj, &dma_ops, "fwcfg.dma", 8);
    fw_cfg_blobs_init(s);
}

static void fw_cfg_io_init(Object *obj)
{
    init_parts(FW_CFG(obj), &port_ops, &data_ops);
}

static void fw_cfg_mem_init(Object *obj)
{
    init_parts(FW_CFG(obj), &selector_ops, &data_ops);
}

static void fw_cfg_finalize(Object *obj)
{
    FwCfg *s = FW_CFG(obj);

    fw_cfg_blobs_clear(s);
    memory_region_clear(&s->dma);
    memory_region_clear(&s->data);
    memory_region_clear(&s->selector);
}

static const Property fw_cfg_props[] = {
    PROP_BOOL("dma_enabled", FwCfg, has_dma, .initial = true, .doc = "Has the DMA interface"),
    PROP_U16("x-file-slots", FwCfg, file_slots, .initial = 0x20, .doc = "How many files fit"),
    PROP_BOOL("acpi-mr-restore", FwCfg, restores_acpi, .initial = true,
              .doc = "Tables' sizes are restored by a migration"),
};
static const Property fw_cfg_mem_props[] = {
    PROP_U32("data_width", FwCfg, data_width, .initial = UINT32_MAX,
             .doc = "Widest access to the data register, in bytes"),
};
static const VMField fw_cfg_fields[] = {
    VM_U16(FwCfg, selected), VM_U32(FwCfg, offset), VM_U64(FwCfg, dma_addr),
};

static const DeviceType fw_cfg_type = {
    .name = TYPE_FW_CFG,
    .doc = "What the machine tells its firmware",
    .parent = TYPE_MMIO_DEVICE,
    .size = sizeof(FwCfg),
    .is_abstract = true,
    .category = DEVICE_CATEGORY_MISC,
    .properties = PROPERTIES(fw_cfg_props),
    .vmstate = VMSTATE(fw_cfg_fields, .version = 1),
    .finalize = fw_cfg_finalize,
    .realize = fw_cfg_realize,
    .reset_hold = fw_cfg_reset,
};
DEVICE_TYPE(fw_cfg_type)

static const DeviceType fw_cfg_io_type = {
    .name = TYPE_FW_CFG_IO,
    .doc = "Firmware configuration at I/O ports",
    .parent = TYPE_FW_CFG,
    .init = fw_cfg_io_init,
    .realize = fw_cfg_io_realize,
    .unrealize = fw_cfg_io_unrealize,
};
DEVICE_TYPE(fw_cfg_io_type)

static const DeviceType fw_cfg_mem_type = {
    .name = TYPE_FW_CFG_MEM,
    .doc = "Firmware configuration in the memory map",
    .parent = TYPE_FW_CFG,
    .properties = PROPERTIES(fw_cfg_mem_props),
    .init = fw_cfg_mem_init,
    .realize = fw_cfg_mem_realize,
};
DEVICE_TYPE(fw_cfg_mem_type)
