#include "base/nftables.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>

namespace guard::nft {
namespace {

using netlink::attribute;
using netlink::be32;
using netlink::be64;
using netlink::nest;
using netlink::text;

constexpr std::uint16_t kSubsystem = NFNL_SUBSYS_NFTABLES << 8U;
// An attribute's length has 16 bits; what is over goes into a further message.
constexpr std::size_t kMostElementBytes = 48U << 10U;
// nft(8)'s own type-length-value format inside user data.
constexpr char kCommentTag = 0;

std::string header(std::uint8_t family, std::uint16_t resource) {
    return netlink::bytes_of(
        nfgenmsg{family, NFNETLINK_V0, static_cast<std::uint16_t>(resource >> 8U | resource << 8U)});
}
std::string inet() { return header(NFPROTO_INET, 0); }

struct FamilyRow {
    unsigned number;
    std::string_view name;  // as nft(8) writes it
};
constexpr auto kFamilies = std::to_array<FamilyRow>({{NFPROTO_INET, "inet"},
                                                     {NFPROTO_IPV4, "ip"},
                                                     {NFPROTO_IPV6, "ip6"},
                                                     {NFPROTO_ARP, "arp"},
                                                     {NFPROTO_BRIDGE, "bridge"},
                                                     {NFPROTO_NETDEV, "netdev"}});

std::string commented(std::string_view comment) {
    std::string tagged{kCommentTag, static_cast<char>(comment.size() + 1)};
    return tagged.append(comment) + '\0';
}
std::string comment_in(std::string_view user_data) {
    if (user_data.size() < 3 || user_data[0] != kCommentTag) return {};
    const auto size = static_cast<unsigned char>(user_data[1]);
    return std::string(user_data.substr(2, std::min<std::size_t>(size, user_data.size() - 2) - 1));
}

std::string reg(std::uint16_t type, unsigned number) { return attribute(type, be32(NFT_REG32_00 + number)); }
std::string number(std::uint16_t type, std::uint32_t value) { return attribute(type, be32(value)); }
std::string value(std::uint16_t type, std::string_view bytes) {
    return nest(type, attribute(NFTA_DATA_VALUE, bytes));
}
std::string verdict_data(std::uint16_t type, Verdict verdict, std::string_view chain) {
    auto inside = number(NFTA_VERDICT_CODE, static_cast<std::uint32_t>(verdict));
    if (!chain.empty()) inside += attribute(NFTA_VERDICT_CHAIN, text(chain));
    return nest(type, nest(NFTA_DATA_VERDICT, inside));
}
Expression expression(std::string_view name, const std::string& attributes) {
    return nest(NFTA_LIST_ELEM, attribute(NFTA_EXPR_NAME, text(name)) + nest(NFTA_EXPR_DATA, attributes));
}

unsigned padded(unsigned size) { return (size + 3U) & ~3U; }
/// What nft(8) calls a concatenation: its parts, six bits each.
std::uint32_t shown_type(const std::vector<Type>& types) {
    return std::accumulate(types.begin(), types.end(), 0U, [](std::uint32_t all, Type type) {
        return all << 6U | static_cast<std::uint8_t>(type);
    });
}
std::uint32_t size_of(const std::vector<Type>& types) {
    if (types.size() == 1) return size_of(types.front());
    return std::accumulate(types.begin(), types.end(), 0U,
                           [](unsigned all, Type type) { return all + padded(size_of(type)); });
}
std::string description(const std::vector<Type>& types) {
    std::string fields;
    for (const auto type : types) fields += nest(NFTA_LIST_ELEM, number(NFTA_SET_FIELD_LEN, size_of(type)));
    return nest(NFTA_SET_DESC, nest(NFTA_SET_DESC_CONCAT, fields));
}
std::uint32_t flags_of(const Set& set) {
    std::uint32_t flags = 0;
    if (set.ranges) flags |= NFT_SET_INTERVAL;
    if (!set.value.empty()) flags |= NFT_SET_MAP;
    if (set.timeouts) flags |= NFT_SET_TIMEOUT;
    if (set.ranges && set.key.size() > 1) flags |= NFT_SET_CONCAT;
    return flags;
}

bool is_verdict(const std::string& bytes) { return bytes == "drop"; }
std::string encoded(const Element& element) {
    auto inside = value(NFTA_SET_ELEM_KEY, element.key);
    if (!element.key_end.empty()) inside += value(NFTA_SET_ELEM_KEY_END, element.key_end);
    if (is_verdict(element.value))
        inside += verdict_data(NFTA_SET_ELEM_DATA, Verdict::drop, "");
    else if (!element.value.empty())
        inside += value(NFTA_SET_ELEM_DATA, element.value);
    if (element.ends_range) inside += number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    if (element.timeout.count() > 0)
        inside += attribute(NFTA_SET_ELEM_TIMEOUT, be64(static_cast<std::uint64_t>(element.timeout.count())));
    if (!element.comment.empty()) inside += attribute(NFTA_SET_ELEM_USERDATA, commented(element.comment));
    return nest(NFTA_LIST_ELEM, inside);
}

Element decoded(std::string_view bytes) {
    Element element;
    for (const auto& [type, payload] : netlink::attributes_in(bytes)) {
        if (type == NFTA_SET_ELEM_KEY) element.key = netlink::find(payload, NFTA_DATA_VALUE);
        if (type == NFTA_SET_ELEM_KEY_END) element.key_end = netlink::find(payload, NFTA_DATA_VALUE);
        if (type == NFTA_SET_ELEM_USERDATA) element.comment = comment_in(payload);
        if (type == NFTA_SET_ELEM_FLAGS)
            element.ends_range = (payload.back() & NFT_SET_ELEM_INTERVAL_END) != 0;
        if (type != NFTA_SET_ELEM_DATA) continue;
        element.value = netlink::find(payload, NFTA_DATA_VALUE);
        if (element.value.empty()) element.value = "drop";
    }
    return element;
}

Result<std::vector<netlink::Answer>> dump(netlink::Socket& socket, std::uint16_t type,
                                          const std::string& attributes, std::string attempt) {
    return socket.ask(
        {static_cast<std::uint16_t>(kSubsystem | type), NLM_F_DUMP, inet() + attributes, std::move(attempt)});
}

std::string_view without_header(const std::string& payload) {
    return std::string_view(payload).substr(sizeof(nfgenmsg));
}

}  // namespace

Result<netlink::Socket> open_socket() {
    auto socket = netlink::Socket::open(NETLINK_NETFILTER);
    if (!socket && socket.error().code == EPROTONOSUPPORT)
        return fail("speak with nf_tables", "this kernel has no nf_tables", "sudo modprobe nf_tables");
    return socket;
}

Expression load(Meta what, unsigned into) {
    return expression("meta",
                      number(NFTA_META_KEY, static_cast<std::uint32_t>(what)) + reg(NFTA_META_DREG, into));
}
Expression load(Ct what, unsigned into) {
    return expression("ct", number(NFTA_CT_KEY, static_cast<std::uint32_t>(what)) + reg(NFTA_CT_DREG, into));
}
Expression load(Header base, unsigned offset, unsigned size, unsigned into) {
    return expression("payload", reg(NFTA_PAYLOAD_DREG, into) +
                                     number(NFTA_PAYLOAD_BASE, static_cast<std::uint32_t>(base)) +
                                     number(NFTA_PAYLOAD_OFFSET, offset) + number(NFTA_PAYLOAD_LEN, size));
}
Expression load_destination_type(unsigned into) {
    return expression("fib", reg(NFTA_FIB_DREG, into) + number(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE) +
                                 number(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR));
}
Expression compare(Is how, unsigned from, std::string_view bytes) {
    return expression("cmp", reg(NFTA_CMP_SREG, from) + number(NFTA_CMP_OP, static_cast<std::uint32_t>(how)) +
                                 value(NFTA_CMP_DATA, bytes));
}
Expression keep_bits(unsigned in, std::uint32_t bits) {
    return expression("bitwise", reg(NFTA_BITWISE_SREG, in) + reg(NFTA_BITWISE_DREG, in) +
                                     number(NFTA_BITWISE_LEN, sizeof bits) +
                                     value(NFTA_BITWISE_MASK, netlink::bytes_of(bits)) +
                                     value(NFTA_BITWISE_XOR, netlink::bytes_of(std::uint32_t{0})));
}
Expression lookup(std::string_view set, unsigned from, In in) {
    auto attributes = attribute(NFTA_LOOKUP_SET, text(set)) + reg(NFTA_LOOKUP_SREG, from);
    if (in == In::not_set) attributes += number(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
    return expression("lookup", attributes);
}
Expression lookup_value(std::string_view map, unsigned from, unsigned into) {
    return expression("lookup", attribute(NFTA_LOOKUP_SET, text(map)) + reg(NFTA_LOOKUP_SREG, from) +
                                    reg(NFTA_LOOKUP_DREG, into));
}
Expression lookup_verdict(std::string_view map, unsigned from) {
    return expression("lookup", attribute(NFTA_LOOKUP_SET, text(map)) + reg(NFTA_LOOKUP_SREG, from) +
                                    number(NFTA_LOOKUP_DREG, NFT_REG_VERDICT));
}
Expression decide(Verdict verdict, std::string_view chain) {
    return expression("immediate", number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT) +
                                       verdict_data(NFTA_IMMEDIATE_DATA, verdict, chain));
}
Expression change_destination(Family family, unsigned address_reg, unsigned port_reg) {
    return expression("nat", number(NFTA_NAT_TYPE, NFT_NAT_DNAT) +
                                 number(NFTA_NAT_FAMILY, static_cast<std::uint32_t>(family)) +
                                 reg(NFTA_NAT_REG_ADDR_MIN, address_reg) +
                                 reg(NFTA_NAT_REG_PROTO_MIN, port_reg));
}
Expression masquerade() { return expression("masq", ""); }
Expression reject() {
    return expression(
        "reject", number(NFTA_REJECT_TYPE, NFT_REJECT_ICMPX_UNREACH) +
                      attribute(NFTA_REJECT_ICMP_CODE, std::string(1, NFT_REJECT_ICMPX_ADMIN_PROHIBITED)));
}
Expression count() { return expression("counter", ""); }

unsigned size_of(Type type) {
    switch (type) {
        case Type::verdict: return 0;
        case Type::nfproto:
        case Type::protocol: return 1;
        case Type::port: return 2;
        case Type::ipv4:
        case Type::mark: return 4;
        case Type::ipv6:
        case Type::ifname: return 16;
    }
    return 0;
}

std::string field(std::string_view bytes) {
    std::string all(bytes);
    all.resize(padded(static_cast<unsigned>(all.size())), '\0');
    return all;
}

Element dropping(std::string key, std::string comment) {
    Element element;
    element.key = std::move(key);
    element.value = "drop";
    element.comment = std::move(comment);
    return element;
}

Batch::Batch(std::string_view table) : table_(table) {
    requests_.push_back({NFNL_MSG_BATCH_BEGIN, 0, header(AF_UNSPEC, NFNL_SUBSYS_NFTABLES),
                         "begin a change of the table " + table_});
}

void Batch::add(std::uint16_t type, std::uint16_t flags, std::string attributes, std::string attempt) {
    requests_.push_back({static_cast<std::uint16_t>(kSubsystem | type), flags, inet() + std::move(attributes),
                         std::move(attempt)});
}

void Batch::add_table() {
    add(NFT_MSG_NEWTABLE, NLM_F_CREATE, attribute(NFTA_TABLE_NAME, text(table_)),
        "make the nft table " + table_);
}

void Batch::delete_table() {
    add(NFT_MSG_DELTABLE, 0, attribute(NFTA_TABLE_NAME, text(table_)), "remove the nft table " + table_);
}

void Batch::add_set(const Set& set) {
    auto attributes = attribute(NFTA_SET_TABLE, text(table_)) + attribute(NFTA_SET_NAME, text(set.name)) +
                      number(NFTA_SET_FLAGS, flags_of(set)) + number(NFTA_SET_KEY_TYPE, shown_type(set.key)) +
                      number(NFTA_SET_KEY_LEN, size_of(set.key)) + number(NFTA_SET_ID, ++next_set_);
    if (set.value == std::vector{Type::verdict}) {
        attributes += number(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
    } else if (!set.value.empty()) {
        attributes +=
            number(NFTA_SET_DATA_TYPE, shown_type(set.value)) + number(NFTA_SET_DATA_LEN, size_of(set.value));
    }
    if (set.ranges && set.key.size() > 1) attributes += description(set.key);
    add(NFT_MSG_NEWSET, NLM_F_CREATE, attributes, "make the nft set " + std::string(set.name));
}

void Batch::add_chain(const Chain& chain) {
    auto attributes =
        attribute(NFTA_CHAIN_TABLE, text(table_)) + attribute(NFTA_CHAIN_NAME, text(chain.name));
    if (!chain.type.empty()) {
        attributes +=
            nest(NFTA_CHAIN_HOOK, number(NFTA_HOOK_HOOKNUM, static_cast<std::uint32_t>(chain.hook)) +
                                      number(NFTA_HOOK_PRIORITY, static_cast<std::uint32_t>(chain.priority)));
        attributes += number(NFTA_CHAIN_POLICY, NF_ACCEPT) + attribute(NFTA_CHAIN_TYPE, text(chain.type));
    }
    add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, attributes, "make the nft chain " + std::string(chain.name));
}

void Batch::add_rule(std::string_view chain, const std::vector<Expression>& expressions,
                     std::string_view comment) {
    const auto all = std::accumulate(expressions.begin(), expressions.end(), std::string());
    add(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
        attribute(NFTA_RULE_TABLE, text(table_)) + attribute(NFTA_RULE_CHAIN, text(chain)) +
            nest(NFTA_RULE_EXPRESSIONS, all) + attribute(NFTA_RULE_USERDATA, commented(comment)),
        "add the nft rule \"" + std::string(comment) + "\"");
}

void Batch::each_part(std::string_view set, const std::vector<Element>& elements, std::uint16_t type) {
    std::string part;
    const auto send = [&](const std::string& comment) {
        if (part.empty()) return;
        const std::string verb = type == NFT_MSG_NEWSETELEM ? "add to" : "remove from";
        add(type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0,
            attribute(NFTA_SET_ELEM_LIST_TABLE, text(table_)) + attribute(NFTA_SET_ELEM_LIST_SET, text(set)) +
                nest(NFTA_SET_ELEM_LIST_ELEMENTS, part),
            verb + " the nft set " + std::string(set) + " what \"" + comment + "\" means");
        part.clear();
    };
    for (const auto& element : elements) {
        part += encoded(element);
        if (part.size() > kMostElementBytes) send(element.comment);
    }
    if (!elements.empty()) send(elements.back().comment);
}

void Batch::add_elements(std::string_view set, const std::vector<Element>& elements) {
    each_part(set, elements, NFT_MSG_NEWSETELEM);
}
void Batch::delete_elements(std::string_view set, const std::vector<Element>& elements) {
    each_part(set, elements, NFT_MSG_DELSETELEM);
}

std::vector<netlink::Request> Batch::framed() const {
    auto all = requests_;
    all.back().flags |= NLM_F_ACK;  // the only success that is told: errors come unasked
    all.push_back({NFNL_MSG_BATCH_END, 0, header(AF_UNSPEC, NFNL_SUBSYS_NFTABLES),
                   "end a change of the table " + table_});
    return all;
}

Result<void> Batch::commit(netlink::Socket& socket) const {
    if (empty()) return {};
    return socket.transact(framed());
}

std::string Batch::bytes() const {
    std::string all;
    std::uint32_t sequence = 0;
    for (const auto& request : framed()) all += netlink::encode(request, ++sequence);
    return all;
}

Result<std::vector<std::string>> tables_of(netlink::Socket& socket) {
    const auto answers = socket.ask(
        {kSubsystem | NFT_MSG_GETTABLE, NLM_F_DUMP, header(NFPROTO_UNSPEC, 0), "list the nft tables"});
    const bool none = !answers && (answers.error().code == EINVAL || answers.error().code == EOPNOTSUPP);
    if (none) return std::vector<std::string>{};
    if (!answers) return std::unexpected(answers.error());
    std::vector<std::string> tables;
    for (const auto& answer : *answers) {
        const auto family = static_cast<unsigned char>(answer.payload.at(0));  // nfgenmsg begins with it
        const auto* const row = std::ranges::find(kFamilies, family, &FamilyRow::number);
        const auto name = netlink::find(without_header(answer.payload), NFTA_TABLE_NAME);
        tables.push_back(std::string(row == kFamilies.end() ? "other" : row->name) + " " +
                         std::string(name.substr(0, name.find('\0'))));
    }
    return tables;
}

Result<bool> table_exists(netlink::Socket& socket, std::string_view table) {
    const auto answer =
        socket.ask({kSubsystem | NFT_MSG_GETTABLE, 0, inet() + attribute(NFTA_TABLE_NAME, text(table)),
                    "look for the nft table " + std::string(table)});
    if (answer) return true;
    if (answer.error().code == ENOENT) return false;
    return std::unexpected(answer.error());
}

Result<std::vector<Element>> elements_of(netlink::Socket& socket, std::string_view table,
                                         std::string_view set) {
    const auto answers = TRY(
        dump(socket, NFT_MSG_GETSETELEM,
             attribute(NFTA_SET_ELEM_LIST_TABLE, text(table)) + attribute(NFTA_SET_ELEM_LIST_SET, text(set)),
             "read the nft set " + std::string(set)));
    std::vector<Element> elements;
    for (const auto& answer : answers)
        for (const auto& part : netlink::attributes_in(
                 netlink::find(without_header(answer.payload), NFTA_SET_ELEM_LIST_ELEMENTS)))
            elements.push_back(decoded(part.payload));
    return elements;
}

Result<std::vector<std::string>> rules_of(netlink::Socket& socket, std::string_view table) {
    const auto answers = TRY(dump(socket, NFT_MSG_GETRULE, attribute(NFTA_RULE_TABLE, text(table)),
                                  "read the rules of the nft table " + std::string(table)));
    std::vector<std::string> rules;
    for (const auto& answer : answers) {
        const auto attributes = without_header(answer.payload);
        const auto chain = netlink::find(attributes, NFTA_RULE_CHAIN);
        rules.push_back(std::string(chain.substr(0, chain.find('\0'))) + ": " +
                        comment_in(netlink::find(attributes, NFTA_RULE_USERDATA)));
    }
    return rules;
}

}  // namespace guard::nft
