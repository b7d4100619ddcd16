/*
 * Tables that users give: see hw/acpi/user_tables.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/tables.h"
#include "hw/acpi/user_tables.h"
#include "qom/error.h"
#include "util/byte_order.h"

#define TABLE_BYTES_MAX (16 * MiB)
enum { SIGNATURE_AT = 0, LENGTH_AT = 4, SUM_AT = 9 };

/* Fields of the header (ACPI 6.4, 5.2.6); what contents without one get. */
static const struct {
    const char *key;
    uint8_t at, bytes;
    bool is_text; /* cut or filled up with zeros */
    const char *initial;
} fields[] = {
    { "sig", 0, 4, true, "QEMU" },
    { "rev", 8, 1, false, "1" },
    { "oem_id", 10, 6, true, "QEMUQE" },
    { "oem_table_id", 16, 8, true, "QEMUQEMU" },
    { "oem_rev", 24, 4, false, "1" },
    { "asl_compiler_id", 28, 4, true, "QEMU" },
    { "asl_compiler_rev", 32, 4, false, "1" },
};

static bool set_field(uint8_t *table, size_t i, const char *text, Error **errp)
{
    uint8_t *out = table + fields[i].at;
    uint64_t value;
    char *end;
    size_t length = strlen(text);

    if (fields[i].is_text) {
        memset(out, 0, fields[i].bytes);
        memcpy(out, text, MIN(length, fields[i].bytes));
        return true;
    }
    value = g_ascii_strtoull(text, &end, 0);
    if (!length || *end || *text == '-' || value > UINT32_MAX >> (32 - 8 * fields[i].bytes)) {
        return error_set(errp, "Parameter '%s' expects uint%u_t", fields[i].key,
                         8 * fields[i].bytes);
    }
    store_bytes(out, fields[i].bytes, ENDIAN_LITTLE, value);
    return true;
}

static bool fill_header(GByteArray *table, json_object *keys, bool has_header, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        json_object *given = json_member(keys, fields[i].key);
        const char *text = given ? json_object_get_string(given) :
                           has_header ? NULL : fields[i].initial;

        if (text && !set_field(table->data, i, text, errp)) {
            return false;
        }
    }
    return true;
}

static bool append_file(GByteArray *table, const char *path, Error **errp)
{
    g_autofree char *bytes = NULL;
    gsize length;
    g_autoptr(GError) why = NULL;

    if (!g_file_get_contents(path, &bytes, &length, &why)) {
        return error_set(errp, "can't open file %s: %s", path, why->message);
    }
    if (length > TABLE_BYTES_MAX - table->len) {
        return error_set(errp, "%s: an ACPI table of more than %u MiB", path,
                         (unsigned)(TABLE_BYTES_MAX / MiB));
    }
    g_byte_array_append(table, (const uint8_t *)bytes, length);
    return true;
}

static bool append_files(GByteArray *table, const char *paths, Error **errp)
{
    g_auto(GStrv) all = g_strsplit(paths, ":", 0);

    for (char **path = all; *path; path++) {
        if (!append_file(table, *path, errp)) {
            return false;
        }
    }
    return true;
}

static bool check_header(const GByteArray *table, Error **errp)
{
    if (table->len < ACPI_HEADER_BYTES) {
        return error_set(errp, "ACPI table claiming to have header is too short, available: %u, "
                         "expected: %u", table->len, ACPI_HEADER_BYTES);
    }
    if (load_le32(table->data + LENGTH_AT) != table->len) {
        warn_report("ACPI table has wrong length, header says %u, actual size %u bytes",
                    load_le32(table->data + LENGTH_AT), table->len);
    }
    return true;
}

static void complete(GByteArray *table)
{
    uint8_t sum = 0;

    store_le32(table->data + LENGTH_AT, table->len);
    table->data[SUM_AT] = 0;
    for (guint i = 0; i < table->len; i++) {
        sum += table->data[i];
    }
    table->data[SUM_AT] = -sum;
}

GByteArray *acpi_user_table_new(json_object *keys, Error **errp)
{
    json_object *file = json_member(keys, "file"), *data = json_member(keys, "data");
    g_autoptr(GByteArray) table = g_byte_array_new();

    if (!file == !data) {
        error_set(errp, "'-acpitable' requires one of 'data' or 'file'");
        return NULL;
    }
    if (data) {
        g_byte_array_set_size(table, ACPI_HEADER_BYTES);
        memset(table->data, 0, table->len);
    }
    if (!append_files(table, json_object_get_string(file ? file : data), errp) ||
        (file && !check_header(table, errp)) || !fill_header(table, keys, file, errp)) {
        return NULL;
    }
    complete(table);
    return g_steal_pointer(&table);
}
