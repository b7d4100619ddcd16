/*
 * chardev-vc: a text console. What a terminal of its size would show is the property "screen", and
 * what a display takes from it (chardev/vc.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include "chardev/backend.h"
#include "chardev/kinds.h"
#include "chardev/text_screen.h"
#include "chardev/vc.h"

#define FONT_WIDTH_PIXELS 8
#define FONT_HEIGHT_PIXELS 16
#define MAX_CHARACTERS 1000

typedef struct CharVc {
    Chardev parent;
    TextScreen screen; /* under write_lock */
} CharVc;
DECLARE_CAST(CharVc, CHAR_VC)

/* All of them, as they were made. */
static GPtrArray *all_vcs(void)
{
    static GPtrArray *vcs;

    if (!vcs) {
        vcs = g_ptr_array_new();
    }
    return vcs;
}

static void (*watcher)(void); /* set and called atomically */

void chardev_vc_set_watcher(void (*changed)(void))
{
    g_atomic_pointer_set(&watcher, changed);
}

Chardev *chardev_vc_nth(unsigned n)
{
    return n < all_vcs()->len ? all_vcs()->pdata[n] : NULL;
}

ChardevVcPicture chardev_vc_picture(Chardev *chr)
{
    const TextScreen *screen = &CHAR_VC(chr)->screen;
    ChardevVcPicture picture;

    g_mutex_lock(&chr->write_lock);
    picture = (ChardevVcPicture){ screen->cols, screen->rows, MIN(screen->x, screen->cols - 1),
                                  screen->y, NULL };
    picture.cells = g_memdup2(screen->cells, (size_t)screen->cols * screen->rows * sizeof(*screen->cells));
    g_mutex_unlock(&chr->write_lock);
    return picture;
}

void chardev_vc_input(Chardev *chr, const uint8_t *bytes, size_t size)
{
    chardev_deliver(chr, bytes, MIN(size, chardev_room(chr)));
}

static void tell_watcher(void)
{
    void (*changed)(void) = g_atomic_pointer_get(&watcher);

    if (changed) {
        changed();
    }
}

static ssize_t vc_write(Chardev *chr, const uint8_t *bytes, size_t size)
{
    text_screen_write(&CHAR_VC(chr)->screen, bytes, size);
    tell_watcher();
    return size;
}

/* Characters win over pixels. */
static int64_t extent(bool has_characters, int64_t characters, int64_t pixels, int64_t initial)
{
    return has_characters ? characters : pixels ? pixels : initial;
}

static bool vc_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const ChardevVC *vc = backend->u.vc.data;
    int64_t cols = extent(vc->has_cols, vc->cols,
                          vc->has_width ? vc->width / FONT_WIDTH_PIXELS : 0, 80);
    int64_t rows = extent(vc->has_rows, vc->rows,
                          vc->has_height ? vc->height / FONT_HEIGHT_PIXELS : 0, 24);

    if (cols < 1 || rows < 1 || cols > MAX_CHARACTERS || rows > MAX_CHARACTERS) {
        return error_set(errp, "a text console of %" PRId64 " columns and %" PRId64 " rows cannot "
                         "be made (1 to %d)", cols, rows, MAX_CHARACTERS);
    }
    if (!text_screen_init(&CHAR_VC(chr)->screen, cols, rows)) {
        return error_set(errp, "Cannot allocate a text console");
    }
    g_ptr_array_add(all_vcs(), chr);
    chardev_set_open(chr, true);
    return true;
}

static void vc_finalize(Object *obj)
{
    if (g_ptr_array_remove(all_vcs(), obj)) {
        tell_watcher();
    }
    text_screen_clear(&CHAR_VC(obj)->screen);
}

static json_object *vc_get_screen(Object *obj, const Property *p, Error **errp)
{
    CharVc *vc = CHAR_VC(obj);
    g_autofree char *text = NULL;

    g_mutex_lock(&vc->parent.write_lock);
    text = vc->screen.cells ? text_screen_text(&vc->screen) : g_strdup("");
    g_mutex_unlock(&vc->parent.write_lock);
    return json_string(text);
}

static const Property vc_props[] = {
    PROP_COMPUTED("screen", "str", .get = vc_get_screen, .doc = "What it shows, line by line"),
};

const ChardevType chardev_vc_type = {
    .name = TYPE_CHARDEV_VC,
    .doc = "A text console",
    .parent = TYPE_CHARDEV,
    .size = sizeof(CharVc),
    .finalize = vc_finalize,
    .properties = PROPERTIES(vc_props),
    .open = vc_open,
    .write = vc_write,
};
OBJECT_TYPE(chardev_vc_type)
