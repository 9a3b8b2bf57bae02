#pragma once
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/kept_files.h"
#include "base/unique_fd.h"

/// Programs that the kernel runs once for each task, file or memory area that it comes by. bpf(2)
namespace guard::bpf {

/// Programs of one object file, in the kernel and ready to walk as long as this lives.
struct Loaded {
    std::vector<UniqueFd> maps;
    int data = -1;  ///< the one of them with their variables, to be mapped
    std::map<std::string, UniqueFd, std::less<>> links;
};

/// Loads these programs of an object file. What that takes of the kernel's type information is kept in
/// `kept`: with it 1.3 ms of processor, else some 40. Fails with the errno of bpf(2), or where the kernel has
/// no such information.
[[nodiscard]] Result<Loaded> load(std::span<const unsigned char> object,
                                  std::initializer_list<std::string_view> names, const KeptFiles& kept);
/// The file descriptor of one walk. Fails with the errno of bpf(2).
[[nodiscard]] Result<UniqueFd> start(const Loaded& programs, std::string_view name);

/// Walks once; what the program wrote each time is one row.
template <class Row>
Result<std::vector<Row>> walk(const Loaded& programs, std::string_view name) {
    const auto from = TRY(start(programs, name));
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
