/*
 * For tests of intel-iommu: a q35 with its root bus, RAM and nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_INTEL_IOMMU_TEST_MACHINE_H
#define HW_I386_INTEL_IOMMU_TEST_MACHINE_H

#define VTD_TEST_RAM_BYTES UINT32_C(0x1000000)

/* Once for each process; takes the machine lock. Devices come by test_add(). */
void vtd_test_machine_init(void);

#endif
