/*
 * See x86_option_rom.h. The arrays are made by scripts/sign_rom.py.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "linuxboot_dma_rom.h"
#include "multiboot_dma_rom.h"
#include "pvh_rom.h"
#include "x86_option_rom.h"

static const struct {
    const char *name;
    X86Bytes bytes;
} roms[] = {
    { "linuxboot_dma.bin", { linuxboot_dma_rom, sizeof(linuxboot_dma_rom) } },
    { "multiboot_dma.bin", { multiboot_dma_rom, sizeof(multiboot_dma_rom) } },
    { "pvh.bin", { pvh_rom, sizeof(pvh_rom) } },
};

X86Bytes x86_option_rom(const char *name)
{
    size_t i = 0;

    while (strcmp(roms[i].name, name)) {
        i++;
        assert(i < ARRAY_SIZE(roms));
    }
    return roms[i].bytes;
}
