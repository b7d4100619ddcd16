/*
 * Checking the memory map against a plain search: see memory_tree_check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_tree_check.h"

#include "system/flat_view.h"
#include "system/memory_core.h"

#define REGIONS 12
#define NEAR    200 /* addresses looked at: this far from 0 on both sides */

typedef struct Check {
    const uint8_t *bytes, *end;
    MemoryRegion regions[REGIONS]; /* only later ones are placed in, or shown by, earlier ones */
    unsigned ages[REGIONS];        /* when it was placed */
    unsigned clock;
    unsigned depth;                /* of transactions */
    AddressSpace as, other;        /* over the same root, and over another */
    MemoryListener listener;
    GArray *heard;                 /* of MemorySection, by address */
    bool is_in_commit, has_come;
} Check;

static uint8_t next(Check *c)
{
    return c->bytes < c->end ? *c->bytes++ : 0;
}

/* Near 0, from both sides: the end of the address space is as interesting as its start. */
static uint64_t next_address(Check *c)
{
    return (uint64_t)(int64_t)(int8_t)next(c);
}

static uint64_t next_size(Check *c)
{
    uint8_t byte = next(c);

    return byte == 0xff ? MEMORY_SIZE_WHOLE : byte == 0xfe ? UINT64_MAX - 5 : byte % 96;
}

/* --- the plain search --- */

static __int128 bytes_of(const MemoryRegion *mr)
{
    return mr->size == MEMORY_SIZE_WHOLE ? (__int128)1 << 64 : (__int128)mr->size;
}

typedef struct Answer {
    const MemoryRegion *region;
    uint64_t offset;
    bool is_read_only;
} Answer;

static Answer who(const Check *c, const MemoryRegion *mr, __int128 offset);

/* Of the children not tried yet, the one that comes first. */
static int best_child(const Check *c, const MemoryRegion *mr, unsigned tried)
{
    int best = -1;

    for (int i = 0; i < REGIONS; i++) {
        const MemoryRegion *sub = &c->regions[i];

        if (sub->container == mr && !(tried & BIT(i)) &&
            (best < 0 || sub->priority > c->regions[best].priority ||
             (sub->priority == c->regions[best].priority && c->ages[i] > c->ages[best]))) {
            best = i;
        }
    }
    return best;
}

static Answer who(const Check *c, const MemoryRegion *mr, __int128 offset)
{
    Answer answer = { NULL };
    unsigned tried = 0;

    if (!mr->is_enabled || offset < 0 || offset >= bytes_of(mr)) {
        return answer;
    }
    if (mr->kind == MEMORY_ALIAS) {
        answer = who(c, mr->target, offset + mr->target_offset);
    }
    for (int i; !answer.region && (i = best_child(c, mr, tried)) >= 0; tried |= BIT(i)) {
        answer = who(c, &c->regions[i], offset - c->regions[i].addr);
    }
    if (!answer.region && mr->kind == MEMORY_IO) {
        answer = (Answer){ mr, (uint64_t)offset, false };
    }
    answer.is_read_only |= mr->is_read_only;
    return answer;
}

/* --- the listener's picture --- */

static MemorySection *heard_at(Check *c, unsigned i)
{
    return &g_array_index(c->heard, MemorySection, i);
}

static Check *check_of(MemoryListener *listener)
{
    return container_of(listener, Check, listener);
}

static void heard_begin(MemoryListener *listener)
{
    assert(!check_of(listener)->is_in_commit);
    check_of(listener)->is_in_commit = true;
    check_of(listener)->has_come = false;
}

static void heard_commit(MemoryListener *listener)
{
    assert(check_of(listener)->is_in_commit);
    check_of(listener)->is_in_commit = false;
}

static unsigned find_heard(Check *c, const MemorySection *section)
{
    unsigned i = 0;

    while (i < c->heard->len && heard_at(c, i)->first != section->first) {
        i++;
    }
    return i;
}

static bool is_same(const MemorySection *a, const MemorySection *b)
{
    return a->first == b->first && a->last == b->last && a->region == b->region &&
           a->offset == b->offset && a->is_read_only == b->is_read_only;
}

static void heard_del(MemoryListener *listener, const MemorySection *section)
{
    Check *c = check_of(listener);
    unsigned i = find_heard(c, section);

    assert(c->is_in_commit && !c->has_come);
    assert(i < c->heard->len && is_same(heard_at(c, i), section));
    g_array_remove_index(c->heard, i);
}

static void heard_add(MemoryListener *listener, const MemorySection *section)
{
    Check *c = check_of(listener);
    unsigned i = 0;

    assert(c->is_in_commit);
    c->has_come = true;
    while (i < c->heard->len && heard_at(c, i)->first < section->first) {
        i++;
    }
    assert(section->first <= section->last);
    assert(!i || heard_at(c, i - 1)->last < section->first);
    assert(i == c->heard->len || heard_at(c, i)->first > section->last);
    g_array_insert_val(c->heard, i, *section);
}

static void heard_nop(MemoryListener *listener, const MemorySection *section)
{
    Check *c = check_of(listener);
    unsigned i = find_heard(c, section);

    c->has_come = true;
    assert(i < c->heard->len && is_same(heard_at(c, i), section));
}

static const MemoryListenerOps check_ops = {
    .name = "check",
    .begin = heard_begin,
    .commit = heard_commit,
    .region_add = heard_add,
    .region_del = heard_del,
    .region_nop = heard_nop,
};

/* --- comparing --- */

static void compare_at(const Check *c, const AddressSpace *as, GuestAddr addr)
{
    const FlatRange *range = flat_view_find(as->view, addr, NULL);
    Answer want = who(c, as->root, addr);

    assert(!want.region == !range);
    if (range) {
        assert(range->region == want.region);
        assert(range->offset + (addr - range->first) == want.offset);
        assert(range->is_read_only == want.is_read_only);
    }
}

static void compare_view(const Check *c, const AddressSpace *as)
{
    const FlatView *view = as->view;

    for (int64_t addr = -NEAR; addr <= NEAR; addr++) {
        compare_at(c, as, addr);
    }
    compare_at(c, as, (GuestAddr)1 << 63);
    for (unsigned i = 0; i < view->count; i++) {
        assert(view->ranges[i].first <= view->ranges[i].last);
        assert(!i || view->ranges[i - 1].last < view->ranges[i].first);
    }
}

static void compare(Check *c)
{
    assert(!c->is_in_commit);
    compare_view(c, &c->as);
    compare_view(c, &c->other);
    assert(c->heard->len == c->as.view->count);
    for (unsigned i = 0; i < c->heard->len; i++) {
        const FlatRange *range = &c->as.view->ranges[i];
        const MemorySection *section = heard_at(c, i);

        assert(section->first == range->first && section->last == range->last &&
               section->region == range->region && section->offset == range->offset &&
               section->is_read_only == range->is_read_only);
    }
}

/* --- changing --- */

static void place(Check *c, unsigned i)
{
    unsigned in = next(c) % i;

    if (c->regions[i].container) {
        memory_region_remove(c->regions[i].container, &c->regions[i]);
    }
    if (c->regions[in].kind != MEMORY_ALIAS) {
        c->ages[i] = ++c->clock;
        memory_region_add_overlap(&c->regions[in], next_address(c), &c->regions[i],
                                  (int8_t)next(c) / 64);
    }
}

static void move(Check *c, MemoryRegion *mr)
{
    uint64_t addr = next_address(c);

    /* Placed anew, it comes before its equals. */
    if (mr->container && mr->addr != addr) {
        c->ages[mr - c->regions] = ++c->clock;
    }
    memory_region_set_address(mr, addr);
}

static void change(Check *c)
{
    unsigned what = next(c), i = next(c) % REGIONS;
    MemoryRegion *mr = &c->regions[i];

    switch (what % 8) {
    case 0:
    case 1:
        if (i) {
            place(c, i);
        }
        break;
    case 2:
        if (mr->container) {
            memory_region_remove(mr->container, mr);
        }
        break;
    case 3:
        memory_region_set_enabled(mr, !mr->is_enabled);
        break;
    case 4:
        move(c, mr);
        break;
    case 5:
        memory_region_set_size(mr, next_size(c));
        break;
    case 6:
        memory_region_set_read_only(mr, !mr->is_read_only);
        break;
    default:
        if (mr->kind == MEMORY_ALIAS) {
            memory_region_set_alias_offset(mr, next_address(c));
        }
        break;
    }
}

static void change_in_transaction(Check *c)
{
    uint8_t byte = next(c);

    if (byte < 0x10) {
        memory_transaction_begin();
        c->depth++;
    }
    change(c);
    if (c->depth && byte >= 0x80) {
        memory_transaction_commit();
        c->depth--;
    }
    if (!c->depth) {
        compare(c);
    }
}

/* --- the tree's life --- */

static void make_region(Check *c, unsigned i)
{
    static const MemoryOps ops = { .endian = ENDIAN_LITTLE };
    g_autofree char *name = g_strdup_printf("region-%u", i);
    uint8_t kind = next(c);

    if (i == 0 || kind % 4 == 0) {
        memory_region_init(&c->regions[i], NULL, name, i ? next_size(c) : MEMORY_SIZE_WHOLE);
    } else if (kind % 4 == 1 && i + 1 < REGIONS) {
        unsigned target = i + 1 + next(c) % (REGIONS - 1 - i);
        MemoryWindow window = { next_address(c), next_size(c) };

        memory_region_init_alias(&c->regions[i], NULL, name, &c->regions[target], window);
    } else {
        memory_region_init_io(&c->regions[i], NULL, &ops, name, next_size(c));
    }
}

static void destroy(Check *c)
{
    while (c->depth) {
        memory_transaction_commit();
        c->depth--;
    }
    compare(c);
    memory_listener_unregister(&c->listener);
    assert(!c->heard->len);
    g_array_unref(c->heard);
    address_space_clear(&c->as);
    address_space_clear(&c->other);
    for (unsigned i = 1; i < REGIONS; i++) {
        if (c->regions[i].container) {
            memory_region_remove(c->regions[i].container, &c->regions[i]);
        }
    }
    for (unsigned i = 0; i < REGIONS; i++) {
        memory_region_clear(&c->regions[i]);
    }
}

void memory_tree_check(const uint8_t *bytes, size_t size)
{
    g_autofree Check *c = g_new0(Check, 1);

    c->bytes = bytes;
    c->end = bytes + size;
    /* The last first: aliases lead to later ones. */
    for (unsigned i = REGIONS; i > 0; i--) {
        make_region(c, i - 1);
    }
    address_space_init(&c->as, &c->regions[0], "checked");
    address_space_init(&c->other, &c->regions[1], "other");
    c->heard = g_array_new(false, false, sizeof(MemorySection));
    memory_listener_register(&c->listener, &check_ops, &c->as);
    while (c->bytes < c->end) {
        change_in_transaction(c);
    }
    destroy(c);
    rcu_barrier_all();
}
