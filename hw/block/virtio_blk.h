/*
 * VirtioBlk: a virtio block device (virtio 1.3, 5.2); what its files share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_BLOCK_VIRTIO_BLK_H
#define HW_BLOCK_VIRTIO_BLK_H

#include "hw/core/block_conf.h"
#include "hw/virtio/virtqueue.h"

#define VIRTIO_BLK_SERIAL_BYTES 20

/* 5.2.3: feature bits, by number */
enum {
    VIRTIO_BLK_F_SEG_MAX = 2,
    VIRTIO_BLK_F_GEOMETRY = 4,
    VIRTIO_BLK_F_RO = 5,
    VIRTIO_BLK_F_BLK_SIZE = 6,
    VIRTIO_BLK_F_FLUSH = 9,
    VIRTIO_BLK_F_TOPOLOGY = 10,
    VIRTIO_BLK_F_CONFIG_WCE = 11,
    VIRTIO_BLK_F_MQ = 12,
    VIRTIO_BLK_F_DISCARD = 13,
    VIRTIO_BLK_F_WRITE_ZEROES = 14,
};

typedef struct VirtioBlk {
    VirtioDevice parent;
    /* properties */
    BlockConf conf;
    IoThread *iothread;
    uint64_t wanted;         /* bits of its own that may be offered */
    char *serial;
    uint32_t cyls, heads, secs;
    uint16_t queue_count, queue_size;
    uint32_t max_discard, max_zeroes; /* sectors */
    bool has_adjusted_segments, tells_discard_granularity, merges;
    /* state */
    DeviceWorker *worker;    /* of all queues; NULL: the main loop */
    unsigned in_flight;      /* requests that are with the drive */
    bool has_write_cache;    /* as the driver chose */
    bool had_write_cache;    /* before it did */
} VirtioBlk;
DECLARE_CAST(VirtioBlk, VIRTIO_BLK)

/* virtio_blk_request.c */
void virtio_blk_kicked(VirtioDevice *vdev, VirtQueue *vq);
/* Waits for all that is under way. */
void virtio_blk_drain(VirtioBlk *blk);

#endif
