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

#include "hw/core/bus.h"
#include "block/block_node.h"
#include "system/dma_map.h"

#define TYPE_SCSI_BUS    "SCSI"
#define TYPE_SCSI_DEVICE "scsi-device"
#define SCSI_CDB_BYTES   16
#define SCSI_SENSE_BYTES 18

enum { SCSI_GOOD = 0x00, SCSI_CHECK_CONDITION = 0x02, SCSI_TASK_ABORTED = 0x40 };

/* Key, additional code and its qualifier (SPC-4, annex D). */
typedef struct ScsiSense {
    uint8_t key, asc, ascq;
} ScsiSense;
#define SCSI_SENSE(key, asc, ascq) ((ScsiSense){ (key), (asc), (ascq) })
#define SCSI_NO_SENSE           SCSI_SENSE(0, 0, 0)
#define SCSI_MEDIUM_ERROR       SCSI_SENSE(3, 0x11, 0)
#define SCSI_WRITE_ERROR        SCSI_SENSE(3, 0x0c, 0)
#define SCSI_INVALID_COMMAND    SCSI_SENSE(5, 0x20, 0)
#define SCSI_LBA_OUT_OF_RANGE   SCSI_SENSE(5, 0x21, 0)
#define SCSI_INVALID_FIELD      SCSI_SENSE(5, 0x24, 0)
#define SCSI_LUN_NOT_SUPPORTED  SCSI_SENSE(5, 0x25, 0)
#define SCSI_INVALID_PARAMETER  SCSI_SENSE(5, 0x26, 0)
#define SCSI_WAS_RESET          SCSI_SENSE(6, 0x29, 0)
#define SCSI_CAPACITY_CHANGED   SCSI_SENSE(6, 0x2a, 9)
#define SCSI_WRITE_PROTECTED    SCSI_SENSE(7, 0x27, 0)
#define SCSI_ABORTED            SCSI_SENSE(0xb, 0, 0)

typedef struct ScsiDevice ScsiDevice;
typedef struct ScsiBus ScsiBus;

/* Of an adapter; any but done may be NULL. */
typedef struct ScsiBusOps {
    unsigned max_channel, max_target, max_lun;
    void (*plugged)(void *opaque, ScsiDevice *dev);
    void (*unplugged)(void *opaque, ScsiDevice *dev);
    /* The unit has another capacity. */
    void (*changed)(void *opaque, ScsiDevice *dev, ScsiSense sense);
} ScsiBusOps;

struct ScsiBus {
    Bus parent;
    const ScsiBusOps *ops;
    void *opaque;
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
};
DECLARE_CAST(ScsiDevice, SCSI_DEVICE)

typedef struct ScsiDeviceType {
    struct DeviceType;
    /* Starts it; may end it at once. */
    void (*start)(ScsiDevice *dev, ScsiRequest *request);
    /* Waits for all that is under way; what waits for the VM to run is given up. */
    void (*drain)(ScsiDevice *dev);
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
void scsi_fill_sense(uint8_t data[SCSI_SENSE_BYTES], ScsiSense sense);

#endif
