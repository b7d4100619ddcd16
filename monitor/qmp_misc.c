/*
 * QMP commands on the process: the options it takes, the text monitor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "hmp.h"
#include "qapi/qapi-commands-misc.h"
#include "system/vcpu.h"
#include "util/option_group.h"

/* --- query-command-line-options --- */

static const CommandLineParameterType parameter_types[] = {
    [OPTION_PARAM_STRING] = COMMAND_LINE_PARAMETER_TYPE_STRING,
    [OPTION_PARAM_BOOL] = COMMAND_LINE_PARAMETER_TYPE_BOOLEAN,
    [OPTION_PARAM_NUMBER] = COMMAND_LINE_PARAMETER_TYPE_NUMBER,
    [OPTION_PARAM_SIZE] = COMMAND_LINE_PARAMETER_TYPE_SIZE,
};

static CommandLineParameterInfoArray *parameter_infos(const OptionParam *params)
{
    CommandLineParameterInfoArray *result = g_new0(CommandLineParameterInfoArray, 1);

    while (params && params[result->count].name) {
        result->count++;
    }
    result->items = g_new(CommandLineParameterInfo *, result->count);
    for (size_t i = 0; i < result->count; i++) {
        CommandLineParameterInfo *info = g_new0(CommandLineParameterInfo, 1);

        info->name = g_strdup(params[i].name);
        info->type = parameter_types[params[i].type];
        info->help = g_strdup(params[i].help);
        result->items[i] = info;
    }
    return result;
}

typedef struct OptionSearch {
    const char *only; /* NULL: all */
    GPtrArray *infos;
} OptionSearch;

static void add_option(void *opaque, const char *name, const OptionParam *params)
{
    OptionSearch *search = opaque;
    CommandLineOptionInfo *info;

    if (search->only && strcmp(search->only, name)) {
        return;
    }
    info = g_new0(CommandLineOptionInfo, 1);
    info->option = g_strdup(name);
    info->parameters = parameter_infos(params);
    g_ptr_array_add(search->infos, info);
}

CommandLineOptionInfoArray *qmp_query_command_line_options(const char *option, Error **errp)
{
    g_autoptr(GPtrArray) infos = g_ptr_array_new();
    OptionSearch search = { option, infos };
    CommandLineOptionInfoArray *result;

    option_group_each(add_option, &search);
    if (option && !infos->len) {
        error_set(errp, "invalid option name: %s", option);
        return NULL;
    }
    result = g_new0(CommandLineOptionInfoArray, 1);
    result->items = (CommandLineOptionInfo **)g_ptr_array_steal(infos, &result->count);
    return result;
}

/* --- human-monitor-command --- */

char *qmp_human_monitor_command(const char *command_line, bool has_cpu_index, int64_t cpu_index,
                                Error **errp)
{
    HmpSession session;
    g_autoptr(GString) text = g_string_new(NULL);

    hmp_session_init(&session);
    if (has_cpu_index) {
        if (cpu_index < 0 || cpu_index >= VCPU_NO_INDEX || !vcpu_by_index(cpu_index)) {
            error_set(errp, "Parameter 'cpu-index' expects a CPU number");
            return NULL;
        }
        session.cpu_index = cpu_index;
    }
    hmp_run_line(&session, command_line, text);
    g_string_replace(text, "\n", "\r\n", 0);
    return g_strdup(text->str);
}
