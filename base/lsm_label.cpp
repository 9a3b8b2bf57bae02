#include "base/lsm_label.h"

#include <cerrno>

#include "base/sys.h"

namespace guard {

Result<std::optional<std::string>> lsm_label_in(int folder) {
    auto text = sys::read_record(folder, "attr/current");
    if (!text && (text.error().code == EINVAL || text.error().code == ENOENT)) return std::nullopt;
    if (!text) return std::unexpected(std::move(text).error());
    while (!text->empty() && (text->back() == '\n' || text->back() == '\0')) text->pop_back();
    return std::move(*text);
}

}  // namespace guard
