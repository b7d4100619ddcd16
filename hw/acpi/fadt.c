/*
 * FADT and FACS (ACPI 6.4, 5.2.9 and 5.2.10).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/fadt.h"

#define FIRMWARE_CTRL_OFFSET 36
#define DSDT_OFFSET          40
#define X_DSDT_OFFSET        140

#define FACS_ALIGN 64
#define FACS_BYTES 64

/* The lengths that revisions have (2 never was final). */
static uint32_t fadt_bytes(uint8_t revision)
{
    static const uint16_t bytes[] = { 0, 116, 0, 244, 244, 268, 276 };

    assert(revision < ARRAY_SIZE(bytes) && bytes[revision]);
    return bytes[revision];
}

/* A block's 32-bit form. */
static uint32_t port(const AcpiAddress *block)
{
    return block->space == AML_SYSTEM_IO ? block->address : 0;
}

static uint8_t length(const AcpiAddress *block)
{
    return block->bits / 8;
}

static void put_legacy(GByteArray *out, const AcpiFadt *f)
{
    bytes_pack(out, "441124", 0 /* FACS */, 0 /* DSDT */, 0, f->preferred_pm_profile, f->sci_int,
               f->smi_cmd);
    bytes_pack(out, "1111", f->acpi_enable, f->acpi_disable, f->s4bios_req, f->pstate_cnt);
    bytes_pack(out, "44444444", port(&f->pm1a_evt), port(&f->pm1b_evt), port(&f->pm1a_cnt),
               port(&f->pm1b_cnt), port(&f->pm2_cnt), port(&f->pm_tmr), port(&f->gpe0),
               port(&f->gpe1));
    bytes_pack(out, "11111111", length(&f->pm1a_evt), length(&f->pm1a_cnt), length(&f->pm2_cnt),
               length(&f->pm_tmr), length(&f->gpe0), length(&f->gpe1), f->gpe1_base, f->cst_cnt);
    bytes_pack(out, "222211", f->p_lvl2_lat, f->p_lvl3_lat, f->flush_size, f->flush_stride,
               f->duty_offset, f->duty_width);
    bytes_pack(out, "111214", f->day_alarm, f->month_alarm, f->century,
               f->revision >= 2 ? f->iapc_boot_arch : 0, 0, f->flags);
}

static void put_extended(GByteArray *out, const AcpiFadt *f)
{
    const AcpiAddress *blocks[] = { &f->pm1a_evt, &f->pm1b_evt, &f->pm1a_cnt, &f->pm1b_cnt,
                                    &f->pm2_cnt,  &f->pm_tmr,   &f->gpe0,     &f->gpe1 };

    acpi_put_address(out, &f->reset_reg);
    bytes_pack(out, "12188", f->reset_value, f->arm_boot_arch, f->minor, 0 /* X FACS */,
               0 /* X DSDT */);
    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        acpi_put_address(out, blocks[i]);
    }
}

uint32_t acpi_tables_add_fadt(AcpiTables *t, const AcpiFadt *f)
{
    GByteArray *out = acpi_table_begin(t, "FACP", f->revision);

    put_legacy(out, f);
    if (f->revision >= 3) {
        put_extended(out, f);
        acpi_table_point(t, X_DSDT_OFFSET, 8, ACPI_TABLES_FILE, f->dsdt);
    }
    if (f->revision >= 5) {
        acpi_put_address(out, &f->sleep_control);
        acpi_put_address(out, &f->sleep_status);
    }
    if (f->revision >= 6) {
        g_byte_array_append(out, (const uint8_t *)f->hypervisor_vendor,
                            sizeof(f->hypervisor_vendor));
    }
    if (!(f->flags & FADT_HW_REDUCED_ACPI)) {
        acpi_table_point(t, DSDT_OFFSET, 4, ACPI_TABLES_FILE, f->dsdt);
    }
    if (f->has_facs) {
        acpi_table_point(t, FIRMWARE_CTRL_OFFSET, 4, ACPI_TABLES_FILE, f->facs);
    }
    assert(acpi_table_length(t) == fadt_bytes(f->revision));
    return acpi_table_end(t);
}

uint32_t acpi_tables_add_facs(AcpiTables *t)
{
    GByteArray *out = acpi_tables_bytes(t);
    uint32_t place;

    bytes_align(out, FACS_ALIGN);
    place = out->len;
    bytes_put_text(out, "FACS", 4, 0);
    bytes_put_le(out, FACS_BYTES, 4);
    bytes_put_zero(out, FACS_BYTES - 8);
    return place;
}
