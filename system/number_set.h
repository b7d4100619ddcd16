/*
 * Sets of small numbers as values of properties: [0,1,5] as JSON, "0-1,5" as text.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_NUMBER_SET_H
#define SYSTEM_NUMBER_SET_H

#include "qom/property.h"

typedef struct NumberSet {
    uint64_t *bits;
    unsigned count; /* numbers below it fit */
} NumberSet;

/* Replaces the set; leaves it alone when it fails. */
bool number_set_parse(NumberSet set, const Property *p, json_object *value, Error **errp);
json_object *number_set_to_json(NumberSet set);
bool number_set_is_empty(NumberSet set);
/* "0-1,5" */
void number_set_print(NumberSet set, GString *out);

#endif
