/*
 * Blobs of firmware tables that refer to each other: the loader script and direct placement.
 *
 * The script is a row of 128-byte little-endian commands. A pointer's place holds the offset into
 * its target beforehand; the firmware adds the target's address.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/acpi/linker.h"
#include "hw/acpi/pack.h"

enum {
    COMMAND_ALLOCATE = 1,
    COMMAND_ADD_POINTER = 2,
    COMMAND_ADD_CHECKSUM = 3,
    COMMAND_WRITE_POINTER = 4,
};

typedef struct Blob {
    char *file;
    GByteArray *bytes;
    uint32_t align;
    AcpiZone zone;
    uint64_t address;
} Blob;

typedef struct Link {
    char *in, *to;
    uint32_t offset, to_offset;
    uint8_t bytes;
} Link;

typedef struct Checksum {
    const Blob *blob;
    uint32_t start, length, at;
} Checksum;

struct AcpiLinker {
    GPtrArray *blobs;
    GArray *pointers, *written; /* Link */
    GArray *checksums;
    bool is_placed;
};

static void blob_free(void *opaque)
{
    Blob *blob = opaque;

    g_free(blob->file);
    g_byte_array_unref(blob->bytes);
    g_free(blob);
}

static void link_clear(void *opaque)
{
    Link *link = opaque;

    g_free(link->in);
    g_free(link->to);
}

AcpiLinker *acpi_linker_new(void)
{
    AcpiLinker *linker = g_new0(AcpiLinker, 1);

    linker->blobs = g_ptr_array_new_with_free_func(blob_free);
    linker->pointers = g_array_new(false, false, sizeof(Link));
    linker->written = g_array_new(false, false, sizeof(Link));
    linker->checksums = g_array_new(false, false, sizeof(Checksum));
    g_array_set_clear_func(linker->pointers, link_clear);
    g_array_set_clear_func(linker->written, link_clear);
    return linker;
}

void acpi_linker_free(AcpiLinker *linker)
{
    if (linker) {
        g_ptr_array_unref(linker->blobs);
        g_array_unref(linker->pointers);
        g_array_unref(linker->written);
        g_array_unref(linker->checksums);
        g_free(linker);
    }
}

static Blob *find(const AcpiLinker *linker, const char *file)
{
    for (guint i = 0; i < linker->blobs->len; i++) {
        Blob *blob = linker->blobs->pdata[i];

        if (strcmp(blob->file, file) == 0) {
            return blob;
        }
    }
    return NULL;
}

static Blob *find_sure(const AcpiLinker *linker, const char *file)
{
    Blob *blob = find(linker, file);

    assert(blob);
    return blob;
}

GByteArray *acpi_linker_find(const AcpiLinker *linker, const char *file)
{
    Blob *blob = find(linker, file);

    return blob ? blob->bytes : NULL;
}

GByteArray *acpi_linker_blob(AcpiLinker *linker, const char *file, uint32_t align, AcpiZone zone)
{
    Blob *blob = find(linker, file);

    assert(align && (align & (align - 1)) == 0);
    if (!blob) {
        assert(strlen(file) < ACPI_LINKER_NAME_BYTES);
        blob = g_new0(Blob, 1);
        *blob = (Blob){ .file = g_strdup(file), .bytes = g_byte_array_new(), .zone = zone };
        g_ptr_array_add(linker->blobs, blob);
    }
    blob->align = MAX(blob->align, align);
    return blob->bytes;
}

static void add_link(AcpiLinker *linker, GArray *links, const AcpiPointer *p)
{
    Link link = { .in = g_strdup(p->in), .to = g_strdup(p->to), .offset = p->offset,
                  .to_offset = p->to_offset, .bytes = p->bytes };

    assert(find(linker, p->to) && strlen(p->in) < ACPI_LINKER_NAME_BYTES);
    assert(p->bytes == 1 || p->bytes == 2 || p->bytes == 4 || p->bytes == 8);
    g_array_append_val(links, link);
}

void acpi_linker_add_pointer(AcpiLinker *linker, const AcpiPointer *pointer)
{
    bytes_set_le(find_sure(linker, pointer->in)->bytes, pointer->offset, pointer->to_offset,
                 pointer->bytes);
    add_link(linker, linker->pointers, pointer);
}

void acpi_linker_write_pointer(AcpiLinker *linker, const AcpiPointer *pointer)
{
    add_link(linker, linker->written, pointer);
}

static void put_sum(const Checksum *sum)
{
    GByteArray *bytes = sum->blob->bytes;

    bytes->data[sum->at] = 0;
    bytes->data[sum->at] = bytes_checksum(bytes, sum->start, sum->length);
}

void acpi_linker_add_checksum(AcpiLinker *linker, const char *file, uint32_t start,
                              uint32_t length, uint32_t at)
{
    Checksum sum = { find_sure(linker, file), start, length, at };

    assert(at >= start && at - start < length);
    sum.blob->bytes->data[at] = 0;
    g_array_append_val(linker->checksums, sum);
}

static void put_file(GByteArray *out, const char *file)
{
    bytes_put_text(out, file, ACPI_LINKER_NAME_BYTES, 0);
}

static void put_blob(GByteArray *out, const Blob *blob)
{
    bytes_put_le(out, COMMAND_ALLOCATE, 4);
    put_file(out, blob->file);
    bytes_pack(out, "41", blob->align, blob->zone);
    bytes_align(out, ACPI_LINKER_ENTRY_BYTES);
}

static void put_link(GByteArray *out, const Link *link, unsigned command)
{
    bytes_put_le(out, command, 4);
    put_file(out, link->in);
    put_file(out, link->to);
    bytes_put_le(out, link->offset, 4);
    if (command == COMMAND_WRITE_POINTER) {
        bytes_put_le(out, link->to_offset, 4);
    }
    bytes_put_le(out, link->bytes, 1);
    bytes_align(out, ACPI_LINKER_ENTRY_BYTES);
}

static void put_checksum(GByteArray *out, const Checksum *sum)
{
    bytes_put_le(out, COMMAND_ADD_CHECKSUM, 4);
    put_file(out, sum->blob->file);
    bytes_pack(out, "444", sum->at, sum->start, sum->length);
    bytes_align(out, ACPI_LINKER_ENTRY_BYTES);
}

GByteArray *acpi_linker_script(const AcpiLinker *linker)
{
    GByteArray *out = g_byte_array_new();

    for (guint i = 0; i < linker->blobs->len; i++) {
        put_blob(out, linker->blobs->pdata[i]);
    }
    for (guint i = 0; i < linker->pointers->len; i++) {
        put_link(out, &g_array_index(linker->pointers, Link, i), COMMAND_ADD_POINTER);
    }
    for (guint i = 0; i < linker->checksums->len; i++) {
        put_checksum(out, &g_array_index(linker->checksums, Checksum, i));
    }
    for (guint i = 0; i < linker->written->len; i++) {
        put_link(out, &g_array_index(linker->written, Link, i), COMMAND_WRITE_POINTER);
    }
    return out;
}

static bool choose_address(Blob *blob, uint64_t *next, uint64_t end, Error **errp)
{
    uint64_t address = ROUND_UP(*next, blob->align);

    if (address < *next || address > end || end - address < blob->bytes->len) {
        return error_set(errp, "%s (%u bytes) does not fit below 0x%" PRIx64, blob->file,
                         blob->bytes->len, end);
    }
    blob->address = address;
    *next = address + blob->bytes->len;
    return true;
}

static uint64_t link_value(const AcpiLinker *linker, const Link *link)
{
    return find_sure(linker, link->to)->address + link->to_offset;
}

static bool choose_addresses(AcpiLinker *linker, const AcpiPlacement *room, Error **errp)
{
    uint64_t next[] = { room->base, room->f_segment_base };
    uint64_t end[] = { room->end, room->f_segment_end };

    for (guint i = 0; i < linker->blobs->len; i++) {
        Blob *blob = linker->blobs->pdata[i];
        unsigned zone = blob->zone == ACPI_ZONE_F_SEGMENT;

        if (!choose_address(blob, &next[zone], end[zone], errp)) {
            return false;
        }
    }
    for (guint i = 0; i < linker->pointers->len; i++) {
        const Link *link = &g_array_index(linker->pointers, Link, i);

        if (link->bytes < 8 && link_value(linker, link) >> (8 * link->bytes)) {
            return error_set(errp, "%s is too high for a pointer of %u bytes in %s", link->to,
                             link->bytes, link->in);
        }
    }
    return true;
}

bool acpi_linker_place(AcpiLinker *linker, const AcpiPlacement *room, Error **errp)
{
    assert(!linker->is_placed);
    if (!choose_addresses(linker, room, errp)) {
        return false;
    }
    linker->is_placed = true;
    for (guint i = 0; i < linker->pointers->len; i++) {
        const Link *link = &g_array_index(linker->pointers, Link, i);

        bytes_set_le(find_sure(linker, link->in)->bytes, link->offset, link_value(linker, link),
                     link->bytes);
    }
    for (guint i = 0; i < linker->checksums->len; i++) {
        put_sum(&g_array_index(linker->checksums, Checksum, i));
    }
    return true;
}

uint64_t acpi_linker_address(const AcpiLinker *linker, const char *file)
{
    assert(linker->is_placed);
    return find_sure(linker, file)->address;
}

void acpi_linker_foreach(const AcpiLinker *linker,
                         void (*visit)(void *opaque, const char *file, const GByteArray *bytes,
                                       uint64_t address),
                         void *opaque)
{
    for (guint i = 0; i < linker->blobs->len; i++) {
        const Blob *blob = linker->blobs->pdata[i];

        visit(opaque, blob->file, blob->bytes, linker->is_placed ? blob->address : 0);
    }
}
