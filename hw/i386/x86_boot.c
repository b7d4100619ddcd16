/*
 * How boards start a kernel that was given with -kernel, and what else they boot from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/boot_order.h"
#include "hw/core/reset.h"
#include "hw/nvram/fw_cfg.h"
#include "x86_kernel.h"
#include "x86_machine.h"

/* Before anything else. */
static bool offer_rom(X86Machine *x86, Error **errp)
{
    g_autofree char *path = g_strdup_printf("/rom@genroms/%s", x86_kernel_rom_name(x86->kernel));

    boot_order_add(path, 0);
    return x86_kernel_offer_rom(x86->kernel, x86->fw_cfg, errp);
}

bool x86_load_kernel(X86Machine *x86, X86KernelStart start, uint64_t reserved_bytes, Error **errp)
{
    const X86KernelRoom room = { x86->below_4g_bytes, reserved_bytes };
    const Machine *machine = &x86->parent;

    if (!machine->kernel) {
        return (!machine->initrd || error_set(errp, "-initrd only allowed with -kernel option")) &&
               (!machine->append || error_set(errp, "-append only allowed with -kernel option"));
    }
    x86->kernel = x86_kernel_load(machine, &room, errp);
    return x86->kernel && (start == X86_KERNEL_BY_FIRMWARE || offer_rom(x86, errp));
}

static bool put_boot_order(X86Machine *x86, Error **errp)
{
    FwCfgBlob blob = { 0 };
    GByteArray *list;

    if (!boot_order_list(x86->parent.boot.is_strict, &list, errp)) {
        return false;
    }
    blob.size = list->len;
    blob.data = g_byte_array_free(list, FALSE);
    if (!fw_cfg_modify_file(x86->fw_cfg, BOOT_ORDER_FILE, &blob, errp)) {
        g_free(blob.data);
        return false;
    }
    return true;
}

/* Devices came and went, or got another place. */
static void renew_boot_order(void *opaque)
{
    Error *err = NULL;

    if (!put_boot_order(opaque, &err)) {
        warn_report_err(err);
    }
}

bool x86_tell_boot(X86Machine *x86, Error **errp)
{
    if (!put_boot_order(x86, errp)) {
        return false;
    }
    reset_register(renew_boot_order, x86);
    return !x86->kernel || x86_kernel_publish(x86->kernel, x86->fw_cfg, errp);
}
