/*
 * The header of a qcow2 image and its extensions. See block/qcow2.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "block/qcow2.h"

#include "util/byte_order.h"

#define V2_BYTES       72
#define V3_BYTES       104
#define V3_MAX_BYTES   112 /* that we know */
#define EXT_END        0
#define EXT_BACKING    UINT32_C(0xe2792aca)
#define EXT_FEATURES   UINT32_C(0x6803f857)
#define EXT_CRYPT      UINT32_C(0x0537be77)
#define EXT_BITMAPS    UINT32_C(0x23852875)
#define EXT_DATA_FILE  UINT32_C(0x44415441)
#define FEATURE_BYTES  48
#define FEATURE_NAME   46

/* Fields in order; the format's names. */
#define HEADER_FIELDS(F)            \
    F(4, 32, version)               \
    F(20, 32, cluster_bits)         \
    F(24, 64, bytes)                \
    F(32, 32, crypt_method)         \
    F(36, 32, l1_entries)           \
    F(40, 64, l1_offset)            \
    F(48, 64, reftable_offset)      \
    F(56, 32, reftable_clusters)    \
    F(60, 32, snapshots)            \
    F(64, 64, snapshots_offset)
#define HEADER_FIELDS_V3(F)         \
    F(72, 64, incompatible)         \
    F(80, 64, compatible)           \
    F(88, 64, autoclear)            \
    F(96, 32, refcount_order)       \
    F(100, 32, header_bytes)

typedef struct FeatureName {
    uint8_t kind, bit;
    const char *name;
} FeatureName;

static const FeatureName feature_names[] = {
    { 0, 0, "dirty bit" }, { 0, 1, "corrupt bit" }, { 0, 2, "external data file" },
    { 0, 3, "compression type" }, { 0, 4, "extended L2 entries" },
    { 1, 0, "lazy refcounts" }, { 2, 0, "bitmaps" }, { 2, 1, "raw external data" },
};

/* --- reading --- */

static bool parse_fields(Qcow2Header *header, const uint8_t *at, Error **errp)
{
#define LOAD(offset, bits, field) header->field = load_be##bits(at + offset);
    HEADER_FIELDS(LOAD)
    header->refcount_order = 4;
    header->header_bytes = V2_BYTES;
    if (header->version < 2 || header->version > 3) {
        return error_set(errp, "Unsupported qcow2 version %" PRIu32, header->version);
    }
    if (header->cluster_bits < QCOW2_MIN_CLUSTER_BITS ||
        header->cluster_bits > QCOW2_MAX_CLUSTER_BITS) {
        return error_set(errp, "Unsupported cluster size: 2^%" PRIu32, header->cluster_bits);
    }
    if (header->version == 2) {
        return true;
    }
    HEADER_FIELDS_V3(LOAD)
#undef LOAD
    if (header->header_bytes < V3_BYTES) {
        return error_set(errp, "qcow2 header too short");
    }
    if (header->header_bytes > BIT(header->cluster_bits)) {
        return error_set(errp, "qcow2 header exceeds cluster size");
    }
    return true;
}

static bool is_known_extension(uint32_t type)
{
    return type == EXT_BACKING || type == EXT_FEATURES || type == EXT_BITMAPS ||
           type == EXT_DATA_FILE;
}

static bool take_bitmaps(Qcow2Header *header, const uint8_t *at, uint32_t bytes, Error **errp)
{
    if (bytes != 24) {
        return error_set(errp, "bitmaps_ext: Invalid extension length");
    }
    if (!(header->autoclear & QCOW2_AUTOCLEAR_BITMAPS)) {
        return true; /* somebody else changed the image: they are stale */
    }
    header->bitmaps = load_be32(at);
    header->bitmaps_bytes = load_be64(at + 8);
    header->bitmaps_offset = load_be64(at + 16);
    if (!header->bitmaps || header->bitmaps > UINT16_MAX ||
        header->bitmaps_offset % BIT(header->cluster_bits) ||
        header->bitmaps_bytes > 64 * MiB) {
        return error_set(errp, "bitmaps_ext: Invalid bitmap directory");
    }
    return true;
}

static bool take_extension(Qcow2Header *header, uint32_t type, const uint8_t *at, uint32_t bytes,
                           Error **errp)
{
    switch (type) {
    case EXT_BACKING:
        g_free(header->backing_format);
        header->backing_format = g_strndup((const char *)at, bytes);
        return true;
    case EXT_DATA_FILE:
        g_free(header->data_file);
        header->data_file = g_strndup((const char *)at, bytes);
        return true;
    case EXT_BITMAPS:
        return take_bitmaps(header, at, bytes, errp);
    case EXT_CRYPT:
        return error_set(errp, "Encrypted qcow2 images are not supported");
    case EXT_FEATURES:
        return true;
    default:
        break;
    }
    g_array_append_val(header->unknown, ((Qcow2Extension){ type, bytes, g_memdup2(at, bytes) }));
    return true;
}

static bool parse_extensions(Qcow2Header *header, const uint8_t *at, size_t end, Error **errp)
{
    size_t pos = header->header_bytes;

    while (pos + 8 <= end) {
        uint32_t type = load_be32(at + pos), bytes = load_be32(at + pos + 4);

        pos += 8;
        if (type == EXT_END) {
            return true;
        }
        if (bytes > end - pos) {
            return error_set(errp, "Header extension too large");
        }
        if (!take_extension(header, type, at + pos, bytes, errp)) {
            return false;
        }
        pos += ROUND_UP((size_t)bytes, 8);
    }
    return true;
}

/* What the image itself calls feature `bit`, or NULL. */
static char *feature_name(const Qcow2Header *header, const uint8_t *at, size_t end, unsigned bit)
{
    for (size_t pos = header->header_bytes; pos + 8 <= end;) {
        uint32_t type = load_be32(at + pos), bytes = load_be32(at + pos + 4);

        pos += 8;
        if (type == EXT_END || bytes > end - pos) {
            break;
        }
        for (size_t i = 0; type == EXT_FEATURES && i + FEATURE_BYTES <= bytes; i += FEATURE_BYTES) {
            const uint8_t *entry = at + pos + i;

            if (entry[0] == 0 && entry[1] == bit) {
                return g_strndup((const char *)entry + 2, FEATURE_NAME);
            }
        }
        pos += ROUND_UP((size_t)bytes, 8);
    }
    return NULL;
}

static bool refuse_features(const Qcow2Header *header, const uint8_t *at, size_t end, Error **errp)
{
    uint64_t unknown = header->incompatible & ~(uint64_t)QCOW2_INCOMPAT_KNOWN;
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned bit = 0; bit < 64; bit++) {
        g_autofree char *name = unknown >> bit & 1 ? feature_name(header, at, end, bit) : NULL;

        if (!(unknown >> bit & 1)) {
            continue;
        }
        g_string_append(text, text->len ? ", " : "");
        if (name && *name) {
            g_string_append(text, name);
        } else {
            g_string_append_printf(text, "Unknown incompatible feature: %" PRIx64, BIT64(bit));
        }
    }
    return !unknown || error_set(errp, "Unsupported qcow2 feature(s): %s", text->str);
}

static bool take_compression(Qcow2Header *header, const uint8_t *at, Error **errp)
{
    header->compression = header->header_bytes > V3_BYTES ? at[V3_BYTES] : 0;
    if (!header->compression != !(header->incompatible & QCOW2_INCOMPAT_COMPRESSION)) {
        return error_set(errp, header->compression ?
                         "qcow2: Compression type incompatible feature bit must be set" :
                         "qcow2: Compression type incompatible feature bit must not be set");
    }
    if (header->compression > 1) {
        return error_set(errp, "qcow2: unknown compression type: %u", header->compression);
    }
    if (header->header_bytes > V3_MAX_BYTES) {
        header->rest_bytes = header->header_bytes - V3_MAX_BYTES;
        header->rest = g_memdup2(at + V3_MAX_BYTES, header->rest_bytes);
    }
    return true;
}

static bool take_backing(Qcow2Header *header, const uint8_t *at, Error **errp)
{
    uint64_t offset = load_be64(at + 8), cluster = BIT(header->cluster_bits);
    uint32_t bytes = load_be32(at + 16);

    header->backing_offset = offset;
    if (!offset || !bytes) {
        return true;
    }
    if (offset > cluster || bytes > MIN(QCOW2_BACKING_BYTES, cluster - offset)) {
        return error_set(errp, offset > cluster ? "Invalid backing file offset" :
                                                  "Backing file name too long");
    }
    header->backing = g_strndup((const char *)at + offset, bytes);
    return true;
}

static bool check_tables(const Qcow2Header *header, bool is_check, Error **errp)
{
    uint64_t cluster = BIT(header->cluster_bits);

    if (header->crypt_method) {
        return error_set(errp, "Encrypted qcow2 images are not supported");
    }
    if (header->refcount_order > 6) {
        return error_set(errp, "Reference count entry width too large; may not exceed 64 bits");
    }
    if (header->incompatible & QCOW2_INCOMPAT_EXTENDED_L2 &&
        header->cluster_bits < QCOW2_MIN_SUB_BITS) {
        return error_set(errp, "Extended L2 entries need clusters of 16384 bytes at least");
    }
    if (header->reftable_clusters > QCOW2_MAX_REFTABLE_BYTES / cluster ||
        header->reftable_offset % cluster || header->reftable_offset > BLOCK_MAX_BYTES) {
        return error_set(errp, header->reftable_offset % cluster ?
                         "Invalid reference count table offset" : "Reference count table too large");
    }
    if (!header->reftable_clusters && !is_check) {
        return error_set(errp, "Image does not contain a reference count table");
    }
    if (header->snapshots > QCOW2_MAX_SNAPSHOTS) {
        return error_set(errp, "Snapshot table too large");
    }
    if (header->snapshots && (header->snapshots_offset % cluster ||
                              header->snapshots_offset > BLOCK_MAX_BYTES)) {
        return error_set(errp, "Invalid snapshot table offset");
    }
    if (header->l1_entries > QCOW2_MAX_L1_BYTES / 8) {
        return error_set(errp, "Active L1 table too large");
    }
    if (header->l1_offset % cluster || header->l1_offset > BLOCK_MAX_BYTES) {
        return error_set(errp, "Active L1 table offset invalid");
    }
    return header->bytes <= BLOCK_MAX_BYTES || error_set(errp, "Image is too large");
}

static uint64_t l1_needed(const Qcow2Header *header)
{
    unsigned l2_bits = header->cluster_bits -
                       (header->incompatible & QCOW2_INCOMPAT_EXTENDED_L2 ? 4 : 3);
    uint64_t shift = header->cluster_bits + l2_bits;

    return (header->bytes >> shift) + !!(header->bytes & (BIT64(shift) - 1));
}

static bool parse(Qcow2Header *header, const uint8_t *at, size_t bytes, bool is_check,
                  Error **errp)
{
    size_t end;

    if (!parse_fields(header, at, errp)) {
        return false;
    }
    end = MIN(bytes, BIT(header->cluster_bits));
    if (header->header_bytes > end) {
        return error_set(errp, "qcow2 header exceeds cluster size");
    }
    if (load_be64(at + 8) > header->header_bytes) {
        end = MIN(end, load_be64(at + 8)); /* extensions end where the name begins */
    }
    return (header->version == 2 || (refuse_features(header, at, end, errp) &&
                                     take_compression(header, at, errp))) &&
           check_tables(header, is_check, errp) && take_backing(header, at, errp) &&
           parse_extensions(header, at, end, errp) &&
           (l1_needed(header) <= header->l1_entries || error_set(errp, "L1 table is too small"));
}

bool qcow2_header_read(Qcow2Header *header, BlockNode *file, bool is_check, Error **errp)
{
    size_t bytes = MIN(block_node_bytes(file), BIT(QCOW2_MAX_CLUSTER_BITS));
    g_autofree uint8_t *at = g_malloc0(MAX(bytes, V3_MAX_BYTES));
    int err = block_read(file, 0, at, bytes);

    *header = (Qcow2Header){ 0 };
    if (err) {
        return error_set_errno(errp, -err, "Could not read qcow2 header");
    }
    if (load_be32(at) != QCOW2_MAGIC) {
        return error_set(errp, "Image is not in qcow2 format");
    }
    header->unknown = g_array_new(FALSE, FALSE, sizeof(Qcow2Extension));
    if (!parse(header, at, MAX(bytes, V3_MAX_BYTES), is_check, errp)) {
        qcow2_header_clear(header);
        return false;
    }
    return true;
}

void qcow2_header_clear(Qcow2Header *header)
{
    for (guint i = 0; header->unknown && i < header->unknown->len; i++) {
        g_free(g_array_index(header->unknown, Qcow2Extension, i).data);
    }
    g_clear_pointer(&header->unknown, g_array_unref);
    g_clear_pointer(&header->backing, g_free);
    g_clear_pointer(&header->backing_format, g_free);
    g_clear_pointer(&header->data_file, g_free);
    g_clear_pointer(&header->rest, g_free);
}

/* --- writing --- */

static void put_fields(const Qcow2Header *header, uint8_t *at)
{
    store_be32(at, QCOW2_MAGIC);
#define STORE(offset, bits, field) store_be##bits(at + offset, header->field);
    HEADER_FIELDS(STORE)
    if (header->version == 2) {
        return;
    }
    HEADER_FIELDS_V3(STORE)
#undef STORE
    if (header->header_bytes > V3_BYTES) {
        at[V3_BYTES] = header->compression; /* else an extension begins here */
    }
}

typedef struct Writer {
    uint8_t *at;
    size_t pos, end;
    bool is_full;
} Writer;

static void put_extension(Writer *to, uint32_t type, const void *data, size_t bytes)
{
    if (ROUND_UP(bytes, 8) + 8 > to->end - to->pos) {
        to->is_full = true;
        return;
    }
    store_be32(to->at + to->pos, type);
    store_be32(to->at + to->pos + 4, bytes);
    if (bytes) {
        memcpy(to->at + to->pos + 8, data, bytes);
    }
    to->pos += 8 + ROUND_UP(bytes, 8);
}

static void put_text(Writer *to, uint32_t type, const char *text)
{
    if (text) {
        put_extension(to, type, text, strlen(text));
    }
}

static void put_bitmaps(Writer *to, const Qcow2Header *header)
{
    uint8_t data[24] = { 0 };

    if (header->bitmaps) {
        store_be32(data, header->bitmaps);
        store_be64(data + 8, header->bitmaps_bytes);
        store_be64(data + 16, header->bitmaps_offset);
        put_extension(to, EXT_BITMAPS, data, sizeof(data));
    }
}

static void put_feature_names(Writer *to)
{
    uint8_t data[ARRAY_SIZE(feature_names) * FEATURE_BYTES] = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(feature_names); i++) {
        uint8_t *entry = data + i * FEATURE_BYTES;

        entry[0] = feature_names[i].kind;
        entry[1] = feature_names[i].bit;
        memcpy(entry + 2, feature_names[i].name, strlen(feature_names[i].name));
    }
    /* Only a help for others: where it has no place, it is left out. */
    if (to->end - to->pos >= sizeof(data) + 8 + BLOCK_SECTOR_BYTES) {
        put_extension(to, EXT_FEATURES, data, sizeof(data));
    }
}

static void put_extensions(Writer *to, const Qcow2Header *header)
{
    put_text(to, EXT_BACKING, header->backing ? header->backing_format : NULL);
    put_text(to, EXT_DATA_FILE, header->incompatible & QCOW2_INCOMPAT_DATA_FILE ?
                                header->data_file : NULL);
    if (header->version >= 3) {
        put_feature_names(to);
    }
    put_bitmaps(to, header);
    for (guint i = 0; header->unknown && i < header->unknown->len; i++) {
        const Qcow2Extension *ext = &g_array_index(header->unknown, Qcow2Extension, i);

        if (!is_known_extension(ext->type)) {
            put_extension(to, ext->type, ext->data, ext->bytes);
        }
    }
    put_extension(to, EXT_END, NULL, 0);
}

int qcow2_header_write(const Qcow2Header *header, BlockNode *file)
{
    size_t cluster = BIT(header->cluster_bits);
    g_autofree uint8_t *at = g_malloc0(cluster);
    Qcow2Header fields = *header;
    size_t name = header->backing ? strlen(header->backing) : 0;
    Writer to = { at, 0, cluster, false };

    fields.header_bytes = header->version == 2 ? V2_BYTES : V3_MAX_BYTES + header->rest_bytes;
    put_fields(&fields, at);
    if (header->rest_bytes) {
        memcpy(at + V3_MAX_BYTES, header->rest, header->rest_bytes);
    }
    to.pos = fields.header_bytes;
    put_extensions(&to, header);
    if (to.is_full || name > to.end - to.pos) {
        return -ENOSPC;
    }
    if (name) {
        memcpy(at + to.pos, header->backing, name);
        store_be64(at + 8, to.pos);
        store_be32(at + 16, name);
    }
    return block_write(file, 0, at, cluster);
}

int qcow2_header_update(const Qcow2Header *header, BlockNode *file)
{
    uint8_t at[BLOCK_SECTOR_BYTES];
    int err = block_read(file, 0, at, sizeof(at));
    Qcow2Header fields = *header;

    if (err) {
        return err;
    }
    if (header->version > 2) {
        fields.header_bytes = load_be32(at + 100);
    }
    put_fields(&fields, at);
    return block_write(file, 0, at, sizeof(at));
}
