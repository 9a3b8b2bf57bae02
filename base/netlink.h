#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

/// The bytes of netlink and the one conversation guard has with it: requests out, answers in. netlink(7)
namespace guard::netlink {

/// The bytes of a plain value as the kernel reads it from memory.
template <class T>
[[nodiscard]] std::string bytes_of(const T& value) {
    return {reinterpret_cast<const char*>(&value), sizeof value};
}
[[nodiscard]] std::string be16(std::uint16_t value);
[[nodiscard]] std::string be32(std::uint32_t value);
[[nodiscard]] std::string be64(std::uint64_t value);
/// Text with the NUL the kernel wants at its end.
[[nodiscard]] std::string text(std::string_view value);

/// One attribute: length, type, payload, padding to four bytes. At most 65,531 bytes of payload.
[[nodiscard]] std::string attribute(std::uint16_t type, std::string_view payload);
/// An attribute that holds attributes.
[[nodiscard]] std::string nest(std::uint16_t type, std::string_view attributes);

/// One attribute of an answer; `type` without the nested and byte-order bits.
struct Attribute {
    std::uint16_t type = 0;
    std::string_view payload;
};
/// The attributes in `bytes`; a broken one ends the list, for what the kernel says later is not ours to
/// guess.
[[nodiscard]] std::vector<Attribute> attributes_in(std::string_view bytes);
/// The payload of the first attribute of this type, or nothing.
[[nodiscard]] std::string_view find(std::string_view bytes, std::uint16_t type);

struct Request {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;  ///< NLM_F_REQUEST is added
    std::string payload;      ///< the family's header and the attributes
    std::string attempt;      ///< for the error: "add port 25565 of minecraft"
};
/// The request with its header, numbered `sequence`.
[[nodiscard]] std::string encode(const Request& request, std::uint32_t sequence);

struct Answer {
    std::uint16_t type = 0;
    std::string payload;
};

/// A netlink socket of one protocol, in the network namespace it was opened in. Not for several threads.
class Socket {
public:
    /// Fails with the errno of socket(2): EPROTONOSUPPORT where the kernel lacks the protocol.
    [[nodiscard]] static Result<Socket> open(int protocol);

    /// Sends all requests in one datagram. Fails with the first that the kernel refused: its `attempt`, and
    /// the kernel's own sentence where it gave one.
    [[nodiscard]] Result<void> transact(std::span<const Request> requests);
    [[nodiscard]] Result<void> transact(const Request& request) { return transact(std::span(&request, 1)); }
    /// Asks and collects every answer. A dump that was disturbed by a change is begun again.
    [[nodiscard]] Result<std::vector<Answer>> ask(const Request& request);

private:
    explicit Socket(UniqueFd fd) : fd_(std::move(fd)) {}
    Result<void> send(const std::string& bytes, const std::string& attempt);
    Result<std::vector<Answer>> ask_once(const Request& request);

    UniqueFd fd_;
    std::uint32_t sequence_ = 0;
};

/// A socket in the network namespace `netns`: the calling thread enters it and comes back. setns(2)
[[nodiscard]] Result<Socket> open_in(int netns, int protocol);

}  // namespace guard::netlink
