/*
 * The blobs of fw_cfg: numbered ones, and files in a directory sorted by name.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "fw_cfg_state.h"
#include "util/byte_order.h"

#define ENTRY_BYTES (4 + 2 + 2 + FW_CFG_NAME_BYTES)

static void blob_clear(FwCfgBlob *blob)
{
    if (!blob->is_borrowed) {
        g_free(blob->data);
    }
    *blob = (FwCfgBlob){ 0 };
}

FwCfgBlob *fw_cfg_blob(FwCfg *s, uint16_t key)
{
    unsigned set = key >= FW_CFG_ARCH_LOCAL;
    uint16_t n = key & ~(FW_CFG_ARCH_LOCAL | FW_CFG_WRITE_CHANNEL);

    if (n < FW_CFG_FILE_FIRST) {
        return s->keys[set][n].data ? &s->keys[set][n] : NULL;
    }
    n -= FW_CFG_FILE_FIRST;
    return !set && n < s->files->len ? &g_array_index(s->files, FwCfgFile, n).blob : NULL;
}

void fw_cfg_select(FwCfg *s, uint16_t key)
{
    FwCfgBlob *blob = fw_cfg_blob(s, key);

    s->offset = 0;
    s->selected = blob ? key : FW_CFG_KEY_NONE;
    if (blob && blob->select) {
        blob->select(blob->opaque);
    }
}

uint8_t fw_cfg_next(FwCfg *s)
{
    FwCfgBlob *blob = fw_cfg_blob(s, s->selected);

    return blob && s->offset < blob->size ? ((uint8_t *)blob->data)[s->offset++] : 0;
}

/* The directory is big-endian: count, then size, selector, reserved, name of each. */
static void make_directory(FwCfg *s)
{
    size_t bytes = 4 + (size_t)s->files->len * ENTRY_BYTES;

    g_byte_array_set_size(s->directory, bytes);
    store_be32(s->directory->data, s->files->len);
    for (guint i = 0; i < s->files->len; i++) {
        const FwCfgFile *file = &g_array_index(s->files, FwCfgFile, i);
        uint8_t *at = s->directory->data + 4 + (size_t)i * ENTRY_BYTES;

        store_be32(at, file->blob.size);
        store_be16(at + 4, FW_CFG_FILE_FIRST + i);
        store_be16(at + 6, 0);
        memcpy(at + 8, file->name, FW_CFG_NAME_BYTES);
    }
    s->keys[0][FW_CFG_FILE_DIR] = (FwCfgBlob){ .data = s->directory->data, .size = bytes,
                                               .is_borrowed = true };
}

static void file_clear(gpointer file)
{
    blob_clear(&((FwCfgFile *)file)->blob);
}

void fw_cfg_blobs_init(FwCfg *s)
{
    s->files = g_array_new(FALSE, TRUE, sizeof(FwCfgFile));
    g_array_set_clear_func(s->files, file_clear);
    s->directory = g_byte_array_new();
    make_directory(s);
}

void fw_cfg_blobs_clear(FwCfg *s)
{
    for (unsigned n = 0; n < FW_CFG_FILE_FIRST; n++) {
        blob_clear(&s->keys[0][n]);
        blob_clear(&s->keys[1][n]);
    }
    g_array_unref(s->files);
    g_byte_array_unref(s->directory);
}

/* --- numbered --- */

void fw_cfg_set(Device *dev, uint16_t key, const FwCfgBlob *blob)
{
    unsigned n = key & ~FW_CFG_ARCH_LOCAL;
    FwCfgBlob *at = &FW_CFG(dev)->keys[key >= FW_CFG_ARCH_LOCAL][n];

    assert(n < FW_CFG_FILE_FIRST && key != FW_CFG_FILE_DIR);
    blob_clear(at);
    *at = *blob;
}

void fw_cfg_set_copy(Device *dev, uint16_t key, const void *data, size_t bytes)
{
    FwCfgBlob blob = { .data = g_memdup2(data, bytes), .size = bytes };

    fw_cfg_set(dev, key, &blob);
}

void fw_cfg_set_u16(Device *dev, uint16_t key, uint16_t value)
{
    uint8_t bytes[2];

    store_le16(bytes, value);
    fw_cfg_set_copy(dev, key, bytes, sizeof(bytes));
}

void fw_cfg_set_u32(Device *dev, uint16_t key, uint32_t value)
{
    uint8_t bytes[4];

    store_le32(bytes, value);
    fw_cfg_set_copy(dev, key, bytes, sizeof(bytes));
}

void fw_cfg_set_u64(Device *dev, uint16_t key, uint64_t value)
{
    uint8_t bytes[8];

    store_le64(bytes, value);
    fw_cfg_set_copy(dev, key, bytes, sizeof(bytes));
}

void fw_cfg_set_string(Device *dev, uint16_t key, const char *text)
{
    fw_cfg_set_copy(dev, key, text, strlen(text) + 1);
}

/* --- files --- */

static FwCfgFile *find_file(FwCfg *s, const char *name, guint *place)
{
    guint i;

    for (i = 0; i < s->files->len; i++) {
        FwCfgFile *file = &g_array_index(s->files, FwCfgFile, i);
        int order = strcmp(name, file->name);

        if (!order) {
            return file;
        }
        if (order < 0) {
            break;
        }
    }
    *place = i;
    return NULL;
}

bool fw_cfg_add_file(Device *dev, const char *name, const FwCfgBlob *blob, Error **errp)
{
    FwCfg *s = FW_CFG(dev);
    FwCfgFile file = { .blob = *blob };
    guint place;

    if (strlen(name) >= FW_CFG_NAME_BYTES) {
        return error_set(errp, "fw_cfg: file name '%s' is longer than %d", name,
                         FW_CFG_NAME_BYTES - 1);
    }
    if (blob->size > UINT32_MAX) {
        return error_set(errp, "fw_cfg: file '%s' is too large", name);
    }
    if (find_file(s, name, &place)) {
        return error_set(errp, "duplicate fw_cfg file name: %s", name);
    }
    if (s->files->len >= s->file_slots) {
        return error_set(errp, "fw_cfg: no room for file '%s' (x-file-slots=%u)", name,
                         s->file_slots);
    }
    g_strlcpy(file.name, name, sizeof(file.name));
    g_array_insert_val(s->files, place, file);
    make_directory(s);
    return true;
}

bool fw_cfg_modify_file(Device *dev, const char *name, const FwCfgBlob *blob, Error **errp)
{
    FwCfg *s = FW_CFG(dev);
    guint place;
    FwCfgFile *file = find_file(s, name, &place);

    if (!file) {
        return fw_cfg_add_file(dev, name, blob, errp);
    }
    if (blob->size > UINT32_MAX) {
        return error_set(errp, "fw_cfg: file '%s' is too large", name);
    }
    blob_clear(&file->blob);
    file->blob = *blob;
    make_directory(s);
    return true;
}

const FwCfgBlob *fw_cfg_file(Device *dev, const char *name)
{
    guint place;
    FwCfgFile *file = find_file(FW_CFG(dev), name, &place);

    return file ? &file->blob : NULL;
}

/* --- -fw_cfg --- */

static const char *option_text(json_object *options, const char *key)
{
    json_object *value = json_object_object_get(options, key);

    return value ? json_object_get_string(value) : NULL;
}

static bool read_option(json_object *options, FwCfgBlob *blob, Error **errp)
{
    const char *file = option_text(options, "file");
    const char *string = option_text(options, "string");
    g_autoptr(GError) why = NULL;
    char *data;

    if (!file == !string) {
        return error_set(errp, "fw_cfg: exactly one of 'file' and 'string' must be given");
    }
    if (string) {
        *blob = (FwCfgBlob){ .data = g_strdup(string), .size = strlen(string) };
        return true;
    }
    if (!g_file_get_contents(file, &data, &blob->size, &why)) {
        return error_set(errp, "can't load %s: %s", file, why->message);
    }
    blob->data = data;
    return true;
}

bool fw_cfg_add_option(Device *dev, json_object *options, Error **errp)
{
    const char *name = option_text(options, "name");
    FwCfgBlob blob = { 0 };

    if (!name || !*name) {
        return error_set(errp, "fw_cfg: 'name' is missing");
    }
    if (strlen(name) >= FW_CFG_NAME_BYTES) {
        return error_set(errp, "name too long (max. %d char)", FW_CFG_NAME_BYTES - 1);
    }
    if (!g_str_has_prefix(name, "opt/")) {
        warn_report("externally provided fw_cfg item names should be prefixed with \"opt/\"");
    }
    if (!read_option(options, &blob, errp)) {
        return false;
    }
    if (!fw_cfg_add_file(dev, name, &blob, errp)) {
        blob_clear(&blob);
        return false;
    }
    return true;
}
