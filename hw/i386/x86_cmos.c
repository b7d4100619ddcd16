/*
 * Sizes of RAM in the battery-backed memory of the clock, as every x86 firmware reads them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/rtc/mc146818rtc.h"
#include "x86_machine.h"

enum {
    CMOS_BASE_KIB = 0x15, CMOS_EXTENDED_KIB = 0x17, CMOS_EXTENDED_KIB_2 = 0x30,
    CMOS_ABOVE_16M = 0x34, CMOS_ABOVE_4G = 0x5b, /* in 64 KiB */
};
#define BASE_KIB 640

static void set_word(Device *rtc, unsigned at, uint64_t value)
{
    value = MIN(value, UINT16_MAX);
    mc146818_rtc_set_cmos(rtc, at, value);
    mc146818_rtc_set_cmos(rtc, at + 1, value >> 8);
}

void x86_fill_cmos_sizes(X86Machine *x86)
{
    uint64_t low = x86->below_4g_bytes, high = x86->above_4g_bytes / (64 * KiB);

    set_word(x86->rtc, CMOS_BASE_KIB, MIN(low / KiB, BASE_KIB));
    set_word(x86->rtc, CMOS_EXTENDED_KIB, low > MiB ? (low - MiB) / KiB : 0);
    set_word(x86->rtc, CMOS_EXTENDED_KIB_2, low > MiB ? (low - MiB) / KiB : 0);
    set_word(x86->rtc, CMOS_ABOVE_16M, low > 16 * MiB ? (low - 16 * MiB) / (64 * KiB) : 0);
    for (unsigned i = 0; i < 3; i++) {
        mc146818_rtc_set_cmos(x86->rtc, CMOS_ABOVE_4G + i, high >> (8 * i));
    }
}
