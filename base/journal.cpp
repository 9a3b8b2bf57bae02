#include "base/journal.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace guard {
namespace {

std::string length_of(std::string_view value) {
    std::string bytes;
    for (unsigned shift = 0; shift < 64; shift += 8)
        bytes += static_cast<char>(static_cast<std::uint64_t>(value.size()) >> shift & 0xFFU);
    return bytes;
}

}  // namespace

std::string journal_entry(std::span<const JournalField> fields) {
    std::string entry;
    for (const auto& [name, value] : fields) {
        entry += name;
        const bool plain = value.find('\n') == std::string::npos;
        entry += plain ? "=" + value + "\n" : "\n" + length_of(value) + value + "\n";
    }
    return entry;
}

Result<Journal> Journal::open(const std::string& path) {
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!socket) return fail_errno("make a socket", errno);
    if (path.size() >= sizeof address.sun_path)
        return fail("reach the journal at " + path, "too long a path");
    std::ranges::copy(path, static_cast<char*>(address.sun_path));
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return fail_errno("reach the journal at " + path, errno,
                          "no systemd journal runs here; --format json writes lines for any other log");
    return Journal(std::move(socket));
}

Result<void> Journal::send(std::span<const JournalField> fields) const {
    const auto entry = journal_entry(fields);
    if (TEMP_FAILURE_RETRY(::send(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL)) < 0)
        return fail_errno("write to the journal", errno);
    return {};
}

}  // namespace guard
