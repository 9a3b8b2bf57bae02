#pragma once
#include <termios.h>

#include <optional>

namespace guard::launcher {

/// The caller's terminal while a container is attached to it: keystrokes pass one by one, and the settings
/// come back at the end. Without `raw` the settings stay, and Ctrl-C is this process's.
class CallerTerminal {
public:
    explicit CallerTerminal(bool raw);
    CallerTerminal(const CallerTerminal&) = delete;
    CallerTerminal& operator=(const CallerTerminal&) = delete;
    ~CallerTerminal();

private:
    std::optional<termios> before_;
};

/// Gives the container's terminal the size of the caller's.
void copy_window_size(int master);
/// Lets the container's terminal pass line ends as they are: the caller's adds what it needs.
void pass_line_ends(int master);

}  // namespace guard::launcher
