/*
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hw/core/machine.h"
#include "migration/capability.h"
#include "migration/configuration.h"
#include "system/identity.h"
#include "system/target.h"

#define MAX_NAME 255
#define MAX_CAPABILITIES 4096

static const char *test_machine_name;

static bool configuration_has_uuid(void *opaque)
{
    return ((Configuration *)opaque)->has_uuid;
}

static bool configuration_uuid_loaded(void *opaque, int version, Error **errp)
{
    ((Configuration *)opaque)->has_uuid = true;
    return true;
}

static const VMField uuid_rows[] = { VM_BUFFER(Configuration, uuid) };
static const VMState uuid_vm = VMSTATE_INIT(
    uuid_rows, .name = "uuid", .version = 1, .needed = configuration_has_uuid,
    .post_load = configuration_uuid_loaded);

static const VMField rows[] = {
    VM_STRING(Configuration, target, MAX_NAME),
    VM_STRING(Configuration, machine, MAX_NAME),
    VM_STRING(Configuration, capabilities, MAX_CAPABILITIES),
    VM_U32(Configuration, page_bits),
};
static const VMState vm = VMSTATE_INIT(rows, .name = "configuration", .version = 1,
                                       .subsections = VM_SUBSECTIONS(&uuid_vm));

void configuration_set_machine(const char *machine)
{
    test_machine_name = machine;
}

static char *machine_name(void)
{
    Machine *machine = machine_current();

    if (test_machine_name) {
        return g_strdup(test_machine_name);
    }
    return machine ? machine_type_short_name(machine->parent.type) : g_strdup("");
}

void configuration_init(Configuration *c)
{
    const TargetInfo *target = target_info();

    *c = (Configuration){
        .target = g_strdup(target->name),
        .machine = machine_name(),
        .capabilities = capability_stream_names(),
        .page_bits = target->page_bits,
        .has_uuid = identity_has_uuid() && capability_is_on(MIGRATION_CAPABILITY_VALIDATE_UUID),
    };
    memcpy(c->uuid, identity_uuid(), sizeof(c->uuid));
}

void configuration_clear(Configuration *c)
{
    g_free(c->target);
    g_free(c->machine);
    g_free(c->capabilities);
}

bool configuration_save(VMWriter *w, Error **errp)
{
    g_auto(Configuration) own;

    configuration_init(&own);
    return vmstate_save(&vm, &own, w, errp);
}

static bool same_text(const char *what, const char *stream, const char *own, Error **errp)
{
    g_autofree char *shown = NULL;

    if (!g_strcmp0(stream, own)) {
        return true;
    }
    shown = stream ? g_strescape(stream, NULL) : g_strdup("");
    return error_set(errp, "%s is '%s' in the stream, '%s' here", what, shown, own);
}

/* The source alone decides whether it is looked at. */
static bool same_uuid(const Configuration *stream, Error **errp)
{
    if (stream->has_uuid && identity_has_uuid() &&
        memcmp(stream->uuid, identity_uuid(), sizeof(stream->uuid))) {
        return error_set(errp, "The machine's UUID differs from the one in the stream");
    }
    return true;
}

bool configuration_load(VMReader *r, Error **errp)
{
    g_auto(Configuration) own, stream = { 0 };

    configuration_init(&own);
    if (!vmstate_load(&vm, &stream, r, errp)) {
        error_prefix(errp, "configuration: ");
        return false;
    }
    if (vm_left(r)) {
        return error_set(errp, "configuration: %zu bytes too many", vm_left(r));
    }
    if (stream.page_bits != own.page_bits) {
        return error_set(errp, "Pages have %" PRIu32 " bits in the stream, %" PRIu32 " here",
                         stream.page_bits, own.page_bits);
    }
    return same_text("Target", stream.target, own.target, errp) &&
           same_text("Machine type", stream.machine, own.machine, errp) &&
           same_text("Set of capabilities", stream.capabilities, own.capabilities, errp) &&
           same_uuid(&stream, errp);
}
