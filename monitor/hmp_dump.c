/*
 * HMP's memory dumps: `x` by a CPU's virtual addresses, `xp` by physical ones, all of it to a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp_handlers.h"
#include "hw/core/cpu_debug.h"
#include "system/target.h"

#define MAX_DUMP_BYTES (1 * MiB)
#define MAX_INSN_BYTES 16
#define BYTES_SHOWN    8 /* of an instruction, in a line */

typedef struct Dump {
    Hmp *hmp;
    Cpu *cpu;          /* NULL: there is none */
    bool is_physical;
    char format;
    unsigned bytes;    /* of a unit */
    uint64_t addr, count;
} Dump;

static Endian target_endian(void)
{
    return target_info()->is_big_endian ? ENDIAN_BIG : ENDIAN_LITTLE;
}

/* "b", "h", "w", "g" */
static unsigned unit_bytes(json_object *args)
{
    switch (*hmp_text(args, "size")) {
    case 'b':
        return 1;
    case 'h':
        return 2;
    case 'g':
        return 8;
    default:
        return 4;
    }
}

static bool read_memory(const Dump *d, uint64_t addr, void *out, size_t bytes)
{
    if (d->is_physical) {
        return address_space_read(address_space_system(), addr, MEM_TX_NONE, out, bytes) ==
               MEM_TX_OK;
    }
    return d->cpu && cpu_debug_read(d->cpu, addr, out, bytes);
}

/* --- numbers --- */

static void print_unit(const Dump *d, uint64_t value)
{
    unsigned bits = d->bytes * 8;
    int64_t number = (int64_t)(value << (64 - bits)) >> (64 - bits);

    switch (d->format) {
    case 'o':
        hmp_printf(d->hmp, " %#*" PRIo64, (bits + 2) / 3, value);
        break;
    case 'd':
        hmp_printf(d->hmp, " %*" PRId64, (int)(bits * 10 + 32) / 33, number);
        break;
    case 'u':
        hmp_printf(d->hmp, " %*" PRIu64, (int)(bits * 10 + 32) / 33, value);
        break;
    case 'c':
        hmp_printf(d->hmp, g_ascii_isprint(value) ? " '%c'" : " '\\x%02x'", (unsigned char)value);
        break;
    default:
        hmp_printf(d->hmp, " 0x%0*" PRIx64, d->bytes * 2, value);
    }
}

/* One row; false: nothing can be read there. */
static bool print_row(const Dump *d, unsigned units)
{
    hmp_printf(d->hmp, "%016" PRIx64 ":", d->addr);
    for (unsigned i = 0; i < units; i++) {
        uint8_t raw[8] = { 0 };

        if (!read_memory(d, d->addr + i * d->bytes, raw, d->bytes)) {
            hmp_printf(d->hmp, " Cannot access memory\n");
            return false;
        }
        print_unit(d, load_bytes(raw, d->bytes, target_endian()));
    }
    hmp_printf(d->hmp, "\n");
    return true;
}

static void dump_units(Dump *d)
{
    unsigned row_bytes = d->bytes == 1 ? 8 : 16;

    if (d->count * d->bytes > MAX_DUMP_BYTES) {
        hmp_printf(d->hmp, "Error: at most %" PRIu64 " bytes are shown at once\n", MAX_DUMP_BYTES);
        return;
    }
    while (d->count) {
        unsigned units = MIN(d->count, row_bytes / d->bytes);

        if (!print_row(d, units)) {
            return;
        }
        d->addr += units * d->bytes;
        d->count -= units;
    }
}

/* --- instructions --- */

static unsigned read_code(const Dump *d, uint8_t *code)
{
    unsigned count = MAX_INSN_BYTES;

    if (!read_memory(d, d->addr, code, count)) {
        for (count = 0; count < MAX_INSN_BYTES && read_memory(d, d->addr + count, code + count, 1);) {
            count++;
        }
    }
    return count;
}

static void print_bytes(const Dump *d, unsigned from, unsigned count, const uint8_t *code)
{
    hmp_printf(d->hmp, "0x%08" PRIx64 ": ", d->addr + from);
    for (unsigned i = 0; i < BYTES_SHOWN; i++) {
        if (from + i < count) {
            hmp_printf(d->hmp, " %02x", code[from + i]);
        } else if (!from) {
            hmp_printf(d->hmp, "   ");
        }
    }
}

/* The mnemonic in a column. */
static void print_text(const Dump *d, const char *text)
{
    const char *blank = strchr(text, ' ');

    if (blank) {
        hmp_printf(d->hmp, "  %-8.*s %s\n", (int)(blank - text), text, blank + 1);
    } else {
        hmp_printf(d->hmp, "  %s\n", text);
    }
}

/* False: there is none. */
static bool dump_insn(Dump *d)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint8_t code[MAX_INSN_BYTES];
    unsigned count = read_code(d, code), length;

    if (!count) {
        hmp_printf(d->hmp, "0x%08" PRIx64 ": unable to read memory\n", d->addr);
        return false;
    }
    length = cpu_debug(d->cpu)->disassemble(d->cpu, d->addr, code, count, text);
    if (!length) {
        g_string_printf(text, ".byte 0x%02x", code[0]);
        length = 1;
    }
    print_bytes(d, 0, length, code);
    print_text(d, text->str);
    if (length > BYTES_SHOWN) {
        print_bytes(d, BYTES_SHOWN, length, code);
        hmp_printf(d->hmp, "\n");
    }
    d->addr += length;
    return true;
}

static void dump_insns(Dump *d)
{
    if (!d->cpu || !cpu_debug(d->cpu)) {
        hmp_printf(d->hmp, d->cpu ? "This CPU cannot be looked into\n" : "No CPU available\n");
        return;
    }
    for (uint64_t n = MIN(d->count, MAX_DUMP_BYTES / MAX_INSN_BYTES); n && dump_insn(d);) {
        n--;
    }
}

/* --- commands --- */

static void dump_now(Cpu *cpu, void *opaque)
{
    Dump *d = opaque;

    if (d->format == 'i') {
        dump_insns(d);
    } else {
        dump_units(d);
    }
}

static void dump(Hmp *hmp, json_object *args, bool is_physical)
{
    int index = hmp->session->cpu_index;
    Vcpu *vcpu = index < 0 ? vcpu_first() : vcpu_by_index(index);
    char format = *hmp_text(args, "format");
    Dump d = {
        .hmp = hmp, .cpu = vcpu ? CPU(vcpu->object) : NULL, .is_physical = is_physical,
        .format = format, .bytes = format == 'c' ? 1 : unit_bytes(args),
        .addr = hmp_int(args, "addr"), .count = hmp_int(args, "count"),
    };

    if (d.cpu) {
        cpu_debug_call(d.cpu, dump_now, &d);
    } else if (is_physical) {
        dump_now(NULL, &d);
    } else {
        hmp_printf(hmp, "No CPU available\n");
    }
}

void hmp_dump_physical(Hmp *hmp, json_object *args)
{
    dump(hmp, args, true);
}

void hmp_dump_virtual(Hmp *hmp, json_object *args)
{
    dump(hmp, args, false);
}

/* --- whole memory, to a file --- */

void hmp_dump_guest_memory(Hmp *hmp, json_object *args)
{
    static const struct { const char *flag, *name; } formats[] = {
        { "zlib", "kdump-zlib" }, { "lzo", "kdump-lzo" }, { "snappy", "kdump-snappy" },
    };
    g_autoptr(JsonObject) named = json_object_new_object();
    g_autofree char *protocol = g_strconcat("file:", hmp_text(args, "filename"), NULL);

    json_set(named, "paging", json_object_new_boolean(hmp_bool(args, "paging")));
    json_set(named, "detach", json_object_new_boolean(hmp_bool(args, "detach")));
    json_set(named, "protocol", json_string(protocol));
    if (hmp_has(args, "begin")) {
        json_set(named, "begin", json_object_new_int64(hmp_int(args, "begin")));
    }
    if (hmp_has(args, "length")) {
        json_set(named, "length", json_object_new_int64(hmp_int(args, "length")));
    }
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (hmp_bool(args, formats[i].flag)) {
            json_set(named, "format", json_object_new_string(formats[i].name));
        }
    }
    hmp_call(hmp, "dump-guest-memory", named, NULL);
}

void show_dump(Hmp *hmp, json_object *value)
{
    int64_t total = hmp_int(value, "total");

    hmp_printf(hmp, "Status: %s\n", hmp_text(value, "status"));
    if (!strcmp(hmp_text(value, "status"), "active")) {
        hmp_printf(hmp, "Finished: %.2f %%\n",
                   total ? 100.0 * hmp_int(value, "completed") / total : 0.0);
    }
}
