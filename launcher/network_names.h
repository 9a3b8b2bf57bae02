#pragma once
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"
#include "launcher/network.h"
#include "launcher/reach_words.h"

/// Names in `egress`, and the elements of guard's table for what they stand for.
namespace guard::launcher {

/// A word of `egress` whose target is a name.
struct EgressName {
    std::string text;  ///< as written
    EgressWord word;
};
/// Empty in every mode but bridge. Fails where a word makes no sense.
[[nodiscard]] Result<std::vector<EgressName>> names_in(const NetworkPlan& plan);

/// The container's own addresses: which families are worth asking for.
[[nodiscard]] std::vector<IpAddress> own_addresses(const NetworkPlan& plan);

/// What a name stands for, as a nameserver said.
struct StandsFor {
    std::size_t name = 0;  ///< which one of names_in
    IpAddress address;
    std::chrono::steady_clock::time_point until;  ///< ask again then; it is let through somewhat longer
};
/// How long to rely on an answer whose record lives so long.
[[nodiscard]] std::chrono::seconds kept(std::chrono::seconds lives);

/// Lets the container connect to all of `known`; what stood for a name before ends by itself. An address at
/// home is left out unless the name is one of home. Fails where the table can't be changed.
[[nodiscard]] Result<void> let_through(const NetworkPlan& plan, const std::vector<EgressName>& names,
                                       const std::vector<StandsFor>& known);

/// What the names of a container's egress words stand for now, as text by the word as written; a name without
/// an address is not there. Fails where the table cannot be read, with ENOENT where there is none.
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> addresses_of_names(
    const std::string& container);

}  // namespace guard::launcher
