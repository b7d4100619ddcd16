/*
 * The multiprocessor table: see x86_mp_table.h. Chapter 4 of the specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/pack.h"
#include "hw/core/apic_bus.h"
#include "hw/core/cpu.h"
#include "hw/isa/isa.h"
#include "x86_gsi.h"
#include "x86_mp_table.h"

enum { PROCESSOR, ISA, IO_APIC, IO_INTERRUPT, LOCAL_INTERRUPT }; /* entries */
enum { INT = 0, NMI = 1, EXT_INT = 3 };

#define REVISION        4 /* 1.4 */
#define POINTER_BYTES   16
#define LENGTH_AT       (POINTER_BYTES + 4)
#define CHECKSUM_AT     (POINTER_BYTES + 7)
#define ENTRIES_AT      (POINTER_BYTES + 34)
#define APIC_VERSION    0x14
#define IOAPIC_VERSION  0x11
#define HIGHEST_ID      254 /* of an APIC; the next one means all */
#define ALL_APICS       255
#define CPU_ENABLED     BIT(0)
#define CPU_BOOT        BIT(1)
#define FPU_AND_APIC    0x201 /* features, as CPUID 1 has them */
#define LEVEL_HIGH      0x0d
#define TIMER_PIN       2
#define CASCADE_IRQ     2

static void put_pointer(GByteArray *out)
{
    bytes_put_text(out, "_MP_", 4, 0);
    bytes_pack(out, "4111113", X86_MP_TABLE_ADDR + POINTER_BYTES, POINTER_BYTES / 16, REVISION, 0,
               0, 0, 0);
    out->data[10] = bytes_checksum(out, 0, POINTER_BYTES);
}

/* Length, number of entries and checksum come last. */
static void put_header(GByteArray *out)
{
    bytes_put_text(out, "PCMP", 4, 0);
    bytes_pack(out, "211", 0, REVISION, 0);
    bytes_put_text(out, "TANDEM", 8, ' ');
    bytes_put_text(out, "MICROVM", 12, ' ');
    bytes_pack(out, "4224211", 0, 0, 0, APIC_WINDOW_ADDR, 0, 0, 0);
}

static uint32_t signature(Device *cpu)
{
    return object_get_int(cpu, "family") << 8 | object_get_int(cpu, "model") << 4 |
           object_get_int(cpu, "stepping");
}

static unsigned put_cpus(GByteArray *out, const CpuSlots *slots)
{
    unsigned count = 0;

    for (unsigned i = 0; slots && i < slots->count; i++) {
        const CpuSlot *slot = &slots->slots[i];

        if (slot->cpu && slot->arch_id <= HIGHEST_ID) {
            bytes_pack(out, "1111448", PROCESSOR, slot->arch_id, APIC_VERSION,
                       CPU_ENABLED | (i == 0 ? CPU_BOOT : 0), signature(slot->cpu), FPU_AND_APIC,
                       0);
            count++;
        }
    }
    return count;
}

/* All but the cascade; the timer is at another pin. */
static unsigned put_interrupts(GByteArray *out, uint16_t level_irqs)
{
    for (unsigned irq = 0; irq < ISA_IRQS; irq++) {
        if (irq != CASCADE_IRQ) {
            bytes_pack(out, "1121111", IO_INTERRUPT, INT, level_irqs >> irq & 1 ? LEVEL_HIGH : 0,
                       0, irq, 0, irq ? irq : TIMER_PIN);
        }
    }
    bytes_pack(out, "1121111", LOCAL_INTERRUPT, EXT_INT, 0, 0, 0, ALL_APICS, 0);
    bytes_pack(out, "1121111", LOCAL_INTERRUPT, NMI, 0, 0, 0, ALL_APICS, 1);
    return ISA_IRQS - 1 + 2;
}

GByteArray *x86_mp_table(const CpuSlots *slots, uint16_t level_irqs)
{
    GByteArray *out = g_byte_array_new();
    unsigned entries;

    put_pointer(out);
    put_header(out);
    entries = put_cpus(out, slots);
    bytes_pack(out, "11", ISA, 0);
    bytes_put_text(out, "ISA", 6, ' ');
    bytes_pack(out, "11114", IO_APIC, 0, IOAPIC_VERSION, 1, X86_IOAPIC_ADDR);
    entries += 2 + put_interrupts(out, level_irqs);
    bytes_set_le(out, LENGTH_AT, out->len - POINTER_BYTES, 2);
    bytes_set_le(out, ENTRIES_AT, entries, 2);
    out->data[CHECKSUM_AT] = bytes_checksum(out, POINTER_BYTES, out->len - POINTER_BYTES);
    return out;
}
