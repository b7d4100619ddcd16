/*
 * VirtioScsi: a virtio SCSI host adapter (virtio 1.3, 5.6); what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_SCSI_VIRTIO_SCSI_H
#define HW_SCSI_VIRTIO_SCSI_H

#include "hw/virtio/virtqueue.h"
#include "hw/scsi/scsi.h"

#define VIRTIO_SCSI_LUN_BYTES   8
#define VIRTIO_SCSI_SENSE_BYTES 96 /* at first; drivers may choose */
#define VIRTIO_SCSI_CDB_BYTES   32
#define VIRTIO_SCSI_MAX_TARGET  255
#define VIRTIO_SCSI_MAX_LUN     16383

/* 5.6.3 */
enum { VIRTIO_SCSI_F_HOTPLUG = 1, VIRTIO_SCSI_F_CHANGE = 2 };

/* 5.6.6: responses */
enum {
    VIRTIO_SCSI_S_OK = 0, VIRTIO_SCSI_S_OVERRUN = 1, VIRTIO_SCSI_S_ABORTED = 2,
    VIRTIO_SCSI_S_BAD_TARGET = 3, VIRTIO_SCSI_S_RESET = 4, VIRTIO_SCSI_S_FAILURE = 9,
    VIRTIO_SCSI_S_FUNCTION_SUCCEEDED = 10, VIRTIO_SCSI_S_FUNCTION_REJECTED = 11,
    VIRTIO_SCSI_S_INCORRECT_LUN = 12,
};

typedef struct VirtioScsiCommand {
    VirtQueueElement elem;
    struct VirtioScsi *adapter;
    struct VirtioScsiCommand *next, **link; /* of those under way */
    uint64_t tag;
    unsigned lun;
    ScsiRequest request;
} VirtioScsiCommand;

typedef struct VirtioScsi {
    VirtioDevice parent;
    ScsiBus *bus;
    VirtQueue *control_vq, *event_vq;
    VirtioScsiCommand *commands;
    /* properties */
    uint64_t wanted;
    uint32_t queue_count, queue_size, max_sectors, commands_per_lun;
    bool has_adjusted_segments;
    IoThread *iothread;
    /* state: what the driver wrote to the configuration */
    uint32_t sense_bytes, cdb_bytes;
    bool has_missed_events;
} VirtioScsi;
DECLARE_CAST(VirtioScsi, VIRTIO_SCSI)

/* virtio_scsi_request.c */
void virtio_scsi_commands(VirtioDevice *vdev, VirtQueue *vq);
/* The unit that an address leads to, or one of its target; NULL: there is no such target. */
ScsiDevice *virtio_scsi_find(const VirtioScsi *s, const uint8_t address[VIRTIO_SCSI_LUN_BYTES],
                             unsigned *lun);

/* virtio_scsi_control.c */
void virtio_scsi_control(VirtioDevice *vdev, VirtQueue *vq);
void virtio_scsi_events(VirtioDevice *vdev, VirtQueue *vq);
/* The driver starts anew. */
void virtio_scsi_unsubscribe_all(VirtioScsi *s);
extern const ScsiBusOps virtio_scsi_bus_ops; /* its opaque is the VirtioScsi */

#endif
