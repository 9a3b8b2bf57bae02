#include "launcher/network_forwarding.h"

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/guard_table.h"
#include "base/split.h"
#include "base/sys.h"
#include "launcher/network_table.h"

namespace guard::launcher {
namespace {

const std::string kConf6 = "/proc/sys/net/ipv6/conf";

std::string switch_of(IpFamily family) {
    return family == IpFamily::v4 ? "/proc/sys/net/ipv4/ip_forward" : kConf6 + "/all/forwarding";
}
std::string accepts_routes(const std::string& interface) { return kConf6 + "/" + interface + "/accept_ra"; }

/// Interfaces that would forget their IPv6 routers as soon as this machine forwards: accept_ra is 1, "where
/// not forwarding".
std::vector<std::string> listening_interfaces() {
    auto names = sys::list_directory(AT_FDCWD, kConf6).value_or(std::vector<std::string>{});
    std::erase_if(names, [](const std::string& name) {
        return name == "lo" || name == "all" || name == "default" || name.starts_with("gv-") ||
               name.starts_with("gh-") || sys::read_file(accepts_routes(name)).value_or("") != "1\n";
    });
    return names;
}

/// What turning it off again must set back, as it stands in the element's comment.
std::string comment_with(const std::vector<std::string>& interfaces) {
    std::string comment = "accept_ra";
    for (const auto& name : interfaces)
        if (comment.size() + name.size() < nft::kLongestComment) comment += " " + name;
    return comment;
}

}  // namespace

Result<void> ensure_forwarding(netlink::Socket& nft_socket, IpFamily family) {
    const auto file = switch_of(family);
    if (TRY(sys::read_file(file)) != "0\n") return {};
    const auto interfaces = family == IpFamily::v6 ? listening_interfaces() : std::vector<std::string>{};
    // The rule first: at no moment does this machine forward for strangers.
    nft::Batch batch(kGuardTable);
    batch.add_elements(kForwardingSet, {forbidden_forwarding(family, comment_with(interfaces))});
    if (const auto added = batch.commit(nft_socket); !added && added.error().code != EEXIST) return added;
    for (const auto& name : interfaces) CHECK(sys::write_file(accepts_routes(name), "2"));
    return sys::write_file(file, "1");
}

Result<void> end_forwarding(netlink::Socket& nft_socket, IpFamily family) {
    const auto elements = nft::elements_of(nft_socket, kGuardTable, kForwardingSet);
    if (!elements && elements.error().code == ENOENT) return {};
    if (!elements) return std::unexpected(elements.error());
    const auto ours = std::ranges::find_if(*elements, [&](const nft::Element& element) {
        return element.key == forbidden_forwarding(family, "").key;
    });
    if (ours == elements->end() || !TRY(containers_in_table(nft_socket)).empty()) return {};
    CHECK(sys::write_file(switch_of(family), "0"));
    const auto interfaces = words_of(ours->comment);
    for (std::size_t i = 1; i < interfaces.size(); ++i) {
        const auto file = accepts_routes(std::string(interfaces[i]));
        // Set back what is still as guard left it; the interface may be gone.
        if (sys::read_file(file).value_or("") == "2\n") CHECK(sys::write_file(file, "1"));
    }
    nft::Batch batch(kGuardTable);
    batch.delete_elements(kForwardingSet, {*ours});
    return batch.commit(nft_socket);
}

}  // namespace guard::launcher
