/*
 * Configuration space as in the PCI Local Bus 3.0 and PCI Express Base specifications: offsets in
 * bytes, bits as masks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCI_REGS_H
#define HW_PCI_PCI_REGS_H

#define PCI_CONFIG_SIZE   0x100
#define PCIE_CONFIG_SIZE  0x1000
#define PCI_HEADER_SIZE   0x40

#define PCI_VENDOR_ID      0x00
#define PCI_DEVICE_ID      0x02
#define PCI_COMMAND        0x04
#define PCI_COMMAND_IO            0x0001
#define PCI_COMMAND_MEMORY        0x0002
#define PCI_COMMAND_MASTER        0x0004
#define PCI_COMMAND_PARITY        0x0040
#define PCI_COMMAND_SERR          0x0100
#define PCI_COMMAND_INTX_DISABLE  0x0400
#define PCI_STATUS         0x06
#define PCI_STATUS_INTERRUPT      0x0008
#define PCI_STATUS_CAP_LIST       0x0010
#define PCI_STATUS_ERRORS         0xf900 /* parity, target and master aborts, SERR: write 1 */
#define PCI_REVISION_ID    0x08
#define PCI_CLASS_PROG     0x09
#define PCI_CLASS_DEVICE   0x0a
#define PCI_CACHE_LINE     0x0c
#define PCI_LATENCY        0x0d
#define PCI_HEADER_TYPE    0x0e
#define PCI_HEADER_TYPE_BRIDGE    0x01
#define PCI_HEADER_MULTIFUNCTION  0x80
#define PCI_BAR0           0x10
#define PCI_BAR_IO                0x1
#define PCI_BAR_64                0x4
#define PCI_BAR_PREFETCH          0x8
#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID   0x2e
#define PCI_ROM_ADDRESS    0x30
#define PCI_ROM_ENABLE            0x1
#define PCI_CAPABILITY_LIST 0x34
#define PCI_INTERRUPT_LINE 0x3c
#define PCI_INTERRUPT_PIN  0x3d

/* Header type 1 */
#define PCI_PRIMARY_BUS    0x18
#define PCI_SECONDARY_BUS  0x19
#define PCI_SUBORDINATE_BUS 0x1a
#define PCI_SEC_LATENCY    0x1b
#define PCI_IO_BASE        0x1c
#define PCI_IO_LIMIT       0x1d
#define PCI_SEC_STATUS     0x1e
#define PCI_MEMORY_BASE    0x20
#define PCI_MEMORY_LIMIT   0x22
#define PCI_PREF_BASE      0x24
#define PCI_PREF_LIMIT     0x26
#define PCI_PREF_BASE_UPPER  0x28
#define PCI_PREF_LIMIT_UPPER 0x2c
#define PCI_IO_BASE_UPPER  0x30
#define PCI_IO_LIMIT_UPPER 0x32
#define PCI_BRIDGE_ROM_ADDRESS 0x38
#define PCI_BRIDGE_CONTROL 0x3e
#define PCI_BRIDGE_CONTROL_SERR   0x0002
#define PCI_BRIDGE_CONTROL_ISA    0x0004
#define PCI_BRIDGE_CONTROL_VGA    0x0008
#define PCI_BRIDGE_CONTROL_VGA_16 0x0010 /* VGA's ports are decoded with all 16 bits */
#define PCI_BRIDGE_CONTROL_RESET  0x0040
#define PCI_BRIDGE_CONTROL_BITS   0x017f
#define PCI_BRIDGE_CONTROL_DISCARD 0x0400 /* discard timer status: write 1 */

/* Capabilities */
#define PCI_CAP_ID_PM      0x01
#define PCI_PM_PMC                2
#define PCI_PM_CTRL               4
#define PCI_PM_CTRL_STATE         0x0003
#define PCI_PM_CTRL_PME_ENABLE    0x0100
#define PCI_PM_CTRL_PME_STATUS    0x8000
#define PCI_PM_CTRL_NO_SOFT_RESET 0x0008
#define PCI_CAP_ID_SLOT    0x04
#define PCI_CAP_ID_MSI     0x05
#define PCI_CAP_ID_VENDOR  0x09
#define PCI_CAP_ID_SHPC    0x0c
#define PCI_CAP_ID_SSVID   0x0d
#define PCI_CAP_ID_EXPRESS 0x10
#define PCI_CAP_ID_MSIX    0x11

#define PCI_MSI_FLAGS             2
#define PCI_MSI_FLAGS_ENABLE      0x0001
#define PCI_MSI_FLAGS_CAPABLE_SHIFT 1
#define PCI_MSI_FLAGS_SIZE_SHIFT  4
#define PCI_MSI_FLAGS_SIZE        0x0070
#define PCI_MSI_FLAGS_64          0x0080
#define PCI_MSI_FLAGS_MASKING     0x0100
#define PCI_MSI_ADDRESS           4

#define PCI_MSIX_FLAGS            2
#define PCI_MSIX_FLAGS_MASK_ALL   0x4000
#define PCI_MSIX_FLAGS_ENABLE     0x8000
#define PCI_MSIX_TABLE            4
#define PCI_MSIX_PBA              8
#define PCI_MSIX_ENTRY_BYTES      16
#define PCI_MSIX_ENTRY_DATA       8
#define PCI_MSIX_ENTRY_CONTROL    12
#define PCI_MSIX_ENTRY_MASKED     0x1

/* Vendor and device numbers that have no better home; classes (base and sub). */
#define PCI_VENDOR_INTEL          0x8086
#define PCI_VENDOR_REDHAT         0x1b36
#define PCI_VENDOR_REDHAT_QUMRANET 0x1af4
#define PCI_SUBSYSTEM_DEFAULT     0x1100
#define PCI_CLASS_NETWORK_ETHERNET 0x0200
#define PCI_CLASS_BRIDGE_HOST     0x0600
#define PCI_CLASS_BRIDGE_PCI      0x0604
#define PCI_CLASS_DISPLAY_VGA     0x0300
#define PCI_CLASS_DISPLAY_OTHER   0x0380
#define PCI_CLASS_INPUT_KEYBOARD  0x0900
#define PCI_CLASS_INPUT_MOUSE     0x0902
#define PCI_CLASS_INPUT_OTHER     0x0980
#define PCI_CLASS_OTHERS          0x00ff

#define PCI_DEVFN(slot, function) ((slot) << 3 | (function))
#define PCI_SLOT(devfn)           ((devfn) >> 3 & 0x1f)
#define PCI_FUNCTION(devfn)       ((devfn) & 7)

#endif
