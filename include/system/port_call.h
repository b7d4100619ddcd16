/*
 * Port calls: an IN or OUT by which a guest calls a hypervisor, with arguments in the general
 * registers of the CPU that executes it. A CPU that can lend its registers implements this
 * interface; the device asks for the CPU that runs in this thread (vcpu_current()).
 *
 * In the CPU's thread, machine lock, while the instruction is under way. What it returns in EAX
 * is what was set here only if the device's read returns the same.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SYSTEM_PORT_CALL_H
#define SYSTEM_PORT_CALL_H

#include "qom/object.h"

#define TYPE_PORT_CALL_CPU "port-call-cpu"

typedef struct PortCallRegs {
    uint32_t eax, ebx, ecx, edx, esi, edi;
} PortCallRegs;

typedef struct PortCallCpu {
    void (*get)(Object *cpu, PortCallRegs *regs);
    /*
     * Clears the upper halves of the 64-bit registers whose lower halves change. The others stay
     * whole: who touches the port without meaning a call may have pointers in them.
     */
    void (*set)(Object *cpu, const PortCallRegs *regs);
} PortCallCpu;

#endif
