#pragma once
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

struct bpf_link;
struct bpf_object;

/// Programs that the kernel runs once for each task, file or memory area that it comes by. bpf(2)
namespace guard::bpf {

struct CloseObject {
    void operator()(bpf_object* object) const;
};
using Object = std::unique_ptr<bpf_object, CloseObject>;
struct DestroyLink {
    void operator()(bpf_link* link) const;
};
using Link = std::unique_ptr<bpf_link, DestroyLink>;

/// Loads the programs of an object file: all, or the one of that name. Fails with the errno of bpf(2), or
/// where the kernel has no type information.
[[nodiscard]] Result<Object> load(std::span<const unsigned char> bytes, const char* name,
                                  std::string_view only = {});
/// Makes one of them ready to walk.
[[nodiscard]] Result<Link> attach(bpf_object* object, const char* program);
/// The memory of a program's zeroed variables, to be mapped; it lives as long as the object.
[[nodiscard]] int data_of(const bpf_object* object);
/// The file descriptor of one walk. Fails with the errno of bpf(2).
[[nodiscard]] Result<UniqueFd> start(const bpf_link* link);

/// Walks once; what the program wrote each time is one row.
template <class Row>
Result<std::vector<Row>> walk(const bpf_link* link) {
    const auto from = TRY(start(link));
    std::vector<Row> rows;
    std::vector<Row> some(1 + (1U << 16U) / sizeof(Row));  // more than the kernel hands out at once
    for (;;) {
        const auto bytes = ::read(from.get(), some.data(), some.size() * sizeof(Row));
        if (bytes == 0) return rows;
        if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (bytes < 0) return fail_errno("walk over the tasks", errno);
        const auto count = static_cast<std::size_t>(bytes) / sizeof(Row);
        if (count * sizeof(Row) != static_cast<std::size_t>(bytes))
            return fail("walk over the tasks", "a row broke off");
        rows.insert(rows.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
    }
}

}  // namespace guard::bpf
