/*
 * fw_cfg of `pc` and `q35`, once all devices are there: how to boot, from what, option ROMs, SMBIOS,
 * sleep states, what CPUs' firmware must set.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/cpu.h"
#include "hw/core/data_files.h"
#include "hw/nvram/fw_cfg.h"
#include "pc_machine.h"

/* --- files --- */

/* Takes `data`, whatever comes of it. */
static bool put_file(Device *fw_cfg, const char *name, void *data, size_t bytes, Error **errp)
{
    FwCfgBlob blob = { .data = data, .size = bytes };

    if (!fw_cfg_modify_file(fw_cfg, name, &blob, errp)) {
        g_free(data);
        return false;
    }
    return true;
}

static bool put_number(Device *fw_cfg, const char *name, uint64_t value, unsigned bytes,
                       Error **errp)
{
    uint8_t *data = g_malloc(bytes);

    store_bytes(data, bytes, ENDIAN_LITTLE, value);
    return put_file(fw_cfg, name, data, bytes, errp);
}

static bool put_bytes(Device *fw_cfg, const char *name, GByteArray *bytes, Error **errp)
{
    gsize size;
    uint8_t *data = g_byte_array_steal(bytes, &size);

    return put_file(fw_cfg, name, data, size, errp);
}

/* --- booting --- */

static bool put_splash(Device *fw_cfg, const char *name, Error **errp)
{
    GByteArray *image = NULL;
    bool is_bmp, is_jpeg;

    if (!data_file_read(name, "boot splash", &image, errp)) {
        return false;
    }
    is_bmp = image->len > 1 && image->data[0] == 'B' && image->data[1] == 'M';
    is_jpeg = image->len > 1 && image->data[0] == 0xff && image->data[1] == 0xd8;
    if (!is_bmp && !is_jpeg) {
        g_byte_array_unref(image);
        return error_set(errp, "splash file '%s' format not recognized; must be JPEG or 24 bit BMP",
                         name);
    }
    is_bmp = put_bytes(fw_cfg, is_bmp ? "bootsplash.bmp" : "bootsplash.jpg", image, errp);
    g_byte_array_unref(image);
    return is_bmp;
}

static bool tell_how_to_boot(PcMachine *pc, Error **errp)
{
    const BootOrder *boot = &pc->parent.parent.boot;
    Device *fw_cfg = pc->parent.fw_cfg;

    if (boot->splash && !put_splash(fw_cfg, boot->splash, errp)) {
        return false;
    }
    if (boot->splash_time >= 0 &&
        !put_number(fw_cfg, "etc/boot-menu-wait", boot->splash_time, 2, errp)) {
        return false;
    }
    return put_number(fw_cfg, "etc/boot-fail-wait", (uint32_t)boot->reboot_timeout, 4, errp);
}

/* --- hardware --- */

/* SLP_TYP of S1 to S5 and soft off, with bit 7: the state is there. */
static bool tell_sleep_states(PcMachine *pc, Error **errp)
{
    uint8_t states[6] = { 0x80, 0, 0, 0x01, 0, 0x80 };
    Device *pm = pc->parent.acpi_device;

    if (!pm) {
        return true;
    }
    states[3] |= object_get_int(pm, "disable_s3") ? 0 : 0x80;
    states[4] = object_get_int(pm, "s4_val") | (object_get_int(pm, "disable_s4") ? 0 : 0x80);
    return put_file(pc->parent.fw_cfg, "etc/system-states", g_memdup2(states, sizeof(states)),
                    sizeof(states), errp);
}

/* IA32_FEATURE_CONTROL as firmware has to set and lock it. */
static bool tell_feature_control(PcMachine *pc, Error **errp)
{
    enum { LOCKED = BIT(0), VMX_OUTSIDE_SMX = BIT(2), LMCE = BIT(20) };
    Device *cpu = x86_boot_cpu(&pc->parent.parent);
    uint64_t value = 0;

    if (cpu) {
        value |= object_get_bool(cpu, "vmx") ? VMX_OUTSIDE_SMX : 0;
        value |= object_get_bool(cpu, "lmce") ? LMCE : 0;
    }
    return !value || put_number(pc->parent.fw_cfg, "etc/msr_feature_control", value | LOCKED, 8,
                                errp);
}

/* Roots besides the board's, behind expanders: firmware looks for them. */
static bool tell_extra_roots(PcMachine *pc, Error **errp)
{
    const PciBus *root = pc->host->parent.bus;
    guint count = root->expanders ? root->expanders->len : 0;

    return !count || put_number(pc->parent.fw_cfg, "etc/extra-pci-roots", count, 8, errp);
}

/* What old BIOSes make an HPET table of. */
static void tell_hpet(PcMachine *pc)
{
    enum { HPET_ENTRY = 0x8004, TABLES = 8 };
    uint8_t table[1 + TABLES * 15] = { 0 };

    if (pc->has_hpet) {
        table[0] = 1;
        store_le32(table + 1, 0x8086a201); /* vendor, 3 timers of 64 bits, legacy routes */
        store_le64(table + 5, 0xfed00000);
        store_le16(table + 13, 100);       /* least ticks of a periodic timer */
        fw_cfg_set_copy(pc->parent.fw_cfg, HPET_ENTRY, table, sizeof(table));
    }
}

bool pc_tell_firmware(PcMachine *pc, Error **errp)
{
    tell_hpet(pc);
    return tell_how_to_boot(pc, errp) && tell_sleep_states(pc, errp) &&
           tell_feature_control(pc, errp) && tell_extra_roots(pc, errp) &&
           pc_offer_pci_roms(pc, errp) && pc_make_smbios(pc, errp);
}
