/*
 * How boards start a kernel that was given with -kernel, and what else they boot from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/boot_list.h"
#include "hw/nvram/fw_cfg.h"
#include "x86_kernel.h"
#include "x86_machine.h"

/* Before anything else. */
static bool offer_rom(X86Machine *x86, Error **errp)
{
    g_autofree char *path = g_strdup_printf("/rom@genroms/%s", x86_kernel_rom_name(x86->kernel));

    return x86_kernel_offer_rom(x86->kernel, x86->fw_cfg, errp) && boot_list_add(0, path, errp);
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

bool x86_tell_boot(X86Machine *x86, Error **errp)
{
    GByteArray *list = boot_list_bytes();
    FwCfgBlob blob = { .size = list->len };

    blob.data = g_byte_array_free(list, FALSE);
    if (!fw_cfg_add_file(x86->fw_cfg, BOOT_LIST_FILE, &blob, errp)) {
        g_free(blob.data);
        return false;
    }
    return !x86->kernel || x86_kernel_publish(x86->kernel, x86->fw_cfg, errp);
}
