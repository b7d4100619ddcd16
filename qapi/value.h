/*
 * What the parts of the QAPI walker share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_VALUE_H
#define QAPI_VALUE_H

#include "qapi/qapi.h"

/* The layout of every generated array struct. */
typedef struct QapiArray {
    void *items;
    size_t count;
} QapiArray;

/* The type of the branch a union or alternate value holds; NULL if it has no more members. */
const QapiType *qapi_branch(const QapiType *type, const void *value);

#endif
