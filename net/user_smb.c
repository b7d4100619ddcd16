/*
 * smb=FOLDER of the user network: connections to the server's address start the host's Samba, which serves the
 * folder as \\SERVER\qemu to whoever asks, with the rights of this process.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"
#include "net/user.h"

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <pwd.h>

#define PROGRAM "smbd"
#define USUAL_PROGRAM "/usr/sbin/" PROGRAM
#define SETTINGS "smb.conf"

/* Who runs this process; NULL: nobody knows. Free it. */
static char *user_name(void)
{
    const struct passwd *entry = getpwuid(geteuid());

    return entry ? g_strdup(entry->pw_name) : NULL;
}

/* What the daemon keeps stays in its own folder. */
static char *settings(const char *folder, const char *share, const char *user)
{
    static const char *const kept[] = { "private dir", "pid directory", "lock directory", "state directory",
                                        "cache directory", "ncalrpc dir" };
    GString *text = g_string_new("[global]\n");

    for (unsigned n = 0; n < ARRAY_SIZE(kept); n++) {
        g_string_append_printf(text, "%s = %s\n", kept[n], folder);
    }
    g_string_append_printf(text, "log file = %s/log.smbd\nsmb passwd file = %s/smbpasswd\n"
                           "interfaces = 127.0.0.1\nbind interfaces only = yes\nsecurity = user\n"
                           "map to guest = Bad User\nload printers = no\nprinting = bsd\ndisable spoolss = yes\n"
                           "usershare max shares = 0\n[qemu]\npath = %s\nread only = no\nguest ok = yes\n"
                           "force user = %s\n", folder, folder, share, user);
    return g_string_free(text, FALSE);
}

static bool write_settings(UserNet *net, const char *share, Error **errp)
{
    g_autofree char *user = user_name();
    g_autofree char *path = NULL, *text = NULL;
    g_autoptr(GError) problem = NULL;

    if (!user) {
        return error_set(errp, "smb: who runs this has no name");
    }
    net->smb_folder = g_dir_make_tmp("smb.XXXXXX", &problem);
    path = net->smb_folder ? g_build_filename(net->smb_folder, SETTINGS, NULL) : NULL;
    text = path ? settings(net->smb_folder, share, user) : NULL;
    return (text && g_file_set_contents(path, text, -1, &problem)) ||
           error_set(errp, "smb: %s", problem->message);
}

static char *find_program(void)
{
    char *found = g_find_program_in_path(PROGRAM);

    return found || !g_file_test(USUAL_PROGRAM, G_FILE_TEST_IS_EXECUTABLE) ? found : g_strdup(USUAL_PROGRAM);
}

static bool check(const char *folder, const char *program, Error **errp)
{
    if (!program) {
        return error_set(errp, "could not find '%s', please install it", PROGRAM);
    }
    if (strpbrk(folder, "\r\n")) {
        return error_set(errp, "smb: a folder's name is one line");
    }
    return !access(folder, R_OK | X_OK) ||
           error_set_errno(errp, errno, "error accessing shared directory '%s'", folder);
}

static char *command_line(const char *program, const char *folder)
{
    g_autofree char *path = g_build_filename(folder, SETTINGS, NULL);
    g_autofree char *tool = g_shell_quote(program), *kept = g_shell_quote(folder), *read = g_shell_quote(path);

    return g_strdup_printf("%s -l %s -s %s", tool, kept, read);
}

bool user_smb_add(UserNet *net, const char *folder, const char *server, Error **errp)
{
    static const int ports[] = { 139, 445 };
    g_autofree char *program = find_program();
    g_autofree char *command = NULL;
    struct in_addr addr = { INADDR_ANY }; /* the stack has a usual one */

    if (server && inet_pton(AF_INET, server, &addr) != 1) {
        return error_set(errp, "Failed to parse SMB address");
    }
    if (!check(folder, program, errp) || !write_settings(net, folder, errp)) {
        return false;
    }
    command = command_line(program, net->smb_folder);
    for (unsigned n = 0; n < ARRAY_SIZE(ports); n++) {
        if (slirp_add_exec(net->slirp, command, &addr, ports[n]) < 0) {
            return error_set(errp, "conflicting/invalid smbserver address");
        }
    }
    return true;
}

static void remove_folder(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inside = g_build_filename(path, name, NULL);

        if (g_file_test(inside, G_FILE_TEST_IS_DIR) && !g_file_test(inside, G_FILE_TEST_IS_SYMLINK)) {
            remove_folder(inside);
        } else {
            g_unlink(inside);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_rmdir(path);
}

void user_smb_clear(UserNet *net)
{
    if (net->smb_folder) {
        remove_folder(net->smb_folder);
    }
    g_clear_pointer(&net->smb_folder, g_free);
}
