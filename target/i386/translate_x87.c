/*
 * x87 and MMX. None are translated yet: they are undefined.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"
#include "target/i386/translate.h"

void x86_translate_fpu_check(X86Tr *t)
{
}

const X86Rows x86_rows_x87 = { NULL, 0 };
