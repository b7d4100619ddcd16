/*
 * Queries and settings: what the stub can do, threads, target description, monitor commands. gdb
 * manual, "General Query Packets"; those with "qemu" in their name are QEMU's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "stub.h"

#include "qapi/command.h"
#include "util/json.h"

#define MAX_XFER (GDB_PACKET_BYTES / 2 - 16)

static void supported(GdbStub *s, const char *args)
{
    s->tells_break_kind = strstr(args, "swbreak+") && strstr(args, "hwbreak+");
    gdb_send_text(s, "PacketSize=4000;qXfer:features:read+;vContSupported+;QStartNoAckMode+;"
                  "swbreak+;hwbreak+");
}

static void start_no_ack(GdbStub *s, const char *args)
{
    gdb_send_ok(s);
    s->has_acks = false;
}

static void attached(GdbStub *s, const char *args)
{
    gdb_send_text(s, "1");
}

/* --- threads --- */

static void current_thread(GdbStub *s, const char *args)
{
    g_autofree char *text = g_strdup_printf("QC%x", s->general_cpu + 1);

    gdb_send_text(s, text);
}

static void first_threads(GdbStub *s, const char *args)
{
    g_autoptr(GString) out = g_string_new("m");

    for (Vcpu *vcpu = vcpu_first(); vcpu; vcpu = vcpu_next(vcpu)) {
        g_string_append_printf(out, "%s%x", out->len > 1 ? "," : "", vcpu->index + 1);
    }
    gdb_send(s, out->len > 1 ? out->str : "l", out->len);
}

static void more_threads(GdbStub *s, const char *args)
{
    gdb_send_text(s, "l");
}

static void thread_info(GdbStub *s, const char *args)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *text = NULL;
    uint32_t index;
    Cpu *cpu;

    if (!gdb_read_thread(&args, s->general_cpu, &index) || !(cpu = gdb_cpu(index))) {
        gdb_send_error(s, 22);
        return;
    }
    text = g_strdup_printf("CPU#%u [%s]", index, cpu->vcpu.is_halted ? "halted " : "running");
    gdb_append_bytes(out, (const uint8_t *)text, strlen(text));
    gdb_send(s, out->str, out->len);
}

/* --- transfers --- */

/* "target.xml:offset,length" */
static void features(GdbStub *s, const char *args)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Cpu *cpu = gdb_cpu(s->general_cpu);
    uint64_t offset, length;

    if (!cpu || !g_str_has_prefix(args, "target.xml:")) {
        gdb_send_text(s, "E00");
        return;
    }
    args += strlen("target.xml:");
    if (!gdb_read_number(&args, &offset) || *args++ != ',' || !gdb_read_number(&args, &length)) {
        gdb_send_error(s, 22);
        return;
    }
    if (!s->xml) {
        s->xml = g_string_new(NULL);
        gdb_describe_target(cpu, s->xml);
    }
    offset = MIN(offset, s->xml->len);
    length = MIN(MIN(length, MAX_XFER), s->xml->len - offset);
    g_string_append_c(out, offset + length < s->xml->len ? 'm' : 'l');
    g_string_append_len(out, s->xml->str + offset, length);
    gdb_send(s, out->str, out->len);
}

/* --- the monitor --- */

static char *run_monitor(GdbStub *s, const char *line)
{
    const QmpCommand *command = qmp_command_find("human-monitor-command");
    g_autoptr(JsonObject) args = json_object_new_object(), value = NULL;
    Error *err = NULL;
    char *text;

    json_set(args, "command-line", json_string(line));
    json_set(args, "cpu-index", json_object_new_int64(s->general_cpu));
    if (!command || (qmp_command_run(command, args, &value, &err), err)) {
        text = g_strdup_printf("%s\n", err ? error_text(err) : "There is no monitor");
        error_free(err);
        return text;
    }
    return g_strdup(json_object_get_string(value));
}

static void monitor(GdbStub *s, const char *args)
{
    g_autoptr(GString) out = g_string_new("O");
    size_t bytes = strlen(args) / 2;
    g_autofree uint8_t *line = g_malloc0(bytes + 1);
    g_autofree char *text = NULL;

    if (!gdb_read_bytes(args, line, bytes)) {
        gdb_send_error(s, 22);
        return;
    }
    text = run_monitor(s, (const char *)line);
    for (size_t at = 0, size = strlen(text); at < size; at += MAX_XFER / 2) {
        g_string_truncate(out, 1);
        gdb_append_bytes(out, (const uint8_t *)text + at, MIN(size - at, MAX_XFER / 2));
        gdb_send(s, out->str, out->len);
    }
    gdb_send_ok(s);
}

/* --- QEMU's --- */

static void own_supported(GdbStub *s, const char *args)
{
    gdb_send_text(s, "sstepbits;sstep;PhyMemMode");
}

static void step_bits(GdbStub *s, const char *args)
{
    g_autofree char *text = g_strdup_printf("ENABLE=%x,NOIRQ=%x,NOTIMER=%x", (unsigned)VCPU_STEP,
                                            (unsigned)VCPU_STEP_NO_IRQ,
                                            (unsigned)VCPU_STEP_NO_TIMER);

    gdb_send_text(s, text);
}

static void send_step(GdbStub *s, const char *args)
{
    g_autofree char *text = g_strdup_printf("0x%x", s->step_flags);

    gdb_send_text(s, text);
}

static void take_step(GdbStub *s, const char *args)
{
    uint64_t flags;

    args += g_str_has_prefix(args, "0x") ? 2 : 0;
    if (!gdb_read_number(&args, &flags) || *args ||
        flags & ~(uint64_t)(VCPU_STEP | VCPU_STEP_NO_IRQ | VCPU_STEP_NO_TIMER)) {
        gdb_send_error(s, 22);
        return;
    }
    s->step_flags = flags;
    gdb_send_ok(s);
}

static void send_physical(GdbStub *s, const char *args)
{
    gdb_send_text(s, s->is_physical ? "1" : "0");
}

static void take_physical(GdbStub *s, const char *args)
{
    if (strcmp(args, "0") && strcmp(args, "1")) {
        gdb_send_error(s, 22);
        return;
    }
    s->is_physical = *args == '1';
    gdb_send_ok(s);
}

/* --- the table --- */

typedef struct Query {
    const char *name; /* what stands behind it are its arguments */
    bool has_args;
    void (*run)(GdbStub *s, const char *args);
} Query;

static const Query queries[] = {
    { "qSupported", true, supported },
    { "QStartNoAckMode", false, start_no_ack },
    { "qAttached", true, attached },
    { "qC", false, current_thread },
    { "qfThreadInfo", false, first_threads },
    { "qsThreadInfo", false, more_threads },
    { "qThreadExtraInfo,", true, thread_info },
    { "qXfer:features:read:", true, features },
    { "qRcmd,", true, monitor },
    { "qqemu.Supported", false, own_supported },
    { "qqemu.sstepbits", false, step_bits },
    { "qqemu.sstep", false, send_step },
    { "Qqemu.sstep=", true, take_step },
    { "Qqemu.sstep:", true, take_step },
    { "qqemu.PhyMemMode", false, send_physical },
    { "Qqemu.PhyMemMode:", true, take_physical },
};

bool gdb_run_query(GdbStub *s, const char *packet)
{
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        const Query *query = &queries[i];

        if (query->has_args ? g_str_has_prefix(packet, query->name)
                            : !strcmp(packet, query->name)) {
            query->run(s, packet + strlen(query->name));
            return true;
        }
    }
    return false;
}
