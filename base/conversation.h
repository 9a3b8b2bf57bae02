#pragma once
#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard {

/// Another program, asked through its standard input and heard through its standard output; its stderr is
/// kept for error messages. It gets the environment given and nothing else of ours. No answer for 30 seconds
/// counts as none. At the end its input is closed and it is waited for; one that does not end then is killed.
class Conversation {
public:
    /// Starts `argv`; argv[0] is looked up in the absolute directories of $PATH, so that a relative one can't
    /// bring in a program of the working directory. Fails where there is none, or with the errno of
    /// posix_spawn(3).
    [[nodiscard]] static Result<Conversation> start(const std::vector<std::string>& argv,
                                                    const std::map<std::string, std::string>& environment);
    Conversation(Conversation&& other) noexcept;
    Conversation& operator=(Conversation&&) = delete;
    ~Conversation();

    [[nodiscard]] Result<void> say(std::string_view text);
    /// Up to the next newline, which is left out. Fails at end of file, and beyond 1 MiB.
    [[nodiscard]] Result<std::string> line();
    /// Exactly so many bytes.
    [[nodiscard]] Result<std::string> bytes(std::size_t count);

    struct Ended {
        int status = 0;  ///< 128 + N where signal N ended it
        std::string out, err;
    };
    /// Closes its input, takes what it still says (at most 16 MiB) and waits for it.
    [[nodiscard]] Result<Ended> end();

private:
    Conversation() = default;
    Result<void> fill();
    [[nodiscard]] int wait();

    std::string name_;
    pid_t pid_ = -1;
    UniqueFd pidfd_, in_, out_, err_;  // in_ is what it reads
    std::string heard_;
};

}  // namespace guard
