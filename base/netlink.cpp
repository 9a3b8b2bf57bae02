#include "base/netlink.h"

#include <endian.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/enter.h"
#include "base/sys.h"

namespace guard::netlink {
namespace {

constexpr std::size_t kReceive = 1U << 16U;
constexpr int kMostRestarts = 8;

constexpr std::size_t aligned(std::size_t size) { return (size + 3U) & ~std::size_t{3}; }

/// What the kernel says in an error besides its number, with NETLINK_EXT_ACK.
std::string kernels_sentence(std::string_view error, std::uint16_t flags) {
    if ((flags & NLM_F_ACK_TLVS) == 0) return {};
    std::size_t offset = sizeof(nlmsgerr);
    if ((flags & NLM_F_CAPPED) == 0) {
        nlmsgerr head{};
        std::memcpy(&head, error.data(), sizeof head);
        offset += aligned(head.msg.nlmsg_len) - sizeof(nlmsghdr);
    }
    if (offset >= error.size()) return {};
    const auto sentence = find(error.substr(offset), NLMSGERR_ATTR_MSG);
    return std::string(sentence.substr(0, sentence.find('\0')));
}

/// Calls visit(header, payload) for each message of one datagram.
template <class Visit>
void each_message(std::string_view datagram, Visit&& visit) {
    while (datagram.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header{};
        std::memcpy(&header, datagram.data(), sizeof header);
        if (header.nlmsg_len < sizeof header || header.nlmsg_len > datagram.size()) return;
        visit(header, datagram.substr(sizeof header, header.nlmsg_len - sizeof header));
        datagram.remove_prefix(std::min(datagram.size(), aligned(header.nlmsg_len)));
    }
}

/// The error in an NLMSG_ERROR, none where it is an acknowledgement.
std::optional<Error> error_in(const nlmsghdr& header, std::string_view payload, const std::string& attempt) {
    nlmsgerr error{};
    if (payload.size() < sizeof error) return Error{attempt, "the kernel's answer broke off", EBADMSG, ""};
    std::memcpy(&error, payload.data(), sizeof error);
    if (error.error == 0) return std::nullopt;
    return Error{attempt, kernels_sentence(payload, header.nlmsg_flags), -error.error, ""};
}

/// One datagram into `buffer`; nothing where none waits and `flags` holds MSG_DONTWAIT.
Result<std::string_view> receive(int fd, std::string& buffer, int flags) {
    buffer.resize(kReceive);
    const auto got = TEMP_FAILURE_RETRY(::recv(fd, buffer.data(), buffer.size(), flags));
    if (got < 0 && errno == EAGAIN) return std::string_view{};
    if (got < 0) return fail_errno("hear from the kernel over netlink", errno);
    return std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

}  // namespace

std::string be16(std::uint16_t value) { return bytes_of(htobe16(value)); }
std::string be32(std::uint32_t value) { return bytes_of(htobe32(value)); }
std::string be64(std::uint64_t value) { return bytes_of(htobe64(value)); }
std::string text(std::string_view value) { return std::string(value) + '\0'; }

std::string attribute(std::uint16_t type, std::string_view payload) {
    const nlattr header{static_cast<std::uint16_t>(sizeof(nlattr) + payload.size()), type};
    std::string all = bytes_of(header);
    all.append(payload);
    all.resize(aligned(all.size()), '\0');
    return all;
}

std::string nest(std::uint16_t type, std::string_view attributes) {
    return attribute(type | NLA_F_NESTED, attributes);
}

std::vector<Attribute> attributes_in(std::string_view bytes) {
    std::vector<Attribute> all;
    while (bytes.size() >= sizeof(nlattr)) {
        nlattr header{};
        std::memcpy(&header, bytes.data(), sizeof header);
        if (header.nla_len < sizeof header || header.nla_len > bytes.size()) break;
        all.push_back({static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
                       bytes.substr(sizeof header, header.nla_len - sizeof header)});
        bytes.remove_prefix(std::min(bytes.size(), aligned(header.nla_len)));
    }
    return all;
}

std::string_view find(std::string_view bytes, std::uint16_t type) {
    const auto all = attributes_in(bytes);
    const auto found = std::ranges::find(all, type, &Attribute::type);
    return found == all.end() ? std::string_view{} : found->payload;
}

std::string encode(const Request& request, std::uint32_t sequence) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + request.payload.size());
    header.nlmsg_type = request.type;
    header.nlmsg_flags = request.flags | NLM_F_REQUEST;
    header.nlmsg_seq = sequence;
    std::string all = bytes_of(header) + request.payload;
    all.resize(aligned(all.size()), '\0');
    return all;
}

Result<Socket> Socket::open(int protocol) {
    UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (!fd) return fail_errno("open a netlink socket", errno);
    // Sentences instead of bare numbers, and without a copy of the request. Both are a help, not a need.
    const int on = 1;
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    ::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    // One error for each message of a batch must fit, or the first one is lost.
    const int room = 4 << 20U;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    return Socket(std::move(fd));
}

Result<void> Socket::send(const std::string& bytes, const std::string& attempt) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const auto put = TEMP_FAILURE_RETRY(::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                                                 reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel));
    if (put < 0) return fail_errno(attempt, errno);
    return {};
}

Result<void> Socket::transact(std::span<const Request> requests) {
    if (requests.empty()) return {};
    const auto first = sequence_ + 1;
    std::string bytes;
    for (const auto& request : requests) bytes += encode(request, ++sequence_);
    CHECK(send(bytes, requests.front().attempt));
    // The kernel works inside send: whatever it has to say waits already, and silence would mean that no
    // request asked for an answer.
    std::optional<Error> refused;
    bool heard = false;
    std::string buffer;
    for (;;) {
        const auto datagram = TRY(receive(fd_.get(), buffer, MSG_DONTWAIT));
        if (datagram.empty()) break;
        each_message(datagram, [&](const nlmsghdr& header, std::string_view payload) {
            const auto index = header.nlmsg_seq - first;
            if (header.nlmsg_type != NLMSG_ERROR || index >= requests.size()) return;
            heard = true;
            if (!refused) refused = error_in(header, payload, requests[index].attempt);
        });
    }
    if (refused) return std::unexpected(std::move(*refused));
    if (!heard) return fail(requests.front().attempt, "the kernel did not answer");
    return {};
}

Result<std::vector<Answer>> Socket::ask_once(const Request& request) {
    CHECK(send(encode(request, ++sequence_), request.attempt));
    std::vector<Answer> answers;
    std::optional<Error> refused;
    std::string buffer;
    const bool is_dump = (request.flags & NLM_F_DUMP) == NLM_F_DUMP;
    for (bool done = false; !done;) {
        const auto datagram = TRY(receive(fd_.get(), buffer, 0));
        each_message(datagram, [&](const nlmsghdr& header, std::string_view payload) {
            if (header.nlmsg_seq != sequence_) return;
            if ((header.nlmsg_flags & NLM_F_DUMP_INTR) != 0) refused = Error{request.attempt, "", EINTR, ""};
            if (header.nlmsg_type == NLMSG_ERROR) {
                if (!refused) refused = error_in(header, payload, request.attempt);
                done = true;
            } else if (header.nlmsg_type == NLMSG_DONE) {
                done = true;
            } else {
                answers.push_back({header.nlmsg_type, std::string(payload)});
                done = done || !is_dump;
            }
        });
    }
    if (refused) return std::unexpected(std::move(*refused));
    return answers;
}

Result<std::vector<Answer>> Socket::ask(const Request& request) {
    for (int attempt = 0;; ++attempt) {
        auto answers = ask_once(request);
        const bool disturbed = !answers && answers.error().code == EINTR;
        if (!disturbed || attempt == kMostRestarts) return answers;
    }
}

Result<Socket> open_in(int netns, int protocol) {
    const auto inside = TRY(EnteredNetwork::enter(netns));
    return Socket::open(protocol);
}

}  // namespace guard::netlink
