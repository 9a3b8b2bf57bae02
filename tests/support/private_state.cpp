#include "tests/support/private_state.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/split.h"
#include "base/sys.h"

namespace guard::support {
namespace {

constexpr const char* kMark = "GUARD_PRIVATE_STATE";  // set by the script

}  // namespace

std::string private_state_script() { return GUARD_SOURCE_DIR "/tests/support/private-state"; }

PrivateState::PrivateState(Network network) {
    if (::geteuid() != 0 || std::getenv(kMark) != nullptr) return;
    const auto own = sys::read_file("/proc/self/cmdline");
    const auto program = sys::readlinkat(AT_FDCWD, "/proc/self/exe");
    if (!own || !program) return;
    std::vector<std::string> words{private_state_script()};
    if (network == Network::own) words.emplace_back("--net");
    words.emplace_back("--");
    words.push_back(*program);
    const auto arguments = split(*own, '\0');
    for (std::size_t i = 1; i < arguments.size(); ++i) words.emplace_back(arguments[i]);
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execv(argv[0], argv.data());
    std::perror(argv[0]);
}

std::optional<std::string> no_root() {
    if (::geteuid() == 0) return std::nullopt;
    return "needs root";
}

std::optional<std::string> no_private_state() {
    if (auto why = no_root()) return why;
    if (std::getenv(kMark) != nullptr) return std::nullopt;
    return "runs only in a private state, and tests/support/private-state could not make one";
}

}  // namespace guard::support
