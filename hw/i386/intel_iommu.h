/*
 * IntelIommu: the VT-d remapping unit, type "intel-iommu" (Intel VT-d specification, revision 4.1).
 * How its parts (intel_iommu_*.c) see each other. A DMA travels space -> context -> walk, and what
 * was found stays in the IOTLB; commands come through regs and queue; irq stands between MSIs and
 * local APICs.
 *
 * Machine lock, but for the way of a DMA, which any thread goes inside rcu_lock().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_I386_INTEL_IOMMU_H
#define HW_I386_INTEL_IOMMU_H

#include "hw/core/apic_bus.h"
#include "hw/core/mmio_device.h"
#include "hw/iommu/host_iommu.h"
#include "hw/iommu/iommu_spaces.h"
#include "hw/iommu/iotlb.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pci_iommu.h"

struct IommuInfo;
struct IommuWalkInfo;

#define TYPE_INTEL_IOMMU "intel-iommu"

#define VTD_BASE        UINT64_C(0xfed90000)
#define VTD_BYTES       0x1000
#define VTD_IOAPIC_SID  0xff00
#define VTD_VCMD_AT     0xe00
#define VTD_VCMD_BYTES  0x40
#define VTD_PRQ_AT      0x0c0
#define VTD_PRQ_BYTES   0x30
#define VTD_ADDRESS_MASK UINT64_C(0x000ffffffffff000)
#define VTD_NO_PASID    UINT32_MAX
/* A request's domains and PASIDs, as an invalidation names them. */
#define VTD_MAX_AM      18

/* CAP and ECAP. */
enum { VTD_CAP_CM = 7, VTD_CAP_MGAW = 16, VTD_CAP_PSI = 39, VTD_CAP_FS1GP = 56, VTD_CAP_PI = 59,
       VTD_CAP_FS5LP = 60 };
enum { VTD_ECAP_C = 0, VTD_ECAP_QI = 1, VTD_ECAP_DT = 2, VTD_ECAP_IR = 3, VTD_ECAP_EIM = 4, VTD_ECAP_PT = 6,
       VTD_ECAP_SC = 7, VTD_ECAP_NEST = 26, VTD_ECAP_PRS = 29, VTD_ECAP_ERS = 30,
       VTD_ECAP_SRS = 31, VTD_ECAP_NWFS = 33, VTD_ECAP_EAFS = 34, VTD_ECAP_PSS = 35,
       VTD_ECAP_PASID = 40, VTD_ECAP_PDS = 42, VTD_ECAP_SMTS = 43, VTD_ECAP_VCS = 44,
       VTD_ECAP_SSTS = 46, VTD_ECAP_FSTS = 47, VTD_ECAP_SMPWCS = 48 };

/* GCMD and GSTS. */
enum { VTD_TE = 31, VTD_SRTP = 30, VTD_SFL = 29, VTD_EAFL = 28, VTD_WBF = 27, VTD_QIE = 26,
       VTD_IRE = 25, VTD_SIRTP = 24, VTD_CFI = 23 };

/* FSTS. */
enum { VTD_FSTS_PFO = BIT(0), VTD_FSTS_PPF = BIT(1), VTD_FSTS_IQE = BIT(4),
       VTD_FSTS_ICE = BIT(5), VTD_FSTS_ITE = BIT(6) };

typedef enum VtdFault {
    VTD_FAULT_NONE = 0,
    VTD_ROOT_NOT_PRESENT = 0x1, VTD_CONTEXT_NOT_PRESENT, VTD_CONTEXT_INVALID, VTD_BEYOND_WIDTH,
    VTD_NO_WRITE, VTD_NO_READ, VTD_PAGE_UNREADABLE, VTD_ROOT_UNREADABLE, VTD_CONTEXT_UNREADABLE,
    VTD_ROOT_RESERVED, VTD_CONTEXT_RESERVED, VTD_PAGE_RESERVED, VTD_TYPE_BLOCKED,
    VTD_INTERRUPT_OUTPUT,
    VTD_IR_RESERVED = 0x20, VTD_IR_INDEX, VTD_IR_NOT_PRESENT, VTD_IR_UNREADABLE,
    VTD_IR_ENTRY_RESERVED, VTD_IR_COMPATIBILITY, VTD_IR_SOURCE,
    VTD_SM_TABLE_ADDRESS = 0x30, VTD_SM_PASID_IN_LEGACY, VTD_SM_PAGES_IN_LEGACY,
    VTD_SM_ROOT_UNREADABLE = 0x38, VTD_SM_ROOT_NOT_PRESENT, VTD_SM_ROOT_RESERVED,
    VTD_SM_CONTEXT_UNREADABLE = 0x40, VTD_SM_CONTEXT_NOT_PRESENT, VTD_SM_CONTEXT_RESERVED,
    VTD_SM_CONTEXT_INVALID, VTD_SM_NO_DEVICE_TLB, VTD_SM_NO_PASIDS, VTD_SM_PASID_TOO_LARGE,
    VTD_SM_NO_PAGE_REQUESTS, VTD_SM_RID_PASID,
    VTD_SM_DIRECTORY_UNREADABLE = 0x50, VTD_SM_DIRECTORY_NOT_PRESENT, VTD_SM_DIRECTORY_RESERVED,
    VTD_SM_PASID_UNREADABLE = 0x58, VTD_SM_PASID_NOT_PRESENT, VTD_SM_PASID_RESERVED,
    VTD_SM_PASID_INVALID, VTD_SM_NO_EXECUTE_REQUESTS, VTD_SM_NO_SUPERVISOR_REQUESTS,
    VTD_FS_UNREADABLE = 0x70, VTD_FS_NOT_PRESENT, VTD_FS_RESERVED, VTD_FS_TOP_UNREADABLE,
    VTD_FS_NESTED_BEYOND, VTD_FS_NESTED_TOP, VTD_FS_NESTED_READ, VTD_FS_NESTED_WRITE,
    VTD_SS_UNREADABLE = 0x78, VTD_SS_NOT_PRESENT, VTD_SS_RESERVED, VTD_SS_TOP,
    VTD_FS_NOT_CANONICAL = 0x80, VTD_FS_SUPERVISOR, VTD_FS_EXECUTE, VTD_SM_BEYOND_HARDWARE,
    VTD_SS_BEYOND_WIDTH, VTD_SM_NO_WRITE, VTD_SM_NO_READ, VTD_SM_INTERRUPT,
    VTD_FS_NO_ACCESSED = 0x90, VTD_FS_NO_DIRTY,
} VtdFault;
#define VTD_FAULT_CODES 256

typedef enum VtdScalable { VTD_SCALABLE_OFF, VTD_SCALABLE_ON, VTD_SCALABLE_LEGACY,
                           VTD_SCALABLE_MODERN } VtdScalable;
typedef enum VtdVcmd { VTD_VCMD_OFF, VTD_VCMD_3_0, VTD_VCMD_3_3 } VtdVcmd;

/* How a requester's DMA is translated: values are those of PGTT. */
typedef enum VtdMode { VTD_FIRST = 1, VTD_SECOND = 2, VTD_NESTED = 3, VTD_PASS_THROUGH = 4 }
    VtdMode;

/* What the tables say of a requester (and a PASID of it). */
typedef struct VtdContext {
    VtdMode mode;
    uint16_t domain;
    bool is_scalable, has_pasids, has_device_tlb, has_page_requests;
    bool is_fault_disabled;   /* FPD, anywhere on the way */
    bool is_rid_privileged;
    bool allows_supervisor, allows_execute, has_write_protect, has_no_execute, has_smep,
        has_extended_access;
    uint8_t second_levels, first_levels;
    uint64_t second_root, first_root;
    uint64_t entry[8];        /* the PASID's, as it was read; legacy: its first two */
} VtdContext;

/* A DMA whose tables were read, until they may have changed. */
typedef struct VtdContextSlot {
    uint32_t sequence;        /* odd while it is written */
    uint16_t sid;
    bool has_tag;             /* `tag` alone leads to what is kept of a page */
    uint32_t pasid;
    uint64_t generation;
    IotlbTag tag;
    VtdContext context;
} VtdContextSlot;
#define VTD_CONTEXT_SLOTS 8

typedef struct IntelIommu IntelIommu;
struct VtdHost;

/* What a function (or all behind a conventional bridge) sees. Kept while the unit is. */
typedef struct VtdSpace {
    IommuSpace base;
    IntelIommu *unit;
    MemoryRegion interrupts;  /* over its others */
    GMutex context_lock;      /* of who fills slots */
    VtdContextSlot slots[VTD_CONTEXT_SLOTS];
    GArray *notifiers;        /* of VtdPageClient */
    GTree *shadow;            /* what MAP notifiers were told; NULL: nobody listens */
    struct VtdHost *host;     /* NULL: the device is ours */
} VtdSpace;

typedef struct VtdPageClient {
    uint32_t pasid;           /* VTD_NO_PASID */
    PciPageNotifier *notifier;
} VtdPageClient;

/* An event register set: control, data, address, upper address. */
typedef struct VtdEvent {
    uint32_t control, data, addr, upper_addr;
} VtdEvent;
enum { VTD_EVENT_IM = 31, VTD_EVENT_IP = 30 };

/* Descriptors that registers do the work of, too. */
enum { VTD_CONTEXT_CACHE = 1, VTD_IOTLB = 2 };

typedef struct VtdCounters {
    uint64_t walks, faults[VTD_FAULT_CODES], invalidations[16], page_requests, page_responses,
        remapped, blocked;
} VtdCounters;

struct IntelIommu {
    MmioDevice parent;
    /* properties; the first two are OnOffAutoValue */
    int intremap, eim;
    bool device_iotlb, pt, dma_translation, buggy_eim, caching_mode, has_first_stage, has_fs1gp,
        has_fs5lp, has_svm, has_nesting, snoop_control, dma_drain, tolerates_tm, has_posting,
        has_coherent_walks;
    uint8_t address_bits; /* 0: the usual ones, or 48 with a first stage */
    uint8_t usual_address_bits, pasid_bits;
    uint32_t version;
    int scalable; /* VtdScalable */
    int vcmd;     /* VtdVcmd */
    bool is_pasid_set, is_vcmd_set, is_first_stage_set; /* by the user, not by "modern" */
    /* registers; those of 64 bits as two */
    uint64_t cap, ecap;
    uint32_t gsts, rtaddr[2], ccmd[2], fsts, iqt[2], iqa[2], ics, iqercd[2], irta[2], iva[2],
        iotlb_reg[2], frcd[4];
    VtdEvent fault_event, done_event, page_event;
    uint32_t iqh;
    uint32_t pqh[2], pqt[2], pqa[2], prs;
    uint64_t vcmd_operand, vcrsp;
    uint32_t vcmd_upper;      /* what the next command's upper half is */
    /* what commands latched */
    uint64_t root_table, irq_table;
    uint32_t irq_entries;
    bool is_scalable_root, has_wide_irqs;
    uint8_t root_type;
    /* derived */
    bool is_translating;
    uint64_t generation;      /* of contexts: what was read before counts no more */
    IommuChanges changes;     /* of anything that translations depend on */
    Iotlb *iotlb;
    PciBus *root;             /* borrowed: the board's */
    IommuSpaces spaces;       /* of VtdSpace */
    unsigned followers;       /* of spaces: their listeners of the second stage, their hosts */
    ApicRemap remap;
    RegisterBank page_bank;
    MemoryRegion vcmd_region;
    unsigned long *pasids;    /* allocated by VCMD */
    uint32_t pasid_count, pasid_words, pasid_from; /* words before are full */
    uint64_t saved_cap, saved_ecap; /* of a stream */
    GPtrArray *pending;       /* of page requests of host devices */
    bool is_final;            /* machine complete: CAP and ECAP stay */
    bool has_noted_register_use;
    VtdCounters counters;
};
DECLARE_CAST(IntelIommu, INTEL_IOMMU)

static inline uint64_t vtd_quad(const uint32_t reg[2])
{
    return (uint64_t)reg[1] << 32 | reg[0];
}

static inline void vtd_set_quad(uint32_t reg[2], uint64_t value)
{
    reg[0] = value;
    reg[1] = value >> 32;
}

static inline bool vtd_has(const IntelIommu *unit, unsigned ecap_bit)
{
    return unit->ecap >> ecap_bit & 1;
}

/* --- capabilities (intel_iommu_caps.c) --- */

/* Checks properties against each other; fills cap and ecap. */
bool vtd_init_caps(IntelIommu *unit, Error **errp);

/* --- registers (intel_iommu_regs.c) --- */

#define VTD_REG_COUNT      37
#define VTD_PAGE_REG_COUNT 11
extern const RegDef vtd_regs[VTD_REG_COUNT];
extern const RegDef vtd_page_regs[VTD_PAGE_REG_COUNT]; /* at VTD_PRQ_AT */
/* After a load: what commands had done. */
void vtd_set_translating(IntelIommu *unit, bool is_on);

/* --- faults and events (intel_iommu_fault.c) --- */

void vtd_report_fault(IntelIommu *unit, const IommuRequest *request, IommuFault fault);
void vtd_report_irq_fault(IntelIommu *unit, uint16_t sid, uint32_t index, VtdFault code);
/* The queue stands still at a descriptor; `reason` as in IQERCD. */
void vtd_report_queue_error(IntelIommu *unit, uint8_t reason);
void vtd_raise_event(IntelIommu *unit, VtdEvent *event);
/* Its control register was written. */
void vtd_event_written(IntelIommu *unit, VtdEvent *event);
void vtd_fsts_written(Device *dev);
void vtd_frcd_written(Device *dev, unsigned n, uint64_t value);

/* --- tables (intel_iommu_context.c) --- */

/* What a watch is told of: the table, its level (0: it has none), an entry's place and words. */
typedef enum VtdTable { VTD_TABLE_ROOT, VTD_TABLE_CONTEXT, VTD_TABLE_DIRECTORY, VTD_TABLE_PASID,
                        VTD_TABLE_FIRST, VTD_TABLE_SECOND } VtdTable;
typedef struct VtdWatch {
    void (*seen)(void *opaque, VtdTable table, unsigned level, GuestAddr at, const uint64_t *words,
                 unsigned count);
    void *opaque;
} VtdWatch;

/* Any thread, in rcu_lock(). False with *fault. */
bool vtd_find_context(VtdSpace *space, uint32_t pasid, VtdContext *context, IommuFault *fault);
/* Of what is kept, only what the IOTLB wants to know. False: ask for the context. */
bool vtd_find_tag(VtdSpace *space, uint32_t pasid, IotlbTag *tag);
IotlbTag vtd_tag(const VtdContext *context, uint32_t pasid);
/* The same, past the cache. */
typedef struct VtdLookup {
    const IntelIommu *unit;
    uint16_t sid;
    uint32_t pasid;
    const VtdWatch *watch; /* hears of every entry; NULL: nobody does */
} VtdLookup;
bool vtd_read_context(const VtdLookup *look, VtdContext *context, IommuFault *fault);
/* For a DMA: a context entry that is good for PASIDs is good for requests without, too. */
bool vtd_read_request_context(const VtdLookup *look, VtdContext *context, IommuFault *fault);
/* Calls for PASIDs but 0, present or not, whose table is there, until `fn` is false. */
typedef bool VtdPasidFn(VtdSpace *space, uint32_t pasid, const VtdContext *context,
                        IommuFault fault, void *opaque);
void vtd_each_pasid(VtdSpace *space, VtdPasidFn *fn, void *opaque);
void vtd_forget_contexts(IntelIommu *unit);
/* Reads guest memory in little-endian words. */
bool vtd_read_words(GuestAddr addr, uint64_t *words, unsigned count);

/* --- walks (intel_iommu_walk.c) --- */

typedef struct VtdWalk {
    const IntelIommu *unit;
    const VtdContext *context;
    const IommuRequest *request;
    const VtdWatch *watch; /* NULL: nobody looks */
} VtdWalk;
bool vtd_walk(const VtdWalk *walk, IommuPage *page, IommuFault *fault);

/* --- spaces (intel_iommu_space.c) --- */

extern const PciIommuOps vtd_pci_ops;
extern const IommuSpacesType vtd_spaces_type;
uint16_t vtd_space_sid(const VtdSpace *space);
VtdSpace *vtd_space(IntelIommu *unit, PciBus *bus, int devfn);
static inline VtdSpace *vtd_space_of(IommuSpace *base)
{
    return container_of(base, VtdSpace, base);
}
/* For all functions that are there. */
typedef void VtdSpaceFn(VtdSpace *space, void *opaque);
void vtd_each_space(IntelIommu *unit, VtdSpaceFn *fn, void *opaque);
/* For those that somebody follows what tables say of: listeners, hosts. Often there is none. */
void vtd_each_follower(IntelIommu *unit, VtdSpaceFn *fn, void *opaque);
/* Contexts may have changed: from now on it goes where they say. */
void vtd_space_switch(VtdSpace *space);
void vtd_switch_all(IntelIommu *unit);
/* Translates through cache and tables; false with *fault. A page that is kept is found without its
 * *context, which then means nothing. */
bool vtd_translate(VtdSpace *space, const IommuRequest *request, IommuPage *page,
                   VtdContext *context, IommuFault *fault);
/* By tables alone. */
bool vtd_translate_watched(VtdSpace *space, const IommuRequest *request, const VtdWatch *watch,
                           IommuPage *page, VtdContext *context, IommuFault *fault);

/* --- invalidation (intel_iommu_inval.c, intel_iommu_queue.c) --- */

typedef struct VtdRange {
    uint16_t domain;
    uint32_t pasid;        /* VTD_NO_PASID: of the second stage */
    IovaAddr addr;
    uint64_t pages;        /* of 4 KiB; 0: all */
    bool is_leaf;
} VtdRange;
void vtd_drop_all(IntelIommu *unit);
void vtd_drop_domain(IntelIommu *unit, uint16_t domain);
void vtd_drop_pages(IntelIommu *unit, const VtdRange *range);
void vtd_drop_pasid_pages(IntelIommu *unit, const VtdRange *range);
void vtd_drop_contexts(IntelIommu *unit);
void vtd_drop_device_contexts(IntelIommu *unit, uint16_t sid, unsigned function_mask);
/* What a device with ATS may keep; pasid VTD_NO_PASID: of requests without. */
void vtd_drop_device_tlb(IntelIommu *unit, uint16_t sid, uint32_t pasid, IovaAddr addr,
                         uint64_t bytes);
void vtd_drop_irq_entries(IntelIommu *unit);
void vtd_run_queue(IntelIommu *unit);
/* Of a type, as counters have them. */
const char *vtd_descriptor_name(unsigned type);

/* --- listeners of the second stage (intel_iommu_shadow.c) --- */

/* [first, last] may have changed. */
void vtd_shadow_update(VtdSpace *space, uint64_t first, uint64_t last);
void vtd_shadow_replay(IommuRegion *region, IommuNotifier *notifier);

/* --- interrupts (intel_iommu_irq.c) --- */

void vtd_irq_init(IntelIommu *unit);
void vtd_irq_clear(IntelIommu *unit);
extern const MemoryOps vtd_interrupt_window_ops;
void vtd_print_irqs(const IntelIommu *unit, GString *out);

/* --- page requests (intel_iommu_pri.c) --- */

int vtd_ats_translate(void *opaque, const PciRequester *who, const PciAtsRequest *request,
                      IommuEntry *results, unsigned count);
bool vtd_has_ats(void *opaque);
bool vtd_may_request_pages(void *opaque, const PciRequester *who);
bool vtd_page_request(void *opaque, const PciRequester *who, const PciPageRequest *request);
bool vtd_set_page_notifier(void *opaque, const PciRequester *who, PciPageNotifier *notifier);
void vtd_host_page_request(void *opaque, HostIommuDevice *host, const HostPageRequest *request);
typedef struct VtdPageResponse {
    uint16_t sid, group;
    uint32_t pasid; /* VTD_NO_PASID */
    uint8_t code;
} VtdPageResponse;
void vtd_page_response(IntelIommu *unit, const VtdPageResponse *response);
/* Groups of a device (NULL: of all) that will not be answered any more. */
void vtd_abort_page_requests(IntelIommu *unit, const HostIommuDevice *host);
void vtd_prs_written(Device *dev);

/* --- virtual commands (intel_iommu_vcmd.c) --- */

void vtd_vcmd_init(IntelIommu *unit);
void vtd_vcmd_reset(IntelIommu *unit);
bool vtd_is_pasid_allocated(const IntelIommu *unit, uint32_t pasid);

/* --- hosts behind passed-through devices (intel_iommu_host.c) --- */

/* What is wanted of the makers of host devices. */
uint64_t vtd_flags(void *opaque);
bool vtd_set_device(void *opaque, const PciRequester *who, HostIommuDevice *host, Error **errp);
void vtd_unset_device(void *opaque, const PciRequester *who);
/* Bindings follow the guest's PASID tables. domain -1, pasid VTD_NO_PASID: any. */
void vtd_sync_hosts(IntelIommu *unit, int domain, uint32_t pasid);
void vtd_sync_host(VtdSpace *space);
bool vtd_find_binding(const VtdSpace *space, uint32_t pasid, bool *is_refused);
/* Reset: all go. */
void vtd_detach_hosts(IntelIommu *unit);
void vtd_flush_hosts(IntelIommu *unit, const VtdRange *range);
/* The guest gave the PASID back. */
void vtd_unbind_pasid(IntelIommu *unit, uint32_t pasid);
/* *found (HostIommuDevice *): a host that wants to hand out PASIDs itself. */
void vtd_find_allocator(VtdSpace *space, void *found);

/* --- for firmware, for people --- */

const char *vtd_fault_reason(uint8_t code);
struct IommuInfo *vtd_describe(void *opaque);
struct IommuWalkInfo *vtd_show_walk(void *opaque, const PciRequester *who,
                                    const IommuRequest *request);
struct AcpiTables;
void vtd_add_tables(Device *dev, struct AcpiTables *t);

#endif
