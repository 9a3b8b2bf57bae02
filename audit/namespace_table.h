#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/error.h"
#include "base/unique_fd.h"
#include "posture/known.h"
#include "posture/namespaces.h"

namespace guard::audit {

/// The namespaces met during one pass, each held open, so that its inode number can't become another's
/// meanwhile. namespaces(7)
class NamespaceTable {
public:
    /// The id (NS_GET_ID, else the inode number) of the namespace that `row` is about, of the task with this
    /// folder: one readlink where it was met before.
    [[nodiscard]] Known<std::uint64_t> id_in(int folder, const NamespaceRow& row);
    /// The same of one that was opened through anything else: a descriptor's link, or where it is mounted.
    [[nodiscard]] Known<std::uint64_t> id_of(Result<UniqueFd> opened, const NamespaceRow& row);
    /// True where the namespace is owned by the user namespace `user`, or by one below it: made inside.
    [[nodiscard]] bool is_below(std::uint64_t id, std::uint64_t user) const;
    /// The id of the namespace with this inode number; none where it was not met.
    [[nodiscard]] std::optional<std::uint64_t> id_of_inode(std::uint64_t inode) const;
    /// The descriptor of a namespace that was met; -1 where it was not.
    [[nodiscard]] int descriptor_of(std::uint64_t id) const;
    /// Takes in what was met by way of other tasks.
    void merge(NamespaceTable other);

private:
    struct Met {
        UniqueFd fd;
        std::uint64_t id = 0;
        bool is_user = false;
    };
    std::unordered_map<std::uint64_t, Met> by_inode_;
    std::unordered_map<std::uint64_t, std::uint64_t> inode_of_;  ///< by id
};

}  // namespace guard::audit
