/*
 * intel-iommu: the DMAR table (VT-d, chapter 8): one unit for the whole segment, whose IOAPIC is
 * known by a number on a bus that does not exist.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/iommu_tables.h"
#include "intel_iommu.h"

#define MOST_SCOPES 512

typedef struct Scopes {
    DmarScope *scopes;
    unsigned count;
    bool ports_only;
} Scopes;

static bool is_bridge(const PciDevice *dev)
{
    return ((const PciDeviceType *)pci_device_ops(dev))->is_bridge;
}

/* Functions and bridges of a root; what is below a bridge is meant with it. */
static void add_scopes(Scopes *scopes, PciBus *bus)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFN_COUNT; devfn++) {
        const PciDevice *dev = bus->devices[devfn];

        if (!dev || scopes->count == MOST_SCOPES || (scopes->ports_only && !is_bridge(dev))) {
            continue;
        }
        scopes->scopes[scopes->count++] = (DmarScope){
            .type = is_bridge(dev) ? DMAR_SCOPE_BRIDGE : DMAR_SCOPE_ENDPOINT,
            .bus = pci_bus_number(bus), .depth = 1,
            .path = { { PCI_SLOT(devfn), PCI_FUNCTION(devfn) } },
        };
    }
}

static void add_roots(const IntelIommu *unit, Scopes *scopes)
{
    if (!unit->root->bypasses_iommu) {
        add_scopes(scopes, unit->root);
    }
    for (guint i = 0; unit->root->expanders && i < unit->root->expanders->len; i++) {
        PciBus *bus = unit->root->expanders->pdata[i];

        if (!bus->bypasses_iommu) {
            add_scopes(scopes, bus);
        }
    }
}

/* With a root that passes by, those that do not are listed; else it is all. */
static bool has_bypass(const IntelIommu *unit)
{
    bool bypasses = unit->root->bypasses_iommu;

    for (guint i = 0; unit->root->expanders && i < unit->root->expanders->len; i++) {
        bypasses |= ((PciBus *)unit->root->expanders->pdata[i])->bypasses_iommu;
    }
    return bypasses;
}

void vtd_add_tables(Device *dev, AcpiTables *t)
{
    const IntelIommu *unit = INTEL_IOMMU(dev);
    g_autofree DmarScope *rows = g_new(DmarScope, MOST_SCOPES + 1);
    Scopes scopes = { rows, 0 };
    bool is_listed = has_bypass(unit);

    if (is_listed) {
        add_roots(unit, &scopes);
    }
    if (vtd_has(unit, VTD_ECAP_IR)) {
        rows[scopes.count++] = (DmarScope){ .type = DMAR_SCOPE_IOAPIC, .id = 0,
                                            .bus = VTD_IOAPIC_SID >> 8, .depth = 1 };
    }
    acpi_dmar_begin(t, unit->address_bits, vtd_has(unit, VTD_ECAP_IR) ? DMAR_INTR_REMAP : 0);
    dmar_drhd(t, &(DmarUnit){ is_listed ? 0 : DMAR_INCLUDE_PCI_ALL, 0, VTD_BASE,
                              { rows, scopes.count } });
    if (vtd_has(unit, VTD_ECAP_DT)) {
        Scopes ports = { rows, 0, true };

        if (is_listed) {
            add_roots(unit, &ports);
        }
        dmar_atsr(t, is_listed ? 0 : DMAR_ALL_PORTS, 0, &(DmarScopes){ rows, ports.count });
    }
    acpi_table_end(t);
}
