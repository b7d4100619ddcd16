/*
 * HPET, MCFG, WAET, TPM2, ERST, SPCR and GTDT. The header names the specifications.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/platform_tables.h"

#define TPM2_METHOD_PARAMETER_BYTES 12
#define TPM2_LOG_OFFSET             68
#define ERST_HEADER_BYTES           48
#define GTDT_WATCHDOG               1
#define GTDT_WATCHDOG_BYTES         28

uint32_t acpi_tables_add_hpet(AcpiTables *t, const AcpiHpet *hpet)
{
    GByteArray *out = acpi_table_begin(t, "HPET", 1);

    bytes_put_le(out, hpet->block_id, 4);
    acpi_put_address(out, &(AcpiAddress){ .space = AML_SYSTEM_MEMORY, .address = hpet->base });
    bytes_pack(out, "121", hpet->number, hpet->min_ticks, 0 /* no page protection */);
    return acpi_table_end(t);
}

uint32_t acpi_tables_add_mcfg(AcpiTables *t, const AcpiEcam *ecams, unsigned count)
{
    GByteArray *out = acpi_table_begin(t, "MCFG", 1);

    bytes_put_zero(out, 8);
    for (unsigned i = 0; i < count; i++) {
        const AcpiEcam *e = &ecams[i];

        bytes_pack(out, "82114", e->base, e->segment, e->first_bus, e->last_bus, 0);
    }
    return acpi_table_end(t);
}

uint32_t acpi_tables_add_waet(AcpiTables *t, uint32_t flags)
{
    bytes_put_le(acpi_table_begin(t, "WAET", 1), flags, 4);
    return acpi_table_end(t);
}

uint32_t acpi_tables_add_tpm2(AcpiTables *t, const AcpiTpm2 *tpm)
{
    GByteArray *out = acpi_table_begin(t, "TPM2", 4);

    bytes_pack(out, "2284", tpm->platform_class, 0, tpm->control_area, tpm->start_method);
    bytes_put_zero(out, TPM2_METHOD_PARAMETER_BYTES);
    bytes_pack(out, "48", tpm->log_file ? tpm->log_bytes : 0, 0 /* log */);
    if (tpm->log_file) {
        acpi_table_point(t, TPM2_LOG_OFFSET, 8, tpm->log_file, 0);
    }
    return acpi_table_end(t);
}

uint32_t acpi_tables_add_erst(AcpiTables *t, const AcpiErstEntry *entries, uint32_t count)
{
    GByteArray *out = acpi_table_begin(t, "ERST", 1);

    bytes_pack(out, "444", ERST_HEADER_BYTES, 0, count);
    for (uint32_t i = 0; i < count; i++) {
        const AcpiErstEntry *e = &entries[i];

        bytes_pack(out, "1111", e->action, e->instruction, e->flags, 0);
        acpi_put_address(out, &e->address);
        bytes_pack(out, "88", e->value, e->mask);
    }
    return acpi_table_end(t);
}

uint32_t acpi_tables_add_spcr(AcpiTables *t, const AcpiSpcr *s)
{
    GByteArray *out = acpi_table_begin(t, "SPCR", 2);

    bytes_pack(out, "13", s->interface, 0);
    acpi_put_address(out, &s->base);
    bytes_pack(out, "11411111", s->irq_type, s->irq, s->gsi, s->baud, 0 /* no parity */,
               s->stop_bits, s->flow_control, s->terminal);
    bytes_pack(out, "122111414", 0 /* language */, s->pci_device, s->pci_vendor, s->pci_bus,
               s->pci_slot, s->pci_function, 0 /* flags */, s->pci_segment, 0);
    return acpi_table_end(t);
}

static void put_timer(GByteArray *out, const AcpiGtdtTimer *timer)
{
    bytes_pack(out, "44", timer->gsi, timer->flags);
}

uint32_t acpi_tables_add_gtdt(AcpiTables *t, const AcpiGtdt *g)
{
    GByteArray *out = acpi_table_begin(t, "GTDT", g->revision);
    unsigned header_bytes = g->revision >= 3 ? 104 : 96;

    bytes_pack(out, "84", g->control_base, 0);
    put_timer(out, &g->secure_el1);
    put_timer(out, &g->el1);
    put_timer(out, &g->virtual_el1);
    put_timer(out, &g->el2);
    bytes_pack(out, "844", g->read_base, g->watchdog_count,
               g->watchdog_count ? header_bytes : 0);
    if (g->revision >= 3) {
        put_timer(out, &g->virtual_el2);
    }
    assert(acpi_table_length(t) == header_bytes);
    for (unsigned i = 0; i < g->watchdog_count; i++) {
        const AcpiGtdtWatchdog *w = &g->watchdogs[i];

        bytes_pack(out, "1218844", GTDT_WATCHDOG, GTDT_WATCHDOG_BYTES, 0, w->refresh_frame,
                   w->control_frame, w->gsi, w->flags);
    }
    return acpi_table_end(t);
}
