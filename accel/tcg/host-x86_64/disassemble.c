/*
 * Host code as text, by Capstone. It is loaded when it is first asked for: its tables are 3 MiB of
 * memory, and few want them. A host without the library shows no text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

#include <capstone.h>
#include <gmodule.h>

#define LIBRARY "libcapstone.so." G_STRINGIFY(CS_API_MAJOR)

typedef struct Capstone {
    cs_err (*open)(cs_arch arch, cs_mode mode, csh *handle);
    cs_err (*close)(csh *handle);
    cs_insn *(*malloc)(csh handle);
    void (*free)(cs_insn *insn, size_t count);
    bool (*disasm_iter)(csh handle, const uint8_t **code, size_t *size, uint64_t *address,
                        cs_insn *insn);
} Capstone;

/* Its functions, or NULL; the library stays to the end. */
static void *load_capstone(void *opaque)
{
    static Capstone cs;
    GModule *library = g_module_open(LIBRARY, G_MODULE_BIND_LAZY | G_MODULE_BIND_LOCAL);

    return library && g_module_symbol(library, "cs_open", (void **)&cs.open) &&
           g_module_symbol(library, "cs_close", (void **)&cs.close) &&
           g_module_symbol(library, "cs_malloc", (void **)&cs.malloc) &&
           g_module_symbol(library, "cs_free", (void **)&cs.free) &&
           g_module_symbol(library, "cs_disasm_iter", (void **)&cs.disasm_iter) ? &cs : NULL;
}

void host_disassemble(const uint8_t *bytes, size_t count, uint64_t address, GString *out)
{
    static GOnce once = G_ONCE_INIT;
    const Capstone *cs = g_once(&once, load_capstone, NULL);
    csh handle;
    cs_insn *insn;

    if (!cs || cs->open(CS_ARCH_X86, CS_MODE_64, &handle) != CS_ERR_OK) {
        return;
    }
    insn = cs->malloc(handle);
    while (count && cs->disasm_iter(handle, &bytes, &count, &address, insn)) {
        g_string_append_printf(out, "0x%08" PRIx64 ":  %s %s\n", insn->address, insn->mnemonic,
                               insn->op_str);
    }
    cs->free(insn, 1);
    cs->close(&handle);
}
