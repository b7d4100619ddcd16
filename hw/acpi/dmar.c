/*
 * DMAR: DMA remapping units (VT-d 4.0, chapter 8).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/iommu_tables.h"

enum {
    DRHD = 0,
    RMRR = 1,
    ATSR = 2,
    RHSA = 3,
    ANDD = 4,
    SATC = 5,
};

void acpi_dmar_begin(AcpiTables *t, uint8_t address_bits, uint8_t flags)
{
    GByteArray *out = acpi_table_begin(t, "DMAR", 1);

    assert(address_bits);
    bytes_pack(out, "11", address_bits - 1, flags);
    bytes_put_zero(out, 10);
}

static unsigned scope_bytes(const DmarScope *scope)
{
    assert(scope->depth >= 1 && scope->depth <= ARRAY_SIZE(scope->path));
    return 6 + 2 * scope->depth;
}

static unsigned scopes_bytes(const DmarScopes *of)
{
    unsigned bytes = 0;

    for (unsigned i = 0; i < of->count; i++) {
        bytes += scope_bytes(&of->scopes[i]);
    }
    return bytes;
}

static void put_scopes(GByteArray *out, const DmarScopes *of)
{
    for (unsigned i = 0; i < of->count; i++) {
        const DmarScope *s = &of->scopes[i];

        bytes_pack(out, "11211", s->type, scope_bytes(s), 0, s->id, s->bus);
        for (unsigned hop = 0; hop < s->depth; hop++) {
            bytes_pack(out, "11", s->path[hop].device, s->path[hop].function);
        }
    }
}

void dmar_drhd(AcpiTables *t, const DmarUnit *unit)
{
    GByteArray *out = acpi_tables_bytes(t);

    bytes_pack(out, "221128", DRHD, 16 + scopes_bytes(&unit->of), unit->flags, 0 /* 4 KiB */,
               unit->segment, unit->base);
    put_scopes(out, &unit->of);
}

void dmar_rmrr(AcpiTables *t, const DmarReserved *reserved)
{
    GByteArray *out = acpi_tables_bytes(t);

    bytes_pack(out, "222288", RMRR, 24 + scopes_bytes(&reserved->of), 0, reserved->segment,
               reserved->base, reserved->last);
    put_scopes(out, &reserved->of);
}

static void put_devices(AcpiTables *t, uint16_t type, uint8_t flags, uint16_t segment,
                        const DmarScopes *of)
{
    GByteArray *out = acpi_tables_bytes(t);

    bytes_pack(out, "22112", type, 8 + scopes_bytes(of), flags, 0, segment);
    put_scopes(out, of);
}

void dmar_atsr(AcpiTables *t, uint8_t flags, uint16_t segment, const DmarScopes *ports)
{
    put_devices(t, ATSR, flags, segment, ports);
}

void dmar_satc(AcpiTables *t, uint8_t flags, uint16_t segment, const DmarScopes *devices)
{
    put_devices(t, SATC, flags, segment, devices);
}

void dmar_rhsa(AcpiTables *t, uint64_t unit_base, uint32_t node)
{
    bytes_pack(acpi_tables_bytes(t), "22484", RHSA, 20, 0, unit_base, node);
}

void dmar_andd(AcpiTables *t, uint8_t device, const char *acpi_path)
{
    GByteArray *out = acpi_tables_bytes(t);
    size_t bytes = strlen(acpi_path) + 1;

    bytes_pack(out, "2231", ANDD, 8 + bytes, 0, device);
    bytes_put_text(out, acpi_path, bytes, 0);
}
