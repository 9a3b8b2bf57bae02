#include "launcher/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace guard::launcher {

CallerTerminal::CallerTerminal(bool raw) {
    termios now{};
    if (!raw || ::tcgetattr(STDIN_FILENO, &now) < 0) return;
    before_ = now;
    ::cfmakeraw(&now);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &now);
}

CallerTerminal::~CallerTerminal() {
    if (before_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
}

void copy_window_size(int master) {
    winsize size{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(master, TIOCSWINSZ, &size);
}

void pass_line_ends(int master) {
    termios settings{};
    if (::tcgetattr(master, &settings) < 0) return;
    settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
    ::tcsetattr(master, TCSANOW, &settings);
}

}  // namespace guard::launcher
