/*
 * Configuration: what both machines must agree on before any state makes sense. The first record.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MIGRATION_CONFIGURATION_H
#define MIGRATION_CONFIGURATION_H

#include "system/vmstate_kind.h"

typedef struct Configuration {
    char *target;       /* "x86_64" */
    char *machine;      /* versioned name of its type; "" without a machine */
    char *capabilities; /* those that shape the stream, by name, separated by commas */
    uint32_t page_bits;
    bool has_uuid;
    uint8_t uuid[16];
} Configuration;

/* This machine's, as capabilities are set now. Machine lock. */
void configuration_init(Configuration *c);
void configuration_clear(Configuration *c);

/* For tests: a name (borrowed) in place of the current machine's. */
void configuration_set_machine(const char *machine);

bool configuration_save(VMWriter *w, Error **errp);
/* Fails if anything differs, naming it. */
bool configuration_load(VMReader *r, Error **errp);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Configuration, configuration_clear)

#endif
