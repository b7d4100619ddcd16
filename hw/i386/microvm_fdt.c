/*
 * The device tree of microvm, for firmware and kernels without ACPI: fw_cfg's "etc/fdt".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <libfdt.h>
#include "hw/nvram/fw_cfg.h"
#include "hw/pci-host/gpex.h"
#include "microvm.h"

#define FDT_FILE       "etc/fdt"
#define FDT_BYTES      (16 * KiB) /* more than all of it */
#define PHANDLE_FIRST  0x8001
#define IOAPIC_BYTES   0x1000
#define PCI_RANGE_32   0x02000000
#define PCI_RANGE_64   0x03000000

/* What libfdt cannot do is for want of room, which is ours. */
static void must(int result)
{
    assert(result >= 0);
}

static void put_cells(void *fdt, const char *name, const uint32_t *cells, unsigned count)
{
    uint32_t wire[32];

    assert(count <= ARRAY_SIZE(wire));
    for (unsigned i = 0; i < count; i++) {
        wire[i] = cpu_to_fdt32(cells[i]);
    }
    must(fdt_property(fdt, name, wire, count * sizeof(*wire)));
}
#define PUT_CELLS(fdt, name, ...)                                                                  \
    put_cells(fdt, name, (const uint32_t[]){ __VA_ARGS__ },                                        \
              sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
/* A number of 64 bits, as two cells. */
#define WIDE(value) (uint32_t)((uint64_t)(value) >> 32), (uint32_t)(value)

static void begin_at(void *fdt, const char *stem, uint64_t addr, const char *compatible)
{
    g_autofree char *name = g_strdup_printf("%s@%" PRIx64, stem, addr);

    must(fdt_begin_node(fdt, name));
    must(fdt_property_string(fdt, "compatible", compatible));
}

/* The pin of its IOAPIC. */
static void put_interrupt(void *fdt, unsigned gsi)
{
    must(fdt_property_u32(fdt, "interrupt-parent", PHANDLE_FIRST + gsi / X86_IOAPIC_PINS));
    PUT_CELLS(fdt, "interrupts", gsi % X86_IOAPIC_PINS, 0);
}

static void add_ioapics(const MicrovmMachine *m, void *fdt)
{
    static const uint64_t addrs[] = { X86_IOAPIC_ADDR, X86_IOAPIC2_ADDR };

    for (unsigned n = 0; n < m->lines.ioapics; n++) {
        g_autofree char *stem = g_strdup_printf("ioapic%u", n + 1);

        begin_at(fdt, stem, addrs[n], "intel,ce4100-ioapic");
        must(fdt_property(fdt, "interrupt-controller", NULL, 0));
        must(fdt_property_u32(fdt, "#interrupt-cells", 2));
        must(fdt_property_u32(fdt, "#address-cells", 2));
        PUT_CELLS(fdt, "reg", WIDE(addrs[n]), WIDE(IOAPIC_BYTES));
        must(fdt_property_u32(fdt, "phandle", PHANDLE_FIRST + n));
        must(fdt_end_node(fdt));
    }
}

static void add_slots(const MicrovmMachine *m, void *fdt)
{
    for (unsigned n = 0; n < m->lines.slots; n++) {
        if (microvm_slot_is_used(m, n)) {
            begin_at(fdt, "virtio_mmio", microvm_slot_addr(n), "virtio,mmio");
            PUT_CELLS(fdt, "reg", WIDE(microvm_slot_addr(n)), WIDE(MICROVM_VIRTIO_BYTES));
            must(fdt_property(fdt, "dma-coherent", NULL, 0));
            put_interrupt(fdt, m->lines.slot_gsi + n);
            must(fdt_end_node(fdt));
        }
    }
}

static void add_pcie(const MicrovmMachine *m, void *fdt)
{
    begin_at(fdt, "pcie", MICROVM_PCIE_MMIO, "pci-host-ecam-generic");
    must(fdt_property_string(fdt, "device_type", "pci"));
    must(fdt_property_u32(fdt, "#address-cells", 3));
    must(fdt_property_u32(fdt, "#size-cells", 2));
    must(fdt_property_u32(fdt, "linux,pci-domain", 0));
    must(fdt_property(fdt, "dma-coherent", NULL, 0));
    PUT_CELLS(fdt, "reg", WIDE(MICROVM_ECAM), WIDE(MICROVM_ECAM_BYTES));
    PUT_CELLS(fdt, "ranges", PCI_RANGE_32, WIDE(MICROVM_PCIE_MMIO), WIDE(MICROVM_PCIE_MMIO),
              WIDE(MICROVM_PCIE_MMIO_BYTES), PCI_RANGE_64, WIDE(m->pcie_mmio64),
              WIDE(m->pcie_mmio64), WIDE(m->pcie_mmio64_bytes));
    PUT_CELLS(fdt, "bus-range", 0, x86_bus_numbers(&m->parent, PCI_HOST(m->gpex), false) - 1);
    must(fdt_end_node(fdt));
}

static void add_xhci(void *fdt)
{
    begin_at(fdt, "usb", MICROVM_XHCI, "generic-xhci");
    PUT_CELLS(fdt, "reg", WIDE(MICROVM_XHCI), WIDE(MICROVM_XHCI_BYTES));
    put_interrupt(fdt, MICROVM_XHCI_GSI);
    must(fdt_end_node(fdt));
}

static void add_port(void *fdt, const char *stem, const char *compatible, uint16_t port,
                     unsigned irq)
{
    begin_at(fdt, stem, port, compatible);
    PUT_CELLS(fdt, "reg", WIDE(port), WIDE(8));
    put_interrupt(fdt, irq);
    must(fdt_end_node(fdt));
}

static void add_nodes(const MicrovmMachine *m, void *fdt)
{
    must(fdt_begin_node(fdt, ""));
    must(fdt_property_string(fdt, "compatible", "linux,microvm"));
    must(fdt_property_u32(fdt, "#address-cells", 2));
    must(fdt_property_u32(fdt, "#size-cells", 2));
    must(fdt_begin_node(fdt, "chosen"));
    if (microvm_has_serial(m)) {
        must(fdt_property_string(fdt, "stdout-path", "/serial@3f8"));
    }
    must(fdt_end_node(fdt));
    add_ioapics(m, fdt);
    if (m->gpex) {
        add_pcie(m, fdt);
    }
    add_slots(m, fdt);
    if (m->parent.parent.usb) {
        add_xhci(fdt);
    }
    if (microvm_has_serial(m)) {
        add_port(fdt, "serial", "ns16550", MICROVM_SERIAL_PORT, MICROVM_SERIAL_IRQ);
    }
    if (m->parent.rtc) {
        add_port(fdt, "rtc", "motorola,mc146818", 0x70, MICROVM_RTC_IRQ);
    }
    must(fdt_end_node(fdt));
}

bool microvm_add_fdt(MicrovmMachine *m, Error **errp)
{
    void *fdt = g_malloc0(FDT_BYTES);
    FwCfgBlob blob = { .data = fdt };

    must(fdt_create(fdt, FDT_BYTES));
    must(fdt_finish_reservemap(fdt));
    add_nodes(m, fdt);
    must(fdt_finish(fdt));
    blob.size = fdt_totalsize(fdt);
    if (!fw_cfg_add_file(m->parent.fw_cfg, FDT_FILE, &blob, errp)) {
        g_free(fdt);
        return false;
    }
    return true;
}
