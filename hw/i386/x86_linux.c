/*
 * Linux kernels by the x86 boot protocol (Documentation of Linux, "The Linux/x86 Boot Protocol"),
 * versions 2.00 to 2.15, and images older than that.
 *
 * Left out: the EFI stub, and cmdlines beyond the real-mode segment.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/byte_order.h"
#include "x86_kernel.h"
#include "x86_linux.h"

#define SECTOR           512
#define OLD_SETUP_SECTS  4
#define OLD_INITRD_MAX   0x37ffffff
#define LOADER_TYPE      0xb0 /* as registered for our kind of loader */
#define OLD_CMDLINE_MAGIC 0xa33f
#define SEGMENT_BYTES    0x10000
#define HEAP_END_SLACK   0x200 /* heap_end_ptr is counted from behind the boot sector */
#define SETUP_DATA_DTB   2
#define SETUP_DATA_BYTES 16    /* next, type, length */

typedef struct LinuxImage {
    uint16_t protocol; /* 0: before 2.00 */
    size_t setup_bytes;
    bool is_high;      /* its code goes to 1 MiB, not to 64 KiB */
    uint64_t setup_addr, cmdline_addr, code_addr, initrd_max;
} LinuxImage;

static uint32_t field(const uint8_t *setup, unsigned at, unsigned bytes)
{
    return load_bytes(setup + at, bytes, ENDIAN_LITTLE);
}

bool x86_linux_is_image(X86Bytes image)
{
    return image.size >= LINUX_VERSION + 2 && !memcmp(image.data + LINUX_MAGIC, "HdrS", 4);
}

static bool read_header(LinuxImage *image, const X86KernelInput *in, Error **errp)
{
    const uint8_t *file = in->kernel.data;

    if (in->kernel.size < 2 * SECTOR || field(file, LINUX_BOOT_FLAG, 2) != 0xaa55) {
        return error_set(errp, "it is no kernel of a known kind");
    }
    image->protocol = x86_linux_is_image(in->kernel) ? field(file, LINUX_VERSION, 2) : 0;
    image->setup_bytes =
        (1 + (file[LINUX_SETUP_SECTS] ? file[LINUX_SETUP_SECTS] : OLD_SETUP_SECTS)) * SECTOR;
    if (image->setup_bytes >= in->kernel.size) {
        return error_set(errp, "its %zu bytes end before its %zu bytes of setup code",
                         in->kernel.size, image->setup_bytes);
    }
    image->is_high = image->protocol >= 0x200 && (file[LINUX_LOADFLAGS] & LINUX_LOADED_HIGH);
    image->initrd_max = OLD_INITRD_MAX;
    if (image->protocol >= 0x20c && (field(file, LINUX_XLOADFLAGS, 2) & LINUX_XLF_ABOVE_4G)) {
        image->initrd_max = UINT32_MAX;
    } else if (image->protocol >= 0x203) {
        image->initrd_max = field(file, LINUX_INITRD_MAX, 4);
    }
    return true;
}

/* Kernels from 2.02 on take their setup and command line anywhere below 640 KiB. */
static bool choose_places(LinuxImage *image, size_t cmdline_bytes, Error **errp)
{
    bool is_movable = image->is_high && image->protocol >= 0x202;
    uint64_t cmdline_room = ROUND_UP(cmdline_bytes, 16);

    image->code_addr = image->is_high ? 0x100000 : 0x10000;
    image->setup_addr = is_movable ? 0x10000 : 0x90000;
    image->cmdline_addr = is_movable ? 0x20000 : 0x9a000 - MIN(cmdline_room, 0x9a000);
    if (cmdline_bytes > SEGMENT_BYTES - 1) {
        return error_set(errp, "its command line of %zu bytes is too long", cmdline_bytes);
    }
    return image->cmdline_addr >= image->setup_addr + image->setup_bytes + HEAP_END_SLACK ||
           error_set(errp, "no room for its %zu bytes of setup code and a command line of %zu",
                     image->setup_bytes, cmdline_bytes);
}

/* "vga=": what the loader, not the kernel, makes of the command line. */
static bool read_video_mode(const char *cmdline, uint16_t *mode, Error **errp)
{
    static const struct {
        const char *name;
        uint16_t mode;
    } names[] = { { "normal", 0xffff }, { "ext", 0xfffe }, { "ask", 0xfffd } };
    const char *at = strstr(cmdline, "vga=");
    g_autofree char *word = NULL;
    uint64_t number;
    char *end;

    *mode = 0;
    if (!at || (at > cmdline && at[-1] != ' ')) {
        return true;
    }
    at += strlen("vga=");
    word = g_strndup(at, strcspn(at, " "));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(word, names[i].name)) {
            *mode = names[i].mode;
            return true;
        }
    }
    number = g_ascii_strtoull(word, &end, 0);
    *mode = number;
    return (end > word && !*end && number <= UINT16_MAX) ||
           error_set(errp, "vga=%s is neither normal, ext, ask nor a number", word);
}

static void fill_cmdline_fields(const LinuxImage *image, uint8_t *setup)
{
    if (image->protocol >= 0x202) {
        store_le32(setup + LINUX_CMDLINE, image->cmdline_addr);
    } else {
        store_le16(setup + LINUX_OLD_CMDLINE_MAGIC, OLD_CMDLINE_MAGIC);
        store_le16(setup + LINUX_OLD_CMDLINE_OFFSET, image->cmdline_addr - image->setup_addr);
    }
}

static void fill_loader_fields(const LinuxImage *image, uint8_t *setup)
{
    if (image->protocol >= 0x200) {
        setup[LINUX_LOADER] = LOADER_TYPE;
    }
    if (image->protocol >= 0x201) {
        setup[LINUX_LOADFLAGS] |= LINUX_CAN_USE_HEAP;
        store_le16(setup + LINUX_HEAP_END,
                   image->cmdline_addr - image->setup_addr - HEAP_END_SLACK);
    }
}

static bool add_initrd(const LinuxImage *image, const X86KernelInput *in, X86Kernel *kernel,
                       Error **errp)
{
    uint64_t lowest = image->is_high ? kernel->kernel.addr + kernel->kernel.bytes.size : 0x100000;

    if (!in->initrd.size) {
        return true;
    }
    if (image->protocol < 0x200) {
        return error_set(errp, "linux kernel too old to load a ram disk");
    }
    if (!x86_kernel_place_initrd(in, lowest, image->initrd_max, kernel, errp)) {
        return false;
    }
    store_le32((uint8_t *)kernel->setup.bytes.data + LINUX_INITRD, kernel->initrd.addr);
    store_le32((uint8_t *)kernel->setup.bytes.data + LINUX_INITRD_SIZE, in->initrd.size);
    return true;
}

/* Behind the code, as a piece of "setup_data". */
static bool add_dtb(const LinuxImage *image, const X86KernelInput *in, X86Kernel *kernel,
                    Error **errp)
{
    X86Bytes code = kernel->kernel.bytes;
    size_t at = ROUND_UP(code.size, 16);
    uint8_t *joined;

    if (!in->dtb.size) {
        return true;
    }
    if (image->protocol < 0x209) {
        return error_set(errp, "Linux kernel too old to load a dtb");
    }
    if (in->dtb.size > UINT32_MAX) {
        return error_set(errp, "the device tree of %zu bytes is too large", in->dtb.size);
    }
    joined = x86_kernel_buffer(kernel, at + SETUP_DATA_BYTES + in->dtb.size, errp);
    if (!joined) {
        return false;
    }
    memcpy(joined, code.data, code.size);
    store_le32(joined + at + 8, SETUP_DATA_DTB);
    store_le32(joined + at + 12, in->dtb.size);
    memcpy(joined + at + SETUP_DATA_BYTES, in->dtb.data, in->dtb.size);
    store_le64((uint8_t *)kernel->setup.bytes.data + LINUX_SETUP_DATA, image->code_addr + at);
    kernel->kernel.bytes = (X86Bytes){ joined, at + SETUP_DATA_BYTES + in->dtb.size };
    return true;
}

static bool check_room(const LinuxImage *image, const X86KernelInput *in,
                       const X86Kernel *kernel, Error **errp)
{
    uint64_t end = kernel->kernel.addr + kernel->kernel.bytes.size;
    uint64_t room = image->is_high ? in->room.ram_below_4g : image->setup_addr;

    return end <= room || error_set(errp, "its code of %zu bytes at 0x%" PRIx64 " does not fit below "
                                    "0x%" PRIx64, kernel->kernel.bytes.size, kernel->kernel.addr,
                                    room);
}

bool x86_linux_parse(const X86KernelInput *in, X86Kernel *kernel, Error **errp)
{
    LinuxImage image = { 0 };
    uint16_t video_mode;
    uint8_t *setup;

    if (!read_header(&image, in, errp) ||
        !choose_places(&image, strlen(in->cmdline) + 1, errp) ||
        !read_video_mode(in->cmdline, &video_mode, errp) ||
        !(setup = x86_kernel_buffer(kernel, MAX(image.setup_bytes, LINUX_HEADER_END), errp))) {
        return false;
    }
    memcpy(setup, in->kernel.data, image.setup_bytes);
    if (video_mode) {
        store_le16(setup + LINUX_VIDEO_MODE, video_mode);
    }
    fill_cmdline_fields(&image, setup);
    fill_loader_fields(&image, setup);
    kernel->kind = X86_KERNEL_LINUX;
    kernel->setup = (X86Blob){ image.setup_addr, { setup, image.setup_bytes } };
    kernel->cmdline.addr = image.cmdline_addr;
    kernel->kernel = (X86Blob){ image.code_addr, { in->kernel.data + image.setup_bytes,
                                                   in->kernel.size - image.setup_bytes } };
    return add_dtb(&image, in, kernel, errp) && check_room(&image, in, kernel, errp) &&
           add_initrd(&image, in, kernel, errp);
}
