/*
 * The first include of every C file: the language we write in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_OSDEP_H
#define UTIL_OSDEP_H

#include <errno.h>
#include <glib.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* No silent asserts: an assertion states what no outside input can break. */
#undef NDEBUG
#include <assert.h>

#define BIT(n) (UINT32_C(1) << (n))
#define BIT64(n) (UINT64_C(1) << (n))

#define KiB UINT64_C(1024)
#define MiB (KiB * 1024)
#define GiB (MiB * 1024)
#define TiB (GiB * 1024)

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

#define ARRAY_SIZE(a) G_N_ELEMENTS(a)
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

#define ROUND_UP(n, align) (((n) + (align) - 1) / (align) * (align))
#define ROUND_DOWN(n, align) ((n) / (align) * (align))
#define IS_ALIGNED(n, align) (((n) % (align)) == 0)

#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define CONSTRUCTOR __attribute__((constructor))
#define MUST_USE __attribute__((warn_unused_result))

#endif
