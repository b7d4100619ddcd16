/*
 * intel-iommu: page walks: second stage, first stage, and a first stage whose tables and output go
 * through the second (nested). 3 to 5 levels, pages of 4 KiB, 2 MiB and 1 GiB.
 *
 * Snoop and memory type bits are taken and mean nothing: memory of a machine is coherent.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#include "system/memory_log.h"

#define PAGE_SHIFT      12
#define LEVEL_BITS      9
#define LARGE           BIT64(7)
#define LARGEST_LEVEL   3
/* Second stage. */
#define SS_READ         BIT64(0)
#define SS_WRITE        BIT64(1)
#define SS_SNOOP        BIT64(11)
#define SS_TRANSIENT    BIT64(62)
/* First stage. */
#define FS_PRESENT      BIT64(0)
#define FS_WRITABLE     BIT64(1)
#define FS_USER         BIT64(2)
#define FS_ACCESSED     BIT64(5)
#define FS_DIRTY        BIT64(6)
#define FS_EXTENDED     BIT64(10)
#define FS_NO_EXECUTE   BIT64(63)
#define FS_ADDRESS_BITS 52

#define INTERRUPT_FIRST UINT64_C(0xfee00000)
#define INTERRUPT_LAST  UINT64_C(0xfeefffff)

static unsigned shift_of(unsigned level)
{
    return PAGE_SHIFT + LEVEL_BITS * (level - 1);
}

static uint64_t offset_mask(unsigned shift)
{
    return BIT64(shift) - 1;
}

static GuestAddr entry_at(uint64_t table, uint64_t addr, unsigned level)
{
    return table + (addr >> shift_of(level) & 511) * 8;
}

static bool fail(const VtdWalk *walk, IommuFault *fault, VtdFault code)
{
    *fault = (IommuFault){ code, walk->context->is_fault_disabled };
    return false;
}

static void see(const VtdWalk *walk, VtdTable table, unsigned level, GuestAddr at, uint64_t entry)
{
    if (walk->watch) {
        walk->watch->seen(walk->watch->opaque, table, level, at, &entry, 1);
    }
}

static bool is_interrupt(const IommuPage *page, IovaAddr addr)
{
    GuestAddr out = page->addr | (addr & offset_mask(page->shift));

    return out >= INTERRUPT_FIRST && out <= INTERRUPT_LAST;
}

/* --- second stage --- */

/* Codes of legacy mode and of scalable mode. */
typedef enum SecondFault { SECOND_WIDTH, SECOND_TOP, SECOND_READ, SECOND_WRITE, SECOND_UNREADABLE,
                           SECOND_RESERVED } SecondFault;
static const uint8_t second_codes[][2] = {
    [SECOND_WIDTH] = { VTD_BEYOND_WIDTH, VTD_SS_BEYOND_WIDTH },
    [SECOND_TOP] = { VTD_CONTEXT_INVALID, VTD_SS_TOP },
    [SECOND_READ] = { VTD_NO_READ, VTD_SM_NO_READ },
    [SECOND_WRITE] = { VTD_NO_WRITE, VTD_SM_NO_WRITE },
    [SECOND_UNREADABLE] = { VTD_PAGE_UNREADABLE, VTD_SS_UNREADABLE },
    [SECOND_RESERVED] = { VTD_PAGE_RESERVED, VTD_SS_RESERVED },
};

static bool fail_second(const VtdWalk *walk, IommuFault *fault, SecondFault why)
{
    return fail(walk, fault, (VtdFault)second_codes[why][walk->context->is_scalable]);
}

static bool is_second_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (level <= LARGEST_LEVEL && entry & LARGE);
}

static uint64_t second_reserved(const VtdWalk *walk, uint64_t entry, unsigned level)
{
    const IntelIommu *unit = walk->unit;
    bool is_leaf = is_second_leaf(entry, level);
    uint64_t mask = ~(BIT64(MIN(unit->address_bits, 52)) - 1) & VTD_ADDRESS_MASK;

    if (level > LARGEST_LEVEL) {
        mask |= LARGE;
    }
    if (is_leaf && level > 1) {
        mask |= offset_mask(shift_of(level)) & VTD_ADDRESS_MASK;
    }
    if (!vtd_has(unit, VTD_ECAP_SC) && !walk->context->is_scalable) {
        mask |= SS_SNOOP;
    }
    if (!is_leaf || !(unit->tolerates_tm && vtd_has(unit, VTD_ECAP_DT))) {
        mask |= SS_TRANSIENT;
    }
    return entry & mask;
}

/* `needs`: what must be permitted; 0 asks only what is. Scalable mode tells an entry that is not there
 * from one that permits something else. */
static bool check_second(const VtdWalk *walk, uint64_t entry, uint64_t permitted,
                         IommuAccess needs, IommuFault *fault)
{
    bool lacks_write = needs & IOMMU_WRITE && !(permitted & SS_WRITE);
    bool lacks_read = (needs & IOMMU_READ || !permitted) && !(permitted & SS_READ);

    if (!lacks_write && !lacks_read) {
        return true;
    }
    if (walk->context->is_scalable && !(entry & (SS_READ | SS_WRITE))) {
        return fail(walk, fault, VTD_SS_NOT_PRESENT);
    }
    return fail_second(walk, fault, lacks_write ? SECOND_WRITE : SECOND_READ);
}

static bool walk_second(const VtdWalk *walk, uint64_t addr, IommuAccess needs, IommuPage *page,
                        IommuFault *fault)
{
    const VtdContext *context = walk->context;
    uint64_t table = context->second_root, permitted = SS_READ | SS_WRITE;
    unsigned width = MIN(3 + LEVEL_BITS * (context->second_levels + 1), walk->unit->address_bits);

    if (width < 64 && addr >> width) {
        return fail_second(walk, fault, SECOND_WIDTH);
    }
    for (unsigned level = context->second_levels;; level--) {
        GuestAddr at = entry_at(table, addr, level);
        uint64_t entry;

        if (!vtd_read_words(at, &entry, 1)) {
            return fail_second(walk, fault, level == context->second_levels ? SECOND_TOP :
                                                                              SECOND_UNREADABLE);
        }
        see(walk, VTD_TABLE_SECOND, level, at, entry);
        permitted &= entry;
        if (!check_second(walk, entry, permitted, needs, fault)) {
            return false;
        }
        if (second_reserved(walk, entry, level)) {
            return fail_second(walk, fault, SECOND_RESERVED);
        }
        if (is_second_leaf(entry, level)) {
            unsigned shift = shift_of(level);

            *page = (IommuPage){ .addr = entry & VTD_ADDRESS_MASK & ~offset_mask(shift),
                                 .shift = shift, .access = (IommuAccess)permitted,
                                 .is_executable = true, .is_dirty = true };
            return true;
        }
        table = entry & VTD_ADDRESS_MASK;
    }
}

/* --- first stage --- */

typedef struct FirstWalk {
    const VtdWalk *walk;
    bool is_nested, sets_dirty;
    IommuAccess table_access; /* of the table that is read now */
} FirstWalk;

/* Where a table's entry is in memory; nested, the second stage says so. */
static bool place_entry(FirstWalk *first, GuestAddr *at, bool is_top, IommuFault *fault)
{
    IommuPage page;

    if (!first->is_nested) {
        return true;
    }
    if (!walk_second(first->walk, *at, IOMMU_READ, &page, fault)) {
        return fail(first->walk, fault, fault->code == VTD_SS_BEYOND_WIDTH ? VTD_FS_NESTED_BEYOND :
                                        is_top ? VTD_FS_NESTED_TOP : VTD_FS_NESTED_READ);
    }
    *at = page.addr | (*at & offset_mask(page.shift));
    first->table_access = page.access;
    return true;
}

static uint64_t first_reserved(const FirstWalk *first, uint64_t entry, unsigned level)
{
    const IntelIommu *unit = first->walk->unit;
    unsigned most = level > 2 && !(unit->cap >> VTD_CAP_FS1GP & 1) ? 2 : LARGEST_LEVEL;
    uint64_t mask = ~(BIT64(MIN(unit->address_bits, FS_ADDRESS_BITS)) - 1) &
                    (BIT64(FS_ADDRESS_BITS) - 1);

    if (level > most) {
        mask |= LARGE;
    } else if (level > 1 && entry & LARGE) {
        mask |= offset_mask(shift_of(level)) & ~offset_mask(13);
    }
    return entry & mask;
}

/* Sets bits of an entry as a processor does, in one piece. 1: done, 0: it has changed, -1: it
 * cannot be written. */
static int set_bits(GuestAddr at, uint64_t entry, uint64_t bits)
{
    MemoryTarget target;
    uint64_t expected = GUINT64_TO_LE(entry), wanted = GUINT64_TO_LE(entry | bits);

    address_space_find(address_space_system(), at, (MemTxAttrs){ .is_memory = true }, true,
                       &target);
    if (!target.host || !target.is_writable || target.bytes < 8) {
        return -1;
    }
    if (!__atomic_compare_exchange_n((uint64_t *)target.host, &expected, wanted, false,
                                     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        return 0;
    }
    ram_block_mark_written(target.region->ram, target.offset, 8);
    return 1;
}

static uint64_t wanted_bits(const FirstWalk *first, uint64_t entry, bool is_leaf)
{
    uint64_t bits = FS_ACCESSED;

    if (first->walk->request->is_debug) {
        return 0;
    }
    bits |= first->walk->context->has_extended_access ? FS_EXTENDED : 0;
    bits |= is_leaf && first->sets_dirty ? FS_DIRTY : 0;
    return bits & ~entry;
}

typedef struct Rights {
    uint64_t all; /* bits that every entry so far has */
    bool no_execute;
} Rights;

static bool check_user(const FirstWalk *first, Rights rights, IommuFault *fault)
{
    const IommuRequest *request = first->walk->request;

    if (!request->is_privileged && !(rights.all & FS_USER)) {
        return fail(first->walk, fault, VTD_FS_SUPERVISOR);
    }
    return true;
}

static bool may_write(const FirstWalk *first, Rights rights)
{
    return rights.all & FS_WRITABLE || (first->walk->request->is_privileged &&
                                        !first->walk->context->has_write_protect);
}

/* A translation request gets what is permitted; others need what they do. */
static bool check_leaf(const FirstWalk *first, Rights rights, IommuFault *fault)
{
    const IommuRequest *request = first->walk->request;
    bool is_smep = first->walk->context->has_smep && request->is_privileged &&
                   rights.all & FS_USER;

    if (request->is_execute && (rights.no_execute || is_smep)) {
        return fail(first->walk, fault, VTD_FS_EXECUTE);
    }
    if (request->is_write && request->type != IOMMU_TRANSLATION_REQUEST &&
        !may_write(first, rights)) {
        return fail(first->walk, fault, VTD_SM_NO_WRITE);
    }
    return true;
}

/* Reads an entry and marks it as used. */
static bool use_entry(const FirstWalk *first, GuestAddr at, unsigned level, uint64_t *entry,
                      Rights *rights, IommuFault *fault)
{
    const VtdContext *context = first->walk->context;
    bool is_top = level == context->first_levels;
    int done;

    do {
        Rights with = *rights;
        bool is_leaf;
        uint64_t bits;

        if (!vtd_read_words(at, entry, 1)) {
            return fail(first->walk, fault, is_top ? VTD_FS_TOP_UNREADABLE : VTD_FS_UNREADABLE);
        }
        if (!(*entry & FS_PRESENT)) {
            see(first->walk, VTD_TABLE_FIRST, level, at, *entry);
            return fail(first->walk, fault, VTD_FS_NOT_PRESENT);
        }
        with.all &= *entry;
        with.no_execute |= context->has_no_execute && *entry & FS_NO_EXECUTE;
        is_leaf = level == 1 || *entry & LARGE;
        see(first->walk, VTD_TABLE_FIRST, level, at, *entry);
        if (!check_user(first, with, fault)) {
            return false;
        }
        if (first_reserved(first, *entry, level)) {
            return fail(first->walk, fault, VTD_FS_RESERVED);
        }
        if (is_leaf && !check_leaf(first, with, fault)) {
            return false;
        }
        bits = wanted_bits(first, *entry, is_leaf && may_write(first, with));
        if (bits && !(first->table_access & IOMMU_WRITE)) {
            return fail(first->walk, fault, VTD_FS_NESTED_WRITE);
        }
        done = bits ? set_bits(at, *entry, bits) : 1;
        if (done < 0) {
            return fail(first->walk, fault, bits & FS_DIRTY ? VTD_FS_NO_DIRTY :
                                                              VTD_FS_NO_ACCESSED);
        }
        if (done > 0) {
            *rights = with;
            *entry |= bits;
        }
    } while (!done);
    return true;
}

static void fill_page(const FirstWalk *first, uint64_t entry, unsigned level, Rights rights,
                      IommuPage *page)
{
    unsigned shift = shift_of(level);

    *page = (IommuPage){
        .addr = entry & VTD_ADDRESS_MASK & ~offset_mask(shift),
        .shift = shift,
        .access = may_write(first, rights) ? IOMMU_READ_WRITE : IOMMU_READ,
        .is_privileged = !(rights.all & FS_USER),
        .is_executable = !rights.no_execute,
        .is_dirty = entry & FS_DIRTY,
    };
}

/* The page in guest-physical addresses. */
static bool walk_first(FirstWalk *first, IommuPage *page, IommuFault *fault)
{
    const VtdContext *context = first->walk->context;
    IovaAddr addr = first->walk->request->addr;
    unsigned width = shift_of(context->first_levels + 1);
    uint64_t table = context->first_root;
    Rights rights = { FS_WRITABLE | FS_USER, false };

    if ((uint64_t)((int64_t)(addr << (64 - width)) >> (64 - width)) != addr) {
        return fail(first->walk, fault, VTD_FS_NOT_CANONICAL);
    }
    for (unsigned level = context->first_levels;; level--) {
        GuestAddr at = entry_at(table, addr, level);
        uint64_t entry;

        if (!place_entry(first, &at, level == context->first_levels, fault) ||
            !use_entry(first, at, level, &entry, &rights, fault)) {
            return false;
        }
        if (level == 1 || entry & LARGE) {
            fill_page(first, entry, level, rights, page);
            return true;
        }
        table = entry & VTD_ADDRESS_MASK;
    }
}

/* The smaller of both pages, at the outer one's place. */
static bool walk_nested(FirstWalk *first, IommuPage *page, IommuFault *fault)
{
    const IommuRequest *request = first->walk->request;
    bool needs_write = request->is_write && request->type != IOMMU_TRANSLATION_REQUEST;
    IommuPage inner, outer;
    uint64_t addr;

    if (!walk_first(first, &inner, fault)) {
        return false;
    }
    addr = inner.addr | (request->addr & offset_mask(inner.shift));
    if (!walk_second(first->walk, addr, needs_write ? IOMMU_WRITE : IOMMU_READ, &outer, fault)) {
        return false;
    }
    *page = inner;
    page->shift = MIN(inner.shift, outer.shift);
    page->addr = (outer.addr | (addr & offset_mask(outer.shift))) & ~offset_mask(page->shift);
    page->access = inner.access & outer.access;
    return true;
}

/* Requests that the PASID's entry does not allow. */
static bool check_request(const VtdWalk *walk, IommuFault *fault)
{
    const IommuRequest *request = walk->request;

    if (request->is_privileged && request->has_pasid && !walk->context->allows_supervisor) {
        return fail(walk, fault, VTD_SM_NO_SUPERVISOR_REQUESTS);
    }
    return !request->is_execute || walk->context->allows_execute ||
           fail(walk, fault, VTD_SM_NO_EXECUTE_REQUESTS);
}

static bool walk_by_mode(const VtdWalk *walk, IommuPage *page, IommuFault *fault)
{
    const IommuRequest *request = walk->request;
    bool only_asks = request->type == IOMMU_TRANSLATION_REQUEST ||
                     (request->is_debug && !walk->watch);
    FirstWalk first = { walk, walk->context->mode == VTD_NESTED,
                        request->is_write && !request->no_write, IOMMU_READ_WRITE };

    switch (walk->context->mode) {
    case VTD_SECOND:
        return walk_second(walk, request->addr,
                           only_asks ? IOMMU_NONE :
                           request->is_write ? IOMMU_WRITE : IOMMU_READ, page, fault);
    case VTD_FIRST:
        return check_request(walk, fault) && walk_first(&first, page, fault);
    case VTD_NESTED:
        return check_request(walk, fault) && walk_nested(&first, page, fault);
    case VTD_PASS_THROUGH:
        break;
    }
    if (request->addr >> MIN(walk->unit->address_bits, 52)) {
        return fail(walk, fault, walk->context->is_scalable ? VTD_SM_BEYOND_HARDWARE :
                                                              VTD_BEYOND_WIDTH);
    }
    *page = (IommuPage){ .addr = request->addr & ~offset_mask(PAGE_SHIFT), .shift = PAGE_SHIFT,
                         .access = IOMMU_READ_WRITE, .is_executable = true, .is_dirty = true };
    return true;
}

bool vtd_walk(const VtdWalk *walk, IommuPage *page, IommuFault *fault)
{
    if (!walk_by_mode(walk, page, fault)) {
        return false;
    }
    if (walk->context->mode != VTD_PASS_THROUGH && is_interrupt(page, walk->request->addr)) {
        return fail(walk, fault, walk->context->is_scalable ? VTD_SM_INTERRUPT :
                                                              VTD_INTERRUPT_OUTPUT);
    }
    return true;
}
