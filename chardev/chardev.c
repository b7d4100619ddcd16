/*
 * The base of all chardevs, and the list of them: /chardevs/ID.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "chardev/chardev.h"

#include <fcntl.h>

#include "chardev/backend.h"
#include "chardev/kinds.h"
#include "util/fdset.h"
#include "util/id.h"

#define CHARDEVS_PATH "/chardevs"

static ssize_t drop_all(Chardev *chr, const uint8_t *bytes, size_t size)
{
    return size;
}

static GSource *never_full(Chardev *chr, GIOCondition condition)
{
    return NULL;
}

static void do_nothing(Chardev *chr)
{
}

static bool attach_only_one(Chardev *chr, CharFrontend *fe, Error **errp)
{
    if (chr->frontend) {
        return error_set(errp, "Device '%s' is in use", chr->label);
    }
    chr->frontend = fe;
    return true;
}

static void detach_only_one(Chardev *chr, CharFrontend *fe)
{
    chr->frontend = NULL;
}

static bool has_frontend(Chardev *chr)
{
    return chr->frontend != NULL;
}

static void event_to_frontend(Chardev *chr, CharEvent event)
{
    CharFrontend *fe = chr->frontend;

    if (fe && fe->handlers && fe->handlers->event) {
        fe->handlers->event(fe->opaque, event);
    }
}

static void ignore_bool(Chardev *chr, bool is_on)
{
}

static void ignore_frontend(Chardev *chr, CharFrontend *fe)
{
}

static size_t take_no_fds(Chardev *chr, int *fds, size_t max)
{
    return 0;
}

static bool send_no_fds(Chardev *chr, const int *fds, size_t count)
{
    return false;
}

static bool no_line(Chardev *chr, const CharSerialParams *params)
{
    return false;
}

static bool no_break(Chardev *chr, bool is_on)
{
    return false;
}

static bool no_modem(Chardev *chr, unsigned *lines)
{
    return false;
}

static bool no_modem_set(Chardev *chr, unsigned lines)
{
    return false;
}

static bool need_not_wait(Chardev *chr, Error **errp)
{
    return true;
}

static void chardev_init(Object *obj)
{
    Chardev *chr = CHARDEV(obj);

    g_mutex_init(&chr->write_lock);
    chr->log_fd = -1;
}

static void chardev_finalize(Object *obj)
{
    Chardev *chr = CHARDEV(obj);

    if (chr->log_fd >= 0) {
        close(chr->log_fd);
    }
    g_clear_pointer(&chr->context, g_main_context_unref);
    g_mutex_clear(&chr->write_lock);
    g_free(chr->filename);
    g_free(chr->label);
}

static const ChardevType chardev_type = {
    .name = TYPE_CHARDEV,
    .doc = "Host side of a byte stream",
    .size = sizeof(Chardev),
    .is_abstract = true,
    .init = chardev_init,
    .finalize = chardev_finalize,
    .write = drop_all,
    .watch = never_full,
    .update = do_nothing,
    .attach = attach_only_one,
    .detach = detach_only_one,
    .is_busy = has_frontend,
    .handlers_set = ignore_frontend,
    .event = event_to_frontend,
    .focus = ignore_frontend,
    .frontend_open = ignore_bool,
    .echo = ignore_bool,
    .disconnect = do_nothing,
    .take_fds = take_no_fds,
    .send_fds = send_no_fds,
    .set_serial = no_line,
    .set_break = no_break,
    .get_modem = no_modem,
    .set_modem = no_modem_set,
    .wait = need_not_wait,
    .has_own_context = 2,
};
OBJECT_TYPE(chardev_type)

Chardev *chardev_find(const char *id)
{
    return CHARDEV(object_child(object_container(CHARDEVS_PATH), id));
}

Chardev *chardev_get(const char *id, Error **errp)
{
    Chardev *chr = chardev_find(id);

    if (!chr) {
        error_set(errp, "Chardev '%s' not found", id);
    }
    return chr;
}

static bool open_log(Chardev *chr, const ChardevCommon *common, Error **errp)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;

    if (!common->logfile) {
        return true;
    }
    flags |= common->has_logappend && common->logappend ? O_APPEND : O_TRUNC;
    chr->log_fd = fdset_open_path(common->logfile, flags, 0666);
    if (chr->log_fd < 0) {
        return error_set_errno(errp, errno, "Could not create '%s'", common->logfile);
    }
    return true;
}

/* A new one that is open but in no tree; the caller owns it. */
static Chardev *open_new(const char *id, const ChardevBackend *backend, Error **errp)
{
    const ChardevKind *kind = chardev_kind_of(backend->type);
    Chardev *chr;

    if (!kind) {
        error_set(errp, "'%s' is not a valid char driver name",
                  enum_table_name(&chardev_backend_kind_names, backend->type));
        return NULL;
    }
    chr = CHARDEV(object_new(kind->type->name));
    chr->label = g_strdup(id);
    chr->filename = g_strdup(kind->name);
    /* Every branch holds a pointer to a struct that starts with ChardevCommon. */
    if (open_log(chr, backend->u.null.data, errp) && chardev_ops(chr)->open(chr, backend, errp)) {
        return chr;
    }
    object_unref(chr);
    return NULL;
}

static bool check_id(const char *id, Error **errp)
{
    if (!id_is_well_formed(id)) {
        error_set(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', "
                         "starting with a letter.");
        return false;
    }
    if (chardev_find(id)) {
        return error_set(errp, "Chardev with id '%s' already exists", id);
    }
    return true;
}

Chardev *chardev_add(const char *id, const ChardevBackend *backend, Error **errp)
{
    Chardev *chr;
    bool is_added;

    if (!check_id(id, errp)) {
        return NULL;
    }
    chr = open_new(id, backend, errp);
    if (!chr) {
        return NULL;
    }
    is_added = object_add_child(object_container(CHARDEVS_PATH), id, chr, errp);
    object_unref(chr);
    return is_added ? chr : NULL;
}

bool chardev_remove(const char *id, Error **errp)
{
    Chardev *chr = chardev_get(id, errp);

    if (!chr) {
        return false;
    }
    if (chardev_ops(chr)->is_busy(chr)) {
        return error_set(errp, "Chardev '%s' is busy", id);
    }
    object_unparent(chr);
    return true;
}

/* Moves the front end over, closing the old line and opening the new one in its eyes. */
static void move_frontend(CharFrontend *fe, Chardev *from, Chardev *to)
{
    from->frontend = NULL;
    chardev_call_update(from);
    fe->chardev = to;
    to->frontend = fe;
    g_clear_pointer(&to->context, g_main_context_unref);
    to->context = fe->context ? g_main_context_ref(fe->context) : NULL;
    chardev_call_update(to);
}

static bool hand_over(Chardev *old, Chardev *chr, Error **errp)
{
    CharFrontend *fe = old->frontend;

    if (!fe) {
        return true;
    }
    if (!fe->handlers || !fe->handlers->changed) {
        return error_set(errp, "Chardev user does not support chardev hotswap");
    }
    if (old->is_open && !chr->is_open) {
        chardev_ops(old)->event(old, CHAR_EVENT_CLOSED);
    }
    object_ref(chr);
    move_frontend(fe, old, chr);
    if (!fe->handlers->changed(fe->opaque, errp)) {
        move_frontend(fe, chr, old);
        object_unref(chr);
        if (old->is_open && !chr->is_open) {
            chardev_ops(old)->event(old, CHAR_EVENT_OPENED);
        }
        return false;
    }
    object_unref(old);
    if (chr->is_open) {
        chardev_ops(chr)->event(chr, CHAR_EVENT_OPENED);
    }
    chardev_ops(chr)->frontend_open(chr, fe->is_open);
    return true;
}

Chardev *chardev_change(const char *id, const ChardevBackend *backend, Error **errp)
{
    Chardev *old = chardev_find(id);
    g_autoptr(Object) chr = NULL;

    if (!old) {
        error_set(errp, "Chardev '%s' does not exist", id);
        return NULL;
    }
    if (chardev_is_mux(old)) {
        error_set(errp, "Mux device hotswap not supported yet");
        return NULL;
    }
    if (old->frontend && (!old->frontend->handlers || !old->frontend->handlers->changed)) {
        error_set(errp, "Chardev user does not support chardev hotswap");
        return NULL;
    }
    chr = (Object *)open_new(id, backend, errp);
    if (!chr || !hand_over(old, CHARDEV(chr), errp)) {
        return NULL;
    }
    object_unparent(old);
    return object_add_child(object_container(CHARDEVS_PATH), id, chr, errp) ? CHARDEV(chr) : NULL;
}

static void collect(void *opaque, Object *child)
{
    g_ptr_array_add(opaque, object_ref(child));
}

void chardev_cleanup(void)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(object_unref);

    object_each_child(object_container(CHARDEVS_PATH), collect, all);
    for (guint i = all->len; i-- > 0;) {
        object_unparent(all->pdata[i]);
    }
}

const char *chardev_label(const Chardev *chr)
{
    return chr->label;
}

char *chardev_filename(Chardev *chr)
{
    char *name;

    g_mutex_lock(&chr->write_lock);
    name = g_strdup(chr->filename);
    g_mutex_unlock(&chr->write_lock);
    return name;
}

void chardev_set_filename(Chardev *chr, char *filename)
{
    g_mutex_lock(&chr->write_lock);
    g_free(chr->filename);
    chr->filename = filename;
    g_mutex_unlock(&chr->write_lock);
}

bool chardev_has_own_context(const Chardev *chr)
{
    return chardev_type_has_own_context(chr);
}

bool chardev_is_mux(const Chardev *chr)
{
    return object_is_a(chr, TYPE_CHARDEV_MUX);
}

void chardev_send_break(Chardev *chr)
{
    chardev_event(chr, CHAR_EVENT_BREAK);
}
