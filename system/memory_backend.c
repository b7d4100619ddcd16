/*
 * What all memory back ends share: their properties, and setting the memory up as they say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/memory_backend.h"

#include "qapi/qapi-types-common.h"
#include "qom/user_creatable.h"
#include "system/number_set.h"
#include "system/ram_block.h"

static_assert((int)HOST_POLICY_INTERLEAVE == (int)HOST_MEM_POLICY_INTERLEAVE,
              "the host's policies are those of the interface, in the same order");

static const char *policy_name(HostPolicy policy)
{
    return enum_table_name(&host_mem_policy_names, policy);
}

static NumberSet nodes_of(MemoryBackend *backend)
{
    return (NumberSet){ backend->host_nodes, HOST_NODES };
}

static uint8_t *host_of(MemoryBackend *backend)
{
    return ram_block_host(backend->region.ram);
}

/* --- setting it up --- */

static bool check_options(MemoryBackend *b, Error **errp)
{
    bool has_nodes = !number_set_is_empty(nodes_of(b));

    if (b->is_preallocated && !b->is_reserved) {
        return error_set(errp, "'prealloc=on' and 'reserve=off' are incompatible");
    }
    if (has_nodes && b->policy == HOST_POLICY_DEFAULT) {
        return error_set(errp, "host-nodes must be empty for policy default, or you should "
                         "explicitly specify a policy other than default");
    }
    if (!has_nodes && b->policy != HOST_POLICY_DEFAULT) {
        return error_set(errp, "host-nodes must be set for policy %s", policy_name(b->policy));
    }
    return true;
}

static bool prealloc(MemoryBackend *b, Error **errp)
{
    HostPrealloc work = {
        .host = host_of(b),
        .bytes = b->region.ram->max_bytes,
        .page_bytes = b->region.ram->page_bytes,
        .threads = b->prealloc_threads,
        .opaque = b->prealloc_context,
    };
    int error;

    if (b->prealloc_context) {
        work.start = (GThread *(*)(void *, GThreadFunc, void *, char **))thread_context_start;
    }
    error = host_memory_prealloc(&work);
    return !error || error_set_errno(errp, error, "%s: preallocating memory failed",
                                     b->parent.name);
}

static bool place(MemoryBackend *b, Error **errp)
{
    RamBlock *ram = b->region.ram;
    int error;

    if (b->is_merged) {
        host_memory_set_mergeable(host_of(b), ram->max_bytes, true);
    }
    if (!b->is_dumped) {
        host_memory_set_dumped(host_of(b), ram->max_bytes, false);
    }
    if (b->policy != HOST_POLICY_DEFAULT) {
        error = host_memory_bind(host_of(b), ram->max_bytes, b->policy, b->host_nodes);
        if (error) {
            return error_set_errno(errp, error, "cannot bind memory to host NUMA nodes");
        }
    }
    return !b->is_preallocated || prealloc(b, errp);
}

static bool make_memory(MemoryBackend *b, Error **errp)
{
    const MemoryBackendType *type = object_ops(b);
    g_autofree char *path = object_path(b);
    RamSpec spec = {
        .name = b->has_canonical_id ? path : b->parent.name,
        .bytes = b->size_bytes,
        .flags = (b->is_shared ? RAM_SHARED : 0) | (b->is_reserved ? 0 : RAM_NO_RESERVE),
    };

    if (!type->fill_spec(b, &spec, errp)) {
        return false;
    }
    if (!memory_region_init_ram_spec(&b->region, &b->parent, &spec, errp)) {
        if (spec.has_fd) {
            close(spec.fd);
        }
        return false;
    }
    return true;
}

static bool memory_backend_complete(Object *obj, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (!check_options(b, errp) || !make_memory(b, errp)) {
        return false;
    }
    if (!place(b, errp)) {
        memory_region_clear(&b->region);
        return false;
    }
    b->is_complete = true;
    return true;
}

static bool memory_backend_can_be_deleted(Object *obj)
{
    return !MEMORY_BACKEND(obj)->is_mapped;
}

static void memory_backend_finalize(Object *obj)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (b->is_complete) {
        memory_region_clear(&b->region);
    }
}

/* --- properties --- */

static json_object *get_host_nodes(Object *obj, const Property *p, Error **errp)
{
    return number_set_to_json(nodes_of(MEMORY_BACKEND(obj)));
}

static bool set_host_nodes(Object *obj, const Property *p, json_object *value, PropertyForm form,
                           Error **errp)
{
    return number_set_parse(nodes_of(MEMORY_BACKEND(obj)), p, value, errp);
}

static bool check_size(Object *obj, const Property *p, Error **errp)
{
    return MEMORY_BACKEND(obj)->size_bytes ||
           error_set(errp, "property 'size' of %s doesn't take value '0'", object_type_name(obj));
}

static bool check_prealloc(Object *obj, const Property *p, Error **errp)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    return !b->is_complete || !b->is_preallocated || prealloc(b, errp);
}

static void merge_changed(Object *obj, const Property *p)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (b->is_complete) {
        host_memory_set_mergeable(host_of(b), b->region.ram->max_bytes, b->is_merged);
    }
}

static void dump_changed(Object *obj, const Property *p)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);

    if (b->is_complete) {
        host_memory_set_dumped(host_of(b), b->region.ram->max_bytes, b->is_dumped);
    }
}

static const Property memory_backend_props[] = {
    PROP_BOOL("dump", MemoryBackend, is_dumped, .initial = true, .is_live = true,
              .changed = dump_changed, .doc = "Set to 'off' to exclude from core dump"),
    PROP_COMPUTED("host-nodes", "int", .get = get_host_nodes, .set = set_host_nodes,
                  .doc = "Binds memory to the list of NUMA host nodes"),
    PROP_BOOL("merge", MemoryBackend, is_merged, .initial = true, .is_live = true,
              .changed = merge_changed, .doc = "Mark memory as mergeable"),
    PROP_ENUM("policy", MemoryBackend, policy, host_mem_policy_names, .doc = "Set the NUMA policy"),
    PROP_BOOL("prealloc", MemoryBackend, is_preallocated, .is_live = true,
              .check = check_prealloc, .doc = "Preallocate memory"),
    PROP_LINK("prealloc-context", MemoryBackend, prealloc_context, TYPE_THREAD_CONTEXT,
              .doc = "Context to use for creating CPU threads for preallocation"),
    PROP_U32("prealloc-threads", MemoryBackend, prealloc_threads, .initial = 1, .min = 1,
             .max = UINT32_MAX, .is_live = true,
             .doc = "Number of CPU threads to use for prealloc"),
    PROP_BOOL("reserve", MemoryBackend, is_reserved, .initial = true,
              .doc = "Reserve swap space (or huge pages) if applicable"),
    PROP_BOOL("share", MemoryBackend, is_shared, .is_live = false,
              .doc = "Mark the memory as private to QEMU or shared"),
    PROP_SIZE("size", MemoryBackend, size_bytes, .is_required = true, .has_no_default = true,
              .check = check_size, .doc = "Size of the memory region (ex: 500M)"),
    PROP_BOOL("x-use-canonical-path-for-ramblock-id", MemoryBackend, has_canonical_id,
              .doc = "Name the RAM block by the object's path"),
};

static const UserCreatable memory_backend_creatable = {
    .complete = memory_backend_complete,
    .can_be_deleted = memory_backend_can_be_deleted,
};
static const InterfaceImpl memory_backend_interfaces[] = {
    { TYPE_USER_CREATABLE, &memory_backend_creatable },
    { NULL },
};

static const MemoryBackendType memory_backend_type = {
    .name = TYPE_MEMORY_BACKEND,
    .doc = "Host memory for a guest",
    .size = sizeof(MemoryBackend),
    .is_abstract = true,
    .interfaces = memory_backend_interfaces,
    .properties = PROPERTIES(memory_backend_props),
    .finalize = memory_backend_finalize,
};
OBJECT_TYPE(memory_backend_type)

/* --- its users --- */

MemoryRegion *memory_backend_region(MemoryBackend *backend)
{
    return &backend->region;
}

bool memory_backend_claim(MemoryBackend *backend, Error **errp)
{
    if (!backend->is_complete) {
        return error_set(errp, "memory backend '%s' is not set up", backend->parent.name);
    }
    if (backend->is_mapped) {
        return error_set(errp, "can't use already busy memdev: %s", backend->parent.name);
    }
    /* From now on it is guest memory, and goes where the guest goes. */
    if (!ram_block_set_id(backend->region.ram, NULL, backend->region.name, errp)) {
        return false;
    }
    ram_block_set_migratable(backend->region.ram, true);
    backend->is_mapped = true;
    return true;
}

void memory_backend_release(MemoryBackend *backend)
{
    ram_block_set_migratable(backend->region.ram, false);
    ram_block_clear_id(backend->region.ram);
    backend->is_mapped = false;
}

uint64_t memory_backend_page_bytes(const MemoryBackend *backend)
{
    return backend->region.ram->page_bytes;
}

static const char *true_or_false(bool value)
{
    return value ? "true" : "false";
}

static void print_one(void *opaque, Object *obj)
{
    MemoryBackend *b = MEMORY_BACKEND(obj);
    GString *out = opaque;

    if (!object_is_a(obj, TYPE_MEMORY_BACKEND)) {
        return;
    }
    g_string_append_printf(out, "memory backend: %s\n", obj->name);
    g_string_append_printf(out, "  size:  %" PRIu64 "\n", b->size_bytes);
    g_string_append_printf(out, "  merge: %s\n", true_or_false(b->is_merged));
    g_string_append_printf(out, "  dump: %s\n", true_or_false(b->is_dumped));
    g_string_append_printf(out, "  prealloc: %s\n", true_or_false(b->is_preallocated));
    g_string_append_printf(out, "  share: %s\n", true_or_false(b->is_shared));
    g_string_append_printf(out, "  reserve: %s\n", true_or_false(b->is_reserved));
    g_string_append_printf(out, "  policy: %s\n  host nodes: ", policy_name(b->policy));
    number_set_print(nodes_of(b), out);
    g_string_append_c(out, '\n');
}

void memory_backend_print_all(GString *out)
{
    object_each_child(object_container("/objects"), print_one, out);
    g_string_append_c(out, '\n');
}
