#pragma once
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard {

/// One field of a journal entry: an upper-case name, and bytes that may hold newlines.
struct JournalField {
    std::string_view name;
    std::string value;
};
/// The datagram: "NAME=value\n", or for a value with a newline "NAME\n", its length as 64 bits in
/// little-endian order, the value, "\n". systemd's "Native Journal Protocol"
[[nodiscard]] std::string journal_entry(std::span<const JournalField> fields);

/// The journal's socket.
class Journal {
public:
    /// Fails with ENOENT or ECONNREFUSED where no journal runs, and says what to do instead.
    [[nodiscard]] static Result<Journal> open(const std::string& path = "/run/systemd/journal/socket");
    /// Fails with the errno of send(2).
    [[nodiscard]] Result<void> send(std::span<const JournalField> fields) const;

private:
    explicit Journal(UniqueFd socket) : socket_(std::move(socket)) {}
    UniqueFd socket_;
};

}  // namespace guard
