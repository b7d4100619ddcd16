/*
 * See intel_iommu_test_machine.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu_test_machine.h"
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
