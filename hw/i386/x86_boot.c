/*
 * How boards start a kernel that was given with -kernel, and what else they boot from.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/boot_order.h"
#include "hw/core/data_files.h"
#include "hw/core/reset.h"
#include "hw/nvram/fw_cfg.h"
#include "x86_kernel.h"
#include "x86_machine.h"

bool x86_load_kernel(X86Machine *x86, uint64_t reserved_bytes, Error **errp)
{
    const X86KernelRoom room = { x86->below_4g_bytes, reserved_bytes };
    const Machine *machine = &x86->parent;

    if (!machine->kernel) {
        return (!machine->initrd || error_set(errp, "-initrd only allowed with -kernel option")) &&
               (!machine->append || error_set(errp, "-append only allowed with -kernel option"));
    }
    x86->kernel = x86_kernel_load(machine, &room, errp);
    return x86->kernel;
}

bool x86_offer_kernel_rom(X86Machine *x86, Error **errp)
{
    g_autofree char *path = NULL;

    if (!x86->kernel) {
        return true;
    }
    path = g_strdup_printf("/rom@genroms/%s", x86_kernel_rom_name(x86->kernel));
    boot_order_add(path, 0);
    return x86_kernel_offer_rom(x86->kernel, x86->fw_cfg, errp);
}

/* Takes the bytes, whatever comes of it. */
static bool put_file(Device *fw_cfg, const char *name, GByteArray **bytes, Error **errp)
{
    FwCfgBlob blob = { .size = (*bytes)->len };

    blob.data = g_byte_array_free(g_steal_pointer(bytes), FALSE);
    if (!fw_cfg_modify_file(fw_cfg, name, &blob, errp)) {
        g_free(blob.data);
        return false;
    }
    return true;
}

/* --- what users hand to firmware --- */

static const char *key_text(json_object *keys, const char *name)
{
    json_object *value = json_member(keys, name);

    return value ? json_object_get_string(value) : NULL;
}

static bool add_option_rom(X86Machine *x86, json_object *keys, Error **errp)
{
    const char *file = key_text(keys, "romfile"), *index = key_text(keys, "bootindex");
    g_autofree char *base = NULL, *name = NULL, *path = NULL;
    g_autoptr(GByteArray) rom = NULL;

    if (!file) {
        return error_set(errp, "Option ROM file is not specified");
    }
    base = g_path_get_basename(file);
    name = g_strconcat("genroms/", base, NULL);
    path = g_strconcat("/rom@", name, NULL);
    if (!data_file_read(file, "option ROM", &rom, errp)) {
        return false;
    }
    if (index) {
        boot_order_add(path, strtol(index, NULL, 0));
    }
    return put_file(x86->fw_cfg, name, &rom, errp);
}

static bool add_users_files(X86Machine *x86, Error **errp)
{
    const BoardOptions *options = &x86->parent.options;

    for (guint i = 0; i < options->option_roms->len; i++) {
        if (!add_option_rom(x86, options->option_roms->pdata[i], errp)) {
            return false;
        }
    }
    for (guint i = 0; i < options->fw_cfg->len; i++) {
        if (!fw_cfg_add_option(x86->fw_cfg, options->fw_cfg->pdata[i], errp)) {
            return false;
        }
    }
    return true;
}

/* --- the order --- */

static bool put_boot_order(X86Machine *x86, Error **errp)
{
    GByteArray *list, *geometries = boot_geometry_list();

    return put_file(x86->fw_cfg, BOOT_GEOMETRY_FILE, &geometries, errp) &&
           boot_order_list(x86->parent.boot.is_strict, &list, errp) &&
           put_file(x86->fw_cfg, BOOT_ORDER_FILE, &list, errp);
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
    if (!add_users_files(x86, errp) || !put_boot_order(x86, errp)) {
        return false;
    }
    reset_register(renew_boot_order, x86);
    return !x86->kernel || x86->has_direct_start ||
           x86_kernel_publish(x86->kernel, x86->fw_cfg, errp);
}
