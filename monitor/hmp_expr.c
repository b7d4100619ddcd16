/*
 * Numbers on HMP's command line: C's operators + - * / % & | ^ ~ with its precedence but for
 * | ^, which rank as +, numbers in C's notation, 'c', $register of a CPU, and parentheses.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp.h"

#define MAX_NESTING 100

typedef struct Expression {
    const HmpSession *session;
    const char *at;
    char *why;
    unsigned depth;
} Expression;

static int64_t parse_sum(Expression *e);

static void skip_space(Expression *e)
{
    while (g_ascii_isspace(*e->at)) {
        e->at++;
    }
}

static int64_t fail(Expression *e, const char *why)
{
    if (!e->why) {
        e->why = g_strdup(why);
    }
    return 0;
}

static int64_t parse_number(Expression *e)
{
    char *end;
    uint64_t value;

    errno = 0;
    value = g_ascii_strtoull(e->at, &end, 0);
    if (errno == ERANGE) {
        return fail(e, "number too large");
    }
    if (end == e->at) {
        return fail(e, *e->at ? "invalid char in expression" : "unexpected end of expression");
    }
    e->at = end;
    return value;
}

static int64_t parse_quoted_char(Expression *e)
{
    unsigned char c = e->at[1];

    if (!c || e->at[2] != '\'') {
        return fail(e, c ? "missing terminating ' character" : "character constant expected");
    }
    e->at += 3;
    return c;
}

/* "$eip", "$cs.base" */
static int64_t parse_register(Expression *e)
{
    const char *end = ++e->at;
    uint64_t value;

    while (g_ascii_isalnum(*end) || *end == '_' || *end == '.') {
        end++;
    }
    g_autofree char *name = g_strndup(e->at, end - e->at);
    if (!hmp_find_register(e->session, name, &value)) {
        return fail(e, "unknown register");
    }
    e->at = end;
    return value;
}

static int64_t parse_operand(Expression *e)
{
    int64_t value;

    skip_space(e);
    if (strchr("+-~(", *e->at) && *e->at) {
        char op = *e->at++;

        if (++e->depth > MAX_NESTING) {
            return fail(e, "expression too deep");
        }
        value = op == '(' ? parse_sum(e) : parse_operand(e);
        e->depth--;
        skip_space(e);
        if (op == '(' && *e->at++ != ')') {
            e->at--;
            return fail(e, "')' expected");
        }
        return op == '-' ? -(uint64_t)value : op == '~' ? ~value : value;
    }
    if (*e->at == '$') {
        return parse_register(e);
    }
    return *e->at == '\'' ? parse_quoted_char(e) : parse_number(e);
}

static int64_t divide(Expression *e, int64_t a, char op, int64_t b)
{
    if (b == 0) {
        return fail(e, "division by zero");
    }
    if (b == -1) { /* the most negative number has no opposite */
        return op == '/' ? -(uint64_t)a : 0;
    }
    return op == '/' ? a / b : a % b;
}

static int64_t parse_product(Expression *e)
{
    int64_t value = parse_operand(e);

    for (skip_space(e); !e->why && *e->at && strchr("*/%", *e->at); skip_space(e)) {
        char op = *e->at++;
        int64_t other = parse_operand(e);

        value = op == '*' ? (uint64_t)value * other : divide(e, value, op, other);
    }
    return value;
}

static int64_t parse_bits(Expression *e)
{
    int64_t value = parse_product(e);

    for (skip_space(e); !e->why && *e->at && strchr("&|^", *e->at); skip_space(e)) {
        char op = *e->at++;
        int64_t other = parse_product(e);

        value = op == '&' ? value & other : op == '|' ? value | other : value ^ other;
    }
    return value;
}

static int64_t parse_sum(Expression *e)
{
    int64_t value = parse_bits(e);

    for (skip_space(e); !e->why && *e->at && strchr("+-", *e->at); skip_space(e)) {
        char op = *e->at++;
        uint64_t other = parse_bits(e);

        value = op == '+' ? value + other : value - other;
    }
    return value;
}

bool hmp_evaluate(const HmpSession *session, const char **text, int64_t *value, char **why)
{
    Expression e = { .session = session, .at = *text };

    *value = parse_sum(&e);
    *text = e.at;
    *why = e.why;
    return !e.why;
}
