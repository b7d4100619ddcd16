/*
 * What of the host's ends of networks moves with the machine: connections that libslirp keeps itself
 * (those of guestfwd=, not those with a socket of this host), its leases.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "cli/network_state.h"

#include "net/net.h"
#include "system/migratable.h"
#include "system/vmstate_rows.h"

#define MAX_ENDS  4096
#define MAX_BYTES (64 * MiB)
#define MAX_ID    255

typedef struct EndState {
    char *id;
    NetSaved saved;
} EndState;

typedef struct NetworkState {
    EndState *ends;
    uint32_t count;
} NetworkState;

static void forget(NetworkState *s)
{
    for (uint32_t n = 0; n < s->count; n++) {
        g_free(s->ends[n].id);
        g_free(s->ends[n].saved.bytes);
    }
    g_clear_pointer(&s->ends, g_free);
    s->count = 0;
}

static bool save_end(void *opaque, NetEnd *end)
{
    NetworkState *s = opaque;

    if (end->ops->save && s->count < MAX_ENDS) {
        s->ends = g_renew(EndState, s->ends, s->count + 1);
        s->ends[s->count] = (EndState){ .id = g_strdup(end->name) };
        end->ops->save(end, &s->ends[s->count].saved);
        s->count++;
    }
    return true;
}

static bool before_save(void *opaque, Error **errp)
{
    net_each(save_end, opaque);
    return true;
}

static void after_save(void *opaque)
{
    forget(opaque);
}

static bool before_load(void *opaque, Error **errp)
{
    forget(opaque);
    return true;
}

/* Where the network is of another kind, or gone, there is nothing that could go on. */
static bool load_end(const EndState *state, Error **errp)
{
    NetEnd *end = state->id ? net_backend_get(state->id) : NULL;

    return !end || !end->ops->load || end->ops->load(end, &state->saved, errp);
}

static bool after_load(void *opaque, int version, Error **errp)
{
    NetworkState *s = opaque;
    bool is_done = true;

    for (uint32_t n = 0; n < s->count && is_done; n++) {
        is_done = load_end(&s->ends[n], errp);
    }
    forget(s);
    return is_done;
}

static bool is_without_state(void *opaque, NetEnd *end)
{
    return !end->ops->save;
}

static bool is_needed(void *opaque)
{
    return !net_each(is_without_state, NULL);
}

static const VMField end_rows[] = {
    VM_STRING(EndState, id, MAX_ID), VM_U32(EndState, saved.version),
    VM_BYTES(EndState, saved.bytes, saved.size, MAX_BYTES),
};
static const VMState end_vm = VMSTATE_INIT(end_rows, .version = 1);
static const VMField network_rows[] = {
    VM_STRUCT_ALLOCATED(NetworkState, ends, count, MAX_ENDS, end_vm),
};
static const VMState network_vm = VMSTATE_INIT(
    network_rows, .version = 1, .needed = is_needed, .pre_save = before_save,
    .post_save = after_save, .pre_load = before_load, .post_load = after_load);

void network_state_register(void)
{
    static NetworkState state;

    migratable_register("networks", 0, "networks", &network_vm, &state, NULL);
}
