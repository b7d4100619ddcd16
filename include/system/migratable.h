/*
 * Migratables: everything in the machine whose state goes into a migration stream. Two forms: a
 * VMState saved at once while the machine is stopped, and live state (guest memory, a
 * passed-through device) that is sent in parts, the first of them while the guest may still run.
 *
 * Machine lock, but for what LiveState says of itself. While migration_is_active() nothing is
 * registered or taken away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_MIGRATABLE_H
#define SYSTEM_MIGRATABLE_H

#include "system/vmstate_kind.h"

#define MIGRATABLE_NEXT UINT32_MAX /* the first instance that is free */
#define MIGRATABLE_MAX_ID 255      /* bytes of an id */

/*
 * Live state, in order of calls. Source: setup; iterate until nothing is pending; with the machine
 * stopped complete; in any case cleanup. Target: load_setup, load for each part, load_done. Hooks
 * may be NULL. All run in the migration thread, iterate without the machine lock.
 *
 * iterate and complete append one part of about `room` bytes at most, and set *is_done when there
 * is no more (for now, or at all); until then they are called again.
 */
typedef struct LiveState {
    int version;
    bool is_before_devices; /* what devices need when they load: guest memory */
    bool (*setup)(void *opaque, VMWriter *w, Error **errp);
    /* Bytes still to send; may be an estimate. */
    uint64_t (*pending_bytes)(void *opaque);
    bool (*iterate)(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp);
    bool (*complete)(void *opaque, VMWriter *w, size_t room, bool *is_done, Error **errp);
    void (*cleanup)(void *opaque);
    bool (*load_setup)(void *opaque, VMReader *r, Error **errp);
    bool (*load)(void *opaque, VMReader *r, Error **errp);
    bool (*load_done)(void *opaque, Error **errp);
} LiveState;

typedef struct Migratable {
    char *id;
    uint32_t instance;
    const char *state_name; /* of the state's type; borrowed */
    const VMState *vm;      /* or */
    const LiveState *live;
    void *opaque;
    struct MigrationBlocker *blocker; /* if it cannot be migrated */
} Migratable;

/*
 * `id` names the object whatever the order of creation (a device's path); `state_name` (borrowed)
 * what it is, so that a section cannot load into something else. An id and instance that is taken,
 * or longer than MIGRATABLE_MAX_ID, fails; so does state that is_unmigratable under
 * -only-migratable, or during a migration.
 */
Migratable *migratable_register(const char *id, uint32_t instance, const char *state_name,
                                const VMState *vm, void *opaque, Error **errp);
Migratable *migratable_register_live(const char *id, const LiveState *live, void *opaque,
                                     Error **errp);
void migratable_unregister(Migratable *m); /* NULL is fine */

Migratable *migratable_find(const char *id, uint32_t instance);
/* All of them (borrowed) in the order in which they are saved. Free the array. */
GPtrArray *migratable_list(void);

#endif
