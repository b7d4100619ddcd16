/*
 * AML: encodings from the specification, and ACPICA's tools as judges of everything.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/aml_resource.h"
#include "hw/acpi/iasl_tool.h"
#include "hw/acpi/tables.h"

/* Bytes in hex; consumes the term. */
static char *hex(Aml *term)
{
    g_autoptr(GByteArray) bytes = aml_steal_bytes(term);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < bytes->len; i++) {
        g_string_append_printf(text, "%s%02x", i ? " " : "", bytes->data[i]);
    }
    return g_string_free(text, false);
}

static void check(Aml *term, const char *expected)
{
    g_autofree char *found = hex(term);

    g_assert_cmpstr(found, ==, expected);
}

static void test_data(void)
{
    check(aml_int(0), "00");
    check(aml_int(1), "01");
    check(aml_int(2), "0a 02");
    check(aml_int(0xff), "0a ff");
    check(aml_int(0x100), "0b 00 01");
    check(aml_int(0xffff), "0b ff ff");
    check(aml_int(0x10000), "0c 00 00 01 00");
    check(aml_int(UINT32_MAX), "0c ff ff ff ff");
    check(aml_int(UINT64_C(0x100000000)), "0e 00 00 00 00 01 00 00 00");
    check(aml_int(UINT64_MAX), "ff");
    check(aml_string("A%d", 7), "0d 41 37 00");
    check(aml_eisaid("PNP0A08"), "0c 41 d0 0a 08");
    check(aml_buffer("\x01\x02", 2), "11 05 0a 02 01 02");
    check(aml_buffer(NULL, 2), "11 03 0a 02"); /* without a list: zeros */
    check(aml_uuid("33db4d5b-1ff7-401c-9657-7441c03dd766"),
          "11 13 0a 10 5b 4d db 33 f7 1f 1c 40 96 57 74 41 c0 3d d7 66");
    check(aml_package(), "12 02 00");
    check(aml_package(aml_int(5), NULL, aml_int(0)), "12 05 02 0a 05 00");
}

static void test_names(void)
{
    check(aml_ref("_SB"), "5f 53 42 5f");
    check(aml_ref("\\"), "5c 00");
    check(aml_ref("^^A"), "5e 5e 41 5f 5f 5f");
    check(aml_ref("\\_SB.PCI0"), "5c 2e 5f 53 42 5f 50 43 49 30");
    check(aml_ref("A.B.C"), "2f 03 41 5f 5f 5f 42 5f 5f 5f 43 5f 5f 5f");
    check(aml_ref(aml_path("S%02X", 0x1f).text), "53 31 46 5f");
    check(aml_name("_S5", aml_int(5)), "08 5f 53 35 5f 0a 05");
}

/* The length counts itself: each border, from both sides. */
static void test_pkg_length(void)
{
    static const struct {
        size_t data, total;
        const char *head;
    } rows[] = {
        { 60, 64, "11 3f 0a 3c" }, /* 1 + 2 + 60 = 63 */
        { 61, 66, "11 41 04 0a 3d" },
        { 4090, 4096, "11 4f ff 0b fa 0f" }, /* 2 + 3 + 4090 = 4095 */
        { 4091, 4098, "11 81 00 01 0b fb 0f" },
        { 0xffff, 0x10006, "11 85 00 10 0b ff ff" }, /* 3 + 3 + 65535 = 0x10005 */
        { 0xffff7, 0x100000, "11 8f ff ff 0c f7 ff 0f 00" },
        { 0xffff8, 0x100002, "11 c1 00 00 01 0c f8 ff 0f 00" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        g_autofree char *zeros = g_malloc0(rows[i].data);
        g_autofree char *found = hex(aml_buffer(zeros, rows[i].data));

        g_assert_true(g_str_has_prefix(found, rows[i].head));
        g_assert_cmpuint((strlen(found) + 1) / 3, ==, rows[i].total);
    }
}

static void test_var_package(void)
{
    Aml *package = aml_package();
    g_autofree char *found = NULL;

    for (unsigned i = 0; i < 256; i++) {
        aml_append(package, aml_int(0));
    }
    found = hex(package);
    g_assert_true(g_str_has_prefix(found, "13 45 10 0b 00 01 00"));
}

static void test_objects(void)
{
    check(aml_scope("\\_SB", aml_device("A")), "10 0d 5c 5f 53 42 5f 5b 82 05 41 5f 5f 5f");
    check(aml_method("M", 2, AML_SERIALIZED, aml_return(aml_arg(1))),
          "14 08 4d 5f 5f 5f 0a a4 69");
    check(aml_mutex("MT", 0), "5b 01 4d 54 5f 5f 00");
    check(aml_op_region("R", AML_SYSTEM_IO, aml_int(0x510), aml_int(12)),
          "5b 80 52 5f 5f 5f 01 0b 10 05 0a 0c");
    check(aml_field("R", AML_DWORD_ACC, AML_NO_LOCK, AML_WRITE_AS_ZEROS, aml_unit("A", 32),
                    aml_offset(8), aml_unit("B", 1), aml_reserved(7), aml_unit("C", 64)),
          "5b 81 1a 52 5f 5f 5f 43 41 5f 5f 5f 20 00 20 42 5f 5f 5f 01 00 07 43 5f 5f 5f 40 04");
    check(aml_create_dword_field(aml_arg(3), aml_int(4), "CDW2"), "8a 6b 0a 04 43 44 57 32");
}

static void test_code(void)
{
    check(aml_store(aml_int(1), aml_local(0)), "70 01 60");
    check(aml_and(aml_local(0), aml_int(0x1f), NULL), "7b 60 0a 1f 00");
    check(aml_if(aml_lgreater_equal(aml_local(1), aml_int(2)), aml_noop()),
          "a0 07 92 95 61 0a 02 a3");
    check(aml_else(aml_break()), "a1 02 a5");
    check(aml_while(aml_int(1), aml_increment(aml_local(0))), "a2 04 01 75 60");
    check(aml_notify(aml_ref("CP"), aml_int(3)), "86 43 50 5f 5f 0a 03");
    check(aml_acquire(aml_ref("L"), 0xffff), "5b 23 4c 5f 5f 5f ff ff");
    check(aml_call("X", aml_int(0), aml_arg(0)), "58 5f 5f 5f 00 68");
    check(aml_index(aml_ref("P"), aml_local(7)), "88 50 5f 5f 5f 67 00");
}

static void test_resources(void)
{
    static const AmlInterrupt level_high = { .trigger = AML_LEVEL };
    const AmlWindow buses = { .max = 0xff, .role = AML_PRODUCER };

    check(aml_resource_template(), "11 05 0a 02 79 00");
    check(aml_resource_template(aml_memory32_fixed(AML_READ_WRITE, 0xfeb00000, 0x200)),
          "11 11 0a 0e 86 09 00 01 00 00 b0 fe 00 02 00 00 79 00");
    check(aml_resource_template(aml_io(AML_DECODE_16, 0x70, 0x70, 1, 8), aml_irq_no_flags(8)),
          "11 10 0a 0d 47 01 70 00 70 00 01 08 22 00 01 79 00");
    check(aml_interrupt(&level_high, 24), "89 06 00 01 01 18 00 00 00");
    check(aml_word_bus_number(&buses), "88 0d 00 02 0c 00 00 00 00 00 ff 00 00 00 00 01");
    check(aml_dma(AML_NOT_BUS_MASTER, AML_TRANSFER_8, 2), "2a 04 00");
}

static Aml *every_object(void)
{
    return aml_scope(
        "\\_SB",
        aml_device("OBJS",
                   aml_name("_HID", aml_string("TEST0001")),
                   aml_name("PKGE", aml_package(aml_int(1), aml_string("two"), aml_ref("^OBJS"),
                                                aml_package(aml_int(UINT64_C(0x123456789))))),
                   aml_name("BUFF", aml_buffer("\x01\x02\x03\x04\x05\x06\x07\x08\x09", 9)),
                   aml_alias("BUFF", "ALIA"), aml_mutex("MUTX", 0), aml_event("EVNT"),
                   aml_op_region("REGN", AML_SYSTEM_MEMORY, aml_int(0xfea00000), aml_int(0x100)),
                   aml_field("REGN", AML_DWORD_ACC, AML_NO_LOCK, AML_PRESERVE,
                             aml_unit("INDX", 32), aml_unit("DATA", 32), aml_offset(0x10),
                             aml_unit("LONG", 500), aml_access_as(AML_BYTE_ACC),
                             aml_unit("LAST", 8)),
                   aml_index_field("INDX", "DATA", AML_DWORD_ACC, AML_LOCK, AML_WRITE_AS_ZEROS,
                                   aml_offset(4), aml_unit("IDX1", 32)),
                   aml_power_resource("PRES", 0, 0), aml_thermal_zone("THRM")));
}

static Aml *every_operator(void)
{
    return aml_method(
        "OPER", 2, AML_SERIALIZED,
        aml_name("BUF1", aml_buffer(NULL, 32)),
        aml_create_bit_field(aml_ref("BUF1"), aml_int(0), "FBIT"),
        aml_create_byte_field(aml_ref("BUF1"), aml_int(1), "FBYT"),
        aml_create_word_field(aml_ref("BUF1"), aml_int(2), "FWRD"),
        aml_create_dword_field(aml_ref("BUF1"), aml_int(4), "FDWD"),
        aml_create_qword_field(aml_ref("BUF1"), aml_int(8), "FQWD"),
        aml_create_field(aml_ref("BUF1"), aml_int(128), aml_int(12), "FANY"),
        aml_store(aml_add(aml_arg(0), aml_arg(1), NULL), aml_local(0)),
        aml_subtract(aml_local(0), aml_int(3), aml_local(1)),
        aml_multiply(aml_local(0), aml_local(1), aml_local(2)),
        aml_divide(aml_local(2), aml_int(7), aml_local(3), aml_local(4)),
        aml_mod(aml_local(2), aml_int(5), aml_local(5)),
        aml_nand(aml_local(0), aml_local(1), aml_local(6)),
        aml_or(aml_local(0), aml_local(1), aml_local(6)),
        aml_nor(aml_local(0), aml_local(1), aml_local(6)),
        aml_xor(aml_local(0), aml_local(1), aml_local(6)), aml_not(aml_local(6), aml_local(6)),
        aml_shift_left(aml_local(0), aml_int(4), aml_local(6)),
        aml_shift_right(aml_local(6), aml_int(2), aml_local(6)),
        aml_find_set_left_bit(aml_local(6), aml_local(7)),
        aml_find_set_right_bit(aml_local(6), aml_local(7)),
        aml_to_bcd(aml_int(42), aml_local(7)), aml_from_bcd(aml_local(7), aml_local(7)),
        aml_concatenate(aml_string("a"), aml_string("b"), aml_local(7)),
        aml_mid(aml_local(7), aml_int(1), aml_int(1), aml_local(7)),
        aml_to_hex_string(aml_local(0), aml_local(7)),
        aml_to_decimal_string(aml_local(0), aml_local(7)),
        aml_to_buffer(aml_local(0), aml_local(7)), aml_to_integer(aml_local(7), aml_local(6)),
        aml_to_string(aml_ref("BUF1"), aml_int(UINT64_MAX), aml_local(7)),
        aml_store(aml_timer(), aml_local(6)),
        aml_if(aml_lor(aml_lnot_equal(aml_local(0), aml_int(1)),
                       aml_land(aml_lless_equal(aml_local(0), aml_int(2)),
                                aml_lnot(aml_lgreater(aml_local(1), aml_int(3))))),
               aml_increment(aml_local(1))),
        aml_else(aml_decrement(aml_local(1))),
        aml_if(aml_cond_ref_of(aml_ref("\\_SB.OBJS.BUFF"), aml_local(6)),
               aml_store(aml_deref_of(aml_local(6)), aml_local(7)),
               aml_store(aml_size_of(aml_local(7)), aml_local(6)),
               aml_store(aml_object_type(aml_local(7)), aml_debug())),
        aml_copy_object(aml_ref_of(aml_ref("BUF1")), aml_local(7)),
        aml_acquire(aml_ref("\\_SB.OBJS.MUTX"), 0xffff),
        aml_release(aml_ref("\\_SB.OBJS.MUTX")), aml_signal(aml_ref("\\_SB.OBJS.EVNT")),
        aml_wait(aml_ref("\\_SB.OBJS.EVNT"), aml_int(10)),
        aml_reset(aml_ref("\\_SB.OBJS.EVNT")), aml_stall(aml_int(1)), aml_sleep(aml_int(1)),
        aml_notify(aml_ref("\\_SB.OBJS"), aml_int(0x80)),
        aml_while(aml_lless(aml_local(0), aml_int(3)), aml_if(aml_local(1), aml_continue()),
                  aml_break()),
        aml_if(aml_lequal(aml_arg(0), aml_int(0x1234)), aml_fatal(1, 2, aml_int(3))),
        aml_return(aml_deref_of(aml_index(aml_buffer("\x07\x09", 2), aml_int(1)))));
}

static Aml *every_resource(void)
{
    static const uint16_t pins[] = { 3, 4 };
    static const uint32_t gsis[] = { 20, 21 };
    const AmlWindow memory = { .min = 0xc0000000, .max = 0xdfffffff, .role = AML_PRODUCER,
                               .access = AML_READ_WRITE, .cache = AML_NON_CACHEABLE };
    const AmlWindow high = { .min = UINT64_C(1) << 40, .max = (UINT64_C(1) << 41) - 1,
                             .role = AML_PRODUCER, .access = AML_READ_WRITE,
                             .cache = AML_PREFETCHABLE };
    const AmlWindow ports = { .min = 0xd00, .max = 0xffff, .role = AML_PRODUCER };
    const AmlWindow far_ports = { .max = 0xffff, .role = AML_PRODUCER, .is_translated = true,
                                  .translation = 0x3eff0000 };
    const AmlGpio gpio = { .controller = "\\_SB.OBJS", .pins = pins, .pin_count = 1,
                           .trigger = AML_EDGE, .share = AML_EXCLUSIVE };
    const AmlGpio wires = { .controller = "\\_SB.OBJS", .pins = pins, .pin_count = 2,
                            .pull = 1, .io_restriction = 2, .share = AML_SHARED };

    return aml_name(
        "\\_SB.OBJS._CRS",
        aml_resource_template(
            aml_memory32_fixed(AML_READ_ONLY, 0xfed00000, 0x400), aml_fixed_io(0x60, 1),
            aml_io(AML_DECODE_10, 0x3f8, 0x3f8, 0, 8), aml_irq_no_flags(4),
            aml_irq(AML_LEVEL, AML_ACTIVE_LOW, AML_SHARED, 5),
            aml_dma(AML_BUS_MASTER, AML_TRANSFER_8_16, 2),
            aml_interrupts(&(AmlInterrupt){ .trigger = AML_EDGE, .share = AML_SHARED }, gsis, 2),
            aml_word_bus_number(&(AmlWindow){ .max = 0xff, .role = AML_PRODUCER }),
            aml_word_io(&ports), aml_dword_io(&far_ports), aml_qword_io(&far_ports),
            aml_dword_memory(&memory), aml_qword_memory(&high),
            aml_register(AML_SYSTEM_MEMORY, 8, 0, 1, 0xfee00000), aml_gpio_int(&gpio),
            aml_gpio_io(&wires)));
}

static void test_iasl(void)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    g_autoptr(AcpiTables) t = acpi_tables_new(linker, &(AcpiOem){ "BOCHS ", "BXPC    " });

    if (!tool_or_skip("iasl")) {
        return;
    }
    acpi_tables_add_aml(t, "DSDT", 2,
                        aml_list(every_object(), every_operator(), every_resource()));
    acpi_tables_add_aml(t, "SSDT", 1,
                        aml_list(aml_scope("\\", aml_name("BIGB", aml_buffer(NULL, 5000)))));
    iasl_check_all(acpi_tables_bytes(t));
}

/* A method that only comes out right if operands, targets and blocks are where they belong. */
static Aml *sum_of_squares(void)
{
    return aml_method("SUMS", 1, AML_NOT_SERIALIZED,
                      aml_store(aml_int(0), aml_local(0)), aml_store(aml_int(0), aml_local(1)),
                      aml_while(aml_int(1),
                                aml_increment(aml_local(0)),
                                aml_if(aml_lgreater(aml_local(0), aml_arg(0)), aml_break()),
                                aml_if(aml_lequal(aml_mod(aml_local(0), aml_int(3), NULL),
                                                  aml_int(0)),
                                       aml_continue()),
                                aml_add(aml_local(1),
                                        aml_multiply(aml_local(0), aml_local(0), NULL),
                                        aml_local(1))),
                      aml_return(aml_local(1)));
}

static void check_run(const GByteArray *dsdt, const char *command, const char *expected)
{
    g_autofree char *out = acpiexec_run(dsdt->data, dsdt->len, command);

    if (!strstr(out, expected)) {
        g_error("%s: no \"%s\" in:\n%s", command, expected, out);
    }
}

static void test_acpiexec(void)
{
    g_autoptr(AcpiLinker) linker = acpi_linker_new();
    g_autoptr(AcpiTables) t = acpi_tables_new(linker, &(AcpiOem){ "BOCHS ", "BXPC    " });

    if (!tool_or_skip("acpiexec")) {
        return;
    }
    acpi_tables_add_aml(t, "DSDT", 2,
                        aml_list(every_object(), every_operator(), sum_of_squares()));
    /* 1 + 4 + 16 + 25 + 49 */
    check_run(acpi_tables_bytes(t), "execute \\SUMS 7", "= 000000000000005F");
    check_run(acpi_tables_bytes(t), "execute \\OPER 5 6", "= 0000000000000009");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aml/data", test_data);
    g_test_add_func("/aml/names", test_names);
    g_test_add_func("/aml/pkg-length", test_pkg_length);
    g_test_add_func("/aml/var-package", test_var_package);
    g_test_add_func("/aml/objects", test_objects);
    g_test_add_func("/aml/code", test_code);
    g_test_add_func("/aml/resources", test_resources);
    g_test_add_func("/aml/iasl", test_iasl);
    g_test_add_func("/aml/acpiexec", test_acpiexec);
    return g_test_run();
}
