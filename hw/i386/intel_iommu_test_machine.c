/*
 * See intel_iommu_test_machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu_test_machine.h"

#include "hw/pci/pci_test_machine.h"
#include "intel_iommu.h"
#include "pc_machine.h"
#include "system/clock.h"
#include "system/machine_lock.h"

void vtd_test_machine_init(void)
{
    static MemoryRegion ram;
    Machine *machine;
    PcHost *host;

    machine_lock();
    clock_qtest_enable();
    clock_start_virtual();
    machine = machine_create(machine_type_find("q35"));
    g_assert_true(memory_region_init_ram(&ram, NULL, "ram", VTD_TEST_RAM_BYTES, NULL));
    memory_region_add(memory_region_system(), 0, &ram);
    host = PC_HOST(device_new(TYPE_Q35_HOST));
    host->ram = &ram;
    host->below_4g_bytes = ram.size;
    g_assert_true(device_realize((Device *)host, bus_system(), NULL));
    PC_MACHINE(machine)->host = host;
}

void vtd_test_put(unsigned at, uint64_t value)
{
    test_put(VTD_BASE + at, MEM_LE64, value);
}

uint64_t vtd_test_get(unsigned at)
{
    return test_get(VTD_BASE + at, MEM_LE64);
}

void vtd_test_command(unsigned bit, bool is_on)
{
    uint32_t status = test_get(VTD_BASE + 0x1c, MEM_LE32) & ~(BIT(VTD_SRTP) | BIT(VTD_SIRTP));

    test_put(VTD_BASE + 0x18, MEM_LE32, is_on ? status | BIT(bit) : status & ~BIT(bit));
}

void vtd_test_words(GuestAddr at, const uint64_t *words, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        test_put(at + 8 * i, MEM_LE64, words[i]);
    }
}

void vtd_test_start(GuestAddr queue, GuestAddr root)
{
    vtd_test_put(0x88, 0);
    vtd_test_put(0x90, queue | BIT(11));
    vtd_test_command(VTD_QIE, true);
    vtd_test_put(0x20, root | BIT(10));
    vtd_test_command(VTD_SRTP, true);
    vtd_test_command(VTD_TE, true);
}
