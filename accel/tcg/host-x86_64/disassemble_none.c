/*
 * Built without Capstone: host code as bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

void host_disassemble(const uint8_t *bytes, size_t count, uint64_t address, GString *out)
{
    for (size_t i = 0; i < count; i++) {
        if (i % 16 == 0) {
            g_string_append_printf(out, "%s0x%08" PRIx64 ": ", i ? "\n" : "", address + i);
        }
        g_string_append_printf(out, " %02x", bytes[i]);
    }
    g_string_append_c(out, '\n');
}
