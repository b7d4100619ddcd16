/*
 * A machine for tests of PCI: a host bridge with both ways to configuration space, four interrupt
 * lines, and a device with BARs of every kind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_TEST_MACHINE_H
#define HW_PCI_PCI_TEST_MACHINE_H

#include "hw/pci/msi.h"
#include "hw/pci/pci_host.h"

#define TEST_ECAM 0xb0000000u
/* Vendor and device ids, BAR 0: 4 KiB of memory, 1: 32 ports, 2: 64-bit prefetchable of 1 MiB,
 * 4: MSI-X with 4 vectors; MSI of 4 vectors with masks; PM. */
#define TEST_VENDOR 0x1234
#define TEST_DEVICE 0x5678

typedef struct TestDevice {
    PciDevice parent;
    MemoryRegion memory, io, prefetchable;
    uint64_t last_write;
} TestDevice;
DECLARE_CAST(TestDevice, TEST_DEVICE_OF)

typedef struct TestHost {
    PciHost parent;
    int lines[4];
} TestHost;
DECLARE_CAST(TestHost, TEST_HOST)

/* Once for each process: the machine lock is taken, the machine made. */
TestHost *test_machine_init(void);
/* {'driver': 'test-pci', ...}; NULL with *errp set. */
Device *test_add(const char *options, Error **errp);
/* As blockdev-add has it. */
void test_add_node(const char *options);
uint64_t test_get(uint64_t addr, MemFormat format);
void test_put(uint64_t addr, MemFormat format, uint64_t value);
/* By mechanism #1, function on bus 0. */
uint32_t test_config_get(unsigned devfn, unsigned at, MemFormat format);
void test_config_put(unsigned devfn, unsigned at, MemFormat format, uint32_t value);
/* Anywhere, as a guest with ECAM over all buses would: `bdf` is bus << 8 | devfn. */
uint32_t test_cfg(unsigned bdf, unsigned at, unsigned bytes);
void test_cfg_set(unsigned bdf, unsigned at, unsigned bytes, uint32_t value);

#endif
