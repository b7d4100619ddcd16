/*
 * SMBIOS structures and entry points (DSP0134 2.8.0 and 3.0.0).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/smbios.h"
#include "hw/acpi/smbios_keys.h"
#include "hw/acpi/smbios_writer.h"

/* Handles, plus the number among its kind. */
enum {
    HANDLE_BIOS = 0,
    HANDLE_SYSTEM = 0x100,
    HANDLE_BOARD = 0x200,
    HANDLE_CHASSIS = 0x300,
    HANDLE_CPU = 0x400,
    HANDLE_PORT = 0x800,
    HANDLE_SLOT = 0x900,
    HANDLE_OEM_STRINGS = 0xe00,
    HANDLE_ARRAY = 0x1000,
    HANDLE_DIMM = 0x1100,
    HANDLE_RANGE = 0x1300,
    HANDLE_BOOT = 0x2000,
    HANDLE_END = 0x7f00,
    HANDLE_NONE = 0xffff,
    HANDLE_NO_ERRORS = 0xfffe,
};

#define TYPE_END           127
#define MAX_OEM_STRINGS    255
#define DIMM_BYTES         (16 * GiB)
#define MAX_DIMMS          (HANDLE_RANGE - HANDLE_DIMM)
#define MAX_SOCKETS        (HANDLE_PORT - HANDLE_CPU)
#define MAX_PORTS          (HANDLE_SLOT - HANDLE_PORT)
#define SLOT_UNKNOWN       2
#define CPU_SPEED_MHZ      2000
#define CPU_FAMILY_OTHER   1
#define CPU_FAMILY_SEE_2   0xfe
#define TABLE_MAX_21       UINT16_MAX
#define ENTRY_21_BYTES     31
#define ENTRY_21_DMI       16
#define ENTRY_21_ADDRESS   24
#define ENTRY_30_BYTES     24
#define ENTRY_30_ADDRESS   16
#define ENTRY_21_SUM       4
#define ENTRY_21_DMI_SUM   21
#define ENTRY_30_SUM       5

typedef struct Build {
    SmbiosWriter;
    const SmbiosMachine *machine;
    const SmbiosOptions *options;
    bool is_64;
} Build;

static const char *text(const Build *b, SmbiosKey key, const char *otherwise)
{
    const char *said = b->options->values.text[key];

    return said ? said : otherwise;
}

static uint64_t number(const Build *b, SmbiosKey key, uint64_t otherwise)
{
    return smbios_number(&b->options->values, key, otherwise);
}

static void put_text(Build *b, SmbiosKey key, const char *otherwise)
{
    smbios_put_string((SmbiosWriter *)b, text(b, key, otherwise));
}

static GByteArray *begin(Build *b, uint8_t type, uint16_t handle)
{
    return smbios_begin((SmbiosWriter *)b, type, handle);
}

static void end(Build *b, unsigned length)
{
    smbios_end((SmbiosWriter *)b, length);
}

static void put_bios(Build *b)
{
    const char *release = text(b, SMBIOS_BIOS_RELEASE, "0.0");
    bool is_uefi = number(b, SMBIOS_BIOS_UEFI, false);
    GByteArray *out = begin(b, 0, HANDLE_BIOS);

    put_text(b, SMBIOS_BIOS_VENDOR, NULL);
    put_text(b, SMBIOS_BIOS_VERSION, NULL);
    bytes_put_le(out, 0xe800, 2);
    put_text(b, SMBIOS_BIOS_DATE, NULL);
    /* ROM size; characteristics are not given but in the second extension byte: targeted content
     * distribution, UEFI, virtual machine; version of the BIOS, none of an embedded controller. */
    bytes_pack(out, "18111111", 0, BIT(3), 0, BIT(2) | is_uefi << 3 | BIT(4), atoi(release),
               atoi(strchr(release, '.') + 1), 0xff, 0xff);
    end(b, 24);
}

static void put_system(Build *b)
{
    const SmbiosMachine *m = b->machine;
    const char *uuid = b->options->values.text[SMBIOS_SYSTEM_UUID];
    GByteArray *out = begin(b, 1, HANDLE_SYSTEM);

    put_text(b, SMBIOS_SYSTEM_MANUFACTURER, m->manufacturer);
    put_text(b, SMBIOS_SYSTEM_PRODUCT, m->product);
    put_text(b, SMBIOS_SYSTEM_VERSION, m->version);
    put_text(b, SMBIOS_SYSTEM_SERIAL, NULL);
    if (uuid) {
        bytes_put_uuid(out, uuid);
    } else if (m->uuid) {
        const uint8_t *u = m->uuid;
        const uint8_t swapped[] = { u[3], u[2], u[1], u[0], u[5], u[4], u[7], u[6] };

        g_byte_array_append(out, swapped, sizeof(swapped));
        g_byte_array_append(out, u + sizeof(swapped), sizeof(swapped));
    } else {
        bytes_put_zero(out, 16);
    }
    bytes_put_le(out, 6 /* woken by the power switch */, 1);
    put_text(b, SMBIOS_SYSTEM_SKU, NULL);
    put_text(b, SMBIOS_SYSTEM_FAMILY, NULL);
    end(b, 27);
}

static void put_board(Build *b)
{
    const SmbiosMachine *m = b->machine;
    GByteArray *out = begin(b, 2, HANDLE_BOARD);

    put_text(b, SMBIOS_BOARD_MANUFACTURER, m->manufacturer);
    put_text(b, SMBIOS_BOARD_PRODUCT, m->product);
    put_text(b, SMBIOS_BOARD_VERSION, m->version);
    put_text(b, SMBIOS_BOARD_SERIAL, NULL);
    put_text(b, SMBIOS_BOARD_ASSET, NULL);
    bytes_put_le(out, 1 /* hosting */, 1);
    put_text(b, SMBIOS_BOARD_LOCATION, NULL);
    bytes_pack(out, "211", HANDLE_CHASSIS, 0xa /* motherboard */, 0);
    end(b, 15);
}

static void put_chassis(Build *b)
{
    const SmbiosMachine *m = b->machine;
    GByteArray *out = begin(b, 3, HANDLE_CHASSIS);

    put_text(b, SMBIOS_CHASSIS_MANUFACTURER, m->manufacturer);
    bytes_put_le(out, 1 /* other */, 1);
    put_text(b, SMBIOS_CHASSIS_VERSION, m->version);
    put_text(b, SMBIOS_CHASSIS_SERIAL, NULL);
    put_text(b, SMBIOS_CHASSIS_ASSET, NULL);
    /* Boot, power supply and thermal states are safe, security is unknown. */
    bytes_pack(out, "111141111", 3, 3, 3, 2, 0, 0, 0, 0, 0);
    put_text(b, SMBIOS_CHASSIS_SKU, NULL);
    end(b, 22);
}

static void put_cpu_counts(Build *b, GByteArray *out)
{
    unsigned cores = b->machine->cores_per_socket;
    unsigned threads = b->machine->threads_per_socket;
    unsigned family = number(b, SMBIOS_CPU_PROCESSOR_FAMILY, CPU_FAMILY_OTHER);

    bytes_pack(out, "11122", MIN(cores, 255), MIN(cores, 255), MIN(threads, 255),
               BIT(1) /* characteristics unknown */, family);
    if (b->is_64) {
        bytes_pack(out, "222", MIN(cores, UINT16_MAX), MIN(cores, UINT16_MAX),
                   MIN(threads, UINT16_MAX));
    }
}

static void put_cpu(Build *b, unsigned socket)
{
    const SmbiosMachine *m = b->machine;
    g_autofree char *designation =
        g_strdup_printf("%s %x", text(b, SMBIOS_CPU_SOCK_PFX, "CPU"), socket);
    unsigned family = number(b, SMBIOS_CPU_PROCESSOR_FAMILY, CPU_FAMILY_OTHER);
    GByteArray *out = begin(b, 4, HANDLE_CPU + socket);

    smbios_put_string((SmbiosWriter *)b, designation);
    bytes_pack(out, "11", 3 /* CPU */, family > 0xff ? CPU_FAMILY_SEE_2 : family);
    put_text(b, SMBIOS_CPU_MANUFACTURER, m->manufacturer);
    bytes_put_le(out, number(b, SMBIOS_CPU_PROCESSOR_ID, m->processor_id), 8);
    put_text(b, SMBIOS_CPU_VERSION, m->version);
    bytes_pack(out, "1222", 0 /* voltage */, 0 /* external clock */,
               number(b, SMBIOS_CPU_MAX_SPEED, CPU_SPEED_MHZ),
               number(b, SMBIOS_CPU_CURRENT_SPEED, CPU_SPEED_MHZ));
    /* Populated and enabled; no cache is described. */
    bytes_pack(out, "11222", 0x41, 1 /* other socket */, HANDLE_NONE, HANDLE_NONE, HANDLE_NONE);
    put_text(b, SMBIOS_CPU_SERIAL, NULL);
    put_text(b, SMBIOS_CPU_ASSET, NULL);
    put_text(b, SMBIOS_CPU_PART, NULL);
    put_cpu_counts(b, out);
    end(b, b->is_64 ? 48 : 42);
}

static void put_port(Build *b, const SmbiosValues *port, unsigned n)
{
    GByteArray *out = begin(b, 8, HANDLE_PORT + n);

    smbios_put_string((SmbiosWriter *)b, port->text[SMBIOS_PORT_INTERNAL]);
    bytes_put_le(out, 0 /* no internal connector */, 1);
    smbios_put_string((SmbiosWriter *)b, port->text[SMBIOS_PORT_EXTERNAL]);
    bytes_pack(out, "11", smbios_number(port, SMBIOS_PORT_CONNECTOR, 0),
               smbios_number(port, SMBIOS_PORT_TYPE, 0));
    end(b, 9);
}

static bool put_slot(Build *b, const SmbiosValues *slot, unsigned n, Error **errp)
{
    const char *device = slot->text[SMBIOS_SLOT_PCI_DEVICE];
    SmbiosPciAddress at = { UINT16_MAX, UINT8_MAX, UINT8_MAX };
    GByteArray *out;

    if (device && !b->machine->find_pci) {
        return error_set(errp, "SMBIOS type 9: no PCI device '%s'", device);
    }
    if (device && !b->machine->find_pci(b->machine->opaque, device, &at, errp)) {
        return false;
    }
    out = begin(b, 9, HANDLE_SLOT + n);
    smbios_put_string((SmbiosWriter *)b, slot->text[SMBIOS_SLOT_DESIGNATION]);
    bytes_pack(out, "1111211211", smbios_number(slot, SMBIOS_SLOT_TYPE, SLOT_UNKNOWN),
               smbios_number(slot, SMBIOS_SLOT_WIDTH, SLOT_UNKNOWN),
               smbios_number(slot, SMBIOS_SLOT_USAGE, SLOT_UNKNOWN),
               smbios_number(slot, SMBIOS_SLOT_LENGTH, SLOT_UNKNOWN),
               smbios_number(slot, SMBIOS_SLOT_ID, 0),
               smbios_number(slot, SMBIOS_SLOT_CHARACTERISTICS1, 0),
               smbios_number(slot, SMBIOS_SLOT_CHARACTERISTICS2, 0), at.segment, at.bus, at.devfn);
    end(b, 17);
    return true;
}

static void put_oem_strings(Build *b)
{
    const GPtrArray *strings = b->options->oem_strings;
    GByteArray *out = begin(b, 11, HANDLE_OEM_STRINGS);

    bytes_put_le(out, strings->len, 1);
    for (guint i = 0; i < strings->len; i++) {
        g_ptr_array_add(b->strings, strings->pdata[i]);
    }
    end(b, 5);
}

static void put_memory_array(Build *b, unsigned dimms)
{
    uint64_t kib = b->machine->ram_bytes / KiB;
    bool is_large = kib >= BIT64(31);
    GByteArray *out = begin(b, 16, HANDLE_ARRAY);

    bytes_pack(out, "1114228", 1 /* other place */, 3 /* system memory */, 6 /* multi-bit ECC */,
               is_large ? BIT64(31) : kib, HANDLE_NO_ERRORS, dimms,
               is_large ? b->machine->ram_bytes : 0);
    end(b, 23);
}

static void put_dimm(Build *b, unsigned n, uint64_t bytes)
{
    g_autofree char *locator =
        g_strdup_printf("%s %u", text(b, SMBIOS_DIMM_LOC_PFX, "DIMM"), n);
    uint64_t mib = bytes / MiB;
    unsigned speed = number(b, SMBIOS_DIMM_SPEED, 0);
    bool is_large = mib >= 0x7fff;
    GByteArray *out = begin(b, 17, HANDLE_DIMM + n);

    bytes_pack(out, "2222211", HANDLE_ARRAY, HANDLE_NO_ERRORS, 0xffff /* widths unknown */, 0xffff,
               is_large ? 0x7fff : mib, 9 /* DIMM */, 0 /* no set */);
    smbios_put_string((SmbiosWriter *)b, locator);
    put_text(b, SMBIOS_DIMM_BANK, NULL);
    bytes_pack(out, "122", 7 /* RAM */, BIT(1) /* other */, speed);
    put_text(b, SMBIOS_DIMM_MANUFACTURER, b->machine->manufacturer);
    put_text(b, SMBIOS_DIMM_SERIAL, NULL);
    put_text(b, SMBIOS_DIMM_ASSET, NULL);
    put_text(b, SMBIOS_DIMM_PART, NULL);
    bytes_pack(out, "142222", 0 /* rank */, is_large ? MIN(mib, INT32_MAX) : 0, speed,
               0 /* voltages */, 0, 0);
    end(b, 40);
}

static void put_range(Build *b, unsigned n, const SmbiosRange *range)
{
    uint64_t last = range->base + range->bytes - 1;
    bool is_high = last / KiB >= UINT32_MAX;
    GByteArray *out = begin(b, 19, HANDLE_RANGE + n);

    bytes_pack(out, "442188", is_high ? UINT32_MAX : range->base / KiB,
               is_high ? UINT32_MAX : last / KiB, HANDLE_ARRAY, 1 /* a row of one */,
               is_high ? range->base : 0, is_high ? last : 0);
    end(b, 31);
}

static void put_memory(Build *b)
{
    const SmbiosMachine *m = b->machine;
    uint64_t dimm = m->dimm_bytes ? m->dimm_bytes : DIMM_BYTES;
    unsigned dimms;

    /* As few as there are handles for. */
    dimm = MAX(dimm, ROUND_UP(m->ram_bytes / MAX_DIMMS + 1, MiB));
    dimms = m->ram_bytes / dimm + (m->ram_bytes % dimm != 0);
    if (!b->options->has_structure[16]) {
        put_memory_array(b, dimms);
    }
    for (unsigned i = 0; i < dimms && !b->options->has_structure[17]; i++) {
        put_dimm(b, i, MIN(dimm, m->ram_bytes - i * dimm));
    }
    for (unsigned i = 0; i < m->range_count && !b->options->has_structure[19]; i++) {
        put_range(b, i, &m->ranges[i]);
    }
}

static void put_boot(Build *b)
{
    GByteArray *out = begin(b, 32, HANDLE_BOOT);

    bytes_put_zero(out, 7);
    end(b, 11);
}

static bool put_connectors(Build *b, Error **errp)
{
    const SmbiosOptions *o = b->options;

    if (o->ports->len > MAX_PORTS || o->slots->len > MAX_PORTS) {
        return error_set(errp, "SMBIOS: more than %u ports or slots", MAX_PORTS);
    }
    if (o->oem_strings->len > MAX_OEM_STRINGS) {
        return error_set(errp, "SMBIOS: more than %u OEM strings", MAX_OEM_STRINGS);
    }
    for (guint i = 0; i < o->ports->len; i++) {
        put_port(b, o->ports->pdata[i], i);
    }
    for (guint i = 0; i < o->slots->len; i++) {
        if (!put_slot(b, o->slots->pdata[i], i, errp)) {
            return false;
        }
    }
    if (o->oem_strings->len) {
        put_oem_strings(b);
    }
    return true;
}

/* In the order of types; those of files come first and replace ours. */
static bool put_all(Build *b, Error **errp)
{
    static const struct {
        uint8_t type;
        bool is_on_demand; /* only if the user says something of it */
        void (*put)(Build *b);
    } rows[] = { { 0, true, put_bios }, { 1, false, put_system }, { 2, true, put_board },
                 { 3, false, put_chassis } };
    const SmbiosOptions *o = b->options;

    g_byte_array_append(b->out, o->structures->data, o->structures->len);
    b->count = o->structure_count;
    b->largest = o->largest_structure;
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!o->has_structure[rows[i].type] &&
            (!rows[i].is_on_demand || o->has_fields[rows[i].type])) {
            rows[i].put(b);
        }
    }
    for (unsigned i = 0; i < MIN(b->machine->sockets, MAX_SOCKETS) && !o->has_structure[4]; i++) {
        put_cpu(b, i);
    }
    if (!put_connectors(b, errp)) {
        return false;
    }
    put_memory(b);
    if (!o->has_structure[32]) {
        put_boot(b);
    }
    begin(b, TYPE_END, HANDLE_END);
    end(b, 4);
    return true;
}

static GByteArray *entry_point(const Build *b)
{
    GByteArray *out = g_byte_array_new();

    if (b->is_64) {
        bytes_put_text(out, "_SM3_", 5, 0);
        bytes_pack(out, "111111148", 0 /* sum */, ENTRY_30_BYTES, 3, 0, 0 /* 3.0.0 */, 1, 0,
                   b->out->len, 0);
        return out;
    }
    bytes_put_text(out, "_SM_", 4, 0);
    bytes_pack(out, "1111218", 0 /* sum */, ENTRY_21_BYTES, 2, 8, b->largest, 0, 0);
    g_byte_array_set_size(out, ENTRY_21_DMI);
    bytes_put_text(out, "_DMI_", 5, 0);
    bytes_pack(out, "12421", 0 /* sum */, b->out->len, 0, b->count, 0x28 /* BCD */);
    return out;
}

static bool check_limits(const Build *b, Error **errp)
{
    if (b->is_64) {
        return true;
    }
    if (b->out->len > TABLE_MAX_21) {
        return error_set(errp, "SMBIOS 2.1 table length %u exceeds %u", b->out->len, TABLE_MAX_21);
    }
    return true;
}

bool smbios_build(const SmbiosMachine *machine, const SmbiosOptions *options, SmbiosTables *tables,
                  Error **errp)
{
    g_autoptr(SmbiosOptions) none = options ? NULL : smbios_options_new();
    g_autoptr(GPtrArray) strings = g_ptr_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    Build b = { .machine = machine, .options = options ? options : none,
                .is_64 = machine->entry_point == SMBIOS_ENTRY_POINT_64 };

    b.out = out;
    b.strings = strings;
    if (!put_all(&b, errp) || !check_limits(&b, errp)) {
        return false;
    }
    tables->entry_point = entry_point(&b);
    tables->structures = g_steal_pointer(&out);
    smbios_set_address(tables, 0);
    return true;
}

static void put_sum(GByteArray *out, unsigned start, unsigned at)
{
    out->data[at] = 0;
    out->data[at] = bytes_checksum(out, start, out->len - start);
}

void smbios_set_address(SmbiosTables *tables, uint64_t structures)
{
    GByteArray *out = tables->entry_point;

    if (out->len == ENTRY_30_BYTES) {
        bytes_set_le(out, ENTRY_30_ADDRESS, structures, 8);
        put_sum(out, 0, ENTRY_30_SUM);
    } else {
        bytes_set_le(out, ENTRY_21_ADDRESS, structures, 4);
        put_sum(out, ENTRY_21_DMI, ENTRY_21_DMI_SUM);
        put_sum(out, 0, ENTRY_21_SUM);
    }
}

void smbios_tables_clear(SmbiosTables *tables)
{
    g_clear_pointer(&tables->structures, g_byte_array_unref);
    g_clear_pointer(&tables->entry_point, g_byte_array_unref);
}
