/*
 * A dump in makedumpfile's flattened format: a stream of pieces that say where in the file they belong. The
 * file is a "compressed kdump" of version 6, little-endian, 64 bits: header, sub header with the CPUs' notes,
 * two bitmaps (memory that there is, pages that are here: the same), a descriptor for each page, pages, each
 * packed by itself with zlib. makedumpfile's IMPLEMENTATION, "KDUMP-COMPRESSED FORMAT" and "FLATTENED FORMAT".
 *
 * Left out: the kernel's own notes (vmcoreinfo), so phys_base is 0; lzo and snappy; guests of 32 bits.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "dump_parts.h"

#include <elf.h>
#include <zlib.h>

#include "system/target.h"
#include "system/vcpu.h"

#define PAGE_BYTES     4096u
#define FLAT_HEADER    4096u
#define CHUNK_BYTES    MiB
#define HEADER_VERSION 6
#define BY_ZLIB        1u

static uint64_t pages_of(uint64_t bytes)
{
    return ROUND_UP(bytes, PAGE_BYTES) / PAGE_BYTES;
}

typedef struct DumpHeader {
    char signature[8];
    uint32_t version;
    char utsname[6][65]; /* machine is the fifth */
    char timestamp[22];
    uint32_t status, block_bytes, sub_header_blocks, bitmap_blocks, max_mapnr, ram_blocks, device_blocks,
             written_blocks, current_cpu, cpus;
} __attribute__((packed)) DumpHeader;

typedef struct SubHeader {
    uint64_t phys_base;
    uint32_t dump_level, split;
    uint64_t start_pfn, end_pfn, vmcoreinfo[2], notes_at, notes_bytes, eraseinfo[2], start_pfn_64, end_pfn_64,
             max_mapnr;
} __attribute__((packed)) SubHeader;

typedef struct PageDescriptor {
    uint64_t at;
    uint32_t bytes, flags;
    uint64_t page_flags;
} __attribute__((packed)) PageDescriptor;

/* Bytes that come one after another at a place in the file. */
typedef struct Stream {
    uint64_t at;
    GByteArray *bytes;
} Stream;

typedef struct Kdump {
    Dump *dump;
    uint64_t max_pfn, pages;
    GByteArray *bitmap;
    Stream descriptors, data;
    uint8_t packed[2 * PAGE_BYTES];
    PageDescriptor zeros; /* all pages of zeros share one */
} Kdump;

/* --- pieces --- */

static bool write_piece(Kdump *k, uint64_t at, const void *data, uint64_t bytes, Error **errp)
{
    int64_t head[2] = { GINT64_TO_BE(at), GINT64_TO_BE(bytes) };

    return !bytes || (dump_write(k->dump, head, sizeof(head), errp) && dump_write(k->dump, data, bytes, errp));
}

static bool flush(Kdump *k, Stream *s, Error **errp)
{
    bool is_ok = write_piece(k, s->at, s->bytes->data, s->bytes->len, errp);

    s->at += s->bytes->len;
    g_byte_array_set_size(s->bytes, 0);
    return is_ok;
}

static bool put(Kdump *k, Stream *s, const void *data, size_t bytes, Error **errp)
{
    g_byte_array_append(s->bytes, data, bytes);
    return s->bytes->len < CHUNK_BYTES || flush(k, s, errp);
}

/* --- which pages --- */

typedef bool PageFn(Kdump *k, uint64_t pfn, Error **errp);

/* Each once, upwards, though two blocks may share one. */
static bool each_page(Kdump *k, PageFn *fn, Error **errp)
{
    uint64_t next = 0;

    for (guint i = 0; i < k->dump->blocks->len; i++) {
        const DumpBlock *block = &g_array_index(k->dump->blocks, DumpBlock, i);
        uint64_t end = pages_of(block->first + block->bytes);

        for (uint64_t pfn = MAX(block->first / PAGE_BYTES, next); pfn < end; pfn++) {
            if (!fn(k, pfn, errp)) {
                return false;
            }
        }
        next = MAX(next, end);
    }
    return true;
}

static bool mark_page(Kdump *k, uint64_t pfn, Error **errp)
{
    k->bitmap->data[pfn / 8] |= 1u << pfn % 8;
    k->pages++;
    return true;
}

static void make_bitmap(Kdump *k)
{
    const DumpBlock *last = &g_array_index(k->dump->blocks, DumpBlock, k->dump->blocks->len - 1);
    uint64_t bytes;

    k->max_pfn = pages_of(last->first + last->bytes);
    bytes = ROUND_UP(ROUND_UP(k->max_pfn, 8) / 8, PAGE_BYTES);
    k->bitmap = g_byte_array_new();
    g_byte_array_set_size(k->bitmap, bytes);
    memset(k->bitmap->data, 0, bytes);
    each_page(k, mark_page, NULL);
}

/* --- headers --- */

static uint32_t sub_header_blocks(const Kdump *k)
{
    return pages_of(sizeof(SubHeader) + k->dump->notes->len);
}

static uint64_t bitmap_at(const Kdump *k)
{
    return (uint64_t)PAGE_BYTES * (1 + sub_header_blocks(k));
}

static bool write_flat_header(Kdump *k, Error **errp)
{
    uint8_t head[FLAT_HEADER] = "makedumpfile";
    int64_t numbers[2] = { GINT64_TO_BE(1), GINT64_TO_BE(1) }; /* type, version */

    memcpy(head + 16, numbers, sizeof(numbers));
    return dump_write(k->dump, head, sizeof(head), errp);
}

static const char *machine_name(const Dump *dump)
{
    return dump->machine == EM_X86_64 ? "x86_64" : dump->machine == EM_AARCH64 ? "aarch64" : NULL;
}

static bool write_headers(Kdump *k, Error **errp)
{
    DumpHeader head = {
        .signature = "KDUMP   ", .version = GUINT32_TO_LE(HEADER_VERSION), .status = GUINT32_TO_LE(BY_ZLIB),
        .block_bytes = GUINT32_TO_LE(PAGE_BYTES), .sub_header_blocks = GUINT32_TO_LE(sub_header_blocks(k)),
        .bitmap_blocks = GUINT32_TO_LE(2 * (k->bitmap->len / PAGE_BYTES)),
        .max_mapnr = GUINT32_TO_LE(MIN(k->max_pfn, UINT32_MAX)), .cpus = GUINT32_TO_LE(vcpu_count()),
    };
    SubHeader sub = {
        .dump_level = GUINT32_TO_LE(1), .notes_at = GUINT64_TO_LE(PAGE_BYTES + sizeof(SubHeader)),
        .notes_bytes = GUINT64_TO_LE(k->dump->notes->len), .max_mapnr = GUINT64_TO_LE(k->max_pfn),
    };

    g_strlcpy(head.utsname[4], machine_name(k->dump), sizeof(head.utsname[4]));
    return write_flat_header(k, errp) && write_piece(k, 0, &head, sizeof(head), errp) &&
           write_piece(k, PAGE_BYTES, &sub, sizeof(sub), errp) &&
           write_piece(k, PAGE_BYTES + sizeof(sub), k->dump->notes->data, k->dump->notes->len, errp) &&
           write_piece(k, bitmap_at(k), k->bitmap->data, k->bitmap->len, errp) &&
           write_piece(k, bitmap_at(k) + k->bitmap->len, k->bitmap->data, k->bitmap->len, errp);
}

/* --- pages --- */

/* What is not shorter when it is packed stays as it is. */
static PageDescriptor pack(Kdump *k, const uint8_t *page, const void **data)
{
    uLongf bytes = sizeof(k->packed);
    bool is_packed = compress2(k->packed, &bytes, page, PAGE_BYTES, Z_BEST_SPEED) == Z_OK && bytes < PAGE_BYTES;

    *data = is_packed ? k->packed : page;
    bytes = is_packed ? bytes : PAGE_BYTES;
    return (PageDescriptor){ .at = GUINT64_TO_LE(k->data.at + k->data.bytes->len), .bytes = GUINT32_TO_LE(bytes),
                             .flags = GUINT32_TO_LE(is_packed ? BY_ZLIB : 0) };
}

static bool write_page(Kdump *k, uint64_t pfn, Error **errp)
{
    static const uint8_t zeros[PAGE_BYTES];
    uint8_t page[PAGE_BYTES];
    const void *data;
    PageDescriptor descriptor;
    bool is_zero;

    address_space_read_or_zero(address_space_system(), pfn * PAGE_BYTES, MEM_TX_NONE, page, PAGE_BYTES);
    is_zero = !memcmp(page, zeros, PAGE_BYTES);
    if (is_zero && k->zeros.bytes) {
        descriptor = k->zeros;
    } else {
        descriptor = pack(k, page, &data);
        if (!put(k, &k->data, data, GUINT32_FROM_LE(descriptor.bytes), errp)) {
            return false;
        }
        k->zeros = is_zero ? descriptor : k->zeros;
    }
    __atomic_fetch_add(&k->dump->completed, MIN(PAGE_BYTES, k->dump->total - k->dump->completed), __ATOMIC_RELAXED);
    return put(k, &k->descriptors, &descriptor, sizeof(descriptor), errp);
}

static bool write_pages(Kdump *k, Error **errp)
{
    static const int64_t end[2] = { -1, -1 };

    k->descriptors.at = bitmap_at(k) + 2 * (uint64_t)k->bitmap->len;
    k->data.at = k->descriptors.at + k->pages * sizeof(PageDescriptor);
    return each_page(k, write_page, errp) && flush(k, &k->descriptors, errp) && flush(k, &k->data, errp) &&
           dump_write(k->dump, end, sizeof(end), errp);
}

bool dump_can_kdump(const Dump *dump, Error **errp)
{
    return (machine_name(dump) && !target_info()->is_big_endian) ||
           error_set(errp, "kdump formats are for little-endian guests in 64-bit mode");
}

bool dump_write_kdump(Dump *dump, Error **errp)
{
    Kdump *k = g_new0(Kdump, 1);
    bool is_ok;

    k->dump = dump;
    k->descriptors.bytes = g_byte_array_new();
    k->data.bytes = g_byte_array_new();
    make_bitmap(k);
    is_ok = write_headers(k, errp) && write_pages(k, errp);
    g_byte_array_unref(k->descriptors.bytes);
    g_byte_array_unref(k->data.bytes);
    g_byte_array_unref(k->bitmap);
    g_free(k);
    return is_ok;
}
