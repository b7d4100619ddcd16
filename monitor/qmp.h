/*
 * QMP monitor: what command handlers ask of the session that called them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef MONITOR_QMP_H
#define MONITOR_QMP_H

#include "qom/error.h"

/* qmp_capabilities: ends the negotiation of the session that is running it. */
bool qmp_monitor_negotiate(bool wants_oob, Error **errp);

/* Our name, where the version is told. */
#define QMP_PACKAGE "Tandem"

#endif
