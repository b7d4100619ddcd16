/*
 * Packets of the client: a table by their first letter. gdb manual, "Packets".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "stub.h"

#include "system/run_state.h"

#define ERROR_ARGS   22
#define ERROR_ACCESS 14
#define MAX_MEMORY   (GDB_PACKET_BYTES / 2)
#define MAX_REGISTER_BYTES 64

/* --- threads --- */

Cpu *gdb_cpu(uint32_t index)
{
    Vcpu *vcpu = vcpu_by_index(index);

    return vcpu && cpu_debug(CPU(vcpu->object)) ? CPU(vcpu->object) : NULL;
}

/* "p1.2" is thread 2 of a process, of which there is one. */
bool gdb_read_thread(const char **text, uint32_t current, uint32_t *index)
{
    uint64_t number;

    if (**text == 'p') {
        (*text)++;
        if (!gdb_read_number(text, &number)) {
            return false;
        }
        *index = GDB_ALL_CPUS;
        if (**text != '.') {
            return true;
        }
        (*text)++;
    }
    if (!strncmp(*text, "-1", 2)) {
        *text += 2;
        *index = GDB_ALL_CPUS;
        return true;
    }
    if (!gdb_read_number(text, &number) || number > UINT32_MAX / 2) {
        return false;
    }
    *index = number ? number - 1 : current;
    return true;
}

static void choose_thread(GdbStub *s, const char *args, size_t size)
{
    uint32_t *chosen = *args == 'g' ? &s->general_cpu : *args == 'c' ? &s->continue_cpu : NULL;
    uint32_t index;

    args += !!*args;
    if (!chosen || !gdb_read_thread(&args, *chosen, &index)) {
        gdb_send_error(s, ERROR_ARGS);
    } else if (index == GDB_ALL_CPUS) {
        gdb_send_ok(s);
    } else if (!gdb_cpu(index)) {
        gdb_send_error(s, ERROR_ARGS);
    } else {
        *chosen = index;
        gdb_send_ok(s);
    }
}

static void thread_alive(GdbStub *s, const char *args, size_t size)
{
    uint32_t index;

    if (gdb_read_thread(&args, s->general_cpu, &index) && gdb_cpu(index)) {
        gdb_send_ok(s);
    } else {
        gdb_send_error(s, ERROR_ARGS);
    }
}

/* The chosen one; NULL: the client has been told. */
static Cpu *general_cpu(GdbStub *s)
{
    Cpu *cpu = gdb_cpu(s->general_cpu);

    if (!cpu) {
        gdb_send_error(s, ERROR_ARGS);
    }
    return cpu;
}

/* --- memory --- */

static bool read_memory(GdbStub *s, uint64_t addr, void *out, size_t bytes)
{
    Cpu *cpu = gdb_cpu(s->general_cpu);

    if (s->is_physical) {
        return address_space_read(address_space_system(), addr, MEM_TX_NONE, out, bytes) ==
               MEM_TX_OK;
    }
    return cpu && cpu_debug_read(cpu, addr, out, bytes);
}

static bool write_memory(GdbStub *s, uint64_t addr, const void *data, size_t bytes)
{
    Cpu *cpu = gdb_cpu(s->general_cpu);

    if (s->is_physical) {
        return address_space_write_rom(address_space_system(), addr, MEM_TX_NONE, data, bytes) ==
               MEM_TX_OK;
    }
    return cpu && cpu_debug_write(cpu, addr, data, bytes);
}

/* "addr,length" and what ends it. */
static bool read_range(const char **args, char end, uint64_t *addr, uint64_t *bytes)
{
    if (!gdb_read_number(args, addr) || *(*args)++ != ',' || !gdb_read_number(args, bytes) ||
        **args != end) {
        return false;
    }
    *args += end != 0;
    return true;
}

static void send_memory(GdbStub *s, const char *args, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    uint8_t data[MAX_MEMORY];
    uint64_t addr, bytes;

    if (!read_range(&args, 0, &addr, &bytes) || bytes > MAX_MEMORY) {
        gdb_send_error(s, ERROR_ARGS);
    } else if (!read_memory(s, addr, data, bytes)) {
        gdb_send_error(s, ERROR_ACCESS);
    } else {
        gdb_append_bytes(out, data, bytes);
        gdb_send(s, out->str, out->len);
    }
}

static void take_memory(GdbStub *s, const char *args, size_t size)
{
    uint8_t data[MAX_MEMORY];
    uint64_t addr, bytes;

    if (!read_range(&args, ':', &addr, &bytes) || bytes > MAX_MEMORY ||
        !gdb_read_bytes(args, data, bytes)) {
        gdb_send_error(s, ERROR_ARGS);
    } else if (!write_memory(s, addr, data, bytes)) {
        gdb_send_error(s, ERROR_ACCESS);
    } else {
        gdb_send_ok(s);
    }
}

static void take_binary(GdbStub *s, const char *args, size_t size)
{
    const char *start = args;
    uint64_t addr, bytes;

    if (!read_range(&args, ':', &addr, &bytes) || bytes != size - (args - start)) {
        gdb_send_error(s, ERROR_ARGS);
    } else if (!write_memory(s, addr, args, bytes)) {
        gdb_send_error(s, ERROR_ACCESS);
    } else {
        gdb_send_ok(s);
    }
}

/* --- registers --- */

static void send_registers(GdbStub *s, const char *args, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Cpu *cpu = general_cpu(s);

    if (cpu) {
        gdb_read_registers(cpu, out);
        gdb_send(s, out->str, out->len);
    }
}

static void take_registers(GdbStub *s, const char *args, size_t size)
{
    Cpu *cpu = general_cpu(s);

    if (cpu && gdb_write_registers(cpu, args)) {
        gdb_send_ok(s);
    } else if (cpu) {
        gdb_send_error(s, ERROR_ACCESS);
    }
}

static void send_register(GdbStub *s, const char *args, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    uint8_t value[MAX_REGISTER_BYTES];
    Cpu *cpu = general_cpu(s);
    const CpuRegisterSet *set;
    uint64_t number;
    unsigned n;

    if (!cpu) {
        return;
    }
    if (!gdb_read_number(&args, &number) || number > UINT16_MAX ||
        !(n = number, set = gdb_find_register(cpu, &n))) {
        gdb_send_error(s, ERROR_ACCESS);
        return;
    }
    set->read(cpu, n, value);
    gdb_append_bytes(out, value, set->rows[n].bits / 8);
    gdb_send(s, out->str, out->len);
}

static void take_register(GdbStub *s, const char *args, size_t size)
{
    uint8_t value[MAX_REGISTER_BYTES];
    Cpu *cpu = general_cpu(s);
    const CpuRegisterSet *set;
    uint64_t number;
    unsigned n;

    if (!cpu) {
        return;
    }
    if (!gdb_read_number(&args, &number) || number > UINT16_MAX || *args++ != '=' ||
        !(n = number, set = gdb_find_register(cpu, &n)) ||
        !gdb_read_bytes(args, value, set->rows[n].bits / 8) || !set->write(cpu, n, value)) {
        gdb_send_error(s, ERROR_ACCESS);
    } else {
        gdb_send_ok(s);
    }
}

/* --- breakpoints --- */

static void change_point(GdbStub *s, const char *args, bool is_wanted)
{
    DebugPoint point = { .kind = g_ascii_digit_value(*args) };
    Error *err = NULL;
    bool is_ok;

    if (point.kind >= DEBUG_POINT_KINDS || args[1] != ',') {
        gdb_send_text(s, "");
        return;
    }
    args += 2;
    if (!gdb_read_number(&args, &point.addr) || *args++ != ',' ||
        !gdb_read_number(&args, &point.bytes) || (*args && *args != ';')) {
        gdb_send_error(s, ERROR_ARGS);
        return;
    }
    is_ok = is_wanted ? debug_point_insert(&point, &err) : debug_point_remove(&point, &err);
    error_free(err);
    if (is_ok) {
        gdb_send_ok(s);
    } else {
        gdb_send_error(s, ERROR_ARGS);
    }
}

static void insert_point(GdbStub *s, const char *args, size_t size)
{
    change_point(s, args, true);
}

static void remove_point(GdbStub *s, const char *args, size_t size)
{
    change_point(s, args, false);
}

/* --- running --- */

/* An address to go on from may stand there, or a signal that brings it after ';'. */
static void go_on(GdbStub *s, const char *args, char action)
{
    Cpu *cpu = gdb_cpu(s->continue_cpu);
    uint64_t addr;

    if (*args && cpu && gdb_read_number(&args, &addr)) {
        cpu_debug(cpu)->set_pc(cpu, addr);
    }
    gdb_resume_all(s, action);
}

static const char *behind_signal(const char *args)
{
    const char *address = strchr(args, ';');

    return address ? address + 1 : "";
}

static void go_on_continue(GdbStub *s, const char *args, size_t size)
{
    go_on(s, args, 'c');
}

static void go_on_continue_signal(GdbStub *s, const char *args, size_t size)
{
    go_on(s, behind_signal(args), 'c');
}

static void go_on_step(GdbStub *s, const char *args, size_t size)
{
    go_on(s, args, 's');
}

static void go_on_step_signal(GdbStub *s, const char *args, size_t size)
{
    go_on(s, behind_signal(args), 's');
}

static void send_reason(GdbStub *s, const char *args, size_t size)
{
    /* A new client: nothing of the last one's stays. */
    gdb_forget_points();
    gdb_send_stop(s, 5, NULL);
}

static void detach(GdbStub *s, const char *args, size_t size)
{
    gdb_forget_points();
    gdb_send_ok(s);
    if (!run_state_needs_reset()) {
        vm_start();
    }
}

static void kill_guest(GdbStub *s, const char *args, size_t size)
{
    vm_request_quit(SHUTDOWN_CAUSE_HOST_SIGNAL, 0);
}

static void run_verbose(GdbStub *s, const char *args, size_t size)
{
    if (g_str_has_prefix(args, "Cont")) {
        gdb_run_vcont(s, args + strlen("Cont"));
    } else if (g_str_has_prefix(args, "Kill")) {
        gdb_send_ok(s);
        kill_guest(s, args, size);
    } else {
        gdb_send_text(s, "");
    }
}

/* --- the table --- */

typedef struct Packet {
    char letter;
    void (*run)(GdbStub *s, const char *args, size_t size);
} Packet;

static const Packet packets[] = {
    { '?', send_reason },
    { 'C', go_on_continue_signal }, { 'c', go_on_continue },
    { 'S', go_on_step_signal },     { 's', go_on_step },
    { 'D', detach },                { 'k', kill_guest },
    { 'G', take_registers },        { 'g', send_registers },
    { 'P', take_register },         { 'p', send_register },
    { 'H', choose_thread },         { 'T', thread_alive },
    { 'M', take_memory },           { 'm', send_memory },
    { 'X', take_binary },           { 'v', run_verbose },
    { 'Z', insert_point },          { 'z', remove_point },
};

void gdb_run_packet(GdbStub *s, const char *packet, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
        if (size && packet[0] == packets[i].letter) {
            packets[i].run(s, packet + 1, size - 1);
            return;
        }
    }
    if (!size || !gdb_run_query(s, packet)) {
        gdb_send_text(s, "");
    }
}
