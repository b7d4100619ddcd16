/*
 * AVX, AVX2, FMA: instructions in VEX encoding. None are translated yet: they are undefined.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/translate.h"

const X86Rows x86_rows_avx = { NULL, 0 };
