/*
 * VirtioDevice: what all virtio devices are, whichever transport a driver finds them on (Virtual I/O
 * Device 1.3, chapters 2 and 3). A device declares its id, its features and its configuration, and
 * adds virtqueues (hw/virtio/virtqueue.h); negotiation, status, reset, rings and saved state are
 * the core's.
 *
 * A driver can break its device, never the process: what it must not do sets NEEDS_RESET, after
 * which the device touches no memory until it is reset.
 *
 * All functions want the machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include "hw/core/bus.h"
#include "hw/virtio/virtio_defs.h"
#include "system/memory_listener.h"
#include "util/notifier.h"

#define TYPE_VIRTIO_DEVICE "virtio-device"

typedef struct VirtioDevice VirtioDevice;
typedef struct VirtQueue VirtQueue;

struct VirtioDevice {
    Device parent;
    /* properties */
    uint64_t wanted_features; /* a bit each */
    bool accepts_early_kicks; /* legacy drivers: before DRIVER_OK */
    bool obeys_bus_master;
    bool skips_legacy_check;
    /* state */
    uint64_t host_features;   /* what can be offered, over any transport */
    uint64_t driver_features; /* what the driver chose */
    uint8_t status;           /* VIRTIO_STATUS_* */
    uint8_t isr;              /* VIRTIO_ISR_* */
    uint16_t config_vector;
    uint32_t generation;      /* of the configuration */
    bool is_broken;           /* by its driver, until reset */
    bool is_disabled;         /* its transport may not access memory */
    bool is_reset_by_driver;  /* while it is: not with the machine */
    VirtQueue *queues;
    uint32_t queue_count;
    uint8_t *config;          /* as last read */
    size_t config_bytes;      /* the type's, or what the device's realize makes it */
    MemoryListener listener;
    bool is_listening;
    bool is_map_stale;        /* rings must be found again */
    Notifier run_state;       /* of devices with .run_changed */
};
DECLARE_CAST(VirtioDevice, VIRTIO_DEVICE)

typedef struct VirtioDeviceType {
    struct DeviceType;
    uintptr_t virtio_id;     /* VIRTIO_ID_* */
    uintptr_t config_bytes;  /* of its configuration space, at most */
    /* Bits of its own kind, beside those that properties chose. NULL: none. */
    uint64_t (*features)(VirtioDevice *vdev);
    /* Whether a driver's choice makes sense; false: FEATURES_OK stays clear. NULL: always. */
    bool (*accepts)(VirtioDevice *vdev, uint64_t chosen);
    /* Fills the configuration, as the interface's byte order wants it: virtio_put(). */
    void (*config_read)(VirtioDevice *vdev, uint8_t *config);
    /* The driver wrote to it. */
    void (*config_written)(VirtioDevice *vdev, const uint8_t *config);
    /* The status changed, not by a reset (that is .reset_hold's). */
    void (*status_changed)(VirtioDevice *vdev, uint8_t old);
    /* One queue is taken away from the device: it drops what it popped. */
    void (*queue_reset)(VirtioDevice *vdev, VirtQueue *queue);
    /* The machine stops, or goes on: virtio_is_live() is another. For devices that do things which
     * no driver's notification begins. */
    void (*run_changed)(VirtioDevice *vdev);
} VirtioDeviceType;
#define VIRTIO_DEVICE_TYPE(decl) OBJECT_TYPE(decl)

static inline const VirtioDeviceType *virtio_ops(const VirtioDevice *vdev)
{
    return object_ops(vdev);
}

/* In the device's realize: how many virtqueues it has (VIRTIO_MAX_QUEUES at most). */
bool virtio_init_queues(VirtioDevice *vdev, unsigned count, Error **errp);

/* The driver has chosen the feature bit. */
static inline bool virtio_has_feature(const VirtioDevice *vdev, unsigned bit)
{
    return vdev->driver_features & BIT64(bit);
}
static inline bool virtio_is_legacy(const VirtioDevice *vdev)
{
    return !virtio_has_feature(vdev, VIRTIO_F_VERSION_1);
}
/* Of configuration fields and headers: little-endian, a legacy driver's is its CPU's. */
Endian virtio_endian(const VirtioDevice *vdev);
static inline void virtio_put(const VirtioDevice *vdev, uint8_t *at, unsigned bytes,
                              uint64_t value)
{
    store_bytes(at, bytes, virtio_endian(vdev), value);
}
static inline uint64_t virtio_get(const VirtioDevice *vdev, const uint8_t *at, unsigned bytes)
{
    return load_bytes(at, bytes, virtio_endian(vdev));
}

/* The configuration is another: tells the driver. */
void virtio_config_changed(VirtioDevice *vdev);
/* The driver did what it must not: NEEDS_RESET. */
void virtio_error(VirtioDevice *vdev, const char *fmt, ...) PRINTF(2, 3);
/* The driver runs it and it may touch memory. */
bool virtio_is_running(const VirtioDevice *vdev);
/* And the machine runs: its memory and the device's state may change. */
bool virtio_is_live(const VirtioDevice *vdev);

#endif
