/*
 * intel-iommu: from a requester to the tables of its DMA: root and context tables of both modes,
 * PASID directories and tables.
 *
 * What was read is kept, per space, until any context or PASID is invalidated: re-reading it takes
 * a handful of loads, so generations are not told apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "intel_iommu.h"

#define PRESENT        BIT64(0)
#define FAULT_DISABLE  BIT64(1)

/* Root and context entries. */
#define ROOT_RESERVED       UINT64_C(0xffe)
#define TYPE_UNTRANSLATED   0
#define TYPE_WITH_ATS       1
#define TYPE_PASS_THROUGH   2
#define CONTEXT_RESERVED_LO UINT64_C(0xff0)
#define CONTEXT_RESERVED_HI (UINT64_C(0xffffffffff000080))

/* Scalable context entries. */
#define SC_DEVICE_TLB       BIT64(2)
#define SC_PASIDS           BIT64(3)
#define SC_PAGE_REQUESTS    BIT64(4)
#define SC_RESERVED_LO      UINT64_C(0x1e0)
#define SC_RID_PASID        UINT64_C(0xfffff)
#define SC_RID_PRIVILEGED   BIT64(20)
#define SC_RESERVED_HI      (~(SC_RID_PASID | SC_RID_PRIVILEGED))
#define DIRECTORY_RESERVED  UINT64_C(0xffc)

/* PASID entries: reserved bits of the first three words. */
static const uint64_t pasid_reserved[3] = { 0xe20, 0x7f0000, 0xf00 };
#define PE_SRE  BIT64(0)
#define PE_ERE  BIT64(1)
#define PE_WPE  BIT64(4)
#define PE_NXE  BIT64(5)
#define PE_SMEP BIT64(6)
#define PE_EAFE BIT64(7)

bool vtd_read_words(GuestAddr addr, uint64_t *words, unsigned count)
{
    MemTxAttrs memory = { .is_memory = true };

    if (count == 1) { /* page tables change under us: in one piece */
        return address_space_load(address_space_system(), addr, MEM_LE64, memory, words) ==
               MEM_TX_OK;
    }
    if (address_space_read(address_space_system(), addr, memory, words, 8 * count) != MEM_TX_OK) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        words[i] = GUINT64_FROM_LE(words[i]);
    }
    return true;
}

/* Reads an entry of a table that somebody may watch. */
static bool read_entry(const VtdLookup *look, VtdTable table, GuestAddr at, uint64_t *words,
                       unsigned count)
{
    if (!vtd_read_words(at, words, count)) {
        return false;
    }
    if (look->watch) {
        look->watch->seen(look->watch->opaque, table, 0, at, words, count);
    }
    return true;
}

static bool fail(IommuFault *fault, VtdFault code)
{
    fault->code = code;
    return false;
}

/* Codes that FPD does not cover tell of tables before it. */
static bool fail_context(VtdContext *context, IommuFault *fault, VtdFault code)
{
    fault->is_suppressed = context->is_fault_disabled;
    return fail(fault, code);
}

static uint64_t beyond(const IntelIommu *unit, uint64_t entry)
{
    return entry & VTD_ADDRESS_MASK & ~((BIT64(MIN(unit->address_bits, 52)) - 1));
}

static bool is_width_supported(const IntelIommu *unit, unsigned aw)
{
    return aw >= 1 && aw <= 3 && unit->cap >> (8 + aw) & 1;
}

/* --- legacy mode --- */

static bool take_legacy(const IntelIommu *unit, const uint64_t entry[2], VtdContext *context,
                        IommuFault *fault)
{
    unsigned type = entry[0] >> 2 & 3, aw = entry[1] & 7;

    context->is_fault_disabled = entry[0] & FAULT_DISABLE;
    memcpy(context->entry, entry, 16);
    if (!(entry[0] & PRESENT)) {
        return fail_context(context, fault, VTD_CONTEXT_NOT_PRESENT);
    }
    if (entry[0] & CONTEXT_RESERVED_LO || entry[1] & CONTEXT_RESERVED_HI ||
        beyond(unit, entry[0])) {
        return fail_context(context, fault, VTD_CONTEXT_RESERVED);
    }
    if (!is_width_supported(unit, aw) ||
        (type == TYPE_WITH_ATS && !vtd_has(unit, VTD_ECAP_DT)) ||
        (type == TYPE_PASS_THROUGH && !vtd_has(unit, VTD_ECAP_PT)) || type > TYPE_PASS_THROUGH) {
        return fail_context(context, fault, VTD_CONTEXT_INVALID);
    }
    context->mode = type == TYPE_PASS_THROUGH ? VTD_PASS_THROUGH : VTD_SECOND;
    context->has_device_tlb = type == TYPE_WITH_ATS;
    context->domain = entry[1] >> 8 & 0xffff;
    context->second_levels = aw + 2;
    context->second_root = entry[0] & VTD_ADDRESS_MASK;
    return true;
}

static bool read_legacy(const VtdLookup *look, VtdContext *context, IommuFault *fault)
{
    const IntelIommu *unit = look->unit;
    uint64_t root[2], entry[2];
    GuestAddr at = unit->root_table + (look->sid >> 8) * 16;

    if (!read_entry(look, VTD_TABLE_ROOT, at, root, 2)) {
        return fail(fault, VTD_ROOT_UNREADABLE);
    }
    if (!(root[0] & PRESENT)) {
        return fail(fault, VTD_ROOT_NOT_PRESENT);
    }
    if (root[0] & ROOT_RESERVED || root[1] || beyond(unit, root[0])) {
        return fail(fault, VTD_ROOT_RESERVED);
    }
    at = (root[0] & VTD_ADDRESS_MASK) + (look->sid & 0xff) * 16;
    if (!read_entry(look, VTD_TABLE_CONTEXT, at, entry, 2)) {
        return fail(fault, VTD_CONTEXT_UNREADABLE);
    }
    return take_legacy(unit, entry, context, fault);
}

/* --- scalable mode --- */

static bool take_scalable(const IntelIommu *unit, const uint64_t entry[4], VtdContext *context,
                          IommuFault *fault)
{
    bool is_reserved = entry[0] & SC_RESERVED_LO || beyond(unit, entry[0]) ||
                       entry[1] & SC_RESERVED_HI || entry[2] || entry[3];

    context->is_fault_disabled = entry[0] & FAULT_DISABLE;
    if (!(entry[0] & PRESENT)) {
        return fail_context(context, fault, VTD_SM_CONTEXT_NOT_PRESENT);
    }
    context->has_device_tlb = entry[0] & SC_DEVICE_TLB;
    context->has_pasids = entry[0] & SC_PASIDS;
    context->has_page_requests = entry[0] & SC_PAGE_REQUESTS;
    context->is_rid_privileged = entry[1] & SC_RID_PRIVILEGED;
    if (is_reserved || (context->has_device_tlb && !vtd_has(unit, VTD_ECAP_DT)) ||
        (context->has_pasids && !vtd_has(unit, VTD_ECAP_PASID)) ||
        (context->has_page_requests && !vtd_has(unit, VTD_ECAP_PRS))) {
        return fail_context(context, fault, VTD_SM_CONTEXT_RESERVED);
    }
    if (entry[1] & SC_RID_PASID) {
        return fail_context(context, fault, VTD_SM_RID_PASID);
    }
    return true;
}

static bool read_scalable(const VtdLookup *look, uint64_t entry[4], VtdContext *context,
                          IommuFault *fault)
{
    const IntelIommu *unit = look->unit;
    uint64_t root;
    GuestAddr at = unit->root_table + (look->sid >> 7) * 8;

    if (!read_entry(look, VTD_TABLE_ROOT, at, &root, 1)) {
        return fail(fault, VTD_SM_ROOT_UNREADABLE);
    }
    if (!(root & PRESENT)) {
        return fail(fault, VTD_SM_ROOT_NOT_PRESENT);
    }
    if (root & ROOT_RESERVED || beyond(unit, root)) {
        return fail(fault, VTD_SM_ROOT_RESERVED);
    }
    at = (root & VTD_ADDRESS_MASK) + (look->sid & 0x7f) * 32;
    if (!read_entry(look, VTD_TABLE_CONTEXT, at, entry, 4)) {
        return fail_context(context, fault, VTD_SM_CONTEXT_UNREADABLE);
    }
    return take_scalable(unit, entry, context, fault);
}

static bool is_mode_supported(const IntelIommu *unit, const uint64_t entry[8])
{
    unsigned mode = entry[0] >> 6 & 7, aw = entry[0] >> 2 & 7, paging = entry[2] >> 2 & 3;
    bool has_first = vtd_has(unit, VTD_ECAP_FSTS) &&
                     (paging == 0 || (paging == 1 && unit->cap >> VTD_CAP_FS5LP & 1));
    bool has_second = vtd_has(unit, VTD_ECAP_SSTS) && is_width_supported(unit, aw);

    switch (mode) {
    case VTD_FIRST:
        return has_first;
    case VTD_SECOND:
        return has_second;
    case VTD_NESTED:
        return has_first && has_second && vtd_has(unit, VTD_ECAP_NEST);
    case VTD_PASS_THROUGH:
        return vtd_has(unit, VTD_ECAP_PT);
    }
    return false;
}

static bool is_pasid_reserved(const IntelIommu *unit, const uint64_t entry[8])
{
    uint64_t bits = beyond(unit, entry[0]) | beyond(unit, entry[2]);

    for (unsigned i = 0; i < 8; i++) {
        bits |= entry[i] & (i < ARRAY_SIZE(pasid_reserved) ? pasid_reserved[i] : UINT64_MAX);
    }
    return bits;
}

static bool take_pasid(const IntelIommu *unit, VtdContext *context, IommuFault *fault)
{
    const uint64_t *entry = context->entry;

    context->is_fault_disabled |= (entry[0] & FAULT_DISABLE) != 0;
    if (!(entry[0] & PRESENT)) {
        return fail_context(context, fault, VTD_SM_PASID_NOT_PRESENT);
    }
    if (is_pasid_reserved(unit, entry)) {
        return fail_context(context, fault, VTD_SM_PASID_RESERVED);
    }
    if (!is_mode_supported(unit, entry)) {
        return fail_context(context, fault, VTD_SM_PASID_INVALID);
    }
    context->mode = (VtdMode)(entry[0] >> 6 & 7);
    context->domain = entry[1];
    context->second_levels = (entry[0] >> 2 & 7) + 2;
    context->second_root = entry[0] & VTD_ADDRESS_MASK;
    context->first_levels = 4 + (entry[2] >> 2 & 1);
    context->first_root = entry[2] & VTD_ADDRESS_MASK;
    context->allows_supervisor = entry[2] & PE_SRE;
    context->allows_execute = entry[2] & PE_ERE;
    context->has_write_protect = entry[2] & PE_WPE;
    context->has_no_execute = entry[2] & PE_NXE;
    context->has_smep = entry[2] & PE_SMEP;
    context->has_extended_access = entry[2] & PE_EAFE;
    return true;
}

static bool read_pasid(const VtdLookup *look, uint64_t context_lo, VtdContext *context,
                       IommuFault *fault)
{
    uint32_t pasid = look->pasid == VTD_NO_PASID ? 0 : look->pasid;
    GuestAddr at = (context_lo & VTD_ADDRESS_MASK) + (pasid >> 6) * 8;
    uint64_t directory;

    if (pasid >> (13 + (context_lo >> 9 & 7))) {
        return fail_context(context, fault, VTD_SM_PASID_TOO_LARGE);
    }
    if (!read_entry(look, VTD_TABLE_DIRECTORY, at, &directory, 1)) {
        return fail(fault, VTD_SM_DIRECTORY_UNREADABLE);
    }
    context->is_fault_disabled |= (directory & FAULT_DISABLE) != 0;
    if (!(directory & PRESENT)) {
        return fail_context(context, fault, VTD_SM_DIRECTORY_NOT_PRESENT);
    }
    if (directory & DIRECTORY_RESERVED || beyond(look->unit, directory)) {
        return fail_context(context, fault, VTD_SM_DIRECTORY_RESERVED);
    }
    at = (directory & VTD_ADDRESS_MASK) + (pasid & 63) * 64;
    if (!read_entry(look, VTD_TABLE_PASID, at, context->entry, 8)) {
        return fail(fault, VTD_SM_PASID_UNREADABLE);
    }
    return take_pasid(look->unit, context, fault);
}

bool vtd_read_context(const VtdLookup *look, VtdContext *context, IommuFault *fault)
{
    const IntelIommu *unit = look->unit;
    uint64_t entry[4];

    *context = (VtdContext){ .is_scalable = unit->is_scalable_root };
    *fault = (IommuFault){ 0 };
    if (unit->root_type > 1 || (unit->root_type == 1 && !unit->is_scalable_root)) {
        return fail(fault, VTD_SM_TABLE_ADDRESS);
    }
    if (!context->is_scalable) {
        return look->pasid == VTD_NO_PASID ? read_legacy(look, context, fault) :
                                             fail(fault, VTD_SM_PASID_IN_LEGACY);
    }
    if (!read_scalable(look, entry, context, fault)) {
        return false;
    }
    if (look->pasid != VTD_NO_PASID && !context->has_pasids) {
        return fail_context(context, fault, VTD_SM_NO_PASIDS);
    }
    return read_pasid(look, entry[0], context, fault);
}

bool vtd_read_request_context(const VtdLookup *look, VtdContext *context, IommuFault *fault)
{
    VtdLookup rid = { look->unit, look->sid, VTD_NO_PASID };
    VtdContext of_rid;

    if (!vtd_read_context(look, context, fault)) {
        return false;
    }
    if (look->pasid != VTD_NO_PASID && !vtd_read_context(&rid, &of_rid, fault)) {
        return fail_context(context, fault, VTD_SM_CONTEXT_INVALID);
    }
    return true;
}

/* Directory entries that are not there stand for 64 PASIDs. */
void vtd_each_pasid(VtdSpace *space, VtdPasidFn *fn, void *opaque)
{
    VtdLookup look = { space->unit, vtd_space_sid(space) };

    for (uint32_t pasid = 1; pasid >> space->unit->pasid_bits == 0; pasid++) {
        VtdContext context;
        IommuFault fault;

        look.pasid = pasid;
        vtd_read_context(&look, &context, &fault);
        if (fault.code == VTD_SM_PASID_TOO_LARGE ||
            (fault.code && fault.code < VTD_SM_DIRECTORY_UNREADABLE)) {
            return;
        }
        if (fault.code >= VTD_SM_DIRECTORY_UNREADABLE && fault.code <= VTD_SM_DIRECTORY_RESERVED) {
            pasid |= 63;
        } else if (!fn(space, pasid, &context, fault, opaque)) {
            return;
        }
    }
}

/* --- what was read --- */

void vtd_forget_contexts(IntelIommu *unit)
{
    __atomic_fetch_add(&unit->generation, 1, __ATOMIC_SEQ_CST);
    iommu_changes_add(&unit->changes);
}

IotlbTag vtd_tag(const VtdContext *context, uint32_t pasid)
{
    bool is_second = context->mode == VTD_SECOND;

    return (IotlbTag){ .domain = context->domain,
                       .asid = is_second || pasid == VTD_NO_PASID ? 0 : pasid,
                       .stage = is_second ? IOTLB_SECOND :
                                context->mode == VTD_NESTED ? IOTLB_NESTED : IOTLB_FIRST };
}

static VtdContextSlot *slot_of(VtdSpace *space, uint32_t pasid)
{
    return &space->slots[(pasid + 1) % VTD_CONTEXT_SLOTS];
}

static bool is_kept(const VtdContextSlot *slot, const VtdSpace *space, uint32_t pasid)
{
    return slot->generation == __atomic_load_n(&space->unit->generation, __ATOMIC_ACQUIRE) &&
           slot->sid == vtd_space_sid(space) && slot->pasid == pasid;
}

static bool is_unchanged(const VtdContextSlot *slot, uint32_t sequence)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return !(sequence & 1) && __atomic_load_n(&slot->sequence, __ATOMIC_RELAXED) == sequence;
}

static bool find_kept(VtdSpace *space, uint32_t pasid, VtdContext *context)
{
    const VtdContextSlot *slot = slot_of(space, pasid);
    uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);

    if (!is_kept(slot, space, pasid)) {
        return false;
    }
    memcpy(context, &slot->context, sizeof(*context));
    return is_unchanged(slot, sequence);
}

bool vtd_find_tag(VtdSpace *space, uint32_t pasid, IotlbTag *tag)
{
    const VtdContextSlot *slot = slot_of(space, pasid);
    uint32_t sequence = __atomic_load_n(&slot->sequence, __ATOMIC_ACQUIRE);
    bool is_it = is_kept(slot, space, pasid) && slot->has_tag;

    *tag = slot->tag;
    return is_it && is_unchanged(slot, sequence);
}

static void keep(VtdSpace *space, VtdContextSlot value)
{
    VtdContextSlot *slot = slot_of(space, value.pasid);

    g_mutex_lock(&space->context_lock);
    value.sequence = slot->sequence + 1;
    __atomic_store_n(&slot->sequence, value.sequence, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    memcpy(slot, &value, sizeof(value));
    __atomic_store_n(&slot->sequence, value.sequence + 1, __ATOMIC_RELEASE);
    g_mutex_unlock(&space->context_lock);
}

bool vtd_find_context(VtdSpace *space, uint32_t pasid, VtdContext *context, IommuFault *fault)
{
    IntelIommu *unit = space->unit;
    uint64_t generation = __atomic_load_n(&unit->generation, __ATOMIC_ACQUIRE);
    uint16_t sid = vtd_space_sid(space);

    if (find_kept(space, pasid, context)) {
        return true;
    }
    if (!vtd_read_request_context(&(VtdLookup){ unit, sid, pasid }, context, fault)) {
        return false;
    }
    keep(space, (VtdContextSlot){
        .sid = sid, .pasid = pasid, .generation = generation, .context = *context,
        .tag = vtd_tag(context, pasid),
        .has_tag = context->mode != VTD_PASS_THROUGH &&
                   !(context->is_rid_privileged && pasid == VTD_NO_PASID),
    });
    return true;
}
