#include "audit/namespace_table.h"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>

#include "audit/known.h"
#include "base/descriptor.h"
#include "base/process.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

Result<std::uint64_t> inode_at(int folder, const std::string& path) {
    // "net:[4026531840]"
    const auto link = TRY(sys::readlinkat(folder, path));
    const auto inode = inode_in_link(link);
    if (!inode) return fail("read a namespace link", link);
    return *inode;
}

}  // namespace

Known<std::uint64_t> NamespaceTable::id_in(int folder, const NamespaceRow& row) {
    const auto path = "ns/" + std::string(row.entry);
    const auto inode = inode_at(folder, path);
    if (!inode) return known<std::uint64_t>(inode);
    if (const auto met = by_inode_.find(*inode); met != by_inode_.end()) return met->second.id;
    return id_of(sys::openat(folder, path, O_RDONLY), row);
}

// Between a link and its opening the task may have gone elsewhere: what counts is what was opened.
Known<std::uint64_t> NamespaceTable::id_of(Result<UniqueFd> opened, const NamespaceRow& row) {
    if (!opened) return known<std::uint64_t>(std::unexpected(std::move(opened).error()));
    const auto status = sys::fstat(opened->get());
    const auto id = namespace_id(opened->get());
    if (!status || !id) return Unknown{EIO, "read the id of a namespace"};
    inode_of_[id->id] = status->st_ino;
    by_inode_.emplace(status->st_ino, Met{*std::move(opened), id->id, row.clone_flag == CLONE_NEWUSER});
    return id->id;
}

bool NamespaceTable::is_below(std::uint64_t id, std::uint64_t user) const {
    const auto inode = inode_of_.find(id);
    if (inode == inode_of_.end()) return false;
    const auto& met = by_inode_.at(inode->second);
    // Both end with EPERM at what is not below the caller's own user namespace. ioctl_nsfs(2)
    UniqueFd owner(::ioctl(met.fd.get(), met.is_user ? NS_GET_PARENT : NS_GET_USERNS));
    while (owner) {
        const auto at = namespace_id(owner.get());
        if (at && at->id == user) return true;
        owner = UniqueFd(::ioctl(owner.get(), NS_GET_PARENT));
    }
    return false;
}

void NamespaceTable::merge(NamespaceTable other) {
    inode_of_.merge(other.inode_of_);
    by_inode_.merge(other.by_inode_);
}

int NamespaceTable::descriptor_of(std::uint64_t id) const {
    const auto inode = inode_of_.find(id);
    return inode == inode_of_.end() ? -1 : by_inode_.at(inode->second).fd.get();
}

std::optional<std::uint64_t> NamespaceTable::id_of_inode(std::uint64_t inode) const {
    const auto met = by_inode_.find(inode);
    return met == by_inode_.end() ? std::nullopt : std::optional(met->second.id);
}

}  // namespace guard::audit
