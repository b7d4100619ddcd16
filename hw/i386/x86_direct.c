/*
 * Kernels entered without firmware: Linux by the 64-bit boot protocol, or the 32-bit one where it
 * has no other; PVH; multiboot. See x86_direct.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "util/byte_order.h"
#include "x86_direct.h"
#include "x86_linux.h"
#include "x86_multiboot.h"

/* Below 640 KiB, where nothing else of ours is. */
#define GDT_ADDR         0x500
#define PVH_INFO_ADDR    0x6000
#define PVH_INFO_MAX     0x1000
#define BOOT_PARAMS_ADDR 0x7000
#define STACK_ADDR       0x8ff0
#define PAGE_TABLES_ADDR 0x9000
#define CMDLINE_ADDR     0x20000

/* Selectors as Linux's boot protocol wants them; the others do not care. */
#define CODE_SELECTOR 0x10
#define DATA_SELECTOR 0x18
#define TSS_SELECTOR  0x20
#define CODE_32       UINT64_C(0x00cf9b000000ffff)
#define CODE_64       UINT64_C(0x00af9b000000ffff)
#define DATA_FLAT     UINT64_C(0x00cf93000000ffff)
#define TSS_BUSY      UINT64_C(0x00008b0000000067)

#define CR0_PE   BIT64(0)
#define CR0_ET   BIT64(4)
#define CR0_PG   BIT64(31)
#define CR4_PAE  BIT64(5)
#define EFER_LME BIT64(8)
#define EFER_LMA BIT64(10)
#define RFLAGS_ALWAYS 0x2

#define PTE_PRESENT_WRITABLE 0x3
#define PTE_LARGE            0x80
#define PTE_ENTRIES          512
#define PAGE_BYTES           4096

/* --- pieces --- */

static void add_piece(X86DirectBoot *boot, uint64_t addr, X86Bytes bytes)
{
    X86Blob piece = { addr, bytes };

    if (bytes.size) {
        g_array_append_val(boot->pieces, piece);
    }
}

/* Zeros to be filled. */
static uint8_t *add_new(X86DirectBoot *boot, uint64_t addr, size_t size)
{
    uint8_t *bytes = g_malloc0(size);

    g_ptr_array_add(boot->owned, bytes);
    add_piece(boot, addr, (X86Bytes){ bytes, size });
    return bytes;
}

static void add_array(X86DirectBoot *boot, uint64_t addr, GByteArray *array)
{
    size_t size = array->len;
    uint8_t *bytes = g_byte_array_free(array, FALSE);

    g_ptr_array_add(boot->owned, bytes);
    add_piece(boot, addr, (X86Bytes){ bytes, size });
}

static void add_kernel(X86DirectBoot *boot, const X86Kernel *kernel)
{
    if (kernel->kind != X86_KERNEL_PVH) {
        add_piece(boot, kernel->kernel.addr, kernel->kernel.bytes);
    }
    for (guint i = 0; kernel->elf.segments && i < kernel->elf.segments->len; i++) {
        const ElfSegment *s = &g_array_index(kernel->elf.segments, ElfSegment, i);

        add_piece(boot, s->addr, (X86Bytes){ s->bytes, s->file_bytes });
        add_piece(boot, s->addr + s->file_bytes,
                  (X86Bytes){ NULL, s->memory_bytes - s->file_bytes });
    }
}

/* --- registers --- */

static void start_protected(X86DirectBoot *boot, uint64_t rip, uint64_t code)
{
    uint64_t gdt[] = { 0, 0, code, DATA_FLAT, TSS_BUSY, 0 };
    uint8_t *bytes = add_new(boot, GDT_ADDR, sizeof(gdt));

    for (size_t i = 0; i < ARRAY_SIZE(gdt); i++) {
        store_le64(bytes + 8 * i, gdt[i]);
    }
    boot->state = (X86StartState){
        .rip = rip,
        .rsp = STACK_ADDR,
        .rflags = RFLAGS_ALWAYS,
        .cr0 = CR0_PE | CR0_ET,
        .code = { CODE_SELECTOR, code },
        .data = { DATA_SELECTOR, DATA_FLAT },
        .tss = { TSS_SELECTOR, TSS_BUSY },
        .gdt_base = GDT_ADDR,
        .gdt_limit = sizeof(gdt) - 1,
    };
}

/* The first GiB at its own addresses, in pages of 2 MiB. */
static void start_long_mode(X86DirectBoot *boot, uint64_t rip)
{
    uint8_t *tables = add_new(boot, PAGE_TABLES_ADDR, 3 * PAGE_BYTES);

    store_le64(tables, (PAGE_TABLES_ADDR + PAGE_BYTES) | PTE_PRESENT_WRITABLE);
    store_le64(tables + PAGE_BYTES, (PAGE_TABLES_ADDR + 2 * PAGE_BYTES) | PTE_PRESENT_WRITABLE);
    for (uint64_t i = 0; i < PTE_ENTRIES; i++) {
        store_le64(tables + 2 * PAGE_BYTES + 8 * i, i << 21 | PTE_LARGE | PTE_PRESENT_WRITABLE);
    }
    start_protected(boot, rip, CODE_64);
    boot->state.is_long_mode = true;
    boot->state.cr0 |= CR0_PG;
    boot->state.cr3 = PAGE_TABLES_ADDR;
    boot->state.cr4 = CR4_PAE;
    boot->state.efer = EFER_LME | EFER_LMA;
}

/* --- Linux --- */

static void fill_boot_params(const X86Kernel *kernel, const X86DirectRoom *room, uint8_t *params)
{
    const uint8_t *setup = kernel->setup.bytes.data;
    size_t header_end = MIN(LINUX_MAGIC + setup[LINUX_MAGIC - 1], LINUX_HEADER_END);
    g_autoptr(GByteArray) map = e820_bytes(room->memory);

    memcpy(params + LINUX_SETUP_SECTS, setup + LINUX_SETUP_SECTS, header_end - LINUX_SETUP_SECTS);
    store_le64(params + BOOT_PARAMS_RSDP, room->rsdp);
    params[BOOT_PARAMS_E820_COUNT] = map->len / E820_ENTRY_BYTES;
    memcpy(params + BOOT_PARAMS_E820, map->data, map->len);
}

bool x86_can_start_directly(const X86Kernel *kernel)
{
    const uint8_t *setup = kernel->setup.bytes.data;

    return kernel->kind != X86_KERNEL_LINUX ||
           (!memcmp(setup + LINUX_MAGIC, "HdrS", 4) && load_le16(setup + LINUX_VERSION) >= 0x202 &&
            (setup[LINUX_LOADFLAGS] & LINUX_LOADED_HIGH));
}

static bool start_linux(const X86Kernel *kernel, const X86DirectRoom *room, X86DirectBoot *boot,
                        Error **errp)
{
    const uint8_t *setup = kernel->setup.bytes.data;
    uint16_t protocol = load_le16(setup + LINUX_VERSION);

    if (!x86_can_start_directly(kernel)) {
        return error_set(errp, "the kernel is too old to be started without firmware");
    }
    if (e820_count(room->memory) > BOOT_PARAMS_E820_MAX) {
        return error_set(errp, "the memory map has %u rows, more than %d",
                         e820_count(room->memory), BOOT_PARAMS_E820_MAX);
    }
    fill_boot_params(kernel, room, add_new(boot, BOOT_PARAMS_ADDR, BOOT_PARAMS_BYTES));
    if (protocol >= 0x20c && (load_le16(setup + LINUX_XLOADFLAGS) & LINUX_XLF_KERNEL_64)) {
        start_long_mode(boot, kernel->kernel.addr + LINUX_ENTRY_64);
    } else {
        start_protected(boot, kernel->kernel.addr, CODE_32);
    }
    boot->state.rsi = BOOT_PARAMS_ADDR;
    add_piece(boot, kernel->cmdline.addr, kernel->cmdline.bytes);
    add_piece(boot, kernel->initrd.addr, kernel->initrd.bytes);
    return true;
}

/* --- PVH --- */

static bool start_pvh(const X86Kernel *kernel, const X86DirectRoom *room, X86DirectBoot *boot,
                      Error **errp)
{
    const PvhModule initrd = { kernel->initrd.addr, kernel->initrd.bytes.size, 0 };
    GByteArray *info = pvh_start_info(&(PvhStart){
        .address = PVH_INFO_ADDR,
        .cmdline = CMDLINE_ADDR,
        .rsdp = room->rsdp,
        .modules = &initrd,
        .module_count = initrd.bytes ? 1 : 0,
        .memory = room->memory,
    });

    if (info->len > PVH_INFO_MAX) {
        g_byte_array_unref(info);
        return error_set(errp, "the memory map has %u rows, too many", e820_count(room->memory));
    }
    add_array(boot, PVH_INFO_ADDR, info);
    add_piece(boot, CMDLINE_ADDR, kernel->cmdline.bytes);
    add_piece(boot, kernel->initrd.addr, kernel->initrd.bytes);
    start_protected(boot, kernel->entry, CODE_32);
    boot->state.rbx = PVH_INFO_ADDR;
    return true;
}

/* --- multiboot --- */

/* KiB from `base` up to the first hole. */
static uint32_t ram_kib(const GByteArray *map, uint64_t base)
{
    for (guint at = 0; at < map->len; at += E820_ENTRY_BYTES) {
        uint64_t start = load_le64(map->data + at), bytes = load_le64(map->data + at + 8);

        if (load_le32(map->data + at + 16) == E820_RAM && start <= base && base - start < bytes) {
            return MIN((bytes - (base - start)) / KiB, UINT32_MAX);
        }
    }
    return 0;
}

static bool start_multiboot(const X86Kernel *kernel, const X86DirectRoom *room,
                            X86DirectBoot *boot, Error **errp)
{
    g_autoptr(GByteArray) map = e820_bytes(room->memory);
    unsigned rows = map->len / E820_ENTRY_BYTES;
    uint8_t *info, *table;

    if (rows * MULTIBOOT_MAP_ROW_BYTES > MULTIBOOT_INFO_ADDR - MULTIBOOT_MAP_ADDR) {
        return error_set(errp, "the memory map has %u rows, too many", rows);
    }
    table = add_new(boot, MULTIBOOT_MAP_ADDR, rows * MULTIBOOT_MAP_ROW_BYTES);
    for (unsigned i = 0; i < rows; i++) {
        store_le32(table + i * MULTIBOOT_MAP_ROW_BYTES, E820_ENTRY_BYTES);
        memcpy(table + i * MULTIBOOT_MAP_ROW_BYTES + 4, map->data + i * E820_ENTRY_BYTES,
               E820_ENTRY_BYTES);
    }
    info = add_new(boot, MULTIBOOT_INFO_ADDR, MULTIBOOT_INFO_BYTES);
    memcpy(info, kernel->initrd.bytes.data, MULTIBOOT_INFO_BYTES);
    store_le32(info + MULTIBOOT_MEM_LOWER, ram_kib(map, 0));
    store_le32(info + MULTIBOOT_MEM_UPPER, ram_kib(map, MiB));
    store_le32(info + MULTIBOOT_MAP_BYTES, rows * MULTIBOOT_MAP_ROW_BYTES);
    start_protected(boot, kernel->entry, CODE_32);
    boot->state.rax = MULTIBOOT_BOOT_MAGIC;
    boot->state.rbx = MULTIBOOT_INFO_ADDR;
    return true;
}

bool x86_direct_boot(const X86Kernel *kernel, const X86DirectRoom *room, X86DirectBoot *boot,
                     Error **errp)
{
    static bool (*const starts[])(const X86Kernel *, const X86DirectRoom *, X86DirectBoot *,
                                  Error **) = {
        [X86_KERNEL_LINUX] = start_linux,
        [X86_KERNEL_PVH] = start_pvh,
        [X86_KERNEL_MULTIBOOT] = start_multiboot,
    };

    *boot = (X86DirectBoot){ .pieces = g_array_new(FALSE, FALSE, sizeof(X86Blob)),
                             .owned = g_ptr_array_new_with_free_func(g_free) };
    if (!starts[kernel->kind](kernel, room, boot, errp)) {
        x86_direct_boot_clear(boot);
        return false;
    }
    add_kernel(boot, kernel);
    return true;
}

void x86_direct_boot_clear(X86DirectBoot *boot)
{
    g_array_unref(boot->pieces);
    g_ptr_array_unref(boot->owned);
}
