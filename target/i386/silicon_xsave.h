/*
 * The XSAVE family in silicon's cases.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_SILICON_XSAVE_H
#define TARGET_I386_SILICON_XSAVE_H

#include "target/i386/silicon.h"

bool silicon_is_xsave(const ZydisDecodedInstruction *in);
/* One of them, by a register that points at an area; returns its bytes. */
unsigned silicon_xsave_put(uint8_t *out, GRand *random, bool is_64);
/* Registers and data for it. */
void silicon_xsave_fill(SiliconCase *c, GRand *random);

#endif
