/*
 * The PC's clock chip as boards see it: they leave facts for firmware in its battery-backed bytes.
 *
 * Machine lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_RTC_MC146818RTC_H
#define HW_RTC_MC146818RTC_H

#include "hw/isa/isa.h"

#define TYPE_MC146818_RTC "mc146818rtc"
#define RTC_CMOS_BYTES    128

/* On `bus`, reading years from `base_year`; borrowed. */
Device *mc146818_rtc_new(IsaBus *bus, int base_year);
/* Bytes from 0x0e on; those below are the clock's. */
void mc146818_rtc_set_cmos(Device *rtc, unsigned at, uint8_t value);
uint8_t mc146818_rtc_cmos(Device *rtc, unsigned at);

#endif
