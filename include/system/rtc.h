/*
 * -rtc: which date a guest's clock chip starts at, and which clock it follows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_RTC_H
#define SYSTEM_RTC_H

#include "qom/error.h"
#include "system/clock.h"

/* Any may be NULL. Once, at start. */
bool rtc_configure(const char *base, const char *clock, const char *driftfix, Error **errp);
/* The clock that chips count on. */
Clock rtc_clock(void);
/* Lost ticks are made up for (driftfix=slew). */
bool rtc_has_drift_fix(void);
/* Seconds since 1970 in the guest's zone, now. */
int64_t rtc_now_seconds(void);

#endif
