/*
 * Option groups: the names and keys of grouped command-line options, for introspection.
 * Registered once at start.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_OPTION_GROUP_H
#define UTIL_OPTION_GROUP_H

typedef enum OptionParamType {
    OPTION_PARAM_STRING,
    OPTION_PARAM_BOOL,
    OPTION_PARAM_NUMBER,
    OPTION_PARAM_SIZE,
} OptionParamType;

typedef struct OptionParam {
    const char *name; /* NULL ends a list */
    OptionParamType type;
    const char *help;
} OptionParam;

/* `params` NULL: the keys depend on the value. Repeated registration of a name is ignored. */
void option_group_register(const char *name, const OptionParam *params);
void option_group_each(void (*fn)(void *opaque, const char *name, const OptionParam *params),
                       void *opaque);

#endif
