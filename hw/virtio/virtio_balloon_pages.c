/*
 * The balloon's pages: memory that guests give, given to the host. Of pages that are not RAM, or
 * persistent, or that nobody may write, nothing is taken.
 *
 * A host page (a huge one) goes when all of it is in the balloon; what is free all along goes at once.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_balloon.h"

#include "system/ram_block.h"
#include "util/bitmap.h"
#include "util/log.h"

#define PAGE_BYTES VIRTIO_BALLOON_PAGE_BYTES
#define CHUNK      1024 /* pages looked at together */
#define MAX_CHUNKS 64   /* of one request, which holds everybody up: drivers have one or less */

/* --- where memory is --- */

typedef struct Place {
    RamBlock *block;
    uint64_t offset;
    uint64_t bytes; /* that go on in the block */
} Place;

/* Inside rcu_lock(). False: nothing that could be given back; `bytes` says for how long. */
static bool find_place(const DmaList *space, uint64_t addr, Place *place)
{
    MemoryTarget target;

    address_space_find(space->as, addr, space->attrs, true, &target);
    place->bytes = target.region ? target.bytes : PAGE_BYTES - addr % PAGE_BYTES;
    if (!target.region || !target.host || !target.is_writable) {
        return false;
    }
    place->block = ram_block_from_host(target.host, &place->offset);
    return place->block && !(place->block->flags & (RAM_DEVICE | RAM_PMEM | RAM_NONVOLATILE |
                                                    RAM_READ_ONLY | RAM_READ_ONLY_FD));
}

static void drop(RamBlock *block, uint64_t offset, uint64_t bytes)
{
    g_autoptr(Error) err = NULL;

    if (!ram_block_drop(block, offset, bytes, &err)) {
        guest_error("virtio-balloon: %s", error_text(err));
    }
}

/* --- parts of host pages --- */

/* Whether with this piece of a host page all of it is in the balloon. */
static bool complete_page(VirtioBalloon *s, uint64_t page, uint64_t page_bytes, unsigned n)
{
    unsigned count = page_bytes / PAGE_BYTES;
    uint64_t *bits = g_hash_table_lookup(s->parts, &page);

    if (!bits) {
        uint64_t *key = g_memdup2(&page, sizeof(page));

        bits = g_new0(uint64_t, ROUND_UP(count, 64) / 64);
        g_hash_table_insert(s->parts, key, bits);
    }
    bitmap_set(bits, n);
    if (bitmap_find_clear(bits, count, 0) < count) {
        return false;
    }
    g_hash_table_remove(s->parts, &page);
    return true;
}

static void add_part(VirtioBalloon *s, uint64_t addr, const Place *place)
{
    uint64_t in_page = place->offset % place->block->page_bytes;

    if (complete_page(s, addr - in_page, place->block->page_bytes, in_page / PAGE_BYTES)) {
        drop(place->block, place->offset - in_page, place->block->page_bytes);
    }
}

void virtio_balloon_forget_pages(VirtioBalloon *s)
{
    g_hash_table_remove_all(s->parts);
}

/* --- inflating --- */

static void inflate_in(VirtioBalloon *s, uint64_t addr, uint64_t bytes, const Place *place)
{
    if (place->block->page_bytes == PAGE_BYTES) {
        drop(place->block, place->offset, bytes);
        return;
    }
    for (Place part = *place; bytes; bytes -= PAGE_BYTES) {
        add_part(s, addr, &part);
        addr += PAGE_BYTES;
        part.offset += PAGE_BYTES;
    }
}

static void inflate_run(VirtioBalloon *s, uint64_t addr, uint64_t bytes)
{
    DmaList system = { .as = address_space_system(), .attrs = MEM_TX_NONE };

    while (bytes) {
        Place place;
        bool is_ram = find_place(&system, addr, &place);
        uint64_t count = MIN(bytes, MAX(ROUND_DOWN(place.bytes, PAGE_BYTES), PAGE_BYTES));

        if (is_ram && place.bytes >= PAGE_BYTES) {
            inflate_in(s, addr, count, &place);
        } else {
            guest_error("virtio-balloon: page 0x%" PRIx64 " is no memory", addr);
        }
        addr += count;
        bytes -= count;
    }
}

static int compare_pages(const void *a, const void *b)
{
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 :
           *(const uint32_t *)a > *(const uint32_t *)b;
}

/* Neighbours go together, in whichever order they came. */
static void inflate_pages(VirtioBalloon *s, uint32_t *pages, size_t count)
{
    RCU_GUARD();

    qsort(pages, count, sizeof(*pages), compare_pages);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && pages[next] - pages[next - 1] <= 1; next++) {
        }
        inflate_run(s, pages[i] * PAGE_BYTES,
                    ((uint64_t)pages[next - 1] - pages[i] + 1) * PAGE_BYTES);
    }
}

/* --- deflating --- */

static void deflate_pages(VirtioBalloon *s, uint32_t *pages, size_t count)
{
    DmaList system = { .as = address_space_system(), .attrs = MEM_TX_NONE };

    RCU_GUARD();
    for (size_t i = 0; i < count && g_hash_table_size(s->parts); i++) {
        uint64_t addr = pages[i] * PAGE_BYTES;
        Place place;
        uint64_t page, in_page, *bits;

        if (!find_place(&system, addr, &place)) {
            continue;
        }
        in_page = place.offset % place.block->page_bytes;
        page = addr - in_page;
        bits = g_hash_table_lookup(s->parts, &page);
        if (bits) {
            bitmap_clear_range(bits, in_page / PAGE_BYTES, 1);
        }
    }
}

/* --- queues --- */

typedef void PagesFn(VirtioBalloon *s, uint32_t *pages, size_t count);

static void take_pages(VirtioBalloon *s, VirtQueueElement *elem, PagesFn *fn)
{
    uint8_t raw[4 * CHUNK];
    uint32_t pages[CHUNK];
    uint64_t at = 0;
    size_t size;

    while ((size = virtqueue_read(elem, at, raw, sizeof(raw))) >= 4) {
        if (at == MAX_CHUNKS * sizeof(raw)) {
            virtio_error(&s->parent, "virtio-balloon: more than %u pages in one request",
                         MAX_CHUNKS * CHUNK);
            return;
        }
        for (size_t i = 0; i < size / 4; i++) {
            pages[i] = virtio_get(&s->parent, raw + 4 * i, 4);
        }
        fn(s, pages, size / 4);
        at += size;
    }
}

static void take_all(VirtQueue *vq, PagesFn *fn)
{
    VirtioBalloon *s = VIRTIO_BALLOON(virtqueue_device(vq));
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        take_pages(s, elem, fn);
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}

void virtio_balloon_inflated(VirtioDevice *vdev, VirtQueue *vq)
{
    take_all(vq, inflate_pages);
}

void virtio_balloon_deflated(VirtioDevice *vdev, VirtQueue *vq)
{
    take_all(vq, deflate_pages);
}

/* --- reporting --- */

void virtio_balloon_each_place(const DmaList *list, const DmaPiece *piece,
                               VirtioBalloonPlaceFn *fn)
{
    uint64_t addr = piece->addr, left = piece->bytes;

    RCU_GUARD();
    while (left) {
        Place place;
        bool is_ram = find_place(list, addr, &place);
        uint64_t count = MIN(left, place.bytes);

        if (is_ram) {
            fn(place.block, place.offset, count);
        }
        addr += count;
        left -= count;
    }
}

/* Private memory of a file shows the file again where it is given back, which is not zeros. */
static void give_back(RamBlock *block, uint64_t offset, uint64_t bytes)
{
    uint64_t start = ROUND_UP(offset, block->page_bytes);
    uint64_t end = ROUND_DOWN(offset + bytes, block->page_bytes);

    if (start < end && (block->fd < 0 || block->flags & RAM_SHARED)) {
        drop(block, start, end - start);
    }
}

void virtio_balloon_reported(VirtioDevice *vdev, VirtQueue *vq)
{
    const VirtioBalloon *s = VIRTIO_BALLOON(vdev);
    VirtQueueElement *elem;

    while ((elem = virtqueue_pop(vq, sizeof(*elem)))) {
        /* What has to hold something else is left as it is. */
        for (unsigned i = 0; !s->poison && i < elem->in.count; i++) {
            virtio_balloon_each_place(&elem->in, &elem->in.pieces[i], give_back);
        }
        virtqueue_push(elem, 0);
    }
    virtqueue_notify(vq);
}
