/*
 * intel-dsa: what its files share. A descriptor comes in by a portal, waits in its work queue (WQ)
 * until an engine of the WQ's group takes it, and runs there in slices on the virtual clock: never
 * in a vCPU's thread, never while the VM stands. Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_DMA_INTEL_DSA_H
#define HW_DMA_INTEL_DSA_H

#include "hw/pci/msi.h"
#include "hw/pci/pcie_ats.h"
#include "intel_dsa_defs.h"

#define DSA_MAX_WQS     63
#define DSA_MAX_ENGINES 63
#define DSA_MAX_GROUPS  8
#define DSA_WQ_DWORDS   16 /* of WQCFG, in its long form */
#define DSA_GROUP_DWORDS 16
#define DSA_VECTORS     (DSA_MAX_WQS + 1)
#define DSA_PAGE_GROUPS 512
#define DSA_SLICE_BYTES (64 * KiB)
#define DSA_NO_ADDRESS  UINT64_MAX

typedef enum DsaState { DSA_DISABLED, DSA_ENABLED, DSA_STOPPING, DSA_HALTED } DsaState;

/* What an access is for: the numbers of the event log */
typedef enum DsaOperand { DSA_OP_NONE, DSA_OP_1, DSA_OP_2, DSA_OP_3, DSA_OP_4, DSA_OP_CRA,
                          DSA_OP_LIST } DsaOperand;

/* As accepted: 64 bytes, and whose they are. */
typedef struct DsaDescriptor {
    uint8_t bytes[64];
    uint64_t order; /* of acceptance */
    uint32_t pasid;
    bool has_pasid, is_privileged;
    uint8_t wq;
} DsaDescriptor;

typedef enum DsaPhase { DSA_CHECKING, DSA_TOUCHING, DSA_EXECUTING, DSA_RECORDING, DSA_LOGGING,
                        DSA_NOTIFYING, DSA_PHASES } DsaPhase;

/* A descriptor at work. Progress is only what is complete: a step that must wait is done anew. */
typedef struct DsaRun {
    DsaDescriptor d;
    uint32_t phase;       /* DsaPhase */
    bool is_member;       /* of a batch */
    bool is_prepared;     /* what comes before the first byte is done */
    bool is_cra_bad;      /* its record goes to the event log */
    uint8_t status, result;
    uint8_t fault_operand;
    bool is_fault_write;
    uint64_t fault_addr;
    uint32_t info;        /* bad flags */
    uint32_t done;        /* bytes, or members of a batch */
    uint32_t value;       /* CRC; bytes of a delta record */
    uint32_t last_offset; /* of a delta, in words, plus one */
    uint16_t blocks_app[2]; /* DIF tags as they are by now: source, destination */
    uint32_t blocks_ref[2];
} DsaRun;

typedef enum DsaPageState { DSA_PAGE_NONE, DSA_PAGE_ASKED, DSA_PAGE_ANSWERED, DSA_PAGE_STATES }
    DsaPageState;

typedef struct DsaEngine {
    DsaRun runs[2];       /* from a WQ; a member of that, if it is a batch */
    bool is_busy, has_member;
    uint32_t page_state;  /* DsaPageState: of the one page it asked for */
    uint16_t page_group;
    uint8_t answer;
    uint8_t tries;        /* pages asked for without progress */
    uint8_t refusals;     /* of asking */
    uint64_t page_addr;
    int64_t retry_ns;     /* on the virtual clock: it does not ask before */
    uint16_t batch;       /* identifies it in the event log */
    bool has_failure, has_logged; /* among members */
} DsaEngine;

typedef struct DsaWq {
    uint8_t state;        /* DsaState */
    uint8_t credit;       /* of arbitration */
    uint32_t first;       /* its part of `slots` */
    uint32_t head, count; /* queued */
} DsaWq;

/* Page requests that nobody waits for any more are remembered: their answers still come. */
typedef enum DsaGroupState { DSA_GROUP_FREE, DSA_GROUP_USED, DSA_GROUP_ORPHAN } DsaGroupState;

typedef struct DsaCounters {
    uint64_t submitted, retried, dropped, completed, page_requests, atc_hits, atc_misses,
        atc_invalidations;
} DsaCounters;

/* What goes wrong because a test wants it so */
enum { DSA_LOSE_ANSWERS = BIT(0), DSA_DELAY_ANSWERS = BIT(1), DSA_FAIL_READS = BIT(2),
       DSA_FAIL_WRITES = BIT(3) };

typedef struct IntelDsa {
    PciDevice parent;
    /* properties */
    uint8_t wq_count, engine_count, group_count, read_buffers, max_xfer_shift, max_batch_shift,
        pasid_bits;
    uint32_t wq_size, atc_entries;
    uint64_t opcap;
    bool has_event_log, has_wq_opcfg, has_wq_ats_control, has_int_handles, has_ats, has_pri,
        is_configurable, takes_posted;
    char *fault_text;          /* x-fault-inject, and what it says: */
    uint32_t faults;
    /* registers */
    uint32_t gencfg, genctrl, intcause, cmdstatus;
    uint32_t swerror[8], evlcfg[4], evlstatus[2];
    uint32_t msixperm[DSA_VECTORS];
    uint32_t grpcfg[DSA_MAX_GROUPS * DSA_GROUP_DWORDS];
    uint32_t wqcfg[DSA_MAX_WQS * DSA_WQ_DWORDS];
    /* state */
    uint8_t state, reset_type; /* DsaState */
    uint64_t handles;          /* interrupt handles given, by vector */
    uint64_t order;
    uint16_t next_batch;
    /* the command at work */
    uint32_t command;
    uint32_t command_left;     /* descriptors it waits for */
    uint64_t command_order;    /* that were accepted before */
    DsaWq wqs[DSA_MAX_WQS];
    DsaDescriptor *slots;      /* wq_size */
    DsaEngine *engines;        /* engine_count */
    uint8_t group_state[DSA_PAGE_GROUPS]; /* DsaGroupState */
    uint32_t group_pasid[DSA_PAGE_GROUPS];
    DsaCounters counters;
    /* not saved */
    MemoryRegion registers, portals;
    Timer work;
    bool guard;                /* of both regions: the device does not enter itself */
    bool is_working;
    bool is_reset_due;
    GHashTable *atc;
    GHashTable *listeners;     /* of answers, by PASID */
    PcieAtsWatch atc_watch;
} IntelDsa;
DECLARE_CAST(IntelDsa, INTEL_DSA)

#define DSA_TYPE "intel-dsa"

/* --- intel_dsa_regs.c --- */
extern const RegisterMap dsa_register_map;
extern const MemoryOps dsa_register_ops;
uint64_t dsa_gencap(const IntelDsa *dsa);
void dsa_reset_registers(IntelDsa *dsa);
static inline unsigned dsa_vectors(const IntelDsa *dsa)
{
    return dsa->wq_count + 1u;
}
/* `dword` of WQCFG; of a group. */
static inline uint32_t *dsa_wqcfg(IntelDsa *dsa, unsigned wq, unsigned dword)
{
    return &dsa->wqcfg[wq * DSA_WQ_DWORDS + dword];
}
static inline uint64_t dsa_group_quad(const IntelDsa *dsa, unsigned group, unsigned quad)
{
    const uint32_t *at = &dsa->grpcfg[group * DSA_GROUP_DWORDS + 2 * quad];

    return at[0] | (uint64_t)at[1] << 32;
}
static inline uint64_t dsa_group_wqs(const IntelDsa *dsa, unsigned group)
{
    return dsa_group_quad(dsa, group, 0);
}
static inline uint64_t dsa_group_engines(const IntelDsa *dsa, unsigned group)
{
    return dsa_group_quad(dsa, group, 4);
}

/* --- intel_dsa_pci.c --- */
bool dsa_add_capabilities(IntelDsa *dsa, Error **errp);
uint32_t dsa_config_read(PciDevice *dev, unsigned at, unsigned bytes);
void dsa_config_write(PciDevice *dev, unsigned at, uint32_t value, unsigned bytes);
bool dsa_may_be_privileged(const IntelDsa *dsa);
uint32_t dsa_page_credits(const IntelDsa *dsa);
/* Those that a channel is there for, a bit for each. */
uint8_t dsa_traffic_classes(const IntelDsa *dsa);

/* --- intel_dsa_command.c: states --- */
void dsa_command(IntelDsa *dsa, uint32_t value);
/* One of the descriptors a command may wait for is gone. */
void dsa_descriptor_gone(IntelDsa *dsa, const DsaDescriptor *d);
/* Everything stops; `keeps_errors`: the four registers a command leaves alone. */
void dsa_reset(IntelDsa *dsa, bool keeps_errors);
void dsa_halt(IntelDsa *dsa, unsigned code);

/* --- intel_dsa_enable.c: what makes a configuration good; the error, 0: none --- */
unsigned dsa_check_device(IntelDsa *dsa);
unsigned dsa_check_wq(IntelDsa *dsa, unsigned wq);

/* --- intel_dsa_portal.c --- */
extern const MemoryOps dsa_portal_ops;
#define DSA_PORTAL_BYTES 0x4000 /* per WQ */

/* --- intel_dsa_engine.c --- */
void dsa_kick(IntelDsa *dsa);
void dsa_work(Device *dev);
bool dsa_has_work(const IntelDsa *dsa);
typedef bool DsaMatchFn(const DsaDescriptor *d, uint32_t operand);
/* Forgets what matches, queued or at work. */
void dsa_abandon(IntelDsa *dsa, DsaMatchFn *match, uint32_t operand);
/* How many were accepted before `order`. */
uint32_t dsa_count_work(const IntelDsa *dsa, DsaMatchFn *match, uint32_t operand, uint64_t order);

/* --- intel_dsa_check.c: the code a descriptor fails with; 0: it may run --- */
unsigned dsa_check(IntelDsa *dsa, DsaRun *run);
/* May it interrupt at its end? */
bool dsa_may_interrupt(IntelDsa *dsa, const DsaRun *run);
static inline uint32_t dsa_flags(const DsaRun *run)
{
    return load_le32(run->d.bytes + 4) & 0xffffff;
}
static inline uint8_t dsa_opcode(const DsaRun *run)
{
    return run->d.bytes[7];
}
static inline uint64_t dsa_quad(const DsaRun *run, unsigned at)
{
    return load_le64(run->d.bytes + at);
}
static inline uint32_t dsa_long(const DsaRun *run, unsigned at)
{
    return load_le32(run->d.bytes + at);
}
static inline uint64_t dsa_cra(const DsaRun *run)
{
    return dsa_quad(run, 8);
}
static inline uint32_t dsa_size(const DsaRun *run)
{
    return dsa_long(run, 32);
}

/* --- intel_dsa_memory.c --- */

/* Of a step: all of it is done; it must wait, and be done anew; run->status says why it failed. */
typedef enum DsaStep { DSA_DONE, DSA_WAITS, DSA_FAILS, DSA_MORE } DsaStep;

typedef struct DsaSpan {
    DsaOperand operand;
    uint64_t addr;
    uint32_t bytes;
} DsaSpan;
DsaStep dsa_read(IntelDsa *dsa, DsaRun *run, DsaSpan span, void *buf);
DsaStep dsa_write(IntelDsa *dsa, DsaRun *run, DsaSpan span, const void *buf);
/* Translates; with `reads`, also looks whether somebody is there. */
DsaStep dsa_touch(IntelDsa *dsa, DsaRun *run, DsaSpan span, bool is_write);
/* The 32 bytes of a completion record, its status last. */
DsaStep dsa_write_record(IntelDsa *dsa, DsaRun *run, const uint8_t record[32]);
bool dsa_page_requests_on(IntelDsa *dsa, const DsaRun *run);
DsaEngine *dsa_engine_of(IntelDsa *dsa, const DsaRun *run);
void dsa_forget_page(IntelDsa *dsa, DsaEngine *engine);
void dsa_atc_clear(IntelDsa *dsa);
void dsa_atc_dropped(PcieAtsWatch *watch, const IommuEntry *entry);
void dsa_free_listeners(IntelDsa *dsa);
/* With what is loaded: listens again. */
void dsa_listen_again(IntelDsa *dsa);

/* --- intel_dsa_ops.c, intel_dsa_delta.c, intel_dsa_dif.c --- */
/* Some of it; `*budget` goes down by the bytes done. DSA_DONE: run->status is set. */
DsaStep dsa_execute(IntelDsa *dsa, DsaRun *run, uint32_t *budget);
DsaStep dsa_create_delta(IntelDsa *dsa, DsaRun *run, uint32_t *budget);
DsaStep dsa_apply_delta(IntelDsa *dsa, DsaRun *run, uint32_t *budget);
DsaStep dsa_dif(IntelDsa *dsa, DsaRun *run, uint32_t *budget);
/* What the transfer size counts in, 0 if it is no DIF operation; bytes of its destination. */
uint32_t dsa_dif_block(const DsaRun *run);
uint64_t dsa_dif_target_bytes(const DsaRun *run);

/* --- intel_dsa_report.c --- */
void dsa_interrupt(IntelDsa *dsa, uint32_t cause);
/* An error that no descriptor has; `wq` -1: none. */
void dsa_error(IntelDsa *dsa, unsigned code, int wq);
void dsa_fill_record(const DsaRun *run, uint8_t record[32]);
/* Where it goes is decided here: RECORDING, LOGGING. */
DsaStep dsa_record(IntelDsa *dsa, DsaRun *run);
DsaStep dsa_log(IntelDsa *dsa, DsaRun *run);
bool dsa_log_is_on(const IntelDsa *dsa);
void dsa_finish_interrupt(IntelDsa *dsa, const DsaRun *run);
void dsa_check_occupancy(IntelDsa *dsa, unsigned wq);

#endif
