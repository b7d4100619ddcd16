/*
 * The log: what `-d` asks for, on stderr or in the file of `-D`.
 *
 * Every function may be called from any thread. Lines of different threads do not mix.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef UTIL_LOG_H
#define UTIL_LOG_H

enum {
    LOG_OUT_ASM = BIT(0),
    LOG_IN_ASM = BIT(1),
    LOG_OP = BIT(2),
    LOG_OP_OPT = BIT(3),
    LOG_INT = BIT(4),
    LOG_EXEC = BIT(5),
    LOG_CPU = BIT(6),
    LOG_FPU = BIT(7),
    LOG_MMU = BIT(8),
    LOG_PCALL = BIT(9),
    LOG_CPU_RESET = BIT(10),
    LOG_UNIMP = BIT(11),
    LOG_GUEST_ERRORS = BIT(12),
    LOG_NOCHAIN = BIT(13), /* an order to the translator, not a kind of line */
};

typedef struct LogItem {
    uint32_t mask;
    const char *name;
    const char *help;
} LogItem;

/* All items by name, ended by a NULL name. */
extern const LogItem log_items[];

/* Use log_enabled(); set with log_set_mask(). */
extern uint32_t log_mask;

static inline bool log_enabled(uint32_t mask)
{
    return G_UNLIKELY(__atomic_load_n(&log_mask, __ATOMIC_RELAXED) & mask);
}

static inline void log_set_mask(uint32_t mask)
{
    __atomic_store_n(&log_mask, mask, __ATOMIC_RELAXED);
}

/*
 * Replaces the mask with the comma list of `-d` and of the `log` command: item names, "all",
 * "none", "trace:PATTERN" (which enables trace events and no more). False with *why (g_free)
 * and no effect if an item is unknown or a name without `*` is no event's.
 */
bool log_set_items(const char *items, char **why);

/*
 * From now on lines go to the file `path`, created or emptied; `%d` in it, allowed once, is the
 * process id. NULL is stderr. False with *why (g_free): lines go where they went.
 */
bool log_set_file(const char *path, char **why);
/* A copy (g_free) of the file's name, or NULL for stderr. */
char *log_file(void);
/* `path` with its `%d` replaced (g_free); NULL with *why if it holds any other use of '%'. */
char *log_expand_path(const char *path, char **why);

/* Prints whether or not anything is enabled: ask first. */
void log_printf(const char *fmt, ...) PRINTF(1, 2);
/* For many lines in one piece: nobody else prints until log_unlock(). May be nested. */
FILE *log_lock(void);
void log_unlock(void);

/*
 * `-dfilter`: a comma list of A+LENGTH (from A on), A-LENGTH (that many bytes up to and with A) and
 * A..B (both ends included), numbers as in C. An empty list or NULL lets all through. False with
 * *why (g_free) and no effect.
 */
bool log_set_filter(const char *ranges, char **why);
/* Whether code at `address` is to be logged. */
bool log_wants_address(uint64_t address);

/*
 * The guest did what hardware says it must not: counted always, printed under guest_errors. A
 * newline is added.
 */
void guest_error(const char *fmt, ...) PRINTF(1, 2);
uint64_t guest_error_count(void);
/* The guest used a feature we do not model; printed under unimp, with a newline. */
void unimp(const char *fmt, ...) PRINTF(1, 2);

#endif
