#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/netlink.h"

/// The part of nf_tables that guard speaks, family inet only: a batch that is taken whole or not at all, and
/// reading elements and rules back. There is no static library for it. linux/netfilter/nf_tables.h
namespace guard::nft {

/// Opens the socket. Fails with a sentence where this kernel has no nf_tables.
[[nodiscard]] Result<netlink::Socket> open_socket();

// Expressions: each loads, compares or decides, on 32-bit registers 0-15. Longer values take the registers
// that follow; what stands in neighbouring registers is one key.
using Expression = std::string;

enum class Meta : std::uint32_t {
    iifname = 6,
    oifname = 7,
    nfproto = 15,
    l4proto = 16,
    iifgroup = 21,
    oifgroup = 22
};
enum class Ct : std::uint32_t { state = 0, direction = 1, status = 2 };
enum class Header : std::uint32_t { network = 1, transport = 2 };
enum class Is : std::uint32_t { equal = 0, different = 1 };
enum class In : bool { set, not_set };

[[nodiscard]] Expression load(Meta what, unsigned reg);
[[nodiscard]] Expression load(Ct what, unsigned reg);
[[nodiscard]] Expression load(Header base, unsigned offset, unsigned size, unsigned reg);
/// RTN_LOCAL and so on of the packet's destination. nft(8) "fib daddr type"
[[nodiscard]] Expression load_destination_type(unsigned reg);
[[nodiscard]] Expression compare(Is how, unsigned reg, std::string_view bytes);
/// Keeps the bits of `bits` in one register.
[[nodiscard]] Expression keep_bits(unsigned reg, std::uint32_t bits);
/// Goes on only where the key is (or is not) in the set.
[[nodiscard]] Expression lookup(std::string_view set, unsigned reg, In in = In::set);
/// Puts what the map has for the key into registers from `into`; goes on only where it has something.
[[nodiscard]] Expression lookup_value(std::string_view map, unsigned reg, unsigned into);
/// Does what the map has for the key.
[[nodiscard]] Expression lookup_verdict(std::string_view map, unsigned reg);
enum class Verdict : std::int32_t { drop = 0, accept = 1, jump = -3, go_to = -4, back = -5 };
[[nodiscard]] Expression decide(Verdict verdict, std::string_view chain = "");
enum class Family : std::uint8_t { ipv4 = 2, ipv6 = 10 };
[[nodiscard]] Expression change_destination(Family family, unsigned address_reg, unsigned port_reg);
[[nodiscard]] Expression masquerade();
/// Answers the sender with "administratively prohibited" of its own IP version.
[[nodiscard]] Expression reject();
[[nodiscard]] Expression count();

/// The types nft(8) knows for keys; the number is nft's own and only for showing.
enum class Type : std::uint8_t {
    verdict = 1,
    nfproto = 2,
    ipv4 = 7,
    ipv6 = 8,
    protocol = 12,
    port = 13,
    mark = 19,
    ifname = 41
};
/// Bytes of one value of the type.
[[nodiscard]] unsigned size_of(Type type);

struct Set {
    std::string_view name;
    std::vector<Type> key;    ///< several: a concatenation
    std::vector<Type> value;  ///< empty: a set, else a map
    bool ranges = false;      ///< keys may be ranges
    bool timeouts = false;    ///< elements may end by themselves
};

/// Key fields are padded to four bytes each, in network order but for marks and names.
struct Element {
    std::string key;
    std::string key_end;                  ///< of a range in a concatenation: the last one. Else empty
    std::string value;                    ///< of a map
    std::chrono::milliseconds timeout{};  ///< 0: stays
    std::string comment;                  ///< at most 253 bytes; nft(8) shows it
    bool ends_range = false;              ///< of a single-field set: the first key behind a range
    bool operator==(const Element&) const = default;
};
inline constexpr std::size_t kLongestComment = 253;
/// One field of a key, padded.
[[nodiscard]] std::string field(std::string_view bytes);
/// The element of a verdict map that drops.
[[nodiscard]] Element dropping(std::string key, std::string comment);

enum class Hook : std::uint32_t { prerouting = 0, input = 1, forward = 2, output = 3, postrouting = 4 };
struct Chain {
    std::string_view name;
    std::string_view type;  ///< "filter", "nat"; empty: reached by jumps only
    Hook hook = Hook::prerouting;
    std::int32_t priority = 0;
};

/// One transaction: the kernel takes all of it or, at the first error, nothing.
class Batch {
public:
    explicit Batch(std::string_view table);
    void add_table();
    void add_set(const Set& set);
    void add_chain(const Chain& chain);
    void add_rule(std::string_view chain, const std::vector<Expression>& expressions,
                  std::string_view comment);
    void add_elements(std::string_view set, const std::vector<Element>& elements);
    void delete_elements(std::string_view set, const std::vector<Element>& elements);
    void delete_table();
    [[nodiscard]] bool empty() const { return requests_.size() < 2; }
    /// Fails with what the first refused request was about.
    [[nodiscard]] Result<void> commit(netlink::Socket& socket) const;
    /// The messages as they go out, numbered from 1.
    [[nodiscard]] std::string bytes() const;

private:
    void add(std::uint16_t type, std::uint16_t flags, std::string attributes, std::string attempt);
    void each_part(std::string_view set, const std::vector<Element>& elements, std::uint16_t type);
    [[nodiscard]] std::vector<netlink::Request> framed() const;

    std::string table_;
    std::vector<netlink::Request> requests_;  ///< the first begins the batch
    std::uint32_t next_set_ = 0;
};

/// Every table of the namespace the socket was opened in, with its family: "inet guard", "ip nat". Empty also
/// where this kernel has no nf_tables.
[[nodiscard]] Result<std::vector<std::string>> tables_of(netlink::Socket& socket);
/// Whether the table is there. Fails where the kernel can't be asked.
[[nodiscard]] Result<bool> table_exists(netlink::Socket& socket, std::string_view table);
/// Every element of one set or map. Fails with ENOENT where there is none.
[[nodiscard]] Result<std::vector<Element>> elements_of(netlink::Socket& socket, std::string_view table,
                                                       std::string_view set);
/// The comments of the table's rules in the order of the kernel, "chain: comment".
[[nodiscard]] Result<std::vector<std::string>> rules_of(netlink::Socket& socket, std::string_view table);

}  // namespace guard::nft
