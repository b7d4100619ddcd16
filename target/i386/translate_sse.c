/*
 * SSE on floating point. None are translated yet: they are undefined.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "target/i386/helpers.h"
#include "target/i386/translate.h"

void x86_translate_sse_scalar(X86Tr *t)
{
    tr_undefined(t);
}

const X86Rows x86_rows_sse = { NULL, 0 };
