/*
 * NFIT (ACPI 6.4, 5.2.25).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/nfit.h"

enum {
    NFIT_RANGE = 0,
    NFIT_MAPPING = 1,
    NFIT_CONTROL = 4,
    NFIT_FLUSH_HINTS = 6,
    NFIT_CAPABILITIES = 7,
};

/* Without block windows it could end early; not every reader knows. */
#define NFIT_CONTROL_SHORT_BYTES 32
#define NFIT_CONTROL_BYTES       80

void nfit_put_range(GByteArray *out, const NfitRange *r)
{
    bytes_pack(out, "222244", NFIT_RANGE, 56, r->index, r->flags, 0, r->node);
    bytes_put_uuid(out, r->type);
    bytes_pack(out, "888", r->base, r->bytes, r->attributes);
}

void nfit_put_mapping(GByteArray *out, const NfitMapping *m)
{
    bytes_pack(out, "22422228", NFIT_MAPPING, 48, m->handle, m->physical_id, m->region_id,
               m->range_index, m->control_index, m->bytes);
    bytes_pack(out, "882222", m->range_offset, m->dimm_base, 0 /* interleave */, 1 /* way */,
               m->flags, 0);
}

void nfit_put_control(GByteArray *out, const NfitControl *c)
{
    bytes_pack(out, "222222222", NFIT_CONTROL, NFIT_CONTROL_BYTES,
               c->index, c->vendor, c->device, c->revision, c->vendor, c->device, c->revision);
    bytes_pack(out, "1122422", 0 /* no place and date of make */, 0, 0, 0, c->serial, c->format,
               0 /* block windows */);
    bytes_put_zero(out, NFIT_CONTROL_BYTES - NFIT_CONTROL_SHORT_BYTES);
}

void nfit_put_flush_hints(GByteArray *out, uint32_t handle, const uint64_t *hints, uint16_t count)
{
    bytes_pack(out, "224224", NFIT_FLUSH_HINTS, 16 + 8 * count, handle, count, 0, 0);
    for (unsigned i = 0; i < count; i++) {
        bytes_put_le(out, hints[i], 8);
    }
}

void nfit_put_capabilities(GByteArray *out, uint8_t highest_bit, uint32_t capabilities)
{
    bytes_pack(out, "221344", NFIT_CAPABILITIES, 16, highest_bit, 0, capabilities, 0);
}

uint32_t acpi_tables_add_nfit(AcpiTables *t, const GByteArray *structures)
{
    GByteArray *out = acpi_table_begin(t, "NFIT", 1);

    bytes_put_le(out, 0, 4);
    g_byte_array_append(out, structures->data, structures->len);
    return acpi_table_end(t);
}
