/*
 * The guest's date: see system/rtc.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/rtc.h"

static struct {
    Clock clock;
    int64_t offset_seconds; /* added to the host's UTC at the start */
    int64_t start_seconds, start_ns;
    bool has_drift_fix;
} rtc = { .clock = CLOCK_HOST };

static int64_t host_seconds(void)
{
    return clock_now_ns(CLOCK_HOST) / NS_PER_SEC;
}

static bool parse_date(const char *text, int64_t *seconds)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autofree char *full = strchr(text, 'T') ? g_strdup(text) :
                                                g_strconcat(text, "T00:00:00", NULL);
    g_autoptr(GDateTime) date = g_date_time_new_from_iso8601(full, utc);

    if (date) {
        *seconds = g_date_time_to_unix(date);
    }
    return date;
}

static bool set_base(const char *base, Error **errp)
{
    int64_t seconds;

    if (!base || !strcmp(base, "utc")) {
        return true;
    }
    if (!strcmp(base, "localtime")) {
        g_autoptr(GDateTime) now = g_date_time_new_now_local();

        rtc.offset_seconds = g_date_time_get_utc_offset(now) / 1000000;
        return true;
    }
    if (!parse_date(base, &seconds)) {
        error_set(errp, "invalid datetime format");
        error_hint(errp, "valid formats: '2006-06-17T16:01:21' or '2006-06-17'\n");
        return false;
    }
    rtc.offset_seconds = seconds - host_seconds();
    return true;
}

static bool set_clock(const char *text, Error **errp)
{
    static const struct {
        const char *name;
        Clock clock;
    } clocks[] = { { "host", CLOCK_HOST }, { "rt", CLOCK_REAL }, { "vm", CLOCK_VIRTUAL } };

    for (size_t i = 0; text && i < ARRAY_SIZE(clocks); i++) {
        if (!strcmp(text, clocks[i].name)) {
            rtc.clock = clocks[i].clock;
            return true;
        }
    }
    return !text || error_set(errp, "invalid option value '%s'", text);
}

bool rtc_configure(const char *base, const char *clock, const char *driftfix, Error **errp)
{
    if (driftfix && strcmp(driftfix, "none") && strcmp(driftfix, "slew")) {
        return error_set(errp, "invalid option value '%s'", driftfix);
    }
    rtc.has_drift_fix = driftfix && !strcmp(driftfix, "slew");
    if (!set_base(base, errp) || !set_clock(clock, errp)) {
        return false;
    }
    rtc.start_seconds = host_seconds();
    rtc.start_ns = clock_now_ns(rtc.clock);
    return true;
}

Clock rtc_clock(void)
{
    return rtc.clock;
}

bool rtc_has_drift_fix(void)
{
    return rtc.has_drift_fix;
}

int64_t rtc_now_seconds(void)
{
    int64_t passed = (clock_now_ns(rtc.clock) - rtc.start_ns) / NS_PER_SEC;

    return rtc.start_seconds + rtc.offset_seconds + passed;
}
