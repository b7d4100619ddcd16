/*
 * The table loader: a model of the firmware runs the script and must get the same bytes as direct
 * placement at the same addresses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/fadt.h"

#define F_BASE 0xf0000
#define BASE   0x7ffe0000

static void fill(AcpiLinker *linker)
{
    g_autoptr(AcpiTables) t = acpi_tables_new(linker, &(AcpiOem){ "OEMIDX", "TABLEIDX" });
    AcpiFadt fadt = { .revision = 3, .has_facs = true };

    fadt.facs = acpi_tables_add_facs(t);
    fadt.dsdt = acpi_tables_add_aml(t, "DSDT", 1, aml_list(aml_scope("\\_SB")));
    acpi_tables_add_fadt(t, &fadt);
    acpi_tables_add_aml(t, "SSDT", 1, aml_list(aml_scope("\\_GPE")));
    acpi_tables_finish(t, 2);
}

/* What the firmware makes of a command's file name. */
typedef struct Loaded {
    GHashTable *bytes;   /* name -> GByteArray */
    GHashTable *address; /* name -> number */
    uint64_t next[2];
} Loaded;

static void add(Loaded *f, const char *file, const char *in, unsigned offset, unsigned width)
{
    GByteArray *bytes = g_hash_table_lookup(f->bytes, file);
    uint64_t base = GPOINTER_TO_SIZE(g_hash_table_lookup(f->address, in));

    g_assert_nonnull(bytes);
    g_assert_cmpuint(base, !=, 0);
    bytes_set_le(bytes, offset, bytes_get_le(bytes, offset, width) + base, width);
}

static void allocate(Loaded *f, const AcpiLinker *linker, const char *file,
                     const GByteArray *script, unsigned at)
{
    uint32_t align = bytes_get_le(script, at + 60, 4);
    unsigned zone = bytes_get_le(script, at + 64, 1) - 1;
    GByteArray *source = acpi_linker_find(linker, file);
    GByteArray *copy = g_byte_array_new();

    g_assert_cmpuint(zone, <=, 1);
    g_byte_array_append(copy, source->data, source->len);
    f->next[zone] = ROUND_UP(f->next[zone], align);
    g_hash_table_insert(f->bytes, (char *)file, copy);
    g_hash_table_insert(f->address, (char *)file, GSIZE_TO_POINTER(f->next[zone]));
    f->next[zone] += copy->len;
}

static void run(Loaded *f, const AcpiLinker *linker, const GByteArray *script)
{
    g_assert_cmpuint(script->len % ACPI_LINKER_ENTRY_BYTES, ==, 0);
    for (guint at = 0; at < script->len; at += ACPI_LINKER_ENTRY_BYTES) {
        const char *file = (char *)script->data + at + 4;
        GByteArray *bytes = g_hash_table_lookup(f->bytes, file);
        uint32_t place, start;

        switch (bytes_get_le(script, at, 4)) {
        case 1:
            allocate(f, linker, file, script, at);
            break;
        case 2:
            add(f, file, file + ACPI_LINKER_NAME_BYTES, bytes_get_le(script, at + 116, 4),
                bytes_get_le(script, at + 120, 1));
            break;
        case 3:
            place = bytes_get_le(script, at + 60, 4);
            start = bytes_get_le(script, at + 64, 4);
            /* As OVMF does it: what was there before counts. */
            bytes->data[place] =
                bytes_checksum(bytes, start, bytes_get_le(script, at + 68, 4));
            break;
        default:
            g_assert_not_reached();
        }
    }
}

static void same(Loaded *f, const AcpiLinker *placed, const char *file)
{
    GByteArray *theirs = g_hash_table_lookup(f->bytes, file);
    GByteArray *ours = acpi_linker_find(placed, file);

    g_assert_cmphex(acpi_linker_address(placed, file), ==,
                    GPOINTER_TO_SIZE(g_hash_table_lookup(f->address, file)));
    g_assert_cmpmem(ours->data, ours->len, theirs->data, theirs->len);
}

static void test_script_and_placement(void)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new(), placed = acpi_linker_new();
    g_autoptr(GByteArray) script = NULL;
    Loaded f = {
        .bytes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL,
                                       (GDestroyNotify)g_byte_array_unref),
        .address = g_hash_table_new(g_str_hash, g_str_equal),
        .next = { BASE, F_BASE },
    };
    AcpiPlacement room = { BASE, BASE + 0x10000, F_BASE, 0x100000 };
    g_autoptr(Error) err = NULL;

    fill(linker);
    fill(placed);
    script = acpi_linker_script(linker);
    run(&f, linker, script);
    g_assert_true(acpi_linker_place(placed, &room, &err));
    same(&f, placed, ACPI_TABLES_FILE);
    same(&f, placed, ACPI_RSDP_FILE);
    g_hash_table_unref(f.bytes);
    g_hash_table_unref(f.address);
}

/* From the RSDP on, as an operating system looks for its tables. */
static uint32_t table_at(const GByteArray *tables, uint64_t address, const char *signature)
{
    g_assert_cmphex(address, >=, BASE);
    g_assert_cmpmem(tables->data + (address - BASE), 4, signature, 4);
    if (strcmp(signature, "FACS") != 0) {
        g_assert_cmpuint(bytes_checksum(tables, address - BASE,
                                        bytes_get_le(tables, address - BASE + 4, 4)), ==, 0);
    }
    return address - BASE;
}

static void test_walk(void)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    AcpiPlacement room = { BASE, BASE + 0x10000, F_BASE, 0x100000 };
    GByteArray *rsdp, *tables;
    uint32_t xsdt, fadt, facs;

    fill(linker);
    g_assert_true(acpi_linker_place(linker, &room, NULL));
    rsdp = acpi_linker_find(linker, ACPI_RSDP_FILE);
    tables = acpi_linker_find(linker, ACPI_TABLES_FILE);
    g_assert_cmpuint(rsdp->len, ==, 36);
    g_assert_cmpmem(rsdp->data, 8, "RSD PTR ", 8);
    g_assert_cmpuint(rsdp->data[15], ==, 2);
    g_assert_cmpuint(bytes_checksum(rsdp, 0, 20), ==, 0);
    g_assert_cmpuint(bytes_checksum(rsdp, 0, 36), ==, 0);
    xsdt = table_at(tables, bytes_get_le(rsdp, 24, 8), "XSDT");
    g_assert_cmpuint(bytes_get_le(tables, xsdt + 4, 4), ==, 36 + 2 * 8);
    g_assert_cmpmem(tables->data + xsdt + 10, 6, "OEMIDX", 6);
    fadt = table_at(tables, bytes_get_le(tables, xsdt + 36, 8), "FACP");
    table_at(tables, bytes_get_le(tables, xsdt + 44, 8), "SSDT");
    facs = table_at(tables, bytes_get_le(tables, fadt + 36, 4), "FACS");
    g_assert_cmpuint((BASE + facs) % 64, ==, 0);
    table_at(tables, bytes_get_le(tables, fadt + 40, 4), "DSDT");
    table_at(tables, bytes_get_le(tables, fadt + 140, 8), "DSDT");
}

static void test_no_room(void)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    AcpiPlacement small = { BASE, BASE + 16, F_BASE, 0x100000 };
    AcpiPlacement high = { 4 * GiB, 8 * GiB, F_BASE, 0x100000 };
    AcpiPlacement fine = { BASE, BASE + 0x10000, F_BASE, 0x100000 };
    g_autoptr(Error) err = NULL, err2 = NULL;

    fill(linker);
    g_assert_false(acpi_linker_place(linker, &small, &err));
    g_assert_nonnull(strstr(error_text(err), "etc/acpi/tables ("));
    /* The FADT has pointers of 32 bits. */
    g_assert_false(acpi_linker_place(linker, &high, &err2));
    g_assert_cmpstr(error_text(err2), ==,
                    "etc/acpi/tables is too high for a pointer of 4 bytes in etc/acpi/tables");
    g_assert_true(acpi_linker_place(linker, &fine, NULL));
}

static void test_write_pointer(void)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    g_autoptr(GByteArray) script = NULL;
    const uint8_t *entry;

    acpi_linker_blob(linker, "etc/vmgenid_guid", 4096, ACPI_ZONE_HIGH);
    acpi_linker_write_pointer(linker, &(AcpiPointer){ "etc/vmgenid_addr", 0, 8,
                                                      "etc/vmgenid_guid", 40 });
    script = acpi_linker_script(linker);
    g_assert_cmpuint(script->len, ==, 256);
    entry = script->data + 128;
    g_assert_cmpuint(entry[0], ==, 4);
    g_assert_cmpstr((char *)entry + 4, ==, "etc/vmgenid_addr");
    g_assert_cmpstr((char *)entry + 60, ==, "etc/vmgenid_guid");
    g_assert_cmpuint(bytes_get_le(script, 128 + 116, 4), ==, 0);
    g_assert_cmpuint(bytes_get_le(script, 128 + 120, 4), ==, 40);
    g_assert_cmpuint(entry[124], ==, 8);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/linker/script-and-placement", test_script_and_placement);
    g_test_add_func("/linker/walk", test_walk);
    g_test_add_func("/linker/no-room", test_no_room);
    g_test_add_func("/linker/write-pointer", test_write_pointer);
    return g_test_run();
}
