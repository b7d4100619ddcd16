/*
 * virtio-iommu: a virtual IOMMU for functions on PCI (Virtual I/O Device 1.3, 5.13). Drivers attach
 * endpoints to domains and map memory into them; an endpoint's number is its bus, device and
 * function. Requests are carried out one by one, in order; faults are told in buffers of the event
 * queue, if there is one left.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "virtio_iommu.h"

#include "hw/core/apic_bus.h"
#include "hw/core/reset.h"
#include "hw/virtio/virtio_pci.h"
#include "system/machine_lock.h"
#include "trace.h"
#include "util/log.h"

#define QUEUE_SIZE   256
#define IOTLB_PAGES  65536
#define CONFIG_BYTES 40
#define PROBE_BYTES  512
#define TAIL_BYTES   4

enum { F_INPUT_RANGE, F_DOMAIN_RANGE, F_MAP_UNMAP, F_BYPASS, F_PROBE, F_MMIO, F_BYPASS_CONFIG };
#define CONFIG_BYPASS    36 /* in the configuration */
#define ATTACH_BYPASS    BIT(0)
#define PROPERTY_RESERVED 1
#define PROPERTY_BYTES   24
#define EVENT_BYTES      24
#define EVENT_READ       BIT(0)
#define EVENT_WRITE      BIT(1)
#define EVENT_ADDRESS    BIT(8)

static const char *const granules[] = { "4k", "8k", "16k", "64k", "host" };
static const uint32_t granule_bytes[] = { 4096, 8192, 16384, 65536, 4096 };
static const EnumTable granule_table = { "ViommuGranule", granules, ARRAY_SIZE(granules) };

uint64_t viommu_page_mask(const VirtioIommu *unit)
{
    return ~(uint64_t)(granule_bytes[unit->granule] - 1);
}

uint64_t viommu_last_address(const VirtioIommu *unit)
{
    return UINT64_MAX >> (64 - unit->address_bits);
}

/* --- requests --- */

typedef struct Request {
    uint8_t bytes[72]; /* what the driver says, as much as there may be */
    size_t count;
    uint8_t answer[PROBE_BYTES]; /* before the tail */
    size_t answer_bytes;
} Request;

static uint32_t word(const Request *r, unsigned at)
{
    return load_le32(r->bytes + at);
}

static uint64_t quad(const Request *r, unsigned at)
{
    return load_le64(r->bytes + at);
}

static unsigned do_attach(VirtioIommu *unit, Request *r)
{
    uint32_t flags = word(r, 12);

    if (flags & ~ATTACH_BYPASS || word(r, 16) ||
        (flags && !virtio_has_feature(&unit->parent, F_BYPASS_CONFIG))) {
        return VIOMMU_INVAL;
    }
    return viommu_attach(unit, word(r, 4), word(r, 8), flags & ATTACH_BYPASS);
}

static unsigned do_detach(VirtioIommu *unit, Request *r)
{
    return quad(r, 12) ? VIOMMU_INVAL : viommu_detach(unit, word(r, 4), word(r, 8));
}

static unsigned do_map(VirtioIommu *unit, Request *r)
{
    ViommuMapping mapping = { quad(r, 8), quad(r, 16), quad(r, 24), word(r, 32) };

    if (mapping.flags & VIOMMU_MAP_MMIO && !virtio_has_feature(&unit->parent, F_MMIO)) {
        return VIOMMU_INVAL;
    }
    return viommu_map(unit, word(r, 4), &mapping);
}

static unsigned do_unmap(VirtioIommu *unit, Request *r)
{
    return word(r, 24) ? VIOMMU_INVAL : viommu_unmap(unit, word(r, 4), quad(r, 8), quad(r, 16));
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    while (count && !*bytes) {
        bytes++;
        count--;
    }
    return !count;
}

static unsigned do_probe(VirtioIommu *unit, Request *r)
{
    if (!is_zero(r->bytes + 8, 64)) {
        return VIOMMU_INVAL;
    }
    if (!viommu_space_of(unit, word(r, 4))) {
        return VIOMMU_NOENT;
    }
    for (unsigned i = 0; i < unit->reserved_count; i++) {
        uint8_t *at = r->answer + PROPERTY_BYTES * i;

        store_le16(at, PROPERTY_RESERVED);
        store_le16(at + 2, PROPERTY_BYTES - 4);
        at[4] = unit->reserved[i].subtype;
        store_le64(at + 8, unit->reserved[i].first);
        store_le64(at + 16, unit->reserved[i].last);
    }
    return VIOMMU_OK;
}

static const struct RequestDef {
    const char *name;
    uint8_t bytes;
    uint16_t answer_bytes; /* before the tail */
    uint8_t feature;
    unsigned (*run)(VirtioIommu *unit, Request *r);
} requests[VIOMMU_TYPES] = {
    [VIOMMU_ATTACH] = { "attach", 20, 0, F_MAP_UNMAP, do_attach },
    [VIOMMU_DETACH] = { "detach", 20, 0, F_MAP_UNMAP, do_detach },
    [VIOMMU_MAP] = { "map", 36, 0, F_MAP_UNMAP, do_map },
    [VIOMMU_UNMAP] = { "unmap", 28, 0, F_MAP_UNMAP, do_unmap },
    [VIOMMU_PROBE] = { "probe", 72, PROBE_BYTES, F_PROBE, do_probe },
};

const char *viommu_request_name(unsigned type)
{
    return requests[type].name;
}

static unsigned run_request(VirtioIommu *unit, Request *r, uint64_t room)
{
    unsigned type = r->bytes[0];
    const struct RequestDef *def = type < VIOMMU_TYPES ? &requests[type] : NULL;
    unsigned status;

    if (!def || !def->run || !virtio_has_feature(&unit->parent, def->feature)) {
        return VIOMMU_UNSUPP;
    }
    if (r->count < def->bytes || room < def->answer_bytes + TAIL_BYTES) {
        return VIOMMU_INVAL;
    }
    unit->counts[type]++;
    r->answer_bytes = def->answer_bytes;
    status = def->run(unit, r);
    trace_viommu_request(def->name, word(r, 4), word(r, 8), status);
    return status;
}

static void serve(VirtioDevice *vdev, VirtQueue *vq)
{
    VirtioIommu *unit = VIRTIO_IOMMU(vdev);
    VirtQueueElement *elem;

    while (virtio_is_running(vdev) && (elem = virtqueue_pop(vq, sizeof(*elem)))) {
        Request r = { 0 };
        uint8_t tail[TAIL_BYTES] = { 0 };

        if (elem->out.bytes < 4 || elem->in.bytes < TAIL_BYTES) {
            virtio_error(vdev, "virtio-iommu: a request without head or tail");
            virtqueue_drop(elem);
            return;
        }
        r.count = virtqueue_read(elem, 0, r.bytes, sizeof(r.bytes));
        tail[0] = run_request(unit, &r, elem->in.bytes);
        virtqueue_write(elem, 0, r.answer, r.answer_bytes);
        virtqueue_write(elem, r.answer_bytes, tail, sizeof(tail));
        virtqueue_push(elem, r.answer_bytes + sizeof(tail));
        virtqueue_notify(vq);
    }
}

/* --- faults --- */

static void put_event(VirtioIommu *unit, const IommuRequest *request, unsigned reason)
{
    VirtQueueElement *elem = virtio_is_running(&unit->parent) ?
                             virtqueue_pop(unit->events, sizeof(*elem)) : NULL;
    uint8_t event[EVENT_BYTES] = { reason };

    if (!elem || elem->in.bytes < EVENT_BYTES) {
        unit->lost_faults++;
        if (elem) {
            virtqueue_unpop(elem);
        }
        return;
    }
    store_le32(event + 4, EVENT_ADDRESS | (request->is_write ? EVENT_WRITE : EVENT_READ));
    store_le32(event + 8, request->requester);
    store_le64(event + 16, request->addr);
    virtqueue_push(elem, virtqueue_write(elem, 0, event, sizeof(event)));
    virtqueue_notify(unit->events);
}

void viommu_report_fault(VirtioIommu *unit, const IommuRequest *request, unsigned reason)
{
    MACHINE_LOCK_SCOPE();

    trace_viommu_fault(request->requester, request->addr, request->is_write, reason);
    unit->faults[reason]++;
    put_event(unit, request, reason);
}

static void more_events(VirtioDevice *vdev, VirtQueue *vq)
{
}

/* --- features, configuration --- */

static uint64_t viommu_features(VirtioDevice *vdev)
{
    return BIT64(F_INPUT_RANGE) | BIT64(F_DOMAIN_RANGE) | BIT64(F_MAP_UNMAP) | BIT64(F_PROBE) |
           BIT64(F_MMIO) | BIT64(F_BYPASS_CONFIG);
}

static void config_read(VirtioDevice *vdev, uint8_t *config)
{
    const VirtioIommu *unit = VIRTIO_IOMMU(vdev);

    store_le64(config, viommu_page_mask(unit));
    store_le64(config + 16, viommu_last_address(unit));
    store_le32(config + 28, UINT32_MAX); /* the last domain */
    store_le32(config + 32, PROBE_BYTES);
    config[CONFIG_BYPASS] = unit->bypass;
}

static void set_bypass(VirtioIommu *unit, bool is_on)
{
    if (unit->bypass != is_on) {
        unit->bypass = is_on;
        iommu_changes_add(&unit->changes);
        viommu_switch_all(unit);
    }
}

static void config_written(VirtioDevice *vdev, const uint8_t *config)
{
    if (!virtio_has_feature(vdev, F_BYPASS_CONFIG) || config[CONFIG_BYPASS] > 1) {
        guest_error("virtio-iommu: bypass is set to %u", config[CONFIG_BYPASS]);
        return;
    }
    set_bypass(VIRTIO_IOMMU(vdev), config[CONFIG_BYPASS]);
}

/* --- properties --- */

static bool parse_reserved(const char *text, ViommuReserved *out, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    uint64_t values[3];

    for (unsigned i = 0; i < 3; i++) {
        char *end = NULL;

        values[i] = g_strv_length(parts) == 3 ? g_ascii_strtoull(parts[i], &end, 0) : 0;
        if (!end || end == parts[i] || *end) {
            return error_set(errp, "reserved region '%s' is not FIRST:LAST:TYPE", text);
        }
    }
    if (values[1] < values[0] || values[2] > VIOMMU_MSI) {
        return error_set(errp, "reserved region '%s': %s", text,
                         values[2] > VIOMMU_MSI ? "its type is 0 (nobody's) or 1 (messages)" :
                                                  "it ends before it begins");
    }
    *out = (ViommuReserved){ values[0], values[1], values[2] };
    return true;
}

static json_object *get_reserved(Object *obj, const Property *p, Error **errp)
{
    const VirtioIommu *unit = VIRTIO_IOMMU(obj);
    json_object *all = json_object_new_array();

    for (unsigned i = 0; i < unit->reserved_count; i++) {
        g_autofree char *text = g_strdup_printf("0x%" PRIx64 ":0x%" PRIx64 ":%u",
                                                unit->reserved[i].first, unit->reserved[i].last,
                                                unit->reserved[i].subtype);

        json_object_array_add(all, json_string(text));
    }
    return all;
}

/* An array of strings; on the command line one string, with semicolons between. */
static bool set_reserved(Object *obj, const Property *p, json_object *value, PropertyForm form,
                         Error **errp)
{
    VirtioIommu *unit = VIRTIO_IOMMU(obj);
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    if (json_object_is_type(value, json_type_string)) {
        g_auto(GStrv) words = g_strsplit(json_object_get_string(value), ";", -1);

        for (char **at = words; *at; at++) {
            g_ptr_array_add(texts, g_strdup(*at));
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            g_ptr_array_add(texts,
                            g_strdup(json_object_get_string(json_object_array_get_idx(value, i))));
        }
    }
    if (texts->len > VIOMMU_MOST_RESERVED) {
        return error_set(errp, "reserved-regions: %u are more than %u", texts->len,
                         VIOMMU_MOST_RESERVED);
    }
    for (guint i = 0; i < texts->len; i++) {
        if (!parse_reserved(texts->pdata[i] ? texts->pdata[i] : "", &unit->reserved[i], errp)) {
            return false;
        }
    }
    unit->reserved_count = texts->len;
    unit->is_reserved_set = true;
    return true;
}

static const Property viommu_props[] = {
    PROP_BOOL("boot-bypass", VirtioIommu, boot_bypass, .initial = true,
              .doc = "DMA passes until a driver says otherwise"),
    PROP_LINK("primary-bus", VirtioIommu, primary_bus, TYPE_PCI_BUS,
              .doc = "The root whose functions are behind it"),
    PROP_U8("aw-bits", VirtioIommu, address_bits, .initial = 64, .min = 32, .max = 64,
            .doc = "Width of virtual addresses"),
    PROP_ENUM("granule", VirtioIommu, granule, granule_table, .initial = 4,
              .doc = "The smallest page"),
    PROP_COMPUTED("reserved-regions", "ReservedRegions", .get = get_reserved, .set = set_reserved,
                  .doc = "FIRST:LAST:TYPE each, type 1 for messages to interrupt controllers"),
};

/* --- life --- */

/* A function's own root, unless the user says another. */
static bool find_root(VirtioIommu *unit, Error **errp)
{
    const Bus *bus = unit->parent.parent.bus;
    Device *transport = bus ? bus->owner : NULL;

    if (unit->primary_bus) {
        unit->root = PCI_BUS(unit->primary_bus);
    } else if (transport && object_is_a(transport, TYPE_PCI_DEVICE)) {
        unit->root = pci_bus_root(pci_device_bus(PCI_DEVICE(transport)));
    } else {
        return error_set(errp, "virtio-iommu: 'primary-bus' says which functions it is for");
    }
    return !unit->root->iommu ||
           error_set(errp, "virtio-iommu: there is an IOMMU for these functions already");
}

/* The machine as a whole starts anew; a reset by the driver leaves it alone. */
static void machine_reset(void *opaque)
{
    set_bypass(opaque, VIRTIO_IOMMU(opaque)->boot_bypass);
}

static bool viommu_realize(Device *dev, Error **errp)
{
    VirtioIommu *unit = VIRTIO_IOMMU(dev);

    if (!find_root(unit, errp) || !virtio_init_queues(&unit->parent, 2, errp)) {
        return false;
    }
    if (!unit->is_reserved_set && apic_bus_window()->container) {
        unit->reserved[0] = (ViommuReserved){ APIC_WINDOW_ADDR,
                                              APIC_WINDOW_ADDR + APIC_WINDOW_BYTES - 1,
                                              VIOMMU_MSI };
        unit->reserved_count = 1;
    }
    unit->requests = virtqueue_init(&unit->parent, 0, QUEUE_SIZE, serve);
    unit->events = virtqueue_init(&unit->parent, 1, QUEUE_SIZE, more_events);
    unit->iotlb = iotlb_new(IOTLB_PAGES);
    unit->bypass = unit->boot_bypass;
    viommu_init_domains(unit);
    iommu_spaces_init(&unit->spaces, &viommu_spaces_type, (Object *)unit, unit->root,
                      &unit->changes);
    pci_bus_set_iommu(unit->root, &viommu_pci_ops, unit);
    reset_register(machine_reset, unit);
    return true;
}

static void viommu_unrealize(Device *dev)
{
    VirtioIommu *unit = VIRTIO_IOMMU(dev);

    reset_unregister(machine_reset, unit);
    viommu_detach_all(unit);
    pci_bus_set_iommu(unit->root, NULL, NULL);
    iommu_spaces_close(&unit->spaces);
}

static void viommu_finalize(Object *obj)
{
    VirtioIommu *unit = VIRTIO_IOMMU(obj);

    iommu_spaces_clear(&unit->spaces);
    viommu_free_domains(unit);
    g_clear_pointer(&unit->iotlb, iotlb_free);
    g_free(unit->saved_endpoints);
    g_free(unit->saved_mappings);
}

static void viommu_reset(Device *dev)
{
    viommu_detach_all(VIRTIO_IOMMU(dev));
}

/* --- saved state --- */

static void save_mapping(const ViommuMapping *mapping, void *opaque)
{
    ViommuSavedMapping **at = opaque;

    (*at)->mapping = *mapping;
    (*at)++;
}

static void save_domain(VirtioIommu *unit, const ViommuDomain *domain)
{
    ViommuSavedMapping *first = unit->saved_mappings + unit->saved_mapping_count, *end = first;

    viommu_each_mapping(domain, save_mapping, &end);
    unit->saved_mapping_count += end - first;
    for (; first < end; first++) {
        first->domain = domain->id;
    }
}

static bool pre_save(void *opaque, Error **errp)
{
    VirtioIommu *unit = opaque;
    GHashTableIter iter;
    gpointer key, value;

    g_free(unit->saved_endpoints);
    g_free(unit->saved_mappings);
    unit->saved_endpoints = g_new0(ViommuSavedEndpoint, g_hash_table_size(unit->endpoints));
    unit->saved_mappings = g_new0(ViommuSavedMapping, unit->mapping_count);
    unit->saved_endpoint_count = unit->saved_mapping_count = 0;
    g_hash_table_iter_init(&iter, unit->endpoints);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        const ViommuEndpoint *endpoint = value;

        unit->saved_endpoints[unit->saved_endpoint_count++] = (ViommuSavedEndpoint){
            endpoint->id, endpoint->domain->id, endpoint->domain->is_bypass
        };
    }
    g_hash_table_iter_init(&iter, unit->domains);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        save_domain(unit, value);
    }
    return true;
}

static bool post_load(void *opaque, int version, Error **errp)
{
    VirtioIommu *unit = opaque;

    viommu_detach_all(unit);
    for (uint32_t i = 0; i < unit->saved_endpoint_count; i++) {
        const ViommuSavedEndpoint *saved = &unit->saved_endpoints[i];

        if (viommu_attach(unit, saved->domain, saved->id, saved->is_bypass) != VIOMMU_OK) {
            return error_set(errp, "virtio-iommu: endpoint 0x%x cannot be in domain %u", saved->id,
                             saved->domain);
        }
    }
    for (uint32_t i = 0; i < unit->saved_mapping_count; i++) {
        const ViommuSavedMapping *saved = &unit->saved_mappings[i];

        if (viommu_map(unit, saved->domain, &saved->mapping) != VIOMMU_OK) {
            return error_set(errp, "virtio-iommu: domain %u cannot map 0x%" PRIx64 " to 0x%" PRIx64,
                             saved->domain, saved->mapping.first, saved->mapping.last);
        }
    }
    viommu_switch_all(unit);
    return true;
}

static const VMField endpoint_fields[] = {
    VM_U32(ViommuSavedEndpoint, id), VM_U32(ViommuSavedEndpoint, domain),
    VM_BOOL(ViommuSavedEndpoint, is_bypass),
};
static const VMState endpoint_state = VMSTATE_INIT(endpoint_fields, .version = 1);
static const VMField mapping_fields[] = {
    VM_U32(ViommuSavedMapping, domain), VM_U64(ViommuSavedMapping, mapping.first),
    VM_U64(ViommuSavedMapping, mapping.last), VM_U64(ViommuSavedMapping, mapping.phys),
    VM_U32(ViommuSavedMapping, mapping.flags),
};
static const VMState mapping_state = VMSTATE_INIT(mapping_fields, .version = 1);
static const VMField viommu_fields[] = {
    VM_EQUAL(VirtioIommu, granule), VM_EQUAL(VirtioIommu, address_bits),
    VM_BOOL(VirtioIommu, bypass),
    VM_STRUCT_ALLOCATED(VirtioIommu, saved_endpoints, saved_endpoint_count, 65536, endpoint_state),
    VM_STRUCT_ALLOCATED(VirtioIommu, saved_mappings, saved_mapping_count, VIOMMU_MOST_MAPPINGS,
                        mapping_state),
};

static const VirtioDeviceType viommu_type = {
    .name = "virtio-iommu-device",
    .doc = "virtio IOMMU",
    .parent = TYPE_VIRTIO_DEVICE,
    .size = sizeof(VirtioIommu),
    .category = DEVICE_CATEGORY_MISC,
    .virtio_id = VIRTIO_ID_IOMMU,
    .config_bytes = CONFIG_BYTES,
    .features = viommu_features,
    .config_read = config_read,
    .config_written = config_written,
    .properties = PROPERTIES(viommu_props),
    .vmstate = VMSTATE(viommu_fields, .version = 1, .priority = 1, .pre_save = pre_save,
                       .post_load = post_load),
    .finalize = viommu_finalize,
    .realize = viommu_realize,
    .unrealize = viommu_unrealize,
    .reset_hold = viommu_reset,
};
VIRTIO_DEVICE_TYPE(viommu_type)

static const VirtioPciFamily viommu_pci = {
    .name = "virtio-iommu-pci",
    .doc = "virtio IOMMU on PCI",
    .device = &viommu_type,
    .class_id = PCI_CLASS_OTHERS,
    .vectors = 2,
    .category = DEVICE_CATEGORY_MISC,
};
VIRTIO_PCI_FAMILY(viommu_pci)
