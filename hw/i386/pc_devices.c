/*
 * What is on a PC's ISA bus, as a table, and how the timers are wired; functions of the chipset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/block_drive.h"
#include "hw/block/fdc.h"
#include "hw/core/mmio_device.h"
#include "hw/ide/ide_device.h"
#include "hw/rtc/mc146818rtc.h"
#include "hw/timer/i8254.h"
#include "pc_machine.h"

#define HPET_BASE 0xfed00000
/* The HPET's inputs, for timers it takes the place of. */
enum { HPET_LEGACY_PIT, HPET_LEGACY_RTC };
#define HPET_GSIS 24
#define RTC_BASE_YEAR 2000
#define RTC_IRQ 8

/* --- timers --- */

static Device *make_hpet(PcMachine *pc, Error **errp)
{
    Device *dev = device_new("hpet");

    object_set_int(dev, "hpet-intcap", pc_machine_ops(pc)->hpet_lines, NULL);
    if (!device_realize_and_unref(dev, bus_system(), errp)) {
        return NULL;
    }
    mmio_device_map(MMIO_DEVICE(dev), 0, HPET_BASE);
    for (unsigned n = 0; n < HPET_GSIS; n++) {
        irq_connect(device_irq_out(dev, "sysbus-irq", n), x86_gsi_input(&pc->parent.gsi, n));
    }
    return dev;
}

/* The clock's line goes through the HPET, which may take its place. */
static bool make_rtc(PcMachine *pc, Device *hpet)
{
    Device *rtc = mc146818_rtc_new(pc->isa, RTC_BASE_YEAR);

    if (rtc && hpet) {
        irq_connect(device_irq_out(rtc, NULL, 0), device_irq_in(hpet, NULL, HPET_LEGACY_RTC));
    }
    pc->parent.rtc = rtc;
    return rtc;
}

static bool make_pit(PcMachine *pc, Device *hpet, Error **errp)
{
    Device *pit = device_new(TYPE_I8254), *speaker = device_new(TYPE_PCSPK);

    object_set_int(pit, "iobase", 0x40, NULL);
    if (!device_realize_and_unref(pit, &pc->isa->parent, errp)) {
        return false;
    }
    pc->parent.pit_device = pit;
    irq_connect(device_irq_out(pit, NULL, 0), hpet ? device_irq_in(hpet, NULL, HPET_LEGACY_PIT) :
                                                     x86_gsi_input(&pc->parent.gsi, 0));
    if (hpet) {
        device_connect(hpet, NULL, 0, pit, NULL, 0);
    }
    object_set_link(speaker, "pit", &pit->parent, NULL);
    return device_realize_and_unref(speaker, &pc->isa->parent, errp);
}

static bool make_timers(PcMachine *pc, Error **errp)
{
    Device *hpet = NULL;

    if (pc->has_hpet) {
        hpet = make_hpet(pc, errp);
        if (!hpet) {
            return false;
        }
    }
    return make_rtc(pc, hpet) && (!x86_is_on(pc->parent.pit) || make_pit(pc, hpet, errp));
}

/* --- the rest --- */

static bool has_vmport(const PcMachine *pc)
{
    return x86_is_on(pc->vmport);
}

static bool has_i8042(const PcMachine *pc)
{
    return pc->has_i8042;
}

/* For a drive that a user asks for, in any case. */
static bool has_floppy(const PcMachine *pc)
{
    return pc_machine_ops(pc)->has_floppy || block_drive_nth(BLOCK_IF_FLOPPY, 0);
}

/* VMware's pointer speaks for the PS/2 mouse. */
static bool has_vmmouse(const PcMachine *pc)
{
    return has_vmport(pc) && has_i8042(pc);
}

static void wire_8042(PcMachine *pc, Device *dev)
{
    x86_a20_connect(&pc->parent.a20, X86_A20_8042, dev);
}

static void wire_port92(PcMachine *pc, Device *dev)
{
    x86_a20_connect(&pc->parent.a20, X86_A20_PORT92, dev);
}

typedef struct IsaSetting {
    const char *property;
    int value;
} IsaSetting;

static const struct IsaRow {
    const char *type;
    bool (*is_wanted)(const PcMachine *pc); /* NULL: always */
    const char *partner; /* the property that links it to a device above, called like its type */
    void (*wire)(PcMachine *pc, Device *dev); /* lines but interrupts; NULL: none */
    bool (*add_drives)(Device *dev, Error **errp); /* what is behind it; NULL: nothing */
    IsaSetting settings[4];
} isa_devices[] = {
    { "i8257",
      .settings = { { "base", 0 }, { "page-base", 0x80 }, { "pageh-base", -1 }, { "dshift", 0 } } },
    { "i8257",
      .settings = { { "base", 0xc0 }, { "page-base", 0x88 }, { "pageh-base", -1 },
                    { "dshift", 1 } } },
    { TYPE_ISA_FDC, has_floppy, .add_drives = fdc_add_drives },
    { "i8042", has_i8042, .wire = wire_8042 },
    { "vmport", has_vmport },
    { "vmmouse", has_vmmouse, "i8042" },
    { "port92", .wire = wire_port92 },
};

static Device *add_listed(PcMachine *pc, const struct IsaRow *row, Device *partner, Error **errp)
{
    Device *dev = device_new(row->type);

    for (size_t i = 0; i < ARRAY_SIZE(row->settings) && row->settings[i].property; i++) {
        object_set_int(dev, row->settings[i].property, row->settings[i].value, NULL);
    }
    if (row->partner && !object_set_link(dev, row->partner, &partner->parent, errp)) {
        object_unref(dev);
        return NULL;
    }
    if (!device_realize_and_unref(dev, &pc->isa->parent, errp)) {
        return NULL;
    }
    if (row->wire) {
        row->wire(pc, dev);
    }
    return !row->add_drives || row->add_drives(dev, errp) ? dev : NULL;
}

static bool add_all_listed(PcMachine *pc, Error **errp)
{
    Device *made[ARRAY_SIZE(isa_devices)] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(isa_devices); i++) {
        Device *partner = NULL;

        if (isa_devices[i].is_wanted && !isa_devices[i].is_wanted(pc)) {
            continue;
        }
        for (size_t k = 0; isa_devices[i].partner && k < i; k++) {
            partner = strcmp(isa_devices[k].type, isa_devices[i].partner) ? partner : made[k];
        }
        made[i] = add_listed(pc, &isa_devices[i], partner, errp);
        if (!made[i]) {
            return false;
        }
    }
    return true;
}

bool pc_add_isa_devices(PcMachine *pc, Error **errp)
{
    return (!x86_is_on(pc->parent.pic) || x86_make_pics(&pc->parent, pc->isa, errp)) &&
           make_timers(pc, errp) && add_all_listed(pc, errp);
}

/* --- functions --- */

static bool add_function(PcMachine *pc, const PcFunction *f, Error **errp)
{
    Device *dev = device_new(f->type);

    PCI_DEVICE(dev)->addr = f->devfn;
    PCI_DEVICE(dev)->is_multifunction = f->is_multifunction;
    if (f->prepare) {
        f->prepare(pc, dev);
    }
    if (!device_realize_and_unref(dev, &pc->host->parent.bus->parent, errp)) {
        return false;
    }
    if (f->wire) {
        f->wire(pc, dev);
    }
    return !f->has_ide_drives || ide_controller_add_drives(dev, errp);
}

bool pc_add_functions(PcMachine *pc, Error **errp)
{
    for (const PcFunction *f = pc_machine_ops(pc)->functions; f && f->type; f++) {
        if ((!f->is_wanted || f->is_wanted(pc)) && !add_function(pc, f, errp)) {
            return false;
        }
    }
    return true;
}
