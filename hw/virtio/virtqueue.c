/*
 * Virtqueues: what split and packed rings share. See hw/virtio/virtqueue.h.
 *
 * Rings are found in memory once and then accessed in place; a change of the memory map makes them
 * found again. Behind an IOMMU every access is translated anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtqueue_parts.h"

#define MAX_WRITABLE_BYTES (4 * GiB) /* what a used element can tell */
#define LEGACY_ALIGN    4096

/* --- life --- */

VirtQueue *virtqueue_init(VirtioDevice *vdev, unsigned n, uint16_t max_size, VirtQueueFn *kicked)
{
    VirtQueue *vq = &vdev->queues[n];

    assert(n < vdev->queue_count && max_size <= VIRTIO_MAX_QUEUE_SIZE);
    vq->vdev = vdev;
    vq->index = n;
    vq->max_size = max_size;
    vq->kicked = kicked;
    virtqueue_clear(vq);
    return vq;
}

static void unmap(VirtQueue *vq)
{
    for (unsigned i = 0; vq->is_mapped && i < VIRTQUEUE_AREAS; i++) {
        memory_cache_clear(&vq->areas[i]);
    }
    vq->is_mapped = false;
}

void virtqueue_clear(VirtQueue *vq)
{
    unmap(vq);
    g_clear_pointer(&vq->order, g_free);
    vq->size = vq->max_size;
    vq->vector = VIRTIO_NO_VECTOR;
    vq->align = LEGACY_ALIGN;
    memset(vq->addr, 0, sizeof(vq->addr));
    vq->is_enabled = false;
    vq->next = vq->used = vq->used_at = vq->notified = 0;
    vq->next_wrap = vq->used_wrap = true;
    vq->is_kicks_off = vq->was_kicked_early = false;
    vq->popped = vq->completed = 0;
    vq->epoch++;
}

void virtqueue_free(VirtQueue *vq)
{
    unmap(vq);
    g_free(vq->order);
}

unsigned virtqueue_index(const VirtQueue *vq)
{
    return vq->index;
}

VirtioDevice *virtqueue_device(const VirtQueue *vq)
{
    return vq->vdev;
}

/* --- memory --- */

static void map_area(VirtQueue *vq, VirtQueueArea area)
{
    AddressSpace *as = virtio_dma_space(vq->vdev);
    MemTxAttrs attrs = virtio_dma_attrs(vq->vdev);
    uint64_t bytes = vq->format->area_bytes(vq, area);
    MemoryCache *cache = &vq->areas[area];

    if (virtio_is_translated(vq->vdev)) {
        *cache = (MemoryCache){ .as = as, .addr = vq->addr[area], .bytes = bytes, .attrs = attrs };
    } else if (area == VIRTQUEUE_DRIVER) {
        memory_cache_init_read(cache, as, vq->addr[area], bytes, attrs);
    } else {
        memory_cache_init_write(cache, as, vq->addr[area], bytes, attrs);
    }
}

static void map(VirtQueue *vq)
{
    unmap(vq);
    for (VirtQueueArea area = 0; area < VIRTQUEUE_AREAS; area++) {
        map_area(vq, area);
    }
    vq->is_mapped = true;
    virtio_listen(vq->vdev, true);
}

static void map_again_if_stale(VirtioDevice *vdev)
{
    if (!vdev->is_map_stale) {
        return;
    }
    vdev->is_map_stale = false;
    for (uint32_t i = 0; i < vdev->queue_count; i++) {
        if (vdev->queues[i].is_mapped) {
            map(&vdev->queues[i]);
        }
    }
}

static bool bad_access(VirtQueue *vq, VirtQueueArea area)
{
    static const char *const names[] = { "descriptors", "driver's part", "device's part" };

    virtio_error(vq->vdev, "queue %u: its %s at 0x%" PRIx64 " cannot be accessed", vq->index,
                 names[area], vq->addr[area]);
    return false;
}

bool virtqueue_load(VirtQueue *vq, VirtQueueArea area, uint64_t at, unsigned bytes,
                    uint64_t *value)
{
    MemFormat format = mem_format(bytes, virtio_endian(vq->vdev));

    return memory_cache_load(&vq->areas[area], at, format, value) == MEM_TX_OK ||
           bad_access(vq, area);
}

bool virtqueue_store(VirtQueue *vq, VirtQueueArea area, uint64_t at, unsigned bytes,
                     uint64_t value)
{
    MemFormat format = mem_format(bytes, virtio_endian(vq->vdev));

    return memory_cache_store(&vq->areas[area], at, format, value) == MEM_TX_OK ||
           bad_access(vq, area);
}

/* --- descriptors --- */

VirtqDesc virtqueue_parse_desc(const VirtioDevice *vdev, const uint8_t raw[VIRTQ_DESC_BYTES])
{
    bool is_packed = virtio_has_feature(vdev, VIRTIO_F_RING_PACKED);

    return (VirtqDesc){ .addr = virtio_get(vdev, raw, 8), .bytes = virtio_get(vdev, raw + 8, 4),
                        .flags = virtio_get(vdev, raw + (is_packed ? 14 : 12), 2),
                        .next = virtio_get(vdev, raw + (is_packed ? 12 : 14), 2) };
}

bool virtqueue_load_desc(VirtQueue *vq, uint16_t n, VirtqDesc *desc)
{
    uint8_t raw[VIRTQ_DESC_BYTES];

    if (memory_cache_read(&vq->areas[VIRTQUEUE_DESC], (uint64_t)n * VIRTQ_DESC_BYTES, raw,
                          sizeof(raw)) != MEM_TX_OK) {
        return bad_access(vq, VIRTQUEUE_DESC);
    }
    *desc = virtqueue_parse_desc(vq->vdev, raw);
    return true;
}

bool virtqueue_add_desc(VirtQueueElement *elem, const VirtqDesc *desc)
{
    VirtioDevice *vdev = elem->vq->vdev;
    DmaList *list = desc->flags & VIRTQ_DESC_F_WRITE ? &elem->in : &elem->out;

    if (list == &elem->out && elem->in.count) {
        virtio_error(vdev, "queue %u: a readable descriptor behind a writable one",
                     elem->vq->index);
        return false;
    }
    if (!dma_list_add(list, desc->addr, desc->bytes) || elem->in.bytes > MAX_WRITABLE_BYTES) {
        virtio_error(vdev, "queue %u: a buffer of more than 4 GiB", elem->vq->index);
        return false;
    }
    return true;
}

static bool bad_table(VirtQueueElement *elem, const char *why)
{
    virtio_error(elem->vq->vdev, "queue %u: an indirect table %s", elem->vq->index, why);
    return false;
}

static bool check_table(VirtQueueElement *elem, const VirtqDesc *table)
{
    if (!virtio_has_feature(elem->vq->vdev, VIRTIO_F_INDIRECT_DESC)) {
        return bad_table(elem, "was not negotiated");
    }
    if (table->flags & VIRTQ_DESC_F_NEXT) {
        return bad_table(elem, "has a successor");
    }
    if (!table->bytes || table->bytes % VIRTQ_DESC_BYTES ||
        table->bytes / VIRTQ_DESC_BYTES > VIRTIO_MAX_QUEUE_SIZE) {
        return bad_table(elem, "has a length that cannot be");
    }
    return true;
}

static bool add_rows(VirtQueueElement *elem, const uint8_t *rows, unsigned count, bool is_chain)
{
    unsigned n = 0;

    for (unsigned done = 0; done < count; done++) {
        VirtqDesc desc = virtqueue_parse_desc(elem->vq->vdev, rows + n * VIRTQ_DESC_BYTES);

        if (desc.flags & VIRTQ_DESC_F_INDIRECT) {
            return bad_table(elem, "holds another");
        }
        if (!virtqueue_add_desc(elem, &desc)) {
            return false;
        }
        if (is_chain && !(desc.flags & VIRTQ_DESC_F_NEXT)) {
            return true;
        }
        n = is_chain ? desc.next : n + 1;
        if (is_chain && n >= count) {
            return bad_table(elem, "leads outside itself");
        }
    }
    return !is_chain || bad_table(elem, "is without an end");
}

/* A copy: the driver may go on writing. */
bool virtqueue_add_table(VirtQueueElement *elem, const VirtqDesc *table, bool is_chain)
{
    VirtioDevice *vdev = elem->vq->vdev;
    g_autofree uint8_t *rows = NULL;

    if (!check_table(elem, table)) {
        return false;
    }
    rows = g_malloc(table->bytes);
    if (dma_read(virtio_dma_space(vdev), table->addr, virtio_dma_attrs(vdev), rows,
                 table->bytes) != MEM_TX_OK) {
        return bad_table(elem, "cannot be read");
    }
    return add_rows(elem, rows, table->bytes / VIRTQ_DESC_BYTES, is_chain);
}

bool virtqueue_has_event_idx(const VirtQueue *vq)
{
    return virtio_has_feature(vq->vdev, VIRTIO_F_EVENT_IDX);
}

/* --- the device's side --- */

static bool is_usable(VirtQueue *vq)
{
    if (!vq->is_enabled || vq->vdev->is_broken || vq->vdev->is_disabled) {
        return false;
    }
    map_again_if_stale(vq->vdev);
    return true;
}

static void free_element(VirtQueueElement *elem)
{
    dma_list_clear(&elem->out);
    dma_list_clear(&elem->in);
    g_free(elem);
}

/* Those out are at most as many as the ring has places, whatever the driver claims. */
static bool has_place(VirtQueue *vq)
{
    if (vq->popped - vq->completed < vq->size) {
        return true;
    }
    virtio_error(vq->vdev, "queue %u: more than its %u buffers at a time", vq->index, vq->size);
    return false;
}

/*
 * With event indices each pop shows the driver how far the device is. Before it is believed that there is no more, that
 * must be visible: else the driver adds a buffer without a kick, and nobody takes it.
 */
static bool is_drained(VirtQueue *vq)
{
    if (!vq->format->is_empty(vq)) {
        return false;
    }
    if (vq->is_kicks_off || !virtqueue_has_event_idx(vq)) {
        return true;
    }
    dma_barrier();
    return vq->format->is_empty(vq);
}

void virtio_dma_list_init(const VirtioDevice *vdev, DmaList *list)
{
    dma_list_init(list, virtio_dma_space(vdev), virtio_dma_attrs(vdev));
}

void *virtqueue_pop(VirtQueue *vq, size_t bytes)
{
    VirtQueueElement *elem;

    assert(bytes >= sizeof(*elem));
    if (!is_usable(vq) || is_drained(vq) || !has_place(vq)) {
        return NULL;
    }
    elem = g_malloc0(bytes);
    elem->vq = vq;
    dma_list_init(&elem->out, virtio_dma_space(vq->vdev), virtio_dma_attrs(vq->vdev));
    dma_list_init(&elem->in, virtio_dma_space(vq->vdev), virtio_dma_attrs(vq->vdev));
    if (!vq->format->pop(vq, elem)) {
        free_element(elem);
        return NULL;
    }
    elem->epoch = vq->epoch;
    elem->order = vq->popped++;
    return elem;
}

/* What was finished before its turn waits for it. */
static void push_in_order(VirtQueue *vq, uint32_t order, const Completion *done)
{
    vq->order[order % vq->size] = *done;
    while (vq->completed != vq->popped && vq->order[vq->completed % vq->size].is_done) {
        Completion *next = &vq->order[vq->completed % vq->size];

        vq->format->push(vq, next);
        next->is_done = false;
        vq->completed++;
    }
}

void virtqueue_push(void *opaque, uint32_t written)
{
    VirtQueueElement *elem = opaque;
    VirtQueue *vq = elem->vq;
    const Completion done = { true, elem->id, elem->descriptors, written };

    if (elem->epoch == vq->epoch && is_usable(vq)) {
        if (vq->order) {
            push_in_order(vq, elem->order, &done);
        } else {
            vq->format->push(vq, &done);
            vq->completed++;
        }
    }
    free_element(elem);
}

void virtqueue_drop(void *elem)
{
    free_element(elem);
}

void virtqueue_unpop(void *opaque)
{
    VirtQueueElement *elem = opaque;
    VirtQueue *vq = elem->vq;

    if (elem->epoch == vq->epoch) {
        assert(elem->order == vq->popped - 1);
        vq->format->unpop(vq, elem);
        vq->popped--;
    }
    free_element(elem);
}

bool virtqueue_is_empty(VirtQueue *vq)
{
    return !is_usable(vq) || vq->format->is_empty(vq);
}

uint64_t virtqueue_next_room(VirtQueue *vq)
{
    VirtQueueElement *elem = virtqueue_pop(vq, sizeof(*elem));
    uint64_t room = 0;

    while (elem && !(room = elem->in.bytes)) { /* nothing to fill */
        virtqueue_push(elem, 0);
        virtqueue_notify(vq);
        elem = virtqueue_pop(vq, sizeof(*elem));
    }
    if (elem) {
        virtqueue_unpop(elem);
    }
    return room;
}

void virtqueue_notify(VirtQueue *vq)
{
    bool is_wanted;

    if (!is_usable(vq) ||
        (vq->used == vq->notified && !virtio_has_feature(vq->vdev, VIRTIO_F_NOTIFY_ON_EMPTY))) {
        return;
    }
    dma_barrier(); /* what was pushed is seen before the driver's wish is read */
    is_wanted = vq->format->wants_interrupt(vq);
    vq->notified = vq->used;
    if (is_wanted) {
        virtio_interrupt(vq->vdev, VIRTIO_ISR_QUEUE, vq->vector);
    }
}

void virtqueue_set_kicks(VirtQueue *vq, bool is_on)
{
    vq->is_kicks_off = !is_on;
    if (is_usable(vq)) {
        vq->format->set_kicks(vq, is_on);
        dma_barrier();
    }
}

static void check_copy(VirtQueue *vq, MemTxResult result)
{
    if (result != MEM_TX_OK) {
        virtio_error(vq->vdev, "queue %u: a buffer cannot be accessed", vq->index);
    }
}

size_t virtqueue_read(void *opaque, uint64_t offset, void *buf, size_t bytes)
{
    VirtQueueElement *elem = opaque;
    size_t done = 0;

    if (elem->epoch == elem->vq->epoch) {
        check_copy(elem->vq, dma_list_read(&elem->out, (DmaSpan){ offset, bytes }, buf, &done));
    }
    return done;
}

size_t virtqueue_write(void *opaque, uint64_t offset, const void *buf, size_t bytes)
{
    VirtQueueElement *elem = opaque;
    size_t done = 0;

    if (elem->epoch == elem->vq->epoch) {
        check_copy(elem->vq, dma_list_write(&elem->in, (DmaSpan){ offset, bytes }, buf, &done));
    }
    return done;
}

/* --- the transport's side --- */

uint16_t virtqueue_max_size(const VirtQueue *vq)
{
    return vq->max_size;
}

uint16_t virtqueue_size(const VirtQueue *vq)
{
    return vq->size;
}

void virtqueue_set_size(VirtQueue *vq, uint16_t size)
{
    if (!vq->is_enabled) {
        vq->size = size;
    }
}

uint64_t virtqueue_address(const VirtQueue *vq, VirtQueueArea area)
{
    return vq->addr[area];
}

void virtqueue_set_address(VirtQueue *vq, VirtQueueArea area, unsigned half, uint32_t value)
{
    uint64_t mask = UINT64_C(0xffffffff) << 32 * half;

    if (!vq->is_enabled) {
        vq->addr[area] = (vq->addr[area] & ~mask) | (uint64_t)value << 32 * half;
    }
}

bool virtqueue_is_enabled(const VirtQueue *vq)
{
    return vq->is_enabled;
}

/* 2.7 and 2.8: sizes and alignments. */
static const char *what_is_wrong(const VirtQueue *vq)
{
    static const uint8_t split_align[] = { 16, 2, 4 }, packed_align[] = { 16, 4, 4 };
    bool is_packed = virtio_has_feature(vq->vdev, VIRTIO_F_RING_PACKED);

    if (!vq->size || vq->size > vq->max_size) {
        return "its size is out of range";
    }
    if (!is_packed && (vq->size & (vq->size - 1))) {
        return "its size is no power of two";
    }
    for (unsigned i = 0; i < VIRTQUEUE_AREAS; i++) {
        if (vq->addr[i] % (is_packed ? packed_align : split_align)[i]) {
            return "an address is not aligned";
        }
    }
    return NULL;
}

static void start(VirtQueue *vq)
{
    vq->format = virtio_has_feature(vq->vdev, VIRTIO_F_RING_PACKED) ? &virtqueue_packed :
                                                                      &virtqueue_split;
    if (virtio_has_feature(vq->vdev, VIRTIO_F_IN_ORDER)) {
        vq->order = g_new0(Completion, vq->size);
    }
    vq->is_enabled = true;
    map(vq);
}

void virtqueue_enable(VirtQueue *vq)
{
    const char *wrong = what_is_wrong(vq);

    if (vq->is_enabled || !vq->max_size || vq->vdev->is_broken) {
        return;
    }
    if (wrong) {
        virtio_error(vq->vdev, "queue %u cannot be enabled: %s", vq->index, wrong);
        return;
    }
    start(vq);
}

void virtqueue_reset(VirtQueue *vq)
{
    const VirtioDeviceType *ops = virtio_ops(vq->vdev);

    if (ops->queue_reset) {
        ops->queue_reset(vq->vdev, vq);
    }
    virtqueue_clear(vq);
}

void virtqueue_set_legacy_align(VirtQueue *vq, uint32_t align)
{
    if (align < 4 || (align & (align - 1))) {
        virtio_error(vq->vdev, "queue %u: alignment %u", vq->index, align);
    } else if (!vq->is_enabled) {
        vq->align = align;
    }
}

void virtqueue_enable_legacy(VirtQueue *vq, uint64_t addr)
{
    uint64_t driver = addr + (uint64_t)vq->size * VIRTQ_DESC_BYTES;

    if (vq->is_enabled) {
        virtio_error(vq->vdev, "queue %u: moved while it is in use", vq->index);
        return;
    }
    vq->addr[VIRTQUEUE_DESC] = addr;
    vq->addr[VIRTQUEUE_DRIVER] = driver;
    vq->addr[VIRTQUEUE_DEVICE] = ROUND_UP(driver + 4 + 2 * (uint64_t)vq->size + 2, vq->align);
    virtqueue_enable(vq);
}

uint16_t virtqueue_vector(const VirtQueue *vq)
{
    return vq->vector;
}

void virtqueue_set_vector(VirtQueue *vq, uint16_t vector)
{
    vq->vector = vector;
}

/* Some legacy drivers give buffers before they say that they are ready. */
static void serve_kick(void *opaque)
{
    VirtQueue *vq = opaque;
    VirtioDevice *vdev = vq->vdev;
    bool is_early = !(vdev->status & VIRTIO_STATUS_DRIVER_OK);

    if (is_early && !(virtio_is_legacy(vdev) && vdev->accepts_early_kicks)) {
        vq->was_kicked_early = true;
    } else if (is_usable(vq) && vq->kicked) {
        vq->kicked(vdev, vq);
    }
}

void virtqueue_kick(VirtQueue *vq)
{
    if (vq->work) {
        device_work_schedule(vq->work);
    } else {
        serve_kick(vq);
    }
}

void virtqueue_serve_early_kick(VirtQueue *vq)
{
    if (vq->was_kicked_early) {
        vq->was_kicked_early = false;
        virtqueue_kick(vq);
    }
}

void virtio_set_worker(VirtioDevice *vdev, unsigned first, DeviceWorker *worker)
{
    for (uint32_t n = first; n < vdev->queue_count; n++) {
        VirtQueue *vq = &vdev->queues[n];

        device_work_free(vq->work);
        vq->work = worker ? device_work_new(worker, serve_kick, vq) : NULL;
    }
}

/* --- saved state --- */

bool virtqueue_reload(VirtQueue *vq, Error **errp)
{
    const char *wrong = vq->is_enabled ? what_is_wrong(vq) : NULL;
    uint16_t places = virtio_has_feature(vq->vdev, VIRTIO_F_RING_PACKED) ? vq->size : 0;

    if (wrong || (vq->is_enabled && places && (vq->next >= places || vq->used_at >= places))) {
        return error_set(errp, "virtqueue %u: %s", vq->index,
                         wrong ? wrong : "a position is outside its ring");
    }
    unmap(vq);
    g_clear_pointer(&vq->order, g_free);
    if (vq->is_enabled) {
        start(vq);
    }
    return true;
}

static const VMField virtqueue_fields[] = {
    VM_EQUAL(VirtQueue, max_size), VM_U16(VirtQueue, size), VM_U16(VirtQueue, vector),
    VM_U32(VirtQueue, align), VM_ARRAY(VirtQueue, addr), VM_BOOL(VirtQueue, is_enabled), VM_U16(VirtQueue, next),
    VM_BOOL(VirtQueue, next_wrap), VM_U16(VirtQueue, used), VM_U16(VirtQueue, used_at),
    VM_BOOL(VirtQueue, used_wrap), VM_U16(VirtQueue, notified),
    VM_BOOL(VirtQueue, is_kicks_off),
};
const VMState virtqueue_state = VMSTATE_INIT(virtqueue_fields, .version = 1);
