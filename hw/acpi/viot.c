/*
 * VIOT: virtual IOMMUs that nothing else tells of (ACPI 6.5, 5.2.32). Nodes are found by their
 * offsets in the table: the IOMMU's comes first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/iommu_tables.h"

enum { PCI_RANGE = 1, VIRTIO_PCI_IOMMU = 3 };
#define NODES_AT    48
#define RANGE_BYTES 24
#define IOMMU_BYTES 16

void acpi_add_viot(AcpiTables *t, uint16_t iommu, const ViotRange *ranges, unsigned count)
{
    GByteArray *out = acpi_table_begin(t, "VIOT", 0);

    bytes_pack(out, "228", count + 1, NODES_AT, UINT64_C(0));
    bytes_pack(out, "11222", VIRTIO_PCI_IOMMU, 0, IOMMU_BYTES, 0 /* segment */, iommu);
    bytes_put_zero(out, 8);
    for (unsigned i = 0; i < count; i++) {
        /* Endpoint numbers are those of functions. */
        bytes_pack(out, "1124222222", PCI_RANGE, 0, RANGE_BYTES, ranges[i].first, 0, 0,
                   ranges[i].first, ranges[i].last, NODES_AT, 0);
        bytes_put_zero(out, 4);
    }
    acpi_table_end(t);
}
