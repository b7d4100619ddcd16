/*
 * Kernel images of every kind: where things go, what firmware is told, what is refused; and the
 * state in which they start without firmware.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include <elf.h>
#include "util/byte_order.h"
#include "x86_direct.h"
#include "x86_linux.h"
#include "x86_multiboot.h"
#include "x86_option_rom.h"

#define RAM        (128 * MiB)
#define SETUP_SECTS 4
#define CODE_BYTES 1000
#define ENTRY      0x200000

static const uint8_t initrd[6000] = "initrd";

static X86KernelInput input(GByteArray *image)
{
    return (X86KernelInput){ .kernel = { image->data, image->len }, .name = "kernel",
                             .cmdline = "console=ttyS0", .room = { RAM, 0x28000 } };
}

static X86Kernel *accept(const X86KernelInput *in)
{
    Error *err = NULL;
    X86Kernel *kernel = x86_kernel_parse(in, &err);

    if (!kernel) {
        g_error("refused: %s", error_text(err));
    }
    return kernel;
}

/* Refused, for a reason that says `why`. */
static void refuse(const X86KernelInput *in, const char *why)
{
    g_autoptr(Error) err = NULL;

    g_assert_null(x86_kernel_parse(in, &err));
    if (!strstr(error_text(err), why)) {
        g_error("refused because \"%s\", not \"%s\"", error_text(err), why);
    }
}

/* --- Linux --- */

static GByteArray *linux_image(uint16_t protocol)
{
    GByteArray *image = g_byte_array_new();
    size_t setup = (1 + SETUP_SECTS) * 512;

    g_byte_array_set_size(image, setup + CODE_BYTES);
    memset(image->data, 0, image->len);
    memset(image->data + setup, 0xcc, CODE_BYTES);
    image->data[LINUX_SETUP_SECTS] = SETUP_SECTS;
    store_le16(image->data + LINUX_BOOT_FLAG, 0xaa55);
    image->data[LINUX_MAGIC - 1] = 0x66;
    if (protocol) {
        memcpy(image->data + LINUX_MAGIC, "HdrS", 4);
        store_le16(image->data + LINUX_VERSION, protocol);
        image->data[LINUX_LOADFLAGS] = LINUX_LOADED_HIGH;
        store_le32(image->data + LINUX_INITRD_MAX, 0x7fffffff);
    }
    return image;
}

/* Every version of the protocol. */
static const struct {
    uint16_t protocol;
    uint64_t setup, cmdline, code;
    bool has_heap, has_pointer;
} versions[] = {
    { 0x000, 0x90000, 0x99ff0, 0x10000, false, false },
    { 0x200, 0x90000, 0x99ff0, 0x100000, false, false },
    { 0x201, 0x90000, 0x99ff0, 0x100000, true, false },
    { 0x202, 0x10000, 0x20000, 0x100000, true, true },
    { 0x203, 0x10000, 0x20000, 0x100000, true, true },
    { 0x20f, 0x10000, 0x20000, 0x100000, true, true },
};

static void test_versions(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        g_autoptr(GByteArray) image = linux_image(versions[i].protocol);
        X86KernelInput in = input(image);
        g_autoptr(X86Kernel) kernel = accept(&in);
        const uint8_t *setup = kernel->setup.bytes.data;

        g_assert_cmphex(kernel->setup.addr, ==, versions[i].setup);
        g_assert_cmphex(kernel->cmdline.addr, ==, versions[i].cmdline);
        g_assert_cmphex(kernel->kernel.addr, ==, versions[i].code);
        g_assert_cmpuint(kernel->kernel.bytes.size, ==, CODE_BYTES);
        g_assert_cmphex(kernel->kernel.bytes.data[0], ==, 0xcc);
        g_assert_cmphex(setup[LINUX_LOADER], ==, versions[i].protocol ? 0xb0 : 0);
        g_assert_cmpint(setup[LINUX_LOADFLAGS] >> 7, ==, versions[i].has_heap);
        g_assert_cmphex(load_le32(setup + LINUX_CMDLINE), ==,
                        versions[i].has_pointer ? versions[i].cmdline : 0);
        g_assert_cmphex(load_le16(setup + LINUX_OLD_CMDLINE_MAGIC), ==,
                        versions[i].has_pointer ? 0 : 0xa33f);
        g_assert_cmpstr((const char *)kernel->cmdline.bytes.data, ==, "console=ttyS0");
    }
}

static uint64_t initrd_addr(GByteArray *image, X86KernelRoom room)
{
    X86KernelInput in = input(image);
    X86Kernel *kernel;
    uint64_t addr;

    in.room = room;
    in.initrd = (X86Bytes){ initrd, sizeof(initrd) };
    kernel = accept(&in);
    addr = kernel->initrd.addr;
    g_assert_cmphex(load_le32(kernel->setup.bytes.data + LINUX_INITRD), ==, addr);
    g_assert_cmphex(load_le32(kernel->setup.bytes.data + LINUX_INITRD_SIZE), ==, sizeof(initrd));
    x86_kernel_free(kernel);
    return addr;
}

static void test_initrd(void)
{
    g_autoptr(GByteArray) image = linux_image(0x20f), old = linux_image(0x200);
    X86KernelInput in = input(image);

    g_assert_cmphex(initrd_addr(image, (X86KernelRoom){ RAM, 0x28000 }), ==, 0x7fd6000);
    g_assert_cmphex(initrd_addr(image, (X86KernelRoom){ RAM, 0 }), ==, 0x7ffe000);
    /* 2.03 says how high; before, 0x37ffffff; "above 4 GiB" means: anywhere below it. */
    g_assert_cmphex(initrd_addr(image, (X86KernelRoom){ 3 * GiB, 0 }), ==, 0x7fffe000);
    g_assert_cmphex(initrd_addr(old, (X86KernelRoom){ 3 * GiB, 0 }), ==, 0x37ffe000);
    store_le16(image->data + LINUX_XLOADFLAGS, LINUX_XLF_ABOVE_4G);
    g_assert_cmphex(initrd_addr(image, (X86KernelRoom){ 3 * GiB, 0 }), ==, 0xbfffe000);
    store_le16(image->data + LINUX_XLOADFLAGS, 0);
    in.initrd = (X86Bytes){ initrd, RAM };
    refuse(&in, "initrd is too large");
    in.initrd = (X86Bytes){ initrd, RAM - MiB };
    refuse(&in, "initrd is too large");
}

static void test_video(void)
{
    static const struct {
        const char *cmdline;
        uint16_t mode;
    } cases[] = {
        { "vga=normal", 0xffff }, { "a vga=ext b", 0xfffe }, { "vga=ask", 0xfffd },
        { "vga=0x305", 0x305 },   { "vga=773", 773 },        { "notvga=1", 0 },
    };
    g_autoptr(GByteArray) image = linux_image(0x20f);
    X86KernelInput in = input(image);

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autoptr(X86Kernel) kernel = NULL;

        in.cmdline = cases[i].cmdline;
        kernel = accept(&in);
        g_assert_cmphex(load_le16(kernel->setup.bytes.data + LINUX_VIDEO_MODE), ==,
                        cases[i].mode);
    }
    in.cmdline = "vga=nice";
    refuse(&in, "vga=nice");
}

static void test_dtb(void)
{
    g_autoptr(GByteArray) image = linux_image(0x209), old = linux_image(0x208);
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = NULL;
    uint64_t at;

    in.dtb = (X86Bytes){ initrd, sizeof(initrd) };
    kernel = accept(&in);
    at = load_le64(kernel->setup.bytes.data + LINUX_SETUP_DATA) - kernel->kernel.addr;
    g_assert_cmpuint(at, ==, ROUND_UP(CODE_BYTES, 16));
    g_assert_cmphex(load_le64(kernel->kernel.bytes.data + at), ==, 0);
    g_assert_cmphex(load_le32(kernel->kernel.bytes.data + at + 8), ==, 2);
    g_assert_cmphex(load_le32(kernel->kernel.bytes.data + at + 12), ==, sizeof(initrd));
    g_assert_cmpmem(kernel->kernel.bytes.data + at + 16, sizeof(initrd), initrd, sizeof(initrd));
    in.kernel.data = old->data;
    refuse(&in, "too old to load a dtb");
}

static void test_hostile_linux(void)
{
    g_autoptr(GByteArray) image = linux_image(0x20f);
    g_autofree char *long_line = g_strnfill(70000, 'x');
    X86KernelInput in = input(image);

    in.kernel.size = 100;
    refuse(&in, "no kernel of a known kind");
    in.kernel.size = image->len;
    in.cmdline = long_line;
    refuse(&in, "command line");
    in.cmdline = "";
    image->data[LINUX_SETUP_SECTS] = 255;
    refuse(&in, "setup code");
    image->data[LINUX_SETUP_SECTS] = SETUP_SECTS;
    in.room.ram_below_4g = MiB;
    refuse(&in, "does not fit");
}

static void test_append(void)
{
    g_autoptr(GByteArray) image = linux_image(0x20f);
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = accept(&in);
    g_autofree char *long_text = g_strnfill(70000, 'x');
    g_autoptr(Error) err = NULL;

    g_assert_true(x86_kernel_append(kernel, "virtio_mmio.device=512@0xfeb00e00:12", NULL));
    g_assert_cmpstr((const char *)kernel->cmdline.bytes.data, ==,
                    "console=ttyS0 virtio_mmio.device=512@0xfeb00e00:12");
    g_assert_false(x86_kernel_append(kernel, long_text, &err));
    g_assert_cmpuint(kernel->cmdline.bytes.size, ==, 51);
}

/* --- ELF --- */

/* One segment of 100 bytes and 50 zeros at ENTRY, and a note. */
static GByteArray *elf_image(uint16_t machine, const void *note, size_t note_bytes)
{
    GByteArray *image = g_byte_array_new();
    Elf32_Ehdr head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB,
                                     1 },
                        .e_type = ET_EXEC, .e_machine = machine, .e_entry = ENTRY,
                        .e_phoff = sizeof(head), .e_phentsize = sizeof(Elf32_Phdr),
                        .e_phnum = 2 };
    Elf32_Phdr rows[] = {
        { .p_type = PT_LOAD, .p_offset = 256, .p_paddr = ENTRY, .p_filesz = 100, .p_memsz = 150 },
        { .p_type = PT_NOTE, .p_offset = 512, .p_filesz = note_bytes, .p_memsz = note_bytes },
    };

    g_byte_array_set_size(image, 512 + note_bytes);
    memset(image->data, 0xee, image->len);
    memcpy(image->data, &head, sizeof(head));
    memcpy(image->data + sizeof(head), rows, sizeof(rows));
    memcpy(image->data + 512, note, note_bytes);
    return image;
}

typedef struct XenNote {
    uint32_t name_bytes, content_bytes, type;
    char name[4];
    uint32_t entry;
} XenNote;
static const XenNote xen_note = { 4, 4, 18, "Xen", ENTRY + 16 };

static void test_pvh(void)
{
    g_autoptr(GByteArray) image = elf_image(EM_X86_64, &xen_note, sizeof(xen_note));
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = NULL;

    in.initrd = (X86Bytes){ initrd, sizeof(initrd) };
    kernel = accept(&in);
    g_assert_cmpint(kernel->kind, ==, X86_KERNEL_PVH);
    g_assert_cmphex(kernel->entry, ==, ENTRY + 16);
    g_assert_cmphex(kernel->kernel.addr, ==, ENTRY);
    g_assert_cmpuint(kernel->kernel.bytes.size, ==, 150);
    g_assert_cmphex(kernel->initrd.addr, ==, 0x7fd6000);
    g_assert_cmpstr(x86_kernel_rom_name(kernel), ==, "pvh.bin");
}

static void test_hostile_pvh(void)
{
    XenNote note = xen_note;
    g_autoptr(GByteArray) image = elf_image(EM_386, &note, sizeof(note));
    X86KernelInput in = input(image);
    Elf32_Phdr *rows = (Elf32_Phdr *)(image->data + sizeof(Elf32_Ehdr));
    XenNote *in_file = (XenNote *)(image->data + 512);

    in_file->entry = ENTRY + 150;
    refuse(&in, "in none of its segments");
    *in_file = xen_note;
    in_file->content_bytes = 400;
    refuse(&in, "without PVH ELF Note");
    in_file->content_bytes = UINT32_MAX;
    refuse(&in, "without PVH ELF Note");
    in_file->content_bytes = 2;
    refuse(&in, "2 bytes");
    *in_file = xen_note;
    in_file->name_bytes = UINT32_MAX;
    refuse(&in, "without PVH ELF Note");
    *in_file = xen_note;
    rows[0].p_paddr = RAM - 100;
    refuse(&in, "not in the");
    rows[0].p_paddr = ENTRY;
    rows[0].p_memsz = UINT32_MAX;
    refuse(&in, "not in the");
    rows[0].p_memsz = 150;
    rows[0].p_filesz = 151;
    refuse(&in, "outside the file");
    rows[0].p_filesz = 100;
    ((Elf32_Ehdr *)image->data)->e_machine = EM_ARM;
    refuse(&in, "another machine");
}

/* --- multiboot --- */

typedef struct MultibootHeader {
    uint32_t magic, flags, sum, header, load, load_end, bss_end, entry;
} MultibootHeader;

static void put_header(uint8_t *at, uint32_t flags)
{
    MultibootHeader header = { 0x1badb002, flags, -(0x1badb002 + flags),
                               ENTRY + 64, ENTRY, 0, 0, ENTRY + 100 };

    memcpy(at, &header, sizeof(header));
}

static const X86Module modules[] = { { { initrd, sizeof(initrd) }, "a b" },
                                     { { initrd, 1 }, "c" } };

static uint32_t info_word(const X86Kernel *kernel, unsigned at)
{
    return load_le32(kernel->initrd.bytes.data + at);
}

static const void *at_address(const X86Kernel *kernel, uint64_t addr)
{
    g_assert_cmphex(addr, >=, kernel->kernel.addr);
    g_assert_cmphex(addr, <, kernel->kernel.addr + kernel->kernel.bytes.size);
    return kernel->kernel.bytes.data + (addr - kernel->kernel.addr);
}

static void check_modules(const X86Kernel *kernel)
{
    const uint8_t *list = at_address(kernel, info_word(kernel, MULTIBOOT_MODULES));

    g_assert_cmpuint(info_word(kernel, MULTIBOOT_MODULE_COUNT), ==, 2);
    for (unsigned i = 0; i < 2; i++, list += MULTIBOOT_MODULE_BYTES) {
        g_assert_cmphex(load_le32(list) % 4096, ==, 0);
        g_assert_cmpuint(load_le32(list + 4) - load_le32(list), ==, modules[i].bytes.size);
        g_assert_cmpmem(at_address(kernel, load_le32(list)), modules[i].bytes.size, initrd,
                        modules[i].bytes.size);
        g_assert_cmpstr(at_address(kernel, load_le32(list + 8)), ==, modules[i].cmdline);
    }
}

static void test_multiboot(void)
{
    for (int by_address = 0; by_address < 2; by_address++) {
        g_autoptr(GByteArray) image = elf_image(EM_386, "", 0);
        X86KernelInput in = input(image);
        g_autoptr(X86Kernel) kernel = NULL;

        put_header(image->data + 256 + 64, by_address ? 0x10003 : 3);
        in.modules = modules;
        in.module_count = 2;
        kernel = accept(&in);
        g_assert_cmpint(kernel->kind, ==, X86_KERNEL_MULTIBOOT);
        g_assert_cmphex(kernel->entry, ==, by_address ? ENTRY + 100 : ENTRY);
        g_assert_cmphex(kernel->kernel.addr, ==, ENTRY);
        g_assert_cmphex(load_le32(at_address(kernel, ENTRY + 64)), ==, 0x1badb002);
        g_assert_cmphex(load_le32(at_address(kernel, ENTRY + 96)), ==, 0xeeeeeeee);
        if (!by_address) {
            g_assert_cmphex(load_le32(at_address(kernel, ENTRY + 104)), ==, 0);
        }
        g_assert_cmpstr(at_address(kernel, info_word(kernel, MULTIBOOT_CMDLINE)), ==,
                        "kernel console=ttyS0");
        g_assert_cmphex(info_word(kernel, MULTIBOOT_FLAGS), ==, 0x24f);
        check_modules(kernel);
    }
}

static void test_hostile_multiboot(void)
{
    g_autoptr(GByteArray) image = elf_image(EM_386, "", 0);
    X86KernelInput in = input(image);
    MultibootHeader *header = (MultibootHeader *)(image->data + 320);
    const X86Module huge = { { initrd, RAM }, "" };

    put_header(image->data + 320, 0x10003);
    header->load = ENTRY + 65;
    refuse(&in, "contradict");
    header->load = ENTRY - 400;
    refuse(&in, "contradict");
    header->load = ENTRY;
    header->load_end = ENTRY + 10000;
    refuse(&in, "contradict");
    header->load_end = ENTRY + 100;
    header->bss_end = ENTRY + 99;
    refuse(&in, "contradict");
    header->bss_end = UINT32_MAX;
    refuse(&in, "not in the usable");
    put_header(image->data + 320, 0x10003);
    in.modules = &huge;
    in.module_count = 1;
    refuse(&in, "behind the RAM");
    put_header(image->data + 320, 0x8);
    refuse(&in, "unknown things");
    put_header(image->data + 320, 3);
    ((Elf32_Ehdr *)image->data)->e_machine = EM_X86_64;
    refuse(&in, "give a 32bit one");
    ((Elf32_Ehdr *)image->data)->e_machine = EM_386;
    ((Elf32_Ehdr *)image->data)->e_phnum = 0;
    refuse(&in, "it loads nothing");
}

static void test_module_list(void)
{
    const char *list = "a b,c,,d e,";
    g_autofree char *first = x86_module_next(&list), *second = x86_module_next(&list);

    g_assert_cmpstr(first, ==, "a b");
    g_assert_cmpstr(second, ==, "c,d e");
    g_assert_cmpstr(list, ==, "");
}

/* --- without firmware --- */

static const X86Blob *piece_at(const X86DirectBoot *boot, uint64_t addr)
{
    for (guint i = 0; i < boot->pieces->len; i++) {
        const X86Blob *piece = &g_array_index(boot->pieces, X86Blob, i);

        if (addr >= piece->addr && addr - piece->addr < piece->bytes.size) {
            return piece;
        }
    }
    g_error("nothing at 0x%" PRIx64, addr);
}

static uint64_t word_at(const X86DirectBoot *boot, uint64_t addr, unsigned bytes)
{
    const X86Blob *piece = piece_at(boot, addr);

    return load_bytes(piece->bytes.data + (addr - piece->addr), bytes, ENDIAN_LITTLE);
}

static void start(const X86Kernel *kernel, X86DirectBoot *boot)
{
    g_autoptr(E820) memory = e820_new();
    X86DirectRoom room = { .memory = memory, .rsdp = 0xe0000 };

    e820_add(memory, 0, 0x9fc00, E820_RAM);
    e820_add(memory, MiB, RAM - MiB, E820_RAM);
    g_assert_true(x86_direct_boot(kernel, &room, boot, NULL));
}

static void test_direct_linux(void)
{
    g_autoptr(GByteArray) image = linux_image(0x20f);
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = NULL;
    X86DirectBoot boot;

    store_le16(image->data + LINUX_XLOADFLAGS, LINUX_XLF_KERNEL_64);
    in.initrd = (X86Bytes){ initrd, sizeof(initrd) };
    kernel = accept(&in);
    start(kernel, &boot);
    g_assert_true(boot.state.is_long_mode);
    g_assert_cmphex(boot.state.rip, ==, 0x100200);
    g_assert_cmphex(boot.state.rsi, ==, 0x7000);
    g_assert_cmphex(boot.state.rsp, ==, 0x8ff0);
    g_assert_cmphex(boot.state.cr0, ==, 0x80000011);
    g_assert_cmphex(boot.state.cr3, ==, 0x9000);
    g_assert_cmphex(boot.state.cr4, ==, 0x20);
    g_assert_cmphex(boot.state.efer, ==, 0x500);
    g_assert_cmphex(word_at(&boot, 0x9000, 8), ==, 0xa003);
    g_assert_cmphex(word_at(&boot, 0xa000, 8), ==, 0xb003);
    g_assert_cmphex(word_at(&boot, 0xb000 + 511 * 8, 8), ==, 0x3fe00083);
    g_assert_cmphex(word_at(&boot, boot.state.gdt_base + boot.state.code.selector, 8), ==,
                    boot.state.code.descriptor);
    g_assert_cmphex(word_at(&boot, 0x7070, 8), ==, 0xe0000);
    g_assert_cmpuint(word_at(&boot, 0x71e8, 1), ==, 2);
    g_assert_cmphex(word_at(&boot, 0x72d0 + 8, 8), ==, 0x9fc00);
    g_assert_cmphex(word_at(&boot, 0x7228, 4), ==, 0x20000);
    g_assert_cmphex(word_at(&boot, 0x7218, 4), ==, kernel->initrd.addr);
    g_assert_cmphex(word_at(&boot, 0x20000, 4), ==, 0x736e6f63);
    g_assert_cmphex(word_at(&boot, kernel->initrd.addr, 4), ==, 0x74696e69);
    g_assert_cmphex(word_at(&boot, 0x100000, 4), ==, 0xcccccccc);
    x86_direct_boot_clear(&boot);
}

static void test_direct_linux_32(void)
{
    g_autoptr(GByteArray) image = linux_image(0x20b), old = linux_image(0x201);
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = accept(&in), old_kernel = NULL;
    g_autoptr(E820) memory = e820_new();
    g_autoptr(Error) err = NULL;
    X86DirectBoot boot;

    start(kernel, &boot);
    g_assert_false(boot.state.is_long_mode);
    g_assert_cmphex(boot.state.rip, ==, 0x100000);
    g_assert_cmphex(boot.state.cr0, ==, 0x11);
    g_assert_cmphex(boot.state.rsi, ==, 0x7000);
    x86_direct_boot_clear(&boot);
    in.kernel.data = old->data;
    old_kernel = accept(&in);
    g_assert_false(x86_direct_boot(old_kernel, &(X86DirectRoom){ memory, 0 }, &boot, &err));
    g_assert_nonnull(strstr(error_text(err), "too old"));
}

static void test_direct_pvh(void)
{
    g_autoptr(GByteArray) image = elf_image(EM_X86_64, &xen_note, sizeof(xen_note));
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = NULL;
    X86DirectBoot boot;

    in.initrd = (X86Bytes){ initrd, sizeof(initrd) };
    kernel = accept(&in);
    start(kernel, &boot);
    g_assert_cmphex(boot.state.rip, ==, ENTRY + 16);
    g_assert_cmphex(boot.state.rbx, ==, 0x6000);
    g_assert_cmphex(boot.state.cr0, ==, 0x11);
    g_assert_cmphex(boot.state.cr4, ==, 0);
    g_assert_cmphex(boot.state.rflags, ==, 2);
    g_assert_cmphex(word_at(&boot, 0x6000, 4), ==, 0x336ec578);
    g_assert_cmphex(word_at(&boot, 0x6000 + 32, 8), ==, 0xe0000);
    g_assert_cmphex(word_at(&boot, word_at(&boot, 0x6010, 8), 8), ==, kernel->initrd.addr);
    g_assert_cmphex(word_at(&boot, word_at(&boot, 0x6018, 8), 4), ==, 0x736e6f63);
    g_assert_cmphex(word_at(&boot, ENTRY, 4), ==, 0xeeeeeeee);
    g_assert_null(piece_at(&boot, ENTRY + 100)->bytes.data);
    x86_direct_boot_clear(&boot);
}

static void test_direct_multiboot(void)
{
    g_autoptr(GByteArray) image = elf_image(EM_386, "", 0);
    X86KernelInput in = input(image);
    g_autoptr(X86Kernel) kernel = NULL;
    X86DirectBoot boot;

    put_header(image->data + 320, 3);
    kernel = accept(&in);
    start(kernel, &boot);
    g_assert_cmphex(boot.state.rip, ==, ENTRY);
    g_assert_cmphex(boot.state.rax, ==, 0x2badb002);
    g_assert_cmphex(boot.state.rbx, ==, 0x9500);
    g_assert_cmpuint(word_at(&boot, 0x9500 + MULTIBOOT_MEM_LOWER, 4), ==, 639);
    g_assert_cmpuint(word_at(&boot, 0x9500 + MULTIBOOT_MEM_UPPER, 4), ==, 127 * 1024);
    g_assert_cmpuint(word_at(&boot, 0x9500 + MULTIBOOT_MAP_BYTES, 4), ==, 48);
    g_assert_cmphex(word_at(&boot, 0x9000 + 24 + 4, 8), ==, MiB);
    x86_direct_boot_clear(&boot);
}

/* --- option ROMs --- */

static uint8_t sum(const uint8_t *bytes, size_t size)
{
    uint8_t total = 0;

    while (size--) {
        total += *bytes++;
    }
    return total;
}

static void test_roms(void)
{
    static const char *const names[] = { "linuxboot_dma.bin", "multiboot_dma.bin", "pvh.bin" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        X86Bytes rom = x86_option_rom(names[i]);
        const uint8_t *pnp = rom.data + load_le16(rom.data + 0x1a);

        g_assert_cmphex(load_le16(rom.data), ==, 0xaa55);
        g_assert_cmpuint(rom.data[2] * 512, ==, rom.size);
        g_assert_cmpuint(sum(rom.data, rom.size), ==, 0);
        g_assert_cmpmem(pnp, 4, "$PnP", 4);
        g_assert_cmpuint(sum(pnp, pnp[5] * 16), ==, 0);
        g_assert_cmpuint(load_le16(pnp + 0x1a), >, 0x20); /* bootstrap entry vector */
        g_assert_cmpuint(load_le16(pnp + 0x1a), <, rom.size);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel/linux/versions", test_versions);
    g_test_add_func("/kernel/linux/initrd", test_initrd);
    g_test_add_func("/kernel/linux/video", test_video);
    g_test_add_func("/kernel/linux/dtb", test_dtb);
    g_test_add_func("/kernel/linux/hostile", test_hostile_linux);
    g_test_add_func("/kernel/linux/append", test_append);
    g_test_add_func("/kernel/pvh/places", test_pvh);
    g_test_add_func("/kernel/pvh/hostile", test_hostile_pvh);
    g_test_add_func("/kernel/multiboot/places", test_multiboot);
    g_test_add_func("/kernel/multiboot/hostile", test_hostile_multiboot);
    g_test_add_func("/kernel/multiboot/list", test_module_list);
    g_test_add_func("/kernel/direct/linux", test_direct_linux);
    g_test_add_func("/kernel/direct/linux-32", test_direct_linux_32);
    g_test_add_func("/kernel/direct/pvh", test_direct_pvh);
    g_test_add_func("/kernel/direct/multiboot", test_direct_multiboot);
    g_test_add_func("/kernel/roms", test_roms);
    return g_test_run();
}
