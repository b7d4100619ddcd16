/*
 * What is told of translated code: the log, and the map by which perf names it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "accel/tcg/host-x86_64/jit.h"

#include "system/accel.h"
#include "util/log.h"

/* Format: tools/perf/Documentation/jit-interface.txt of Linux. */
static void write_perf_map(const HostCode *code)
{
    static FILE *map;

    if (!map) {
        g_autofree char *path = g_strdup_printf("/tmp/perf-%d.map", getpid());

        map = fopen(path, "w");
    }
    if (map) {
        fprintf(map, "%" PRIxPTR " %x guest-%s%" PRIx64 "\n",
                (uintptr_t)code->middle - code->main_bytes, code->main_bytes + code->cold_bytes,
                code->region->is_hot ? "hot-" : "", code->region->key.pc);
        fflush(map);
    }
}

void host_log_code(const HostCode *code)
{
    const uint8_t *start = code->middle - code->main_bytes;
    GString *out;

    if (accel_wants_perf_map()) {
        write_perf_map(code);
    }
    if (!log_enabled(LOG_OUT_ASM) || !log_wants_address(code->region->key.pc)) {
        return;
    }
    out = g_string_new(NULL);
    g_string_append_printf(out, "OUT: [%d main, %d cold%s]\n", code->main_bytes,
                           code->cold_bytes, code->region->is_hot ? ", hot" : "");
    host_disassemble(start, code->main_bytes, (uintptr_t)start, out);
    log_printf("%s\n", out->str);
    g_string_free(out, true);
}

void host_log_ir(const Jit *j)
{
    GString *out;

    if (!log_enabled(LOG_OP_OPT) || !log_wants_address(j->region->key.pc)) {
        return;
    }
    out = g_string_new(NULL);
    ir_dump(j->b, out);
    log_printf("OP after optimization:\n%s\n", out->str);
    g_string_free(out, true);
}
