/*
 * The memory map as text: see system/memory_info.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_info.h"

#include "system/memory_core.h"
#include "system/ram_block.h"

/* --- one line --- */

static const char *kind_text(const MemoryRegion *mr)
{
    while (mr->kind == MEMORY_ALIAS) {
        mr = mr->target;
    }
    if (mr->is_ram_device) {
        return "ramd";
    }
    if (mr->kind == MEMORY_ROM_DEVICE || mr->kind == MEMORY_ONES) {
        return "romd";
    }
    if (mr->kind == MEMORY_RAM) {
        return mr->is_read_only ? "rom" : "ram";
    }
    return "i/o";
}

static uint64_t last_offset(const MemoryRegion *mr)
{
    return mr->size == MEMORY_SIZE_WHOLE ? UINT64_MAX : mr->size ? mr->size - 1 : 0;
}

/* " owner:{dev id=ID}", or by its path. */
static void print_owner(GString *out, const MemoryRegion *mr)
{
    g_autofree char *path = mr->owner ? object_path(mr->owner) : NULL;
    const char *kind = mr->owner && object_is_a(mr->owner, "device") ? "dev" : "obj";

    if (!path) {
        g_string_append(out, mr->owner ? " owner:{obj}" : "");
        return;
    }
    if (g_str_has_prefix(path, "/machine/peripheral/") && mr->owner->parent->parent->parent) {
        g_string_append_printf(out, " owner:{%s id=%s}", kind, mr->owner->name);
    } else {
        g_string_append_printf(out, " owner:{%s path=%s}", kind, path);
    }
}

static void print_range(GString *out, unsigned depth, uint64_t first, uint64_t last)
{
    g_string_append_printf(out, "%*s%016" PRIx64 "-%016" PRIx64, 2 * depth + 2, "", first, last);
}

/* --- trees --- */

typedef struct TreePrinter {
    GString *out;
    MemoryTreeOptions options;
    GQueue targets; /* of aliases, to be shown as trees of their own; each once */
} TreePrinter;

static void print_region(TreePrinter *p, const MemoryRegion *mr, uint64_t base, unsigned depth)
{
    uint64_t first = base + mr->addr;
    bool is_shown = mr->is_enabled || p->options.with_disabled;

    if (is_shown) {
        print_range(p->out, depth, first, first + last_offset(mr));
        g_string_append_printf(p->out, " (prio %d, %s%s): ", mr->priority,
                               mr->is_nonvolatile ? "nv-" : "", kind_text(mr));
    }
    if (mr->kind == MEMORY_ALIAS) {
        if (!g_queue_find(&p->targets, mr->target)) {
            g_queue_push_tail(&p->targets, mr->target);
        }
        if (is_shown) {
            g_string_append_printf(p->out, "alias %s @%s %016" PRIx64 "-%016" PRIx64, mr->name,
                                   mr->target->name, mr->target_offset,
                                   mr->target_offset + last_offset(mr));
        }
    } else if (is_shown) {
        g_string_append(p->out, mr->name);
    }
    if (is_shown) {
        g_string_append(p->out, mr->is_enabled ? "" : " [disabled]");
        if (p->options.with_owners) {
            print_owner(p->out, mr);
        }
        g_string_append_c(p->out, '\n');
    }
}

static int compare_places(const void *va, const void *vb)
{
    const MemoryRegion *a = *(MemoryRegion *const *)va, *b = *(MemoryRegion *const *)vb;

    if (a->addr != b->addr) {
        return a->addr < b->addr ? -1 : 1;
    }
    return a->priority > b->priority ? -1 : a->priority < b->priority;
}

static void print_tree(TreePrinter *p, const MemoryRegion *mr, uint64_t base, unsigned depth)
{
    g_autoptr(GPtrArray) children = g_ptr_array_new();

    print_region(p, mr, base, depth);
    for (GList *at = mr->children.head; at; at = at->next) {
        g_ptr_array_add(children, at->data);
    }
    g_ptr_array_sort(children, compare_places);
    for (unsigned i = 0; i < children->len; i++) {
        print_tree(p, children->pdata[i], base + mr->addr, depth + 1);
    }
}

static bool has_same_root_before(const GList *at)
{
    const MemoryRegion *root = ((AddressSpace *)at->data)->root;

    for (const GList *before = at->prev; before; before = before->prev) {
        if (((AddressSpace *)before->data)->root == root) {
            return true;
        }
    }
    return false;
}

static void print_trees(GString *out, MemoryTreeOptions options)
{
    TreePrinter p = { out, options, G_QUEUE_INIT };

    for (const GList *at = address_space_list(); at; at = at->next) {
        MemoryRegion *root = ((AddressSpace *)at->data)->root;

        if (has_same_root_before(at)) {
            continue;
        }
        for (const GList *same = at; same; same = same->next) {
            if (((AddressSpace *)same->data)->root == root) {
                g_string_append_printf(out, "address-space: %s\n",
                                       ((AddressSpace *)same->data)->name);
            }
        }
        print_tree(&p, root, 0, 0);
        g_string_append_c(out, '\n');
    }
    /* Printing one may find more. */
    for (GList *at = p.targets.head; at; at = at->next) {
        MemoryRegion *mr = at->data;

        g_string_append_printf(out, "memory-region: %s\n", mr->name);
        print_tree(&p, mr, 0, 0);
        g_string_append_c(out, '\n');
    }
    g_queue_clear(&p.targets);
}

/* --- views --- */

static void print_flat_range(GString *out, const FlatRange *range, bool with_owner)
{
    const MemoryRegion *mr = range->region;
    bool is_rom = range->is_read_only && mr->kind == MEMORY_RAM && !mr->is_ram_device;

    print_range(out, 0, range->first, range->last);
    g_string_append_printf(out, " (prio %d, %s%s): %s", mr->priority,
                           range->is_nonvolatile ? "nv-" : "", is_rom ? "rom" : kind_text(mr),
                           mr->name);
    if (range->offset) {
        g_string_append_printf(out, " @%016" PRIx64, range->offset);
    }
    if (with_owner) {
        print_owner(out, mr);
    }
    g_string_append_c(out, '\n');
}

static void print_dispatch(GString *out, const FlatView *view)
{
    g_string_append_printf(out, "  Dispatch\n    Sorted ranges: %u, last hit #%u\n", view->count,
                           __atomic_load_n(&view->last_hit, __ATOMIC_RELAXED));
    for (unsigned i = 0; i < view->count; i++) {
        const FlatRange *range = &view->ranges[i];

        g_string_append_printf(out, "      #%u @%016" PRIx64 "..%016" PRIx64 " %s [%s]\n", i,
                               range->first, range->last, range->region->name,
                               range->host ? "direct" : "ops");
    }
}

static void print_view(GString *out, const GList *at, MemoryTreeOptions options)
{
    const FlatView *view = ((AddressSpace *)at->data)->view;

    for (const GList *same = at; same; same = same->next) {
        const AddressSpace *as = same->data;

        if (as->view == view) {
            g_string_append_printf(out, " AS \"%s\", root: %s\n", as->name, as->root->name);
        }
    }
    g_string_append_printf(out, " Root memory region: %s\n",
                           view->count && view->root ? view->root->name : "(none)");
    if (!view->count) {
        g_string_append(out, "  No rendered FlatView\n\n");
        return;
    }
    for (unsigned i = 0; i < view->count; i++) {
        print_flat_range(out, &view->ranges[i], options.with_owners);
    }
    if (options.with_dispatch) {
        print_dispatch(out, view);
    }
    g_string_append_c(out, '\n');
}

static bool has_same_view_before(const GList *at)
{
    const FlatView *view = ((AddressSpace *)at->data)->view;

    for (const GList *before = at->prev; before; before = before->prev) {
        if (((AddressSpace *)before->data)->view == view) {
            return true;
        }
    }
    return false;
}

void memory_print_tree(GString *out, MemoryTreeOptions options)
{
    unsigned number = 0;

    if (!options.is_flat) {
        print_trees(out, options);
        return;
    }
    for (const GList *at = address_space_list(); at; at = at->next) {
        if (!has_same_view_before(at)) {
            g_string_append_printf(out, "FlatView #%u\n", number++);
            print_view(out, at, options);
        }
    }
}

/* --- RAM blocks --- */

static bool print_block(void *opaque, RamBlock *block)
{
    g_autofree char *page = block->page_bytes >= GiB
                                ? g_strdup_printf("%" PRIu64 " GiB", block->page_bytes / GiB)
                            : block->page_bytes >= MiB
                                ? g_strdup_printf("%" PRIu64 " MiB", block->page_bytes / MiB)
                                : g_strdup_printf("%" PRIu64 " KiB", block->page_bytes / KiB);

    g_string_append_printf(opaque, "%24s %8s  0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016" PRIx64
                           "\n", block->idstr, page, block->offset, block->used_bytes,
                           block->max_bytes);
    return true;
}

void memory_print_ram_blocks(GString *out)
{
    g_string_append_printf(out, "%24s %8s  %18s %18s %18s\n", "Block Name", "PSize", "Offset",
                           "Used", "Total");
    ram_block_each(print_block, out);
}
