#include "launcher/detach.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/sys.h"

namespace guard::launcher {
namespace {

// What the background process tells before it closes the pipe: nothing when it started, else its error as
// fields that end in a zero byte.
std::string packed(const LaunchError& failure) {
    std::string text;
    const auto& error = failure.error;
    for (const auto& field :
         {std::to_string(failure.status), std::to_string(error.code), error.attempt, error.reason, error.fix})
        text += field + '\0';
    return text;
}

LaunchError unpacked(const std::string& text) {
    std::vector<std::string> fields;
    for (std::size_t at = 0, end = 0; (end = text.find('\0', at)) != std::string::npos; at = end + 1)
        fields.push_back(text.substr(at, end - at));
    constexpr std::size_t kFields = 5;
    if (fields.size() != kFields)
        return {{"launch in the background", "the supervisor ended early", 0, ""}, 125};
    return {{fields[2], fields[3], std::atoi(fields[1].c_str()), fields[4]}, std::atoi(fields[0].c_str())};
}

constexpr char kStarted = 's';

void leave_descriptors() {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    if (null > 2) ::close(null);
}

}  // namespace

std::expected<int, LaunchError> in_background(
    const std::function<std::expected<int, LaunchError>(const std::function<void()>& started)>& work) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0)
        return std::unexpected(LaunchError{{"launch in the background", "", errno, ""}, 125});
    UniqueFd hear(ends[0]), tell(ends[1]);
    const auto first = ::fork();
    if (first < 0) return std::unexpected(LaunchError{{"launch in the background", "", errno, ""}, 125});
    if (first == 0) {
        // The second fork leaves nobody who could get a terminal of his own by opening one. setsid(2)
        ::setsid();
        if (::fork() != 0) ::_exit(0);
        hear.reset();
        static_cast<void>(::chdir("/"));
        const auto started = [&tell] {
            static_cast<void>(sys::write_all(tell.get(), {&kStarted, 1}, "the pipe to the caller"));
            leave_descriptors();
            tell.reset();
        };
        const auto ended = work(started);
        if (!ended && tell) static_cast<void>(sys::write_all(tell.get(), packed(ended.error()), "the pipe"));
        ::_exit(0);
    }
    tell.reset();
    ::waitpid(first, nullptr, 0);
    const auto told = sys::read_all(hear.get(), "the pipe from the supervisor");
    if (told && *told == std::string(1, kStarted)) return 0;
    return std::unexpected(unpacked(told.value_or("")));
}

}  // namespace guard::launcher
