/*
 * SCSI: the bus between a host adapter and its logical units (SAM-5), and a command on it.
 *
 * An adapter fills a ScsiRequest and starts it; the unit ends it exactly once, with a status and,
 * for CHECK CONDITION, sense data. Data is the adapter's: lists of guest memory.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SCSI_SCSI_H
#define HW_SCSI_SCSI_H

#include "hw/core/block_batch.h"
#include "hw/core/bus.h"
#include "hw/core/device_worker.h"
#include "hw/core/scsi_cdb.h"
#include "hw/core/scsi_sense.h"
#include "block/block_node.h"
#include "system/dma_map.h"

#define TYPE_SCSI_BUS    "SCSI"
#define TYPE_SCSI_DEVICE "scsi-device"

enum { SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02, SCSI_TASK_ABORTED = 0x40 };

typedef struct ScsiDevice ScsiDevice;
typedef struct ScsiBus ScsiBus;

/* Of an adapter; any but done may be NULL. */
typedef struct ScsiBusOps {
    unsigned max_channel, max_target, max_lun;
    void (*plugged)(void *opaque, ScsiDevice *dev);
    void (*unplugged)(void *opaque, ScsiDevice *dev);
    /* The unit has another capacity. */
    void (*changed)(void *opaque, ScsiDevice *dev, ScsiSense sense);
    /* Its tray or medium is another, or is wanted (of units with has_media_events). */
    void (*media_event)(void *opaque, ScsiDevice *dev);
} ScsiBusOps;

struct ScsiBus {
    Bus parent;
    const ScsiBusOps *ops;
    void *opaque;
    DeviceWorker *worker; /* the adapter's, where commands come from; NULL: the main loop */
    BlockBatch *batch;    /* while the adapter has more commands to start; else NULL */
};
DECLARE_CAST(ScsiBus, SCSI_BUS)

typedef struct ScsiRequest {
    /* the adapter's */
    uint8_t cdb[SCSI_CDB_BYTES];
    const DmaList *out, *in; /* what the unit reads and writes, at these places */
    DmaSpan out_span, in_span;
    void (*done)(struct ScsiRequest *request);
    /* the result */
    uint8_t status;          /* SCSI_* */
    uint8_t sense[SCSI_SENSE_BYTES]; /* fixed format, with CHECK CONDITION */
    bool is_given_up;        /* it was aborted, or its unit reset */
    uint64_t wanted;         /* bytes that the command moves; */
    uint64_t moved;          /* and that it did */
    /* the unit's */
    ScsiDevice *dev;
    BlockRequest block;
    DmaMap map;
    bool is_mapped;
    /* of commands that are several requests */
    bool (*next)(struct ScsiRequest *request, BlockIo *io); /* false: that was the last */
    bool is_waiting, is_looping;
    int error;
    uint64_t at, left;       /* bytes, of parameters or of the medium */
    uint8_t *ranges;         /* UNMAP's parameters */
    uint8_t *run;            /* WRITE SAME's blocks */
    struct iovec iov;
} ScsiRequest;

struct ScsiDevice {
    Device parent;
    uint32_t channel, id, lun; /* properties; UINT32_MAX: the next that is free */
    ScsiSense attention;       /* told next; SCSI_NO_SENSE: nothing */
    uint32_t subscribed;       /* the adapter's: events that a driver wants to be told of */
};
DECLARE_CAST(ScsiDevice, SCSI_DEVICE)

typedef struct ScsiDeviceType {
    struct DeviceType;
    /* Starts it; may end it at once. */
    void (*start)(ScsiDevice *dev, ScsiRequest *request);
    /* Waits for all that is under way; what waits for the VM to run is given up. */
    void (*drain)(ScsiDevice *dev);
    /* It was reset: what a driver set goes. May be NULL. */
    void (*forget)(ScsiDevice *dev);
    bool has_media_events;
} ScsiDeviceType;

static inline const ScsiDeviceType *scsi_device_ops(const ScsiDevice *dev)
{
    return object_ops(dev);
}

/* "<id>.0"; without an id the next free of "scsi.0", "scsi.1", ... */
ScsiBus *scsi_bus_new(Device *owner, const char *id, const ScsiBusOps *ops, void *opaque);
/* In unrealize: with its units. */
void scsi_bus_delete(ScsiBus *bus);
/* The unit there; else one of the target, which answers for absent ones; else NULL. */
ScsiDevice *scsi_bus_find(const ScsiBus *bus, unsigned channel, unsigned id, unsigned lun);
/* For a unit of the target `dev` is in. LUNs that do not exist are answered here. */
void scsi_start(ScsiDevice *dev, unsigned lun, ScsiRequest *request);
/* A task management function, or a bus reset. */
void scsi_device_reset(ScsiDevice *dev);

/* --- for units --- */

void scsi_end(ScsiRequest *request);                 /* well */
void scsi_fail(ScsiRequest *request, ScsiSense sense);
/* `bytes` of `data`, or as many as `allocated` in the command; ends it. */
void scsi_reply(ScsiRequest *request, const uint8_t *data, uint64_t bytes, uint64_t allocated);

#endif
