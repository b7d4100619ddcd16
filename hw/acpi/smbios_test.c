/*
 * SMBIOS: structures as the specification lays them out, dmidecode as a reader, and what -smbios
 * may and may not say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/iasl_tool.h"
#include "hw/acpi/pack.h"
#include "hw/acpi/smbios.h"

#define DUMP_TABLE 32 /* where `dmidecode --dump-bin` puts the table */

static const uint8_t uuid[16] = { 0x33, 0xdb, 0x4d, 0x5b, 0x1f, 0xf7, 0x40, 0x1c,
                                  0x96, 0x57, 0x74, 0x41, 0xc0, 0x3d, 0xd7, 0x66 };
static const SmbiosRange ranges[] = { { 0, 2 * GiB }, { 4 * GiB, 38 * GiB } };
static const SmbiosMachine machine = {
    .manufacturer = "QEMU", .product = "Standard PC (Q35 + ICH9, 2009)",
    .version = "pc-q35-9.0", .uuid = uuid, .sockets = 2, .cores_per_socket = 300,
    .threads_per_socket = 600, .processor_id = 0x0f8bfbff000006d3, .ram_bytes = 40 * GiB,
    .ranges = ranges, .range_count = 2,
};

/* Offset of the n-th structure of a type; the table must be whole up to its end. */
static uint32_t find(const GByteArray *table, uint8_t type, unsigned n)
{
    uint32_t found = UINT32_MAX;
    uint32_t at = 0, last = 0;

    while (at < table->len) {
        last = at;
        if (table->data[at] == type && n-- == 0) {
            found = at;
        }
        at += table->data[at + 1];
        while (table->data[at] || table->data[at + 1]) {
            g_assert_cmpuint(++at, <, table->len - 1);
        }
        at += 2;
    }
    g_assert_cmpuint(at, ==, table->len);
    g_assert_cmpuint(table->data[last], ==, 127);
    return found;
}

static const char *string(const GByteArray *table, uint32_t at, unsigned n)
{
    const char *text = (char *)table->data + at + table->data[at + 1];

    for (; n > 1; n--) {
        text += strlen(text) + 1;
    }
    return n ? text : "";
}

static void add(SmbiosOptions *options, const char *text)
{
    g_autoptr(Error) err = NULL;

    if (!smbios_options_add(options, text, &err)) {
        g_error("%s: %s", text, error_text(err));
    }
}

static void build(SmbiosEntryPoint entry_point, const SmbiosOptions *options, SmbiosTables *t)
{
    SmbiosMachine m = machine;
    g_autoptr(Error) err = NULL;

    m.entry_point = entry_point;
    if (!smbios_build(&m, options, t, &err)) {
        g_error("%s", error_text(err));
    }
}

static void test_entry_21(void)
{
    SmbiosTables t;
    const GByteArray *e;

    build(SMBIOS_ENTRY_POINT_32, NULL, &t);
    e = t.entry_point;
    g_assert_cmpuint(e->len, ==, 31);
    g_assert_cmpmem(e->data, 4, "_SM_", 4);
    g_assert_cmpmem(e->data + 16, 5, "_DMI_", 5);
    g_assert_cmphex(bytes_get_le(e, 5, 3), ==, 0x08021f);
    g_assert_cmpuint(bytes_get_le(e, 22, 2), ==, t.structures->len);
    /* 1, 3, two of 4, 16, three of 17, two of 19, 32, 127 */
    g_assert_cmpuint(bytes_get_le(e, 28, 2), ==, 12);
    smbios_set_address(&t, 0xf1234);
    g_assert_cmphex(bytes_get_le(e, 24, 4), ==, 0xf1234);
    g_assert_cmpuint(bytes_checksum(e, 0, 31), ==, 0);
    g_assert_cmpuint(bytes_checksum(e, 16, 15), ==, 0);
    smbios_tables_clear(&t);
}

static void test_entry_30(void)
{
    SmbiosTables t;
    const GByteArray *e;

    build(SMBIOS_ENTRY_POINT_64, NULL, &t);
    e = t.entry_point;
    g_assert_cmpuint(e->len, ==, 24);
    g_assert_cmpmem(e->data, 5, "_SM3_", 5);
    g_assert_cmphex(bytes_get_le(e, 6, 5), ==, 0x0100000318);
    g_assert_cmpuint(bytes_get_le(e, 12, 4), ==, t.structures->len);
    smbios_set_address(&t, UINT64_C(0x123456789a));
    g_assert_cmphex(bytes_get_le(e, 16, 8), ==, UINT64_C(0x123456789a));
    g_assert_cmpuint(bytes_checksum(e, 0, 24), ==, 0);
    smbios_tables_clear(&t);
}

static void test_structures(void)
{
    static const uint8_t mixed[] = { 0x5b, 0x4d, 0xdb, 0x33, 0xf7, 0x1f, 0x1c, 0x40 };
    SmbiosTables t;
    const GByteArray *s;
    uint32_t at;

    build(SMBIOS_ENTRY_POINT_64, NULL, &t);
    s = t.structures;
    g_assert_cmpuint(find(s, 0, 0), ==, UINT32_MAX);
    at = find(s, 1, 0);
    g_assert_cmphex(bytes_get_le(s, at, 4), ==, 0x01001b01);
    g_assert_cmpmem(s->data + at + 8, 8, mixed, 8);
    g_assert_cmpmem(s->data + at + 16, 8, uuid + 8, 8);
    g_assert_cmpstr(string(s, at, 2), ==, machine.product);
    at = find(s, 4, 1);
    g_assert_cmphex(bytes_get_le(s, at, 4), ==, 0x04013004);
    g_assert_cmpstr(string(s, at, 1), ==, "CPU 1");
    g_assert_cmphex(bytes_get_le(s, at + 8, 8), ==, machine.processor_id);
    g_assert_cmphex(bytes_get_le(s, at + 35, 3), ==, 0xffffff);
    g_assert_cmpuint(bytes_get_le(s, at + 42, 2), ==, 300);
    g_assert_cmpuint(bytes_get_le(s, at + 46, 2), ==, 600);
    at = find(s, 16, 0);
    g_assert_cmpuint(bytes_get_le(s, at + 7, 4), ==, 40 * MiB);
    g_assert_cmpuint(bytes_get_le(s, at + 13, 2), ==, 3);
    at = find(s, 17, 2);
    g_assert_cmpuint(bytes_get_le(s, at + 12, 2), ==, 8192);
    at = find(s, 19, 1);
    g_assert_cmpuint(bytes_get_le(s, at + 4, 4), ==, 4 * MiB);
    g_assert_cmpuint(bytes_get_le(s, at + 8, 4), ==, 42 * MiB - 1);
    smbios_tables_clear(&t);
}

/* Sizes that do not fit their first place. */
static void test_large(void)
{
    const SmbiosRange high = { 0, 6 * TiB };
    const SmbiosMachine m = { .entry_point = SMBIOS_ENTRY_POINT_64, .sockets = 1,
                              .cores_per_socket = 1, .threads_per_socket = 1,
                              .ram_bytes = 6 * TiB, .dimm_bytes = 64 * GiB, .ranges = &high,
                              .range_count = 1 };
    SmbiosTables t;
    uint32_t at;

    g_assert_true(smbios_build(&m, NULL, &t, NULL));
    at = find(t.structures, 16, 0);
    g_assert_cmphex(bytes_get_le(t.structures, at + 7, 4), ==, 0x80000000);
    g_assert_cmphex(bytes_get_le(t.structures, at + 15, 8), ==, 6 * TiB);
    at = find(t.structures, 17, 95);
    g_assert_cmphex(bytes_get_le(t.structures, at + 12, 2), ==, 0x7fff);
    g_assert_cmphex(bytes_get_le(t.structures, at + 28, 4), ==, 65536);
    at = find(t.structures, 19, 0);
    g_assert_cmphex(bytes_get_le(t.structures, at + 4, 8), ==, UINT64_MAX);
    g_assert_cmphex(bytes_get_le(t.structures, at + 23, 8), ==, 6 * TiB - 1);
    smbios_tables_clear(&t);
}

static bool find_pci(void *opaque, const char *id, SmbiosPciAddress *address, Error **errp)
{
    *address = (SmbiosPciAddress){ 0, 3, 0x28 };
    return strcmp(id, "net0") == 0 || error_set(errp, "no device '%s'", id);
}

static void add_all(SmbiosOptions *o)
{
    add(o, "type=0,vendor=Maker,,Inc,version=1.2,date=01/02/2024,release=3.4,uefi=on");
    add(o, "type=1,uuid=00112233-4455-6677-8899-aabbccddeeff,serial=S1,sku=K,family=F");
    add(o, "type=2,product=Board,asset=A,location=L");
    add(o, "type=3,serial=C,sku=D");
    add(o, "type=4,sock_pfx=Socket,max-speed=3000,part=P,processor-family=0x101");
    add(o, "type=8,internal_reference=I1,external_reference=E1,connector_type=0x10,port_type=31");
    add(o, "type=8,external_reference=E2");
    add(o, "type=9,slot_designation=Slot1,slot_type=0xa5,current_usage=4,slot_id=7,"
           "pci_device=net0");
    add(o, "type=11,value=first,value=second");
    add(o, "type=11,value=third");
    add(o, "type=17,loc_pfx=Bank,bank=B,speed=3200,serial=D1");
}

/* dmidecode reads a dump with our tables; what it says of options must be what was given. */
static void check_dmidecode(const SmbiosTables *t)
{
    static const char *const argv[] = { "dmidecode", "--from-dump", "dump", NULL };
    static const char *const expected[] = {
        "Vendor: Maker,Inc", "BIOS Revision: 3.4", "UEFI is supported",
        "UUID: 00112233-4455-6677-8899-aabbccddeeff", "Product Name: Board",
        "Socket Designation: Socket 0", "Max Speed: 3000 MHz", "Internal Reference Designator: I1",
        "External Reference Designator: E2", "Designation: Slot1", "Bus Address: 0000:03:05.0",
        "String 3: third", "Locator: Bank 2", "Speed: 3200 MT/s", "Size: 16 GB",
        "Range Size: 38 GB", "End Of Table",
    };
    char *folder;
    g_autofree char *path = NULL, *out = NULL;
    g_autoptr(GByteArray) dump = g_byte_array_new();

    if (!tool_or_skip("dmidecode")) {
        return;
    }
    folder = scratch_new();
    path = g_build_filename(folder, "dump", NULL);
    g_byte_array_append(dump, t->entry_point->data, t->entry_point->len);
    bytes_put_zero(dump, DUMP_TABLE - dump->len);
    g_byte_array_append(dump, t->structures->data, t->structures->len);
    g_assert_true(g_file_set_contents(path, (char *)dump->data, dump->len, NULL));
    out = tool_run(folder, argv);
    scratch_free(folder);
    for (unsigned i = 0; i < ARRAY_SIZE(expected); i++) {
        if (!strstr(out, expected[i])) {
            g_error("no \"%s\" in\n%s", expected[i], out);
        }
    }
    g_assert_null(strstr(out, "BAD INDEX"));
    if (strstr(out, "OUT OF SPEC")) {
        g_error("%s", out);
    }
    g_assert_null(strstr(out, "Wrong"));
    g_assert_null(strstr(out, "TRUNCATED"));
}

static void test_options(void)
{
    g_autoptr(SmbiosOptions) o = smbios_options_new();
    SmbiosMachine m = machine;

    add_all(o);
    m.find_pci = find_pci;
    for (unsigned entry = 0; entry < 2; entry++) {
        SmbiosTables t;

        m.entry_point = entry;
        g_assert_true(smbios_build(&m, o, &t, NULL));
        find(t.structures, 127, 0);
        smbios_set_address(&t, DUMP_TABLE);
        check_dmidecode(&t);
        smbios_tables_clear(&t);
    }
}

static void refuse(SmbiosOptions *o, const char *text, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(smbios_options_add(o, text, &err));
    g_assert_cmpstr(error_text(err), ==, why);
}

static void test_refused(void)
{
    g_autoptr(SmbiosOptions) o = smbios_options_new();

    refuse(o, "vendor=x", "Must specify type= or file=");
    refuse(o, "type=256", "SMBIOS type out of range: '256'");
    refuse(o, "type=-1", "SMBIOS type out of range: '-1'");
    refuse(o, "type=7", "Don't know how to build fields for SMBIOS type 7");
    refuse(o, "type=1,vendor=x", "Invalid parameter 'vendor'");
    refuse(o, "type=1,uuid=12", "Invalid UUID");
    refuse(o, "type=0,release=1.256", "Invalid release");
    refuse(o, "type=0,release=1.2x", "Invalid release");
    refuse(o, "type=4,max-speed=fast", "Parameter 'max-speed' expects a number");
    refuse(o, "type=17,speed=65536", "Parameter 'speed' is above 65535");
    refuse(o, "type=11,path=/nowhere/at/all",
           "Cannot read SMBIOS file /nowhere/at/all: No such file or directory");
    refuse(o, "type=11,path=/dev/zero", "Cannot read SMBIOS file /dev/zero: too large");
    refuse(o, "file=/dev/null", "Cannot read SMBIOS file /dev/null: empty");
    refuse(o, "type=1,file=x", "'file' stands alone in -smbios");
}

static void test_limits(void)
{
    g_autoptr(SmbiosOptions) o = smbios_options_new();
    g_autoptr(GString) text = g_string_new("type=11,value=");
    g_autoptr(Error) err = NULL, err2 = NULL;
    SmbiosMachine m = machine;
    SmbiosTables t;

    add(o, "type=9,pci_device=absent");
    g_assert_false(smbios_build(&m, o, &t, &err));
    g_assert_cmpstr(error_text(err), ==, "SMBIOS type 9: no PCI device 'absent'");
    m.find_pci = find_pci;
    g_assert_false(smbios_build(&m, o, &t, NULL));
    for (unsigned i = 0; i < 66000; i++) {
        g_string_append_c(text, 'x');
    }
    smbios_options_free(g_steal_pointer(&o));
    o = smbios_options_new();
    add(o, text->str);
    g_assert_false(smbios_build(&m, o, &t, &err2));
    g_assert_true(g_str_has_prefix(error_text(err2), "SMBIOS 2.1 table length"));
    m.entry_point = SMBIOS_ENTRY_POINT_64;
    g_assert_true(smbios_build(&m, o, &t, NULL));
    smbios_tables_clear(&t);
}

/* A structure of a file replaces ours of its type. */
static void test_file(void)
{
    static const char whole[] = "\x01\x06\x55\x00\x01\x00mine\0\0\x80\x04\x56\x00\0";
    g_autoptr(SmbiosOptions) o = smbios_options_new();
    char *folder = scratch_new();
    g_autofree char *path = g_build_filename(folder, "structure", NULL);
    g_autofree char *option = g_strdup_printf("file=%s", path);
    g_autofree char *end =
        g_strdup_printf("SMBIOS file %s: the end of the table is not for files", path);
    g_autofree char *cut = g_strdup_printf("SMBIOS file %s: no whole structure at byte 12", path);
    SmbiosTables t;

    g_assert_true(g_file_set_contents(path, whole, sizeof(whole) - 1, NULL));
    refuse(o, option, cut);
    g_assert_true(g_file_set_contents(path, "\x7f\x04\0\0\0\0", 6, NULL));
    refuse(o, option, end);
    g_assert_true(g_file_set_contents(path, whole, sizeof(whole), NULL));
    add(o, option);
    refuse(o, "type=1,serial=x", "SMBIOS type 1 structure already defined, cannot add field");
    build(SMBIOS_ENTRY_POINT_32, o, &t);
    g_assert_cmpuint(find(t.structures, 1, 0), ==, 0);
    g_assert_cmpuint(find(t.structures, 1, 1), ==, UINT32_MAX);
    g_assert_cmpuint(find(t.structures, 128, 0), ==, 12);
    g_assert_cmpuint(bytes_get_le(t.entry_point, 28, 2), ==, 13);
    smbios_tables_clear(&t);
    smbios_options_free(g_steal_pointer(&o));
    o = smbios_options_new();
    add(o, "type=1,serial=x");
    refuse(o, option, "SMBIOS type 1 field already defined, cannot add structure");
    scratch_free(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smbios/entry-2.1", test_entry_21);
    g_test_add_func("/smbios/entry-3.0", test_entry_30);
    g_test_add_func("/smbios/structures", test_structures);
    g_test_add_func("/smbios/large", test_large);
    g_test_add_func("/smbios/options", test_options);
    g_test_add_func("/smbios/refused", test_refused);
    g_test_add_func("/smbios/limits", test_limits);
    g_test_add_func("/smbios/file", test_file);
    return g_test_run();
}
