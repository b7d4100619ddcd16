/*
 * microvm without firmware: every reset writes the kernel, what it is told (memory map, ACPI's or
 * the multiprocessor table) and registers to enter it by. That saves the time of a BIOS.
 *
 * Memory below 1 MiB, beside what x86_direct.c has there:
 *
 *     e0000  ACPI: tables            reserved, from 9fc00 to 1 MiB
 *     f0000  ACPI: the root pointer, or the multiprocessor table
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/tables.h"
#include "hw/core/reset.h"
#include "hw/core/roms.h"
#include "microvm.h"
#include "system/address_space.h"
#include "x86_direct.h"
#include "x86_mp_table.h"

#define LOW_RAM_END  UINT64_C(0x9fc00)
#define TABLES_ADDR  UINT64_C(0xe0000)
#define F_SEGMENT    UINT64_C(0xf0000)
#define HIGH_RAM     MiB

static bool write_at_resets(MicrovmMachine *m, const RomSpec *spec, Error **errp)
{
    Rom *rom = rom_add(spec, errp);

    if (!rom) {
        return false;
    }
    g_ptr_array_add(m->direct_roms, rom);
    return true;
}

/* --- tables --- */

static E820 *memory_map(const MicrovmMachine *m)
{
    const X86Machine *x86 = &m->parent;
    E820 *map = e820_new();

    e820_add(map, 0, LOW_RAM_END, E820_RAM);
    e820_add(map, LOW_RAM_END, HIGH_RAM - LOW_RAM_END, E820_RESERVED);
    e820_add(map, HIGH_RAM, x86->below_4g_bytes - HIGH_RAM, E820_RAM);
    e820_add(map, x86->above_4g_base, x86->above_4g_bytes, E820_RAM);
    if (m->gpex) {
        e820_add(map, MICROVM_ECAM, MICROVM_ECAM_BYTES, E820_RESERVED);
    }
    return map;
}

typedef struct Adding {
    MicrovmMachine *m;
    Error **errp;
    bool is_ok;
} Adding;

static void add_blob(void *opaque, const char *file, const GByteArray *bytes, uint64_t address)
{
    Adding *adding = opaque;
    const RomSpec spec = { file, address, bytes->len, bytes->data, bytes->len };

    adding->is_ok = adding->is_ok && write_at_resets(adding->m, &spec, adding->errp);
}

/* The root's address; 0 with *errp set. */
static uint64_t put_acpi(MicrovmMachine *m, Error **errp)
{
    static const AcpiPlacement room = { TABLES_ADDR, F_SEGMENT, F_SEGMENT, HIGH_RAM };
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    Adding adding = { m, errp, true };

    microvm_build_acpi(m, linker);
    if (!acpi_linker_place(linker, &room, errp)) {
        return 0;
    }
    acpi_linker_foreach(linker, add_blob, &adding);
    return adding.is_ok ? acpi_linker_address(linker, ACPI_RSDP_FILE) : 0;
}

/* Lines of virtio-mmio are level-triggered, though ISA's numbers. */
static bool put_mp_table(MicrovmMachine *m, Error **errp)
{
    uint16_t level_irqs = (BIT(m->lines.slots) - 1) << m->lines.slot_gsi;
    g_autoptr(GByteArray) table = x86_mp_table(m->parent.parent.slots, level_irqs);
    const RomSpec spec = { "mptable", X86_MP_TABLE_ADDR, table->len, table->data, table->len };

    return write_at_resets(m, &spec, errp);
}

/* --- the kernel --- */

static bool put_kernel(MicrovmMachine *m, Error **errp)
{
    const GArray *pieces = m->direct->pieces;

    for (guint i = 0; i < pieces->len; i++) {
        const X86Blob *piece = &g_array_index(pieces, X86Blob, i);
        size_t given = piece->bytes.data ? piece->bytes.size : 0;
        const RomSpec spec = { "kernel", piece->addr, piece->bytes.size, piece->bytes.data, given,
                               .is_borrowed = true };

        if (!write_at_resets(m, &spec, errp)) {
            return false;
        }
    }
    return true;
}

/* A kernel on hardware-reduced ACPI does not look at them, and would get vector 0. */
static void mask_pics(void)
{
    static const uint16_t masks[] = { 0x21, 0xa1 };

    for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
        address_space_store(address_space_io(), masks[i], mem_format(1, ENDIAN_LITTLE),
                            MEM_TX_NONE, 0xff);
    }
}

/* After the reset of CPUs and devices. */
static void enter_kernel(void *opaque)
{
    MicrovmMachine *m = opaque;
    const CpuSlots *slots = m->parent.parent.slots;

    if (m->parent.pic_device) {
        mask_pics();
    }
    for (unsigned i = 0; slots && i < slots->count; i++) {
        Device *cpu = slots->slots[i].cpu;

        if (cpu) {
            const X86StartCpu *ops = object_interface(cpu, TYPE_X86_START_CPU);

            ops->set_up(&cpu->parent);
            if (i == 0) {
                ops->start(&cpu->parent, &m->direct->state);
            }
        }
    }
}

bool microvm_start_directly(MicrovmMachine *m, Error **errp)
{
    g_autoptr(E820) map = NULL;
    X86DirectRoom room = { 0 };

    if (m->parent.below_4g_bytes <= HIGH_RAM) {
        return error_set(errp, "a kernel needs more than 1 MiB of RAM");
    }
    m->direct_roms = g_ptr_array_new_with_free_func((GDestroyNotify)rom_remove);
    if (!microvm_has_acpi(m)) {
        if (!put_mp_table(m, errp)) {
            return false;
        }
    } else if (!(room.rsdp = put_acpi(m, errp))) {
        return false;
    }
    room.memory = map = memory_map(m);
    m->direct = g_new0(X86DirectBoot, 1);
    if (!x86_direct_boot(m->parent.kernel, &room, m->direct, errp)) {
        g_clear_pointer(&m->direct, g_free);
        return false;
    }
    reset_register(enter_kernel, m);
    return put_kernel(m, errp);
}

void microvm_direct_clear(MicrovmMachine *m)
{
    if (m->direct_roms) {
        g_ptr_array_unref(m->direct_roms);
    }
    if (m->direct) {
        reset_unregister(enter_kernel, m);
        x86_direct_boot_clear(m->direct);
        g_free(m->direct);
    }
}
