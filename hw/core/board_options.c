/*
 * See hw/core/board_options.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/board_options.h"

static void unref_json(gpointer value)
{
    json_unref(value);
}

void board_options_init(BoardOptions *options)
{
    options->serial = g_ptr_array_new_with_free_func(g_free);
    options->parallel = g_ptr_array_new_with_free_func(g_free);
    options->fw_cfg = g_ptr_array_new_with_free_func(unref_json);
    options->smbios = g_ptr_array_new_with_free_func(g_free);
    options->acpi_tables = g_ptr_array_new_with_free_func(unref_json);
    options->option_roms = g_ptr_array_new_with_free_func(unref_json);
}

void board_options_clear(BoardOptions *options)
{
    GPtrArray *lists[] = { options->serial, options->parallel, options->fw_cfg, options->smbios,
                           options->acpi_tables, options->option_roms };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        g_ptr_array_unref(lists[i]);
    }
    g_free(options->vga);
}
