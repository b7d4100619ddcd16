/*
 * What a PC's BIOS finds in the battery-backed memory of the clock: sizes, boot devices, equipment.
 * Addresses as in SeaBIOS's and Bochs' documents of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/block/fdc.h"
#include "hw/core/cpu.h"
#include "hw/core/reset.h"
#include "hw/ide/ide_bus.h"
#include "hw/ide/ide_device.h"
#include "hw/rtc/mc146818rtc.h"
#include "pc_machine.h"

enum {
    CMOS_FLOPPIES = 0x10, CMOS_DISKS = 0x12, CMOS_EQUIPMENT = 0x14, CMOS_DISK_0_TYPE = 0x19,
    CMOS_DISK_1_TYPE = 0x1a, CMOS_DISK_0 = 0x1b, CMOS_DISK_1 = 0x24, CMOS_BOOT_3 = 0x38,
    CMOS_TRANSLATIONS = 0x39, CMOS_BOOT_1_2 = 0x3d, CMOS_CPUS = 0x5f,
};
#define EQUIPMENT_FPU   BIT(1)
#define EQUIPMENT_MOUSE BIT(2)
#define BOOT_NO_FLOPPY_CHECK BIT(0)
#define BOOT_DEVICES    3
#define DISKS           4
#define TYPE_OF_USER    47 /* a disk whose geometry follows */

/* --- boot devices --- */

static int boot_code(char device)
{
    static const char codes[] = { [1] = 'a', [2] = 'c', [3] = 'd', [4] = 'n' };

    for (size_t i = 1; i < ARRAY_SIZE(codes); i++) {
        if (codes[i] == device) {
            return i;
        }
    }
    return 0;
}

static bool set_boot_devices(PcMachine *pc, const char *order, Error **errp)
{
    unsigned codes[BOOT_DEVICES] = { 0 };
    size_t count = strlen(order);

    if (count > BOOT_DEVICES) {
        return error_set(errp, "Too many boot devices for PC");
    }
    for (size_t i = 0; i < count; i++) {
        codes[i] = boot_code(order[i]);
        if (!codes[i]) {
            return error_set(errp, "Invalid boot device for PC: '%c'", order[i]);
        }
    }
    mc146818_rtc_set_cmos(pc->parent.rtc, CMOS_BOOT_1_2, codes[1] << 4 | codes[0]);
    mc146818_rtc_set_cmos(pc->parent.rtc, CMOS_BOOT_3,
                          codes[2] << 4 | (pc->checks_floppy ? 0 : BOOT_NO_FLOPPY_CHECK));
    return true;
}

static const char *usual_order(const PcMachine *pc)
{
    const BootOrder *boot = &pc->parent.parent.boot;

    return boot->order ? boot->order : "cad";
}

/* -boot once= is for the first start alone: the second reset brings the usual order. */
static void forget_once(void *opaque)
{
    PcMachine *pc = opaque;

    if (!pc->was_reset) {
        pc->was_reset = true;
        return;
    }
    set_boot_devices(pc, usual_order(pc), NULL); /* it was checked */
    reset_unregister(forget_once, pc);
}

/* --- floppy drives --- */

static Device *find_fdc(const PcMachine *pc)
{
    const GPtrArray *devices = pc->isa->parent.devices;

    for (guint i = 0; i < devices->len; i++) {
        if (object_is_a(devices->pdata[i], TYPE_ISA_FDC)) {
            return devices->pdata[i];
        }
    }
    return NULL;
}

/* Types of both drives, how many there are. */
static void tell_floppies(PcMachine *pc)
{
    static const uint8_t codes[] = {
        [FDC_DRIVE_144] = 4, [FDC_DRIVE_288] = 5, [FDC_DRIVE_120] = 2, [FDC_DRIVE_NONE] = 0,
    };
    static const uint8_t counts[] = { 0, 0x01, 0x41 };
    Device *fdc = find_fdc(pc);
    uint8_t a = fdc ? codes[fdc_drive_type(fdc, 0)] : 0, b = fdc ? codes[fdc_drive_type(fdc, 1)] : 0;

    mc146818_rtc_set_cmos(pc->parent.rtc, CMOS_FLOPPIES, a << 4 | b);
    mc146818_rtc_set_cmos(pc->parent.rtc, CMOS_EQUIPMENT,
                          EQUIPMENT_FPU | EQUIPMENT_MOUSE | counts[(a != 0) + (b != 0)]);
}

/* --- disks --- */

static void tell_disk(PcMachine *pc, unsigned type_at, unsigned at, const DiskGeometry *g)
{
    uint8_t bytes[] = {
        g->cyls, g->cyls >> 8, g->heads, 0xff, 0xff, /* no precompensation */
        0xc0 | (g->heads > 8) << 3, g->cyls, g->cyls >> 8, g->secs,
    };

    mc146818_rtc_set_cmos(pc->parent.rtc, type_at, TYPE_OF_USER);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        mc146818_rtc_set_cmos(pc->parent.rtc, at + i, bytes[i]);
    }
}

/* The first channel's disks with all that is to be known; of four, how to translate. */
static void tell_disks(PcMachine *pc)
{
    static const struct {
        const char *bus;
        unsigned unit;
    } places[DISKS] = { { "ide.0", 0 }, { "ide.0", 1 }, { "ide.1", 0 }, { "ide.1", 1 } };
    uint8_t types = 0, translations = 0;

    for (unsigned n = 0; n < DISKS; n++) {
        Bus *bus = bus_find(places[n].bus, TYPE_IDE_BUS);
        DiskGeometry geometry;

        if (!bus || !ide_bus_geometry(IDE_BUS(bus), places[n].unit, &geometry)) {
            continue;
        }
        translations |= (geometry.translation - DISK_TRANSLATION_NONE) << 2 * n;
        if (n < 2) {
            types |= n ? 0x0f : 0xf0;
            tell_disk(pc, n ? CMOS_DISK_1_TYPE : CMOS_DISK_0_TYPE, n ? CMOS_DISK_1 : CMOS_DISK_0,
                      &geometry);
        }
    }
    mc146818_rtc_set_cmos(pc->parent.rtc, CMOS_DISKS, types);
    mc146818_rtc_set_cmos(pc->parent.rtc, CMOS_TRANSLATIONS, translations);
}

void pc_tell_drives(PcMachine *pc)
{
    tell_floppies(pc);
    tell_disks(pc);
}

bool pc_fill_cmos(PcMachine *pc, Error **errp)
{
    const BootOrder *boot = &pc->parent.parent.boot;
    Device *rtc = pc->parent.rtc;

    x86_fill_cmos_sizes(&pc->parent);
    mc146818_rtc_set_cmos(rtc, CMOS_CPUS, vcpu_count() > 256 ? 0 : vcpu_count() - 1);
    if (!set_boot_devices(pc, usual_order(pc), errp)) {
        return false;
    }
    if (boot->once) {
        reset_register(forget_once, pc);
    }
    return !boot->once || set_boot_devices(pc, boot->once, errp);
}
