/*
 * Page tables in an array of RAM: what addresses mean in every kind of paging, which bits are set
 * on the way, what is refused and with which error code. SDM volume 3, chapter 4.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/machine_lock.h"
#include "target/i386/control.h"
#include "target/i386/memory.h"

#define RAM_BYTES 0x40000
#define ROOT      0x1000 /* and the levels below in the pages after it */
#define P   UINT64_C(1)
#define W   UINT64_C(2)
#define U   UINT64_C(4)
#define A   UINT64_C(0x20)
#define D   UINT64_C(0x40)
#define PS  UINT64_C(0x80)
#define NX  BIT64(63)

static MemoryRegion ram;
static uint8_t *host;
static X86Cpu *cpu;

static void put(uint64_t at, unsigned bytes, uint64_t value)
{
    memcpy(host + at, &value, bytes);
}

static uint64_t get(uint64_t at, unsigned bytes)
{
    uint64_t value = 0;

    memcpy(&value, host + at, bytes);
    return value;
}

static void start(uint64_t cr4, uint64_t efer)
{
    X86State *s = &cpu->state;

    memset(host, 0, RAM_BYTES);
    s->cr0 = CR0_PE | CR0_PG | CR0_WP;
    s->cr4 = cr4;
    s->efer = efer;
    s->cr3 = ROOT;
    s->pkru = 0;
    x86_update_mode(cpu);
}

/* Tables for one page at `linear`: `levels` of them, each entry with these bits. */
static void map(unsigned levels, uint64_t linear, uint64_t upper, uint64_t last)
{
    for (unsigned level = levels - 1; level > 0; level--) {
        uint64_t table = ROOT + (levels - 1 - level) * 0x1000;
        unsigned index = linear >> (12 + 9 * level) & 511;

        put(table + 8 * index, 8, (table + 0x1000) | upper);
    }
    put(ROOT + (levels - 1) * 0x1000 + 8 * (linear >> 12 & 511), 8, last);
}

static uint32_t fault(uint64_t linear, X86Access access, X86Mmu mmu)
{
    X86Page page;

    g_assert_false(x86_walk(cpu, linear, access, mmu, &page));
    return page.error;
}

static X86Page walk(uint64_t linear, X86Access access, X86Mmu mmu)
{
    X86Page page;

    g_assert_true(x86_walk(cpu, linear, access, mmu, &page));
    return page;
}

static void test_off(void)
{
    X86Page page;

    start(0, 0);
    cpu->state.cr0 = CR0_PE;
    page = walk(0x12345, X86_WRITE, X86_MMU_USER);
    g_assert_cmphex(page.physical, ==, 0x12345);
    g_assert_true(page.is_readable && page.is_writable && page.is_executable);
    cpu->is_a20_masked = true;
    g_assert_cmphex(walk(0x112345, X86_READ, X86_MMU_SUPERVISOR).physical, ==, 0x12345);
    cpu->is_a20_masked = false;
}

static void test_32bit(void)
{
    X86Page page;

    start(CR4_PSE, 0);
    put(ROOT + 4 * 1, 4, 0x2000 | P | W | U);
    put(0x2000 + 4 * 5, 4, 0x9000 | P | U);
    page = walk(0x405123, X86_READ, X86_MMU_USER);
    g_assert_cmphex(page.physical, ==, 0x9123);
    g_assert_false(page.is_writable);
    g_assert_cmphex(get(ROOT + 4, 4), ==, 0x2000 | P | W | U | A);
    g_assert_cmphex(get(0x2014, 4), ==, 0x9000 | P | U | A);
    g_assert_cmphex(fault(0x405123, X86_WRITE, X86_MMU_USER), ==,
                    PF_PRESENT | PF_WRITE | PF_USER);
    g_assert_cmphex(fault(0x406000, X86_READ, X86_MMU_SUPERVISOR), ==, 0);
    /* 4 MiB, with bits 32 to 39 of the address; bit 21 is reserved. */
    put(ROOT + 4 * 2, 4, 0x00400000 | 0x3 << 13 | PS | P | W);
    page = walk(0x812345, X86_WRITE, X86_MMU_SUPERVISOR);
    g_assert_cmphex(page.physical, ==, UINT64_C(0x300412345));
    g_assert_cmpuint(page.bits, ==, 22);
    g_assert_cmphex(get(ROOT + 8, 4) & (A | D), ==, A | D);
    put(ROOT + 4 * 2, 4, 0x00600000 | PS | P);
    g_assert_cmphex(fault(0x812345, X86_READ, X86_MMU_SUPERVISOR), ==,
                    PF_PRESENT | PF_RESERVED);
}

static void test_dirty(void)
{
    start(CR4_PAE, EFER_LMA | EFER_LME | EFER_NXE);
    map(4, 0x7000, P | W | U, 0x8000 | P | W | U);
    /* The first write is to come here again: it has a bit to set. */
    g_assert_false(walk(0x7010, X86_READ, X86_MMU_USER).is_writable);
    g_assert_cmphex(get(ROOT + 0x3000 + 8 * 7, 8) & (A | D), ==, A);
    g_assert_true(walk(0x7010, X86_WRITE, X86_MMU_USER).is_writable);
    g_assert_cmphex(get(ROOT + 0x3000 + 8 * 7, 8) & (A | D), ==, A | D);
    g_assert_true(walk(0x7010, X86_READ, X86_MMU_USER).is_writable);
}

static void test_rights(void)
{
    uint32_t all = PF_PRESENT | PF_FETCH;

    start(CR4_PAE | CR4_SMEP | CR4_SMAP, EFER_LMA | EFER_LME | EFER_NXE);
    map(4, 0x7000, P | W | U, 0x8000 | P | U | NX);
    g_assert_cmphex(fault(0x7000, X86_EXECUTE, X86_MMU_USER), ==, all | PF_USER);
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_SUPERVISOR_SMAP), ==, PF_PRESENT);
    g_assert_true(walk(0x7000, X86_READ, X86_MMU_SUPERVISOR).is_readable);
    /* CR0.WP decides for the supervisor. */
    g_assert_cmphex(fault(0x7000, X86_WRITE, X86_MMU_SUPERVISOR), ==, PF_PRESENT | PF_WRITE);
    cpu->state.cr0 &= ~(uint64_t)CR0_WP;
    g_assert_true(walk(0x7000, X86_WRITE, X86_MMU_SUPERVISOR).is_writable);
    /* SMEP. */
    map(4, 0x7000, P | W | U, 0x8000 | P | W | U);
    g_assert_cmphex(fault(0x7000, X86_EXECUTE, X86_MMU_SUPERVISOR), ==, all);
    g_assert_true(walk(0x7000, X86_EXECUTE, X86_MMU_USER).is_executable);
    /* A level without U makes it the supervisor's. */
    map(4, 0x7000, P | W, 0x8000 | P | W | U);
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_USER), ==, PF_PRESENT | PF_USER);
}

static void test_reserved(void)
{
    uint32_t bad = PF_PRESENT | PF_RESERVED;

    start(CR4_PAE, EFER_LMA | EFER_LME);
    /* NX is reserved while EFER.NXE is clear; so are addresses the CPU does not have. */
    map(4, 0x7000, P | W | U, 0x8000 | P | NX);
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_SUPERVISOR), ==, bad);
    map(4, 0x7000, P | W | U, 0x8000 | P | BIT64(45));
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_SUPERVISOR), ==, bad);
    /* A large page that is not aligned to its size. */
    map(4, 0x7000, P | W | U, 0x8000 | P);
    put(ROOT + 0x2000, 8, 0x202000 | PS | P);
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_SUPERVISOR), ==, bad);
    put(ROOT, 8, (ROOT + 0x1000) | P | PS);
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_SUPERVISOR), ==, bad);
}

static void test_large(void)
{
    X86Page page;

    start(CR4_PAE | CR4_PGE, EFER_LMA | EFER_LME);
    map(4, 0x234567, P | W | U, 0);
    put(ROOT + 0x2000 + 8, 8, 0x400000 | PS | P | W | BIT64(8));
    page = walk(0x234567, X86_WRITE, X86_MMU_SUPERVISOR);
    g_assert_cmphex(page.physical, ==, 0x434567);
    g_assert_cmpuint(page.bits, ==, 21);
    g_assert_true(page.is_global);
    put(ROOT + 0x1000, 8, UINT64_C(0x40000000) | PS | P);
    page = walk(0x234567, X86_READ, X86_MMU_SUPERVISOR);
    g_assert_cmphex(page.physical, ==, 0x40234567);
    g_assert_cmpuint(page.bits, ==, 30);
}

static void test_five_levels(void)
{
    uint64_t linear = UINT64_C(0xff00123400007000);

    start(CR4_PAE | CR4_LA57, EFER_LMA | EFER_LME);
    g_assert_true(x86_is_canonical(&cpu->state, linear));
    map(5, linear, P | W, 0x9000 | P);
    g_assert_cmphex(walk(linear + 5, X86_READ, X86_MMU_SUPERVISOR).physical, ==, 0x9005);
    cpu->state.cr4 &= ~(uint64_t)CR4_LA57;
    g_assert_false(x86_is_canonical(&cpu->state, linear));
}

static void test_keys(void)
{
    start(CR4_PAE | CR4_PKE, EFER_LMA | EFER_LME);
    map(4, 0x7000, P | W | U, 0x8000 | P | W | U | UINT64_C(3) << 59);
    cpu->state.pkru = 2 << 6; /* no writes with key 3 */
    g_assert_true(walk(0x7000, X86_READ, X86_MMU_USER).is_readable);
    g_assert_cmphex(fault(0x7000, X86_WRITE, X86_MMU_USER), ==,
                    PF_PRESENT | PF_WRITE | PF_USER | PF_KEY);
    cpu->state.pkru = 1 << 6;
    g_assert_cmphex(fault(0x7000, X86_READ, X86_MMU_USER), ==, PF_PRESENT | PF_USER | PF_KEY);
    g_assert_true(walk(0x7000, X86_EXECUTE, X86_MMU_USER).is_executable);
}

/* Only a change of the keys that pages have makes what is known of them wrong. */
static void test_key_changes(void)
{
    start(CR4_PAE | CR4_PKE, EFER_LMA | EFER_LME);
    map(4, 0x7000, P | W | U, 0x8000 | P | W | U | UINT64_C(3) << 59);
    x86_flush_all(cpu, true);
    g_assert_cmphex(cpu->state.pkru_used, ==, 0);
    walk(0x7000, X86_READ, X86_MMU_USER);
    g_assert_cmphex(cpu->state.pkru_used, ==, 3 << 6);
    x86_set_pkru(cpu, 3u << 8 | 3);
    g_assert_cmphex(cpu->state.pkru, ==, 3u << 8 | 3);
    g_assert_cmphex(cpu->state.pkru_used, ==, 3 << 6);
    x86_flush_all(cpu, false);
    g_assert_cmphex(cpu->state.pkru_used, ==, 3 << 6);
    x86_set_pkru(cpu, 1u << 6);
    g_assert_cmphex(cpu->state.pkru_used, ==, 0);
}

static void test_debugger(void)
{
    X86Page page;

    start(CR4_PAE, EFER_LMA | EFER_LME);
    map(4, 0x7000, P, 0x8000 | P);
    g_assert_true(x86_walk_debug(cpu, 0x7123, &page));
    g_assert_cmphex(page.physical, ==, 0x8123);
    g_assert_cmphex(get(ROOT + 0x3000 + 8 * 7, 8), ==, 0x8000 | P);
    g_assert_false(x86_walk_debug(cpu, 0x9000, &page));
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    machine_lock_init_main();
    memory_region_init_ram(&ram, NULL, "ram", RAM_BYTES, NULL);
    memory_region_add(memory_region_system(), 0, &ram);
    host = memory_region_host(&ram);
    cpu = X86_CPU(object_new("max-x86_64-cpu"));
    x86_supported_features(&cpu->features, true);
    cpu->phys_bits = 40;
    x86_reset_state(cpu, false);
    g_test_add_func("/paging/off", test_off);
    g_test_add_func("/paging/32-bit", test_32bit);
    g_test_add_func("/paging/dirty", test_dirty);
    g_test_add_func("/paging/rights", test_rights);
    g_test_add_func("/paging/reserved", test_reserved);
    g_test_add_func("/paging/large", test_large);
    g_test_add_func("/paging/five-levels", test_five_levels);
    g_test_add_func("/paging/keys", test_keys);
    g_test_add_func("/paging/key-changes", test_key_changes);
    g_test_add_func("/paging/debugger", test_debugger);
    status = g_test_run();
    object_unref(cpu);
    memory_region_remove(memory_region_system(), &ram);
    memory_region_clear(&ram);
    return status;
}
