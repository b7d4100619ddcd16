/*
 * BoardOptions: what users say of a board besides its properties and devices, and what only boards
 * understand: lines, files for firmware. Collected before the board is built; a board takes what it
 * can have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_CORE_BOARD_OPTIONS_H
#define HW_CORE_BOARD_OPTIONS_H

#include "util/json.h"

typedef struct BoardOptions {
    GPtrArray *serial, *parallel; /* ids of chardevs (char *); NULL: no port at this place */
    GPtrArray *fw_cfg;            /* json_object: {"name": N, "file": F | "string": S} */
    GPtrArray *smbios;            /* text, as smbios_options_add() takes it */
    GPtrArray *acpi_tables;       /* json_object: keys of -acpitable */
    GPtrArray *option_roms;       /* json_object: {"romfile": F, "bootindex": N} */
    char *vga;                    /* -vga, or what there is by default; NULL: no display adapter */
    bool has_defaults;            /* no -nodefaults */
} BoardOptions;

void board_options_init(BoardOptions *options);
void board_options_clear(BoardOptions *options);

#endif
