/*
 * What reading JSON into QAPI values shares: where we are, and how it fails.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QAPI_READER_H
#define QAPI_READER_H

#include "value.h"

/* Where we are; the root has no parent. */
typedef struct Path {
    const struct Path *parent;
    const char *name; /* NULL: an array element */
    size_t index;
    unsigned depth;
} Path;

typedef struct Reader {
    QapiForm form;
    Error **errp;
} Reader;

/* All return false with *r->errp set; most name the member by its path. */
bool reader_fail_type(const Reader *r, const Path *path, const char *expected);
bool reader_fail_expects(const Reader *r, const Path *path, const char *expected);
bool reader_fail_unexpected(const Reader *r, const Path *path, json_object *value);
bool reader_fail_missing(const Reader *r, const Path *path);
bool reader_fail_value(const Reader *r, const Path *path, const char *value);

/* In the text form: the string to parse, or NULL. */
const char *reader_text(const Reader *r, json_object *in);

/* Reads what is no struct, union, alternate or array. */
bool reader_read_scalar(const Reader *r, const Path *path, const QapiType *type, json_object *in,
                        void *slot);

#endif
