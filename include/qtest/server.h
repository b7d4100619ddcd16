/*
 * qtest: a test program drives the machine over a line protocol: memory, ports, lines, time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef QTEST_SERVER_H
#define QTEST_SERVER_H

#include "qom/error.h"

/* Serves on a chardev made from `spec`; `log` (may be NULL) names a file for the dialogue. */
bool qtest_server_start(const char *spec, const char *log, Error **errp);
void qtest_server_cleanup(void);

#endif
