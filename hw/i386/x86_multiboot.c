/*
 * Kernels by the Multiboot Specification, version 0.6.96 (multiboot 1): a header in the first
 * 8 KiB, ELF or with addresses in the header.
 *
 * One blob holds, from the kernel's address on: the kernel with its bss, the list of modules and
 * all strings, the modules at pages. The option ROM adds to the boot information what only
 * firmware knows: memory sizes and map. A header that asks for a video mode gets what there is.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include "util/byte_order.h"
#include "x86_kernel.h"
#include "x86_multiboot.h"

#define SEARCH_BYTES 8192
#define HEADER_MAGIC 0x1badb002u
#define PAGE_BYTES   4096

/* Flags of the header. Of the first 16, those not known must be refused. */
#define FLAG_PAGE_ALIGN BIT(0)
#define FLAG_MEMORY     BIT(1)
#define FLAG_VIDEO      BIT(2)
#define FLAG_ADDRESSES  BIT(16)
#define FLAGS_KNOWN     (FLAG_PAGE_ALIGN | FLAG_MEMORY | FLAG_VIDEO)
#define FLAGS_REQUIRED  0xffffu

#define HEADER_BYTES         12
#define HEADER_ADDRESS_BYTES 32 /* with FLAG_ADDRESSES */

#define LOADER_NAME "tandem"

static uint32_t word(const uint8_t *at, unsigned n)
{
    return load_le32(at + 4 * n);
}

ssize_t x86_multiboot_find(X86Bytes image)
{
    size_t end = MIN(image.size, SEARCH_BYTES);

    for (size_t at = 0; at + HEADER_BYTES <= end; at += 4) {
        const uint8_t *header = image.data + at;

        if (word(header, 0) == HEADER_MAGIC &&
            word(header, 0) + word(header, 1) + word(header, 2) == 0) {
            return at;
        }
    }
    return -1;
}

/* --- what it loads: segments, wherever they are described --- */

typedef struct Addresses {
    uint64_t header, load, load_end, bss_end;
} Addresses;

static bool check_addresses(const Addresses *a, uint64_t header_at, uint64_t file_bytes,
                            Error **errp)
{
    return (a->load <= a->header && a->header - a->load <= header_at && a->load_end >= a->load &&
            a->bss_end >= a->load_end &&
            a->load_end - a->load <= file_bytes - (header_at - (a->header - a->load))) ||
           error_set(errp, "the addresses in its multiboot header contradict each other or the "
                     "%" PRIu64 " bytes of the file", file_bytes);
}

/* From the header itself. No end of the data: the file's; no end of the bss: there is none. */
static bool segments_by_addresses(X86Bytes file, uint64_t at, GArray *segments, uint64_t *entry,
                                  Error **errp)
{
    const uint8_t *header = file.data + at;
    ElfSegment segment;
    Addresses a;

    if (file.size - at < HEADER_ADDRESS_BYTES) {
        return error_set(errp, "its multiboot header is cut off");
    }
    a = (Addresses){ word(header, 3), word(header, 4), word(header, 5), word(header, 6) };
    if (!a.load_end && a.load <= a.header && a.header - a.load <= at) {
        a.load_end = a.load + file.size - (at - (a.header - a.load));
    }
    a.bss_end = a.bss_end ? a.bss_end : a.load_end;
    if (!check_addresses(&a, at, file.size, errp)) {
        return false;
    }
    segment = (ElfSegment){ a.load, a.bss_end - a.load, header - (a.header - a.load),
                            a.load_end - a.load };
    g_array_append_val(segments, segment);
    *entry = word(header, 7);
    return true;
}

static bool segments_by_elf(X86Bytes file, GArray *segments, uint64_t *entry, Error **errp)
{
    bool is_right;
    ElfImage elf;

    if (!elf_image_init(&elf, file.data, file.size, errp)) {
        return false;
    }
    is_right = !elf.is_64 && elf.machine == EM_386 && elf.endian == ENDIAN_LITTLE;
    if (is_right && elf.segments->len) {
        g_array_append_vals(segments, elf.segments->data, elf.segments->len);
    }
    *entry = elf.entry;
    elf_image_clear(&elf);
    return is_right || error_set(errp, "Cannot load x86-64 image, give a 32bit one.");
}

/* --- the blob --- */

typedef struct Image {
    uint64_t addr;
    uint8_t *bytes;
    uint64_t used;
} Image;

static uint64_t usable_ram(const X86KernelInput *in)
{
    return in->room.ram_below_4g - MIN(in->room.ram_below_4g, in->room.reserved_bytes);
}

/* [*low, *high) holds all segments, in RAM. */
static bool measure(const GArray *segments, const X86KernelInput *in, uint64_t *low,
                    uint64_t *high, Error **errp)
{
    *low = UINT64_MAX;
    *high = 0;
    for (guint i = 0; i < segments->len; i++) {
        const ElfSegment *s = &g_array_index(segments, ElfSegment, i);

        if (s->addr > usable_ram(in) || s->memory_bytes > usable_ram(in) - s->addr) {
            return error_set(errp, "its %" PRIu64 " bytes at 0x%" PRIx64 " are not in the usable "
                             "%" PRIu64 " bytes of RAM below 4 GiB", s->memory_bytes, s->addr,
                             usable_ram(in));
        }
        *low = MIN(*low, s->addr);
        *high = MAX(*high, s->addr + s->memory_bytes);
    }
    return segments->len || error_set(errp, "it loads nothing");
}

/* What follows the kernel, at most: strings and the list, then modules at pages. */
static uint64_t appendix_bytes(const X86KernelInput *in)
{
    uint64_t bytes = PAGE_BYTES + in->module_count * (uint64_t)MULTIBOOT_MODULE_BYTES +
                     strlen(in->name) + strlen(in->cmdline) + 2 + sizeof(LOADER_NAME);

    for (unsigned i = 0; i < in->module_count; i++) {
        bytes += strlen(in->modules[i].cmdline) + 1;
        bytes += ROUND_UP(in->modules[i].bytes.size, PAGE_BYTES);
    }
    return ROUND_UP(bytes, PAGE_BYTES) + PAGE_BYTES;
}

static bool make_image(const X86KernelInput *in, const GArray *segments, X86Kernel *kernel,
                       Image *image, Error **errp)
{
    uint64_t low, high, end;

    if (!measure(segments, in, &low, &high, errp)) {
        return false;
    }
    end = high + appendix_bytes(in);
    if (end > usable_ram(in)) {
        return error_set(errp, "the kernel and its modules end at 0x%" PRIx64 ", behind the RAM",
                         end);
    }
    *image = (Image){ low, x86_kernel_buffer(kernel, end - low, errp), high - low };
    for (guint i = 0; image->bytes && i < segments->len; i++) {
        const ElfSegment *s = &g_array_index(segments, ElfSegment, i);

        memcpy(image->bytes + (s->addr - low), s->bytes, s->file_bytes);
    }
    return image->bytes;
}

/* Addresses of what was put at the end. */
static uint32_t add_bytes(Image *image, const void *bytes, size_t size)
{
    uint32_t addr = image->addr + image->used;

    if (size) {
        memcpy(image->bytes + image->used, bytes, size);
    }
    image->used += size;
    return addr;
}

static uint32_t add_string(Image *image, const char *text)
{
    return add_bytes(image, text, strlen(text) + 1);
}

static void align(Image *image)
{
    image->used = ROUND_UP(image->addr + image->used, PAGE_BYTES) - image->addr;
}

static void add_modules(const X86KernelInput *in, Image *image, uint8_t *list)
{
    for (unsigned i = 0; i < in->module_count; i++) {
        store_le32(list + i * MULTIBOOT_MODULE_BYTES + 8,
                   add_string(image, in->modules[i].cmdline));
    }
    for (unsigned i = 0; i < in->module_count; i++) {
        X86Bytes bytes = in->modules[i].bytes;
        uint32_t addr;

        align(image);
        addr = add_bytes(image, bytes.data, bytes.size);
        store_le32(list + i * MULTIBOOT_MODULE_BYTES, addr);
        store_le32(list + i * MULTIBOOT_MODULE_BYTES + 4, addr + bytes.size);
    }
    align(image);
}

static void fill_info(const X86KernelInput *in, Image *image, uint8_t *info)
{
    g_autofree char *cmdline =
        g_strdup_printf("%s%s%s", in->name, *in->cmdline ? " " : "", in->cmdline);
    uint8_t *list;

    align(image);
    list = image->bytes + image->used;
    store_le32(info + MULTIBOOT_MODULES, image->addr + image->used);
    store_le32(info + MULTIBOOT_MODULE_COUNT, in->module_count);
    image->used += in->module_count * MULTIBOOT_MODULE_BYTES;
    store_le32(info + MULTIBOOT_FLAGS, MULTIBOOT_HAS_MEMORY | MULTIBOOT_HAS_BOOT_DEVICE |
               MULTIBOOT_HAS_CMDLINE | MULTIBOOT_HAS_MODULES | MULTIBOOT_HAS_MAP |
               MULTIBOOT_HAS_LOADER_NAME);
    store_le32(info + MULTIBOOT_BOOT_DEVICE, 0x8000ffff);
    store_le32(info + MULTIBOOT_CMDLINE, add_string(image, cmdline));
    store_le32(info + MULTIBOOT_LOADER_NAME, add_string(image, LOADER_NAME));
    store_le32(info + MULTIBOOT_MAP, MULTIBOOT_MAP_ADDR);
    add_modules(in, image, list);
}

static bool load(const X86KernelInput *in, const GArray *segments, X86Kernel *kernel,
                 Error **errp)
{
    uint8_t *info = x86_kernel_buffer(kernel, MULTIBOOT_INFO_BYTES, errp);
    Image image = { 0 };

    if (!info || !make_image(in, segments, kernel, &image, errp)) {
        return false;
    }
    fill_info(in, &image, info);
    kernel->kernel = (X86Blob){ image.addr, { image.bytes, image.used } };
    kernel->initrd = (X86Blob){ MULTIBOOT_INFO_ADDR, { info, MULTIBOOT_INFO_BYTES } };
    return true;
}

bool x86_multiboot_parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp)
{
    g_autoptr(GArray) segments = g_array_new(FALSE, FALSE, sizeof(ElfSegment));
    ssize_t at = x86_multiboot_find(in->kernel);
    uint32_t flags = word(in->kernel.data + at, 1);

    kernel->kind = X86_KERNEL_MULTIBOOT;
    if (flags & FLAGS_REQUIRED & ~FLAGS_KNOWN) {
        return error_set(errp, "its multiboot header has flags 0x%x, which ask for unknown things",
                         flags);
    }
    return (flags & FLAG_ADDRESSES ?
            segments_by_addresses(in->kernel, at, segments, &kernel->entry, errp) :
            segments_by_elf(in->kernel, segments, &kernel->entry, errp)) &&
           load(in, segments, kernel, errp);
}
