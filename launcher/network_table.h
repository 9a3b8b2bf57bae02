#pragma once
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"
#include "base/nftables.h"
#include "launcher/key_boxes.h"
#include "launcher/reach_words.h"

/// The nft table `inet guard`: chains that never change, sets and maps whose elements come and go with the
/// containers. No other table is touched. Every element says in its comment, as "CONTAINER KIND WORD", which
/// word of the profile it stands for (base/guard_table.h):
///   "minecraft publish lan:25565:25565/tcp", "minecraft egress sessionserver.mojang.com:443/tcp",
///   "minecraft peers portfolio:25565/tcp", "minecraft address 10.88.0.7".
/// A word that has no element of its own (a name that has no address now, or what another word grants
/// already) stands in the set `words`.
namespace guard::launcher {

/// The interface group of every outer veth and bridge: the rules know guard's interfaces by it. "gard"
inline constexpr std::uint32_t kInterfaceGroup = 0x67617264;

/// The outer interface of a container: at most 15 characters, and the same for the same name.
[[nodiscard]] std::string veth_name(const std::string& container);

/// Elements of one set.
struct SetElements {
    std::string set;
    std::vector<nft::Element> elements;
    bool operator==(const SetElements&) const = default;
};

/// What the elements of a container are made of.
struct ContainerReach {
    std::string name;
    std::string veth;
    std::vector<IpAddress> addresses;  ///< inside; at most one a family
    std::vector<IpAddress> nameservers;
    std::vector<std::string> publish, egress, peers;
};
/// Fails where a word can't be read, contradicts another, or is too long to be kept.
[[nodiscard]] Result<std::vector<SetElements>> elements_for(const ContainerReach& reach);

/// The elements that let a container connect to what a name stands for now. They end by themselves.
struct NamedAddress {
    EgressWord word;
    std::string text;  ///< the word as written
    IpAddress address;
    std::chrono::milliseconds timeout{};
};
[[nodiscard]] std::vector<SetElements> elements_for_names(const std::string& name,
                                                          const std::vector<IpAddress>& own,
                                                          const std::vector<NamedAddress>& found);

/// Where forwarding was off and guard turned it on: a packet of this family between two interfaces of
/// somebody else is dropped. The comment tells what turning it off again needs.
[[nodiscard]] nft::Element forbidden_forwarding(IpFamily family, const std::string& comment);
inline constexpr std::string_view kForwardingSet = "others";

/// Makes the table where it is missing.
[[nodiscard]] Result<void> ensure_table(netlink::Socket& socket);
/// All of it as one batch, for tests.
[[nodiscard]] nft::Batch whole_table();
/// Removes every element of a container. What is gone already is fine.
[[nodiscard]] Result<void> remove_elements(netlink::Socket& socket, const std::string& name);
/// Containers with an address in the table.
[[nodiscard]] Result<std::set<std::string>> containers_in_table(netlink::Socket& socket);
/// A port that another container publishes already.
struct PublishConflict {
    std::string container, word, wanted;
};
[[nodiscard]] Result<std::vector<PublishConflict>> publish_conflicts(
    netlink::Socket& socket, const std::string& name, const std::vector<SetElements>& elements);

/// A box as an element of a set of ranges.
[[nodiscard]] nft::Element element_of(const KeyBox& box, const std::string& comment);

}  // namespace guard::launcher
