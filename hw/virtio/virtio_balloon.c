/*
 * See hw/virtio/virtio_balloon.h: configuration and life. Its numbers are little-endian also for
 * legacy drivers (5.5.4.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_balloon.h"

#include "hw/virtio/virtio_pci.h"
#include "util/byte_order.h"

#define QUEUE_SIZE           128
#define HINT_QUEUE_SIZE      1024
#define REPORTING_QUEUE_SIZE 32
#define CONFIG_BYTES         16
#define FIXED_QUEUES         3 /* there always */
enum { CONFIG_TARGET = 0, CONFIG_ACTUAL = 4, CONFIG_HINT_COMMAND = 8, CONFIG_POISON = 12 };

/* --- configuration --- */

static void config_read(VirtioDevice *vdev, uint8_t *config)
{
    const VirtioBalloon *s = VIRTIO_BALLOON(vdev);

    store_le32(config + CONFIG_TARGET, s->target_pages);
    store_le32(config + CONFIG_ACTUAL, s->actual_pages);
    store_le32(config + CONFIG_HINT_COMMAND, virtio_balloon_hint_command(s));
    store_le32(config + CONFIG_POISON, s->poison);
}

static void config_written(VirtioDevice *vdev, const uint8_t *config)
{
    VirtioBalloon *s = VIRTIO_BALLOON(vdev);
    uint32_t before = s->actual_pages;

    s->actual_pages = load_le32(config + CONFIG_ACTUAL);
    if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON)) {
        s->poison = load_le32(config + CONFIG_POISON);
    }
    if (s->actual_pages != before) {
        virtio_balloon_tell_actual(s);
    }
}

/* --- life --- */

static void queue_reset(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioBalloon *s = VIRTIO_BALLOON(vdev);

    s->has_stats &= vq != s->stats;
}

static void run_changed(VirtioDevice *vdev)
{
    virtio_balloon_end_hints(VIRTIO_BALLOON(vdev));
}

static bool wants(const VirtioBalloon *s, unsigned feature)
{
    return s->wanted & BIT64(feature);
}

/* Queues of features that are not wanted are not there: the next one takes the number. */
static bool init_queues(VirtioBalloon *s, Error **errp)
{
    VirtioDevice *vdev = &s->parent;
    bool has_hints = wants(s, VIRTIO_BALLOON_F_FREE_PAGE_HINT);
    bool has_reports = wants(s, VIRTIO_BALLOON_F_PAGE_REPORTING);

    if (!virtio_init_queues(vdev, FIXED_QUEUES + has_hints + has_reports, errp)) {
        return false;
    }
    s->inflate = virtqueue_init(vdev, 0, QUEUE_SIZE, virtio_balloon_inflated);
    s->deflate = virtqueue_init(vdev, 1, QUEUE_SIZE, virtio_balloon_deflated);
    s->stats = virtqueue_init(vdev, 2, QUEUE_SIZE, virtio_balloon_stats_came);
    if (has_hints) {
        virtqueue_init(vdev, FIXED_QUEUES, HINT_QUEUE_SIZE, virtio_balloon_hinted);
    }
    if (has_reports) {
        virtqueue_init(vdev, FIXED_QUEUES + has_hints, REPORTING_QUEUE_SIZE,
                       virtio_balloon_reported);
    }
    return true;
}

static size_t config_bytes(const VirtioBalloon *s)
{
    return s->has_large_config || wants(s, VIRTIO_BALLOON_F_PAGE_POISON) ? CONFIG_BYTES :
           wants(s, VIRTIO_BALLOON_F_FREE_PAGE_HINT) ? CONFIG_POISON : CONFIG_HINT_COMMAND;
}

static bool balloon_realize(Device *dev, Error **errp)
{
    VirtioBalloon *s = VIRTIO_BALLOON(dev);
    VirtioDevice *vdev = &s->parent;

    if (wants(s, VIRTIO_BALLOON_F_FREE_PAGE_HINT) && !s->iothread) {
        return error_set(errp, "'free-page-hint' requires 'iothread' to be set");
    }
    if (!init_queues(s, errp) || !virtio_balloon_set_current(s, errp)) {
        return false;
    }
    s->worker = device_worker_new(s->iothread);
    virtio_set_worker(vdev, FIXED_QUEUES, s->worker);
    vdev->host_features |= s->wanted | BIT64(VIRTIO_BALLOON_F_STATS_VQ);
    vdev->config_bytes = config_bytes(s);
    s->parts = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    if (wants(s, VIRTIO_BALLOON_F_FREE_PAGE_HINT)) {
        virtio_balloon_start_hints(s);
    }
    virtio_balloon_forget_stats(s);
    return true;
}

static void balloon_unrealize(Device *dev)
{
    VirtioBalloon *s = VIRTIO_BALLOON(dev);

    notifier_remove(&s->teller);
    virtio_set_worker(&s->parent, FIXED_QUEUES, NULL);
    g_clear_pointer(&s->worker, device_worker_free);
    virtio_balloon_clear_current(s);
    g_clear_pointer(&s->parts, g_hash_table_unref);
}

/* The guest's memory is all its own again; what it is to have remains as the user said. */
static void balloon_reset(Device *dev)
{
    VirtioBalloon *s = VIRTIO_BALLOON(dev);

    s->actual_pages = s->poison = 0;
    virtio_balloon_forget_pages(s);
    virtio_balloon_forget_hints(s);
    virtio_balloon_forget_stats(s);
}

#define FEATURE(name_, bit_, ...) PROP_BIT64(name_, VirtioBalloon, wanted, bit_, __VA_ARGS__)
static const Property balloon_props[] = {
    FEATURE("deflate-on-oom", VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
            .doc = "The guest may take pages back before it kills a process"),
    FEATURE("free-page-reporting", VIRTIO_BALLOON_F_PAGE_REPORTING,
            .doc = "The guest tells of free pages, which go back to the host"),
    FEATURE("free-page-hint", VIRTIO_BALLOON_F_FREE_PAGE_HINT,
            .doc = "The guest tells of free pages, which a migration need not send"),
    FEATURE("page-poison", VIRTIO_BALLOON_F_PAGE_POISON, .initial = true,
            .doc = "The guest tells what free pages hold"),
    PROP_BOOL("qemu-4-0-config-size", VirtioBalloon, has_large_config,
              .doc = "Configuration of 16 bytes without features that need them"),
    PROP_LINK("iothread", VirtioBalloon, iothread, TYPE_IOTHREAD,
              .doc = "Where the guest's free pages are looked at"),
    PROP_COMPUTED("guest-stats", "guest statistics", .get = virtio_balloon_get_stats,
                  .doc = "What the guest last said of its memory"),
    PROP_COMPUTED("guest-stats-polling-interval", "int", .get = virtio_balloon_get_interval,
                  .set = virtio_balloon_set_interval, .is_live = true,
                  .offset = offsetof(VirtioBalloon, polling_seconds),
                  .doc = "Seconds between two times it is asked; 0: it is not"),
};
static const VMField balloon_fields[] = {
    VM_U32(VirtioBalloon, target_pages), VM_U32(VirtioBalloon, actual_pages),
    VM_U32(VirtioBalloon, poison), VM_BOOL(VirtioBalloon, has_stats),
    VM_ENUM(VirtioBalloon, hints, VIRTIO_BALLOON_HINTS_STAGES),
    VM_U32(VirtioBalloon, hint_command), VM_I64(VirtioBalloon, polling_seconds), VM_TIMER(VirtioBalloon, poll),
};

static const VirtioDeviceType balloon_type = {
    .name = "virtio-balloon-device",
    .doc = "virtio memory balloon",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioBalloon),
    .category = DEVICE_CATEGORY_MISC,
    .virtio_id = VIRTIO_ID_BALLOON,
    .config_bytes = CONFIG_BYTES,
    .config_read = config_read,
    .config_written = config_written,
    .queue_reset = queue_reset,
    .run_changed = run_changed,
    .timers = TIMER_ON(CLOCK_VIRTUAL, VirtioBalloon, poll, virtio_balloon_poll),
    .properties = PROPERTIES(balloon_props),
    .vmstate = VMSTATE(balloon_fields, .version = 1),
    .realize = balloon_realize,
    .unrealize = balloon_unrealize,
    .reset_hold = balloon_reset,
};
VIRTIO_DEVICE_TYPE(balloon_type)

static const VirtioPciFamily balloon_pci = {
    .name = "virtio-balloon-pci",
    .doc = "virtio memory balloon on PCI",
    .device = &balloon_type,
    .class_id = PCI_CLASS_OTHERS,
    .transitional_id = 0x1002,
    .is_without_vectors = true,
    .category = DEVICE_CATEGORY_MISC,
};
VIRTIO_PCI_FAMILY(balloon_pci)
