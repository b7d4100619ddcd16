/*
 * qtest: vCPUs never run, and virtual time moves only when the test says so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "system/accel.h"
#include "system/clock.h"
#include "system/vcpu_thread.h"

static bool qtest_init_machine(Accel *accel, Object *machine, Error **errp)
{
    clock_qtest_enable();
    return true;
}

static bool qtest_start_vcpu(Accel *accel, Vcpu *cpu, Error **errp)
{
    g_autofree char *name = g_strdup_printf("CPU %u/QTEST", cpu->index);

    return vcpu_thread_start(cpu, name, NULL, errp);
}

static void qtest_end_vcpu(Accel *accel, Vcpu *cpu)
{
    vcpu_thread_leave(cpu);
}

static const AccelType qtest_accel_type = {
    .name = "qtest" ACCEL_SUFFIX,
    .doc = "Runs no guest code: devices are driven by a test",
    .parent = TYPE_ACCEL,
    .title = "QTest",
    .init_machine = qtest_init_machine,
    .start_vcpu = qtest_start_vcpu,
    .end_vcpu = qtest_end_vcpu,
};
OBJECT_TYPE(qtest_accel_type)
