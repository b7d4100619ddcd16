/*
 * isa-fdc: an 82078 on the ISA bus. Its drives are in floppy.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fdc_state.h"
#include "system/address_space.h"

enum { DOR_SELECT = 0x03, DOR_NOT_RESET = 0x04, DSR_RESET = 0x80 };
enum { PORT_SRA, PORT_SRB, PORT_DOR, PORT_TDR, PORT_STATUS, PORT_DATA, PORT_DIR = 7 };
#define DOR_AT_RESET 0x0c

/* --- ports --- */

static void write_dor(Fdc *fdc, uint8_t value)
{
    uint8_t old = fdc->dor;

    fdc->dor = value;
    if (old & DOR_NOT_RESET && !(value & DOR_NOT_RESET)) {
        fdc_cancel(fdc);
        fdc_set_irq(fdc, false);
    } else if (!(old & DOR_NOT_RESET) && value & DOR_NOT_RESET) {
        fdc_reset(fdc, false);
    }
    if (fdc->phase == FDC_COMMAND && !fdc->pos) {
        fdc->current = value & DOR_SELECT;
    }
}

static void write_dsr(Fdc *fdc, uint8_t value)
{
    if (!(fdc->dor & DOR_NOT_RESET)) {
        return;
    }
    fdc->dsr = value & ~DSR_RESET; /* clears itself */
    if (value & DSR_RESET) {
        fdc_reset(fdc, false);
    }
}

static uint8_t read_dir(const Fdc *fdc)
{
    unsigned n = fdc->dor & DOR_SELECT;

    return fdc->drives[n].has_changed || !fdc_floppy(fdc, n) ? 0x80 : 0;
}

static uint8_t read_port(Fdc *fdc, unsigned port)
{
    switch (port) {
    case PORT_SRA:
        return fdc->sra;
    case PORT_SRB: /* ones, the selected drive, motors */
        return 0xc0 | (fdc->dor & 1) << 5 | (fdc->dor >> 4 & 3);
    case PORT_DOR:
        return fdc->dor;
    case PORT_TDR:
        return fdc->tdr & 3;
    case PORT_STATUS:
        return fdc_main_status(fdc);
    case PORT_DATA:
        return fdc_read_data(fdc);
    default:
        return read_dir(fdc);
    }
}

static void write_port(Fdc *fdc, unsigned port, uint8_t value)
{
    switch (port) {
    case PORT_DOR:
        write_dor(fdc, value);
        break;
    case PORT_TDR:
        fdc->tdr = value & 3;
        break;
    case PORT_STATUS:
        write_dsr(fdc, value);
        break;
    case PORT_DATA:
        fdc_write_data(fdc, value);
        break;
    case PORT_DIR: /* CCR */
        fdc->ccr = value & 3;
        break;
    default:
        break;
    }
}

static uint64_t low_read(void *opaque, uint64_t at, unsigned bytes)
{
    return read_port(opaque, PORT_SRB + at);
}

static void low_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    write_port(opaque, PORT_SRB + at, value);
}

static uint64_t dir_read(void *opaque, uint64_t at, unsigned bytes)
{
    return read_port(opaque, PORT_DIR);
}

static void dir_write(void *opaque, uint64_t at, uint64_t value, unsigned bytes)
{
    write_port(opaque, PORT_DIR, value);
}

static const MemoryOps port_ops[2] = {
    { .read = low_read, .write = low_write, .endian = ENDIAN_LITTLE, .valid = { 1, 1 },
      .impl = { 1, 1 } },
    { .read = dir_read, .write = dir_write, .endian = ENDIAN_LITTLE, .valid = { 1, 1 },
      .impl = { 1, 1 } },
};

/* --- life --- */

static bool attach_dma(Fdc *fdc, IsaDmaTransfer *fn, Error **errp)
{
    IsaDma *dma = isa_dma_of(isa_device_bus(&fdc->parent), fdc->dma_channel);

    if (fdc->dma_channel >= ISA_DMA_CHANNELS) {
        return error_set(errp, "isa-fdc: there is no DMA channel %u", fdc->dma_channel);
    }
    if (dma) {
        dma->attach(dma, fdc->dma_channel, fn, fdc);
    }
    return true;
}

static bool isa_fdc_realize(Device *dev, Error **errp)
{
    Fdc *fdc = FDC(dev);

    if (!fdc->ports[0].name) {
        memory_region_init_io(&fdc->ports[0], &dev->parent, &port_ops[0], "fdc", 5);
        memory_region_init_io(&fdc->ports[1], &dev->parent, &port_ops[1], "fdc", 1);
    }
    if (!attach_dma(fdc, fdc_dma, errp)) {
        return false;
    }
    if (!isa_device_map(&fdc->parent, &fdc->ports[0], fdc->iobase + 1, errp) ||
        !isa_device_map(&fdc->parent, &fdc->ports[1], fdc->iobase + 7, errp) ||
        !isa_device_connect(&fdc->parent, &fdc->irq, fdc->irq_number, errp)) {
        attach_dma(fdc, NULL, NULL);
        return false;
    }
    fdc->bus = FLOPPY_BUS(bus_new(TYPE_FLOPPY_BUS, dev, "floppy-bus.0"));
    fdc->bus->fdc = fdc;
    return true;
}

static void isa_fdc_unrealize(Device *dev)
{
    Fdc *fdc = FDC(dev);

    if (fdc->bus) {
        fdc_cancel(fdc);
        attach_dma(fdc, NULL, NULL);
        object_unparent(fdc->bus);
        fdc->bus = NULL;
    }
}

static void isa_fdc_finalize(Object *obj)
{
    for (unsigned i = 0; i < 2; i++) {
        if (FDC(obj)->ports[i].name) {
            memory_region_clear(&FDC(obj)->ports[i]);
        }
    }
}

static void isa_fdc_reset(Device *dev)
{
    Fdc *fdc = FDC(dev);

    fdc->dor = DOR_AT_RESET;
    fdc->tdr = fdc->dsr = fdc->ccr = 0;
    fdc->srt_hut = fdc->options = 0;
    fdc->hlt_nd = 1;
    fdc->is_locked = false;
    fdc_reset(fdc, true);
    for (unsigned n = 0; n < 4; n++) {
        fdc->drives[n].has_changed = fdc_floppy(fdc, n);
    }
}

static void isa_fdc_id_timer(Device *dev)
{
    fdc_read_id_done(FDC(dev));
}

static bool isa_fdc_post_load(void *opaque, int version, Error **errp)
{
    const Fdc *fdc = opaque;

    if (fdc->phase > FDC_RESULT || fdc->is_waiting || fdc->pos > fdc->length ||
        fdc->length > sizeof(fdc->fifo) || (fdc->phase != FDC_DATA && fdc->pos == fdc->length) ||
        fdc->resets_to_sense > 4 || fdc->current > 3) {
        return error_set(errp, "isa-fdc: there is no such state");
    }
    return true;
}

static const Property isa_fdc_props[] = {
    PROP_U32("iobase", Fdc, iobase, .initial = 0x3f0, .doc = "First of its eight ports"),
    PROP_U32("irq", Fdc, irq_number, .initial = 6, .doc = "Its interrupt"),
    PROP_U32("dma", Fdc, dma_channel, .initial = 2, .doc = "Its DMA channel"),
    PROP_ENUM("fdtypeA", Fdc, wanted_types[0], fdc_drive_type_table, .initial = FDC_DRIVE_AUTO,
              .doc = "FDC drive type"),
    PROP_ENUM("fdtypeB", Fdc, wanted_types[1], fdc_drive_type_table, .initial = FDC_DRIVE_AUTO,
              .doc = "FDC drive type"),
    PROP_ENUM("fallback", Fdc, fallback, fdc_drive_type_table, .initial = FDC_DRIVE_288,
              .doc = "FDC drive type"),
    PROP_BOOT_INDEX("bootindexA", Fdc, boot_index[0]),
    PROP_BOOT_INDEX("bootindexB", Fdc, boot_index[1]),
};
static const VMField fdc_drive_fields[] = {
    VM_U8(FdcDrive, track), VM_BOOL(FdcDrive, has_changed),
};
static const VMState fdc_drive_state =
    VMSTATE_INIT(fdc_drive_fields, .name = "fdc_drive", .version = 1);
static const VMField isa_fdc_fields[] = {
    VM_U8(Fdc, dor), VM_U8(Fdc, tdr), VM_U8(Fdc, dsr), VM_U8(Fdc, ccr), VM_U8(Fdc, sra),
    VM_U8(Fdc, status0), VM_U8(Fdc, resets_to_sense), VM_U8(Fdc, srt_hut), VM_U8(Fdc, hlt_nd),
    VM_U8(Fdc, config), VM_U8(Fdc, pretrk), VM_U8(Fdc, perpendicular), VM_U8(Fdc, options),
    VM_BOOL(Fdc, is_locked), VM_STRUCT_ARRAY(Fdc, drives, fdc_drive_state), VM_U8(Fdc, phase),
    VM_U8(Fdc, current), VM_ARRAY(Fdc, fifo), VM_U8(Fdc, pos), VM_U8(Fdc, length),
    VM_U32(Fdc, total), VM_U32(Fdc, done), VM_U8(Fdc, cylinder), VM_U8(Fdc, head),
    VM_U8(Fdc, sector), VM_U8(Fdc, size_code), VM_U8(Fdc, status1), VM_U8(Fdc, status2),
    VM_BOOL(Fdc, has_sector), VM_BOOL(Fdc, is_waiting), VM_BOOL(Fdc, is_scan_equal),
    VM_BOOL(Fdc, is_dma), VM_ARRAY(Fdc, buffer), VM_TIMER(Fdc, id_timer),
};

static const DeviceType isa_fdc_type = {
    .name = TYPE_ISA_FDC,
    .doc = "82078 floppy disk controller",
    .parent = TYPE_ISA_DEVICE,
    .size = sizeof(Fdc),
    .category = DEVICE_CATEGORY_STORAGE,
    .is_not_hotpluggable = true,
    .timers = TIMER_ON(CLOCK_VIRTUAL, Fdc, id_timer, isa_fdc_id_timer),
    .properties = PROPERTIES(isa_fdc_props),
    .vmstate = VMSTATE(isa_fdc_fields, .version = 1, .post_load = isa_fdc_post_load),
    .realize = isa_fdc_realize,
    .unrealize = isa_fdc_unrealize,
    .finalize = isa_fdc_finalize,
    .reset_hold = isa_fdc_reset,
};
DEVICE_TYPE(isa_fdc_type)
