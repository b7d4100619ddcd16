/*
 * "-trace" of machines and "-T" of tools, once its keys are read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QOM_TRACE_OPTION_H
#define QOM_TRACE_OPTION_H

#include "qom/error.h"
#include "util/json.h"

/* "enable", "events", "file": see trace_parse_option(). Names of no event are warned of. */
bool trace_apply_option(json_object *keys, Error **errp);

#endif
