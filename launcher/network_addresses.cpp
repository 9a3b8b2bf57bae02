#include "launcher/network_addresses.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/links.h"
#include "base/split.h"
#include "base/sys.h"
#include "launcher/state.h"

namespace guard::launcher {
namespace {

struct BridgeLine {
    std::string name;
    IpRange four, six;
};
struct AddressLine {
    std::string bridge, name;
    IpAddress four, six;
};
/// The file: one line a bridge, one a container.
struct Book {
    std::vector<BridgeLine> bridges;
    std::vector<AddressLine> addresses;
};

std::string state_folder() { return state_paths().lib + "/.state"; }
std::string book_path() { return state_folder() + "/addresses"; }

Result<void> read_line(std::string_view line, Book& book) {
    const auto words = words_of(line);
    const auto broken = [&] {
        return fail("read " + book_path(), fmt::format("a line makes no sense: {}", line),
                    "remove that line");
    };
    if (words.empty()) return {};
    if (words.size() != 4 && words.size() != 5) return broken();
    if (words[0] == "bridge" && words.size() == 4) {
        const auto four = parse_range(words[2]), six = parse_range(words[3]);
        if (!four || !six) return broken();
        book.bridges.push_back({std::string(words[1]), *four, *six});
        return {};
    }
    if (words[0] != "address" || words.size() != 5) return broken();
    const auto four = parse_address(words[3]), six = parse_address(words[4]);
    if (!four || !six) return broken();
    book.addresses.push_back({std::string(words[1]), std::string(words[2]), *four, *six});
    return {};
}

Result<Book> read_book() {
    const auto text = sys::read_file(book_path());
    Book book;
    if (!text && text.error().code == ENOENT) return book;
    if (!text) return std::unexpected(text.error());
    for (const auto line : lines_of(*text)) CHECK(read_line(line, book));
    return book;
}

Result<void> write_book(const Book& book) {
    std::string text;
    for (const auto& line : book.bridges)
        text += fmt::format("bridge {} {} {}\n", line.name, format_range(line.four), format_range(line.six));
    for (const auto& line : book.addresses)
        text += fmt::format("address {} {} {} {}\n", line.bridge, line.name, format_address(line.four),
                            format_address(line.six));
    return sys::replace_file(book_path(), text, 0600, sys::Sync::yes);
}

/// The address `number` places into a network.
IpAddress nth(const IpRange& range, std::uint8_t number) {
    auto address = range.address;
    address.bytes.at(address.size() - 1) = number;
    return address;
}

/// An own network nobody else has, as RFC 4193 wants it: fd and 40 bits of chance.
Result<IpRange> random_network6() {
    IpRange range{{IpFamily::v6, {}}, 64};
    if (::getrandom(range.address.bytes.data(), 6, 0) != 6)
        return fail_errno("choose an IPv6 network", errno);
    range.address.bytes[0] = 0xfd;
    return range;
}

Result<IpRange> free_network4(const Book& book) {
    auto socket = TRY(links::open_socket());
    auto taken = TRY(links::routed_ranges(socket, IpFamily::v4));
    for (const auto& bridge : book.bridges) taken.push_back(bridge.four);
    for (unsigned number = 0; number < 8 * 256; ++number) {
        IpRange range{
            {IpFamily::v4,
             {10, static_cast<std::uint8_t>(88 + number / 256), static_cast<std::uint8_t>(number % 256), 0}},
            24};
        if (std::ranges::none_of(taken, [&](const IpRange& other) { return overlap(range, other); }))
            return range;
    }
    return fail("choose a network for the containers", "this machine has routes to all of 10.88.0.0/13",
                "set [network] address to two free addresses, IPv4 and IPv6");
}

Result<BridgeLine> bridge_line(Book& book, const std::string& bridge) {
    const auto known = std::ranges::find(book.bridges, bridge, &BridgeLine::name);
    if (known != book.bridges.end()) return *known;
    BridgeLine line{bridge, TRY(free_network4(book)), TRY(random_network6())};
    book.bridges.push_back(line);
    return line;
}

/// Fills in what the profile leaves open: what the container had, else the first free number.
Result<AddressLine> address_line(const Book& book, const BridgeLine& bridge, const std::string& name) {
    const auto known = std::ranges::find_if(book.addresses, [&](const AddressLine& line) {
        return line.name == name && line.bridge == bridge.name;
    });
    if (known != book.addresses.end()) return *known;
    std::set<IpAddress> taken;
    for (const auto& line : book.addresses) taken.insert({line.four, line.six});
    for (unsigned number = 2; number < 255; ++number) {
        const auto last = static_cast<std::uint8_t>(number);
        AddressLine line{bridge.name, name, nth(bridge.four, last), nth(bridge.six, last)};
        if (!taken.contains(line.four) && !taken.contains(line.six)) return line;
    }
    return fail("give " + name + " an address", "every address of bridge " + bridge.name + " is given",
                "remove lines of containers that are no more from " + book_path());
}

Result<void> apply_wanted(AddressLine& line, const Book& book, const std::vector<std::string>& wanted) {
    for (const auto& text : wanted) {
        const auto address = parse_address(text);
        if (!address) return fail("network.address", "\"" + text + "\" is no address");
        (address->family == IpFamily::v4 ? line.four : line.six) = *address;
    }
    for (const auto& other : book.addresses)
        if (other.name != line.name && (other.four == line.four || other.six == line.six))
            return fail("network.address",
                        fmt::format("container {} has {} already", other.name,
                                    format_address(other.four == line.four ? line.four : line.six)),
                        "choose another, or remove its line from " + book_path());
    return {};
}

}  // namespace

Result<UniqueFd> lock_network() {
    CHECK(sys::make_directories(state_folder(), 0700));
    auto lock = TRY(sys::open(state_folder() + "/network.lock", O_RDWR | O_CREAT, 0600));
    if (TEMP_FAILURE_RETRY(::flock(lock.get(), LOCK_EX)) < 0)
        return fail_errno("lock " + state_folder() + "/network.lock", errno);
    return lock;
}

Result<ContainerAddresses> addresses_for(const std::string& name, const std::string& bridge,
                                         const std::vector<std::string>& wanted, Ipv6 ipv6) {
    auto book = TRY(read_book());
    const auto bridges_before = book.bridges.size();
    const auto network = TRY(bridge_line(book, bridge));
    auto line = TRY(address_line(book, network, name));
    CHECK(apply_wanted(line, book, wanted));
    const auto same = [&](const AddressLine& other) {
        return other.name == name && other.bridge == bridge && other.four == line.four &&
               other.six == line.six;
    };
    if (bridges_before != book.bridges.size() || std::ranges::none_of(book.addresses, same)) {
        std::erase_if(book.addresses,
                      [&](const AddressLine& other) { return other.name == name && other.bridge == bridge; });
        book.addresses.push_back(line);
        CHECK(write_book(book));
    }
    ContainerAddresses given{line.four, nth(network.four, 1), network.four, {}, {}, network.six};
    if (ipv6 == Ipv6::on) given.own6 = line.six, given.gateway6 = nth(network.six, 1);
    return given;
}

}  // namespace guard::launcher
