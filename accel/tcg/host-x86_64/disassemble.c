/*
 * Host code as text, by Capstone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

#include <capstone.h>

void host_disassemble(const uint8_t *bytes, size_t count, uint64_t address, GString *out)
{
    csh handle;
    cs_insn *insn;

    if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
        return;
    }
    insn = cs_malloc(handle);
    while (count && cs_disasm_iter(handle, &bytes, &count, &address, insn)) {
        g_string_append_printf(out, "0x%08" PRIx64 ":  %s %s\n", insn->address, insn->mnemonic,
                               insn->op_str);
    }
    cs_free(insn, 1);
    cs_close(&handle);
}
