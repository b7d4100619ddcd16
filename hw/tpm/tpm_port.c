/*
 * What TPM devices share: see hw/tpm/tpm_port.h. The physical presence interface is memory through
 * which firmware and ACPI talk (TCG PC Client Physical Presence Interface); a bit of it asks for
 * cleared memory at the next reset (TCG Platform Reset Attack Mitigation).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/tpm/tpm_port.h"
#include "hw/core/device_memory.h"
#include "hw/core/machine.h"
#include "system/memory_log.h"
#include "system/run_state.h"
#include "util/byte_order.h"

static const ObjectType tpm_device_type = {
    .name = TYPE_TPM_DEVICE,
    .doc = "A trusted platform module",
    .is_interface = true,
};
OBJECT_TYPE(tpm_device_type)

/* --- the property --- */

static json_object *get_tpmdev(Object *obj, const Property *p, Error **errp)
{
    const TpmBackend *backend = *(TpmBackend **)((char *)obj + p->offset);

    return json_string(backend ? tpm_backend_id(backend) : "");
}

static bool set_tpmdev(Object *obj, const Property *p, json_object *value, PropertyForm form,
                       Error **errp)
{
    TpmBackend **field = (TpmBackend **)((char *)obj + p->offset);
    TpmBackend *backend;
    const char *id;

    if (!property_value_text(p, value, &id, errp)) {
        return false;
    }
    backend = tpm_backend_find(id);
    if (!backend) {
        return error_set(errp, "Property '%s.%s' can't find value '%s'", object_type_name(obj),
                         p->name, id);
    }
    object_ref(backend);
    object_unref(*field);
    *field = backend;
    return true;
}

static void clear_tpmdev(Object *obj, const Property *p)
{
    TpmBackend **field = (TpmBackend **)((char *)obj + p->offset);

    object_unref(*field);
    *field = NULL;
}

const PropertyKind property_tpmdev = {
    .name = "str", .get = get_tpmdev, .set = set_tpmdev, .clear = clear_tpmdev,
};

/* --- physical presence --- */

static uint64_t ppi_read(void *opaque, uint64_t offset, unsigned bytes)
{
    return load_bytes(((TpmPort *)opaque)->ppi + offset, bytes, ENDIAN_LITTLE);
}

static void ppi_write(void *opaque, uint64_t offset, uint64_t value, unsigned bytes)
{
    store_bytes(((TpmPort *)opaque)->ppi + offset, bytes, ENDIAN_LITTLE, value);
}

static const MemoryOps ppi_ops = {
    .read = ppi_read, .write = ppi_write, .endian = ENDIAN_LITTLE, .impl.max = 8,
};

/* RAM, or what holds some: nodes, DIMMs. What outlives power is no secret of the last boot. */
static void clear_ram(MemoryRegion *mr)
{
    if (memory_region_is_ram(mr) && !mr->is_nonvolatile) {
        memset(memory_region_host(mr), 0, mr->size);
        ram_block_mark_written(mr->ram, 0, mr->size);
    }
    for (GList *child = mr->children.head; child; child = child->next) {
        clear_ram(child->data);
    }
}

static void ppi_reset(TpmPort *port)
{
    Machine *machine = machine_current();

    if (!port->has_ppi || !(port->ppi[TPM_PPI_MEMORY_CLEAR] & 1)) {
        return;
    }
    if (machine->ram) {
        clear_ram(machine->ram);
    }
    if (machine->device_memory) {
        clear_ram(&machine->device_memory->region);
    }
}

/* --- life --- */

void tpm_port_init(TpmPort *port, Device *dev)
{
    port->dev = dev;
    memory_region_init_io(&port->ppi_region, &dev->parent, &ppi_ops, "tpm-ppi", TPM_PPI_BYTES);
    memory_region_set_opaque(&port->ppi_region, port);
}

void tpm_port_finalize(TpmPort *port)
{
    memory_region_clear(&port->ppi_region);
    tpm_state_clear(port->parts);
}

/* The machine goes on here after all. */
static void port_resumed(Notifier *notifier, void *data)
{
    TpmPort *port = container_of(notifier, TpmPort, resumed);
    const RunStateChange *change = data;

    if (change->is_running && port->is_given_away) {
        port->is_given_away = false;
        if (tpm_backend_ops(port->backend)->take_back) {
            tpm_backend_ops(port->backend)->take_back(port->backend);
        }
    }
}

bool tpm_port_realize(TpmPort *port, MemoryRegion *memory, size_t buffer_bytes,
                      TpmPortAnswered *answered, Error **errp)
{
    Device *other = tpm_find();

    if (!port->backend) {
        return error_set(errp, "'tpmdev' property is required");
    }
    if (other && other != port->dev) {
        return error_set(errp, "at most one TPM device is permitted");
    }
    port->user = (TpmUser){ object_type_name(port->dev), buffer_bytes, answered, port->dev };
    if (!tpm_backend_attach(port->backend, &port->user, errp)) {
        return false;
    }
    if (port->has_ppi) {
        memory_region_add(memory, TPM_PPI_ADDRESS, &port->ppi_region);
    }
    port->resumed.fn = port_resumed;
    vm_add_state_notifier(&port->resumed);
    return true;
}

void tpm_port_unrealize(TpmPort *port, MemoryRegion *memory)
{
    notifier_remove(&port->resumed);
    if (port->has_ppi) {
        memory_region_remove(memory, &port->ppi_region);
    }
    tpm_backend_detach(port->backend);
}

static void start(TpmPort *port)
{
    Error *err = NULL;

    port->is_started = tpm_backend_start(port->backend, false, &err);
    if (err) {
        error_report_err(err);
    }
    port->is_established = port->is_started &&
                           tpm_backend_ops(port->backend)->get_established(port->backend);
}

void tpm_port_reset(TpmPort *port)
{
    tpm_backend_abandon(port->backend);
    memset(port->buffer, 0, sizeof(port->buffer));
    ppi_reset(port);
    if (run_state_current() != RUN_STATE_INMIGRATE) {
        start(port);
    }
}

/* --- commands --- */

void tpm_port_run(TpmPort *port, uint8_t locality, size_t bytes)
{
    port->request = (TpmRequest){
        .locality = locality, .buffer = port->buffer, .buffer_bytes = port->user.buffer_bytes,
        .command_bytes = bytes,
    };
    if (port->is_started) {
        tpm_backend_hand_over(port->backend, &port->request);
        return;
    }
    tpm_write_failure(port->backend->version, port->buffer, &port->request.answer_bytes);
    port->user.answered(port->user.opaque, &port->request);
}

void tpm_port_reset_established(TpmPort *port, uint8_t locality)
{
    const TpmBackendType *ops = tpm_backend_ops(port->backend);

    if (ops->reset_established(port->backend, locality)) {
        port->is_established = ops->get_established(port->backend);
    }
}

/* --- migration --- */

bool tpm_port_pre_save(TpmPort *port, Error **errp)
{
    tpm_backend_finish(port->backend);
    if (!tpm_backend_ops(port->backend)->save) {
        return error_set(errp, "TPM back end '%s' cannot be migrated",
                         tpm_backend_id(port->backend));
    }
    port->is_given_away = true;
    return tpm_backend_save(port->backend, port->parts, errp);
}

bool tpm_port_post_load(TpmPort *port, Error **errp)
{
    port->is_started = tpm_backend_load(port->backend, port->parts, errp) &&
                       tpm_backend_start(port->backend, true, errp);
    tpm_state_clear(port->parts);
    return port->is_started;
}

static const VMField part_fields[] = {
    VM_U32(TpmStatePart, flags), VM_BYTES(TpmStatePart, bytes, size, TPM_STATE_BYTES_MAX),
};
static const VMState part_state = VMSTATE_INIT(part_fields, .version = 1);
static const VMField port_fields[] = {
    VM_BUFFER(TpmPort, buffer), VM_BOOL(TpmPort, is_established),
    VM_STRUCT_ARRAY(TpmPort, parts, part_state),
};
const VMState tpm_port_state = VMSTATE_INIT(port_fields, .version = 1);
static const VMField ppi_fields[] = { VM_BUFFER(TpmPort, ppi) };
const VMState tpm_ppi_state = VMSTATE_INIT(ppi_fields, .version = 1);

/* --- for boards --- */

static void find_below(void *opaque, Object *obj)
{
    Device **found = opaque;

    if (*found) {
        return;
    }
    if (object_is_a(obj, TYPE_TPM_DEVICE)) {
        *found = DEVICE(obj);
    } else {
        object_each_child(obj, find_below, found);
    }
}

Device *tpm_find(void)
{
    Device *found = NULL;

    find_below(&found, &machine_current()->parent);
    return found;
}

TpmVersion tpm_version(Device *dev)
{
    return ((const TpmDevice *)object_interface(dev, TYPE_TPM_DEVICE))->version(dev);
}

bool tpm_has_ppi(Device *dev)
{
    return ((const TpmDevice *)object_interface(dev, TYPE_TPM_DEVICE))->has_ppi(dev);
}
