/*
 * chardev-stdio: the terminal this process was started from, in raw mode while it is one.
 *
 * The modes are restored at exit and when the process is stopped, and set again when it goes on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "util/osdep.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>

#include "chardev/fd.h"

typedef struct CharStdio {
    CharFd fd;
    bool is_owner; /* of the terminal */
} CharStdio;
DECLARE_CAST(CharStdio, CHAR_STDIO)

/* The process's terminal: at most one chardev has it. */
static struct {
    bool is_used, has_modes, has_signals, has_echo;
    bool is_at_exit_set;
    struct termios modes;
    int in_flags, out_flags;
} terminal;

static void restore_terminal(void)
{
    if (!terminal.is_used) {
        return;
    }
    if (terminal.has_modes) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal.modes);
    }
    fcntl(STDIN_FILENO, F_SETFL, terminal.in_flags);
    fcntl(STDOUT_FILENO, F_SETFL, terminal.out_flags);
}

static void set_raw(void)
{
    struct termios raw = terminal.modes;

    if (!terminal.has_modes) {
        return;
    }
    if (!terminal.has_echo) {
        raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
        raw.c_oflag |= OPOST;
        raw.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
        raw.c_cflag = (raw.c_cflag & ~(CSIZE | PARENB)) | CS8;
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
    }
    if (!terminal.has_signals) {
        raw.c_lflag &= ~ISIG;
    }
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

/* The shell has changed the modes while we were stopped. */
static void on_continue(int signal_number)
{
    int err = errno;

    if (terminal.is_used) {
        set_raw();
    }
    errno = err;
}

static void handle_continue(void)
{
    struct sigaction action = { .sa_handler = on_continue, .sa_flags = SA_RESTART };

    sigaction(SIGCONT, &action, NULL);
}

static void claim_terminal(bool has_signals)
{
    terminal.is_used = true;
    terminal.has_signals = has_signals;
    terminal.has_echo = true;
    terminal.has_modes = tcgetattr(STDIN_FILENO, &terminal.modes) == 0;
    terminal.in_flags = fcntl(STDIN_FILENO, F_GETFL);
    terminal.out_flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (!terminal.is_at_exit_set) {
        terminal.is_at_exit_set = true;
        atexit(restore_terminal);
    }
    handle_continue();
}

bool chardev_stdio_is_used(void)
{
    return terminal.is_used;
}

static void stdio_echo(Chardev *chr, bool is_on)
{
    terminal.has_echo = is_on;
    set_raw();
}

static bool stdio_open(Chardev *chr, const ChardevBackend *backend, Error **errp)
{
    const ChardevStdio *options = backend->u.stdio.data;
    CharStdio *s = CHAR_STDIO(chr);
    int in, out;

    if (terminal.is_used) {
        return error_set(errp, "cannot use stdio by multiple character devices");
    }
    in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (in < 0 && out < 0) {
        return error_set_errno(errp, errno, "Could not use standard input and output");
    }
    claim_terminal(!options->has_signal || options->signal);
    s->is_owner = true;
    char_fd_start(&s->fd, in, out);
    stdio_echo(chr, false);
    return true;
}

static void stdio_finalize(Object *obj)
{
    if (CHAR_STDIO(obj)->is_owner) {
        restore_terminal();
        terminal.is_used = false;
    }
}

const ChardevType chardev_stdio_type = {
    .name = TYPE_CHARDEV_STDIO,
    .doc = "The terminal this process was started from",
    .parent = TYPE_CHARDEV_FD,
    .size = sizeof(CharStdio),
    .finalize = stdio_finalize,
    .open = stdio_open,
    .echo = stdio_echo,
};
OBJECT_TYPE(chardev_stdio_type)
