/*
 * Nvme: an NVM Express controller (NVM Express Base Specification 1.4); what its files share.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_NVME_NVME_H
#define HW_NVME_NVME_H

#include "hw/core/block_batch.h"
#include "hw/core/block_conf.h"
#include "hw/core/bus.h"
#include "hw/pci/pci_device.h"
#include "system/dma_map.h"

#define TYPE_NVME       "nvme"
#define TYPE_NVME_NS    "nvme-ns"
#define TYPE_NVME_BUS   "nvme-bus"
#define NVME_MAX_PAIRS  64                   /* of I/O queues */
#define NVME_QUEUES     (NVME_MAX_PAIRS + 1) /* with the admin queue */
#define NVME_NAMESPACES 256
#define NVME_EVENTS     4                    /* asynchronous event requests at a time */
#define NVME_PAGE_BYTES 4096                 /* of identify data */

/* Status codes with their type (4.6.1). */
enum {
    NVME_SUCCESS = 0x000, NVME_INVALID_OPCODE = 0x001, NVME_INVALID_FIELD = 0x002,
    NVME_DATA_TRANSFER_ERROR = 0x004, NVME_INTERNAL_ERROR = 0x006, NVME_ABORTED = 0x007,
    NVME_INVALID_NAMESPACE = 0x00b, NVME_INVALID_SGL_SEGMENT = 0x00d, NVME_SGL_TOO_LONG = 0x00e,
    NVME_INVALID_SGL_LENGTH = 0x00f, NVME_INVALID_SGL_TYPE = 0x011, NVME_INVALID_MEMORY_USE = 0x012,
    NVME_INVALID_PRP_OFFSET = 0x013, NVME_LBA_RANGE = 0x080,
    NVME_INVALID_CQID = 0x100, NVME_INVALID_QID = 0x101, NVME_INVALID_QUEUE_SIZE = 0x102,
    NVME_TOO_MANY_EVENTS = 0x105, NVME_INVALID_VECTOR = 0x108, NVME_INVALID_LOG = 0x109,
    NVME_INVALID_FORMAT = 0x10a, NVME_INVALID_DELETION = 0x10c, NVME_NOT_SAVEABLE = 0x10d,
    NVME_NOT_CHANGEABLE = 0x10e, NVME_READ_ONLY = 0x182, NVME_SIZE_LIMIT = 0x183,
    NVME_WRITE_FAULT = 0x280, NVME_READ_ERROR = 0x281, NVME_COMPARE_FAILURE = 0x285,
    NVME_DO_NOT_RETRY = 0x4000,
    NVME_LATER = 0xffff, /* the command completes itself */
};

/* Of a command, in the log of effects (5.14.1.5) */
enum { NVME_SUPPORTED = BIT(0), NVME_CHANGES_BLOCKS = BIT(1) };

#define NVME_TEMPERATURE_K 323
#define NVME_WARNING_K     343
/* COPY: blocks of a range and of all, ranges */
enum { NVME_COPY_RANGE_BLOCKS = 128, NVME_COPY_BLOCKS = 128, NVME_COPY_RANGES = 128 };

/* CC and CSTS */
enum { NVME_CC_EN = 0x1, NVME_CC_SHN = 0xc000, NVME_CSTS_RDY = 0x1, NVME_CSTS_CFS = 0x2,
       NVME_CSTS_SHST_COMPLETE = 0x8 };

typedef struct NvmeCq {
    uint64_t addr;
    uint32_t size;   /* 0: there is none */
    uint16_t head, tail, vector;
    bool phase, has_irq;
    /* of the process */
    uint32_t in_flight; /* commands that will complete here */
} NvmeCq;

typedef struct NvmeSq {
    uint64_t addr;
    uint32_t size;
    uint16_t head, tail, cqid;
    /* of the process */
    uint32_t in_flight;
    bool is_running;
} NvmeSq;

struct Nvme;

/* What a controller shows of a drive. */
typedef struct NvmeNamespace {
    struct Nvme *nvme;
    BlockConf conf;
    uint32_t id;     /* 0: the next that is free */
    uint64_t eui64;
    uint8_t uuid[16]; /* 0: none */
} NvmeNamespace;

/* What a driver set, until a reset. */
typedef struct NvmeFeatures {
    uint32_t arbitration, power, error_recovery, atomicity;
    uint32_t temperature[2];  /* K: over, under */
    uint64_t timestamp_ms;    /* at timestamp_at_ns of the virtual clock */
    int64_t timestamp_at_ns;
    bool has_timestamp;
} NvmeFeatures;

/* What a controller has of its own: nvme_memory.c. */
typedef struct NvmeMemory {
    MemoryRegion buffer, persistent;               /* BARs */
    MemoryRegion space_root, buffer_window, persistent_window;
    AddressSpace space;                            /* where commands reach them */
    bool has_buffer_window, has_persistent_window; /* in it */
    uint64_t cmbmsc, pmrmsc;
    uint32_t pmrctl;
} NvmeMemory;

typedef struct NvmeBus {
    Bus parent;
    struct Nvme *nvme;
} NvmeBus;
DECLARE_CAST(NvmeBus, NVME_BUS)

typedef struct Nvme {
    PciDevice parent;
    MemoryRegion bar, registers;
    NvmeBus *bus;
    NvmeNamespace own;  /* of the property "drive" */
    NvmeNamespace *namespaces[NVME_NAMESPACES + 1]; /* borrowed, by id; NULL: none */
    /* properties */
    char *serial;
    uint32_t max_pairs;
    uint16_t vectors;
    uint8_t transfer_exponent; /* of the largest transfer, in pages; 0: any */
    bool uses_intel_id;
    uint32_t buffer_mb;
    Object *persistent;        /* a memory back end */
    bool has_msix_bar;
    uint8_t warnings;          /* critical ones, as a client wants them */
    /* registers */
    uint32_t masked, cc, csts, aqa, asq[2], acq[2];
    /* state */
    NvmeSq sqs[NVME_QUEUES];
    NvmeCq cqs[NVME_QUEUES];
    BlockBatch *batch;         /* while commands are fetched; else NULL */
    uint32_t irq_status;       /* bit: completion queue 0 to 31 has entries, without MSI-X */
    uint16_t events[NVME_EVENTS];
    uint8_t event_count;
    uint32_t event_mask;       /* feature 0bh */
    uint32_t coalescing;       /* feature 08h, of no effect */
    uint32_t changed;          /* a namespace with a new size; 0: none */
    NvmeFeatures features;
    NvmeMemory memory;
    uint8_t events_due, events_held; /* bit: a type of event; held until its log page is read */
    uint8_t event_info[3];
} Nvme;
DECLARE_CAST(Nvme, NVME)

typedef struct NvmeRequest {
    Nvme *nvme;
    uint16_t sqid, cid, status;
    uint8_t command[64];
    uint32_t result;
    NvmeNamespace *ns;
    DmaList list;
    DmaMap map;
    bool is_mapped, is_of_own_memory;
    BlockRequest block;
    struct NvmePart *parts;    /* of commands for several places at once */
    unsigned pending;
    /* of commands that are several requests, one after the other (nvme_steps.c) */
    uint16_t (*next)(struct NvmeRequest *request, BlockIo *io);
    bool is_waiting, is_looping;
    int error;
    unsigned step;
    uint8_t *buffer, *ranges;
    struct iovec iov;
    uint64_t at, left;
} NvmeRequest;

static inline uint32_t nvme_dword(const NvmeRequest *request, unsigned n)
{
    return load_le32(request->command + 4 * n);
}

/* --- nvme_queue.c --- */

void nvme_doorbell(Nvme *nvme, unsigned at, uint32_t value);
/* Frees it. */
void nvme_complete(NvmeRequest *request, uint16_t status);
/* Frees it; nvme_post() completes its command. */
void nvme_drop(NvmeRequest *request);
/* A completion without a request of its own: an asynchronous event. */
void nvme_post(Nvme *nvme, unsigned sqid, uint16_t cid, uint16_t status, uint32_t result);
void nvme_update_irq(Nvme *nvme);
/* All queues are gone; what is under way ends before. */
void nvme_stop(Nvme *nvme);
void nvme_run_all(Nvme *nvme);

/* --- nvme_data.c --- */

/* The command's data, of so many bytes. NVME_SUCCESS, or what is wrong with it. */
uint16_t nvme_map_data(NvmeRequest *request, uint64_t bytes);
/* The first `bytes` of them, to or from a buffer. */
uint16_t nvme_give(NvmeRequest *request, const void *data, uint64_t bytes);
uint16_t nvme_take(NvmeRequest *request, void *data, uint64_t bytes);

/* --- nvme_admin.c, nvme_identify.c, nvme_features.c, nvme_events.c, nvme_io.c, nvme_steps.c: each
 * gives a status or NVME_LATER --- */

uint16_t nvme_admin(NvmeRequest *request);
uint16_t nvme_identify(NvmeRequest *request);
uint16_t nvme_get_features(NvmeRequest *request);
uint16_t nvme_set_features(NvmeRequest *request);
uint16_t nvme_get_log(NvmeRequest *request);
uint16_t nvme_async_event(NvmeRequest *request);
uint16_t nvme_format(NvmeRequest *request);
uint16_t nvme_io(NvmeRequest *request);
uint16_t nvme_compare(NvmeRequest *request);
uint16_t nvme_verify(NvmeRequest *request);
uint16_t nvme_copy(NvmeRequest *request);

/* NVME_SUPPORTED and what else a command does; 0: there is no such. */
uint32_t nvme_admin_effects(uint8_t op);
uint32_t nvme_io_effects(uint8_t op);
/* Blocks `io->op` shall use, of a command that has them in the usual place. */
uint16_t nvme_get_range(const NvmeRequest *request, BlockIo *io);
uint16_t nvme_status_of(int error, BlockOp op);

void nvme_reset_features(Nvme *nvme);
uint8_t nvme_temperature_warning(const Nvme *nvme);
/* A namespace is another than before. */
void nvme_tell_changed(Nvme *nvme, uint32_t id);
/* Critical warnings that are new. */
void nvme_tell_warning(Nvme *nvme, uint8_t bits);
/* A doorbell rang that is not there, or with a value that cannot be. */
void nvme_tell_bad_doorbell(Nvme *nvme, bool has_register);

/* --- nvme_memory.c --- */

bool nvme_memory_realize(Nvme *nvme, Error **errp);
void nvme_memory_unrealize(Nvme *nvme); /* also what was not realized */
void nvme_memory_clear(Nvme *nvme);
void nvme_memory_reset(Nvme *nvme);
bool nvme_memory_post_load(void *nvme, int version, Error **errp);
uint64_t nvme_memory_capabilities(const Nvme *nvme); /* bits of CAP */
uint32_t nvme_memory_read(Nvme *nvme, uint64_t at);
bool nvme_memory_write(Nvme *nvme, uint64_t at, uint32_t value); /* false: no such register */
/* All of it is in what the controller has of its own. */
bool nvme_is_own_memory(const Nvme *nvme, uint64_t addr, uint64_t bytes);
AddressSpace *nvme_space_of(Nvme *nvme, uint64_t addr, uint64_t bytes);
MemTxResult nvme_read_memory(Nvme *nvme, uint64_t addr, void *buf, uint64_t bytes);
MemTxResult nvme_write_memory(Nvme *nvme, uint64_t addr, const void *buf, uint64_t bytes);

/* --- nvme_ns.c --- */

bool nvme_namespace_attach(NvmeNamespace *ns, Nvme *nvme, Device *dev, Error **errp);
void nvme_namespace_detach(NvmeNamespace *ns);
static inline uint64_t nvme_namespace_blocks(const NvmeNamespace *ns)
{
    return block_backend_bytes(ns->conf.drive) / ns->conf.logical_bytes;
}

#endif
