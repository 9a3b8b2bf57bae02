#pragma once
#include <functional>
#include <optional>
#include <string>

/// A guard of the test's own: see tests/support/private-state, which this runs.
namespace guard::support {

enum class Network : bool { host, own };

/// Put one at file scope of a test program: before main it runs the program again in a private state (own pid
/// and mount namespaces; with Network::own an own network with only `lo`), where /run/guard and the like are
/// fresh and empty. Every process that the tests leave behind ends with them. Does nothing without root: use
/// GUARD_SKIP_UNLESS_PRIVATE in every test.
class PrivateState {
public:
    explicit PrivateState(Network network = Network::own);
};

/// Why a test cannot rely on a private state; none where it can.
[[nodiscard]] std::optional<std::string> no_private_state();
#define GUARD_SKIP_UNLESS_PRIVATE() \
    if (const auto why = ::guard::support::no_private_state()) GTEST_SKIP() << *why

/// The script tests/support/private-state, for a test that runs guard as a program:
/// run_program({private_state_script(), "--net", "--", guard, "list"}).
[[nodiscard]] std::string private_state_script();

/// Why something that needs root cannot run here; none where it can.
[[nodiscard]] std::optional<std::string> no_root();

}  // namespace guard::support
