/*
 * Segments of silicon's cases.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TARGET_I386_SILICON_SEGMENTS_H
#define TARGET_I386_SILICON_SEGMENTS_H

#include "target/i386/silicon.h"

/* For what kind of code it is. */
void silicon_segments_choose(SiliconCase *c, GRand *random);
/* One of those there are, or almost. */
uint16_t silicon_segments_selector(GRand *random);

#endif
