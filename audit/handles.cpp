#include "audit/handles.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/known.h"
#include "audit/process_facts.h"
#include "audit/scan.h"

namespace guard::audit {
namespace {

using Words = std::set<std::string>;

// One process under judgement.
struct Holder {
    const SeenTask& task;
    const Frame& frame;
    const Posture& launched;

    [[nodiscard]] const Bindings& bindings() const { return frame.record->bindings; }
    [[nodiscard]] bool is_init() const { return task.pid == bindings().init.pid; }
    // A process that is not in the container, as far as anybody can see: one that has ended proves nothing.
    [[nodiscard]] bool is_outside(pid_t pid) const {
        return frame.parents->contains(pid) && !descends(*frame.parents, pid, bindings().init.pid);
    }
    [[nodiscard]] std::string name_of(pid_t pid) const {
        const auto row = frame.names->find(pid);
        return row == frame.names->end() ? std::string() : row->second;
    }
};

void add_file(Words& words, const Handle& handle) { words.insert(handle.where + " on " + handle.link); }

// What the filter lets it make for itself was granted with the filter.
bool may_make(const Posture& launched, std::string_view call) {
    const auto* access = value_of(launched.seccomp.access);
    return access != nullptr && access->calls.contains(std::string(call));
}

void add_kernel(Words& words, const Handle& handle, const Holder& holder) {
    if (handle.kind == DescriptorKind::ns_handle)
        words.insert(fmt::format("{}: a way into a namespace ({})", handle.where,
                                 handle.link.substr(0, handle.link.find(':'))));
    else if (const auto* row = kernel_object_of(handle.link);
             row != nullptr && !may_make(holder.launched, row->call))
        words.insert(fmt::format("{}: {}", handle.where, row->name));
    else if (handle.kind == DescriptorKind::process_handle && holder.is_outside(handle.process))
        words.insert(fmt::format("{}: a handle on {}, a process outside", handle.where,
                                 holder.name_of(handle.process)));
}

void add_socket(Words& words, const Handle& handle, const Holder& holder) {
    const auto& bindings = holder.bindings();
    if (holder.is_init() && handle.process == bindings.supervisor.pid) {
        words.insert("its supervisor");
    } else if (handle.process != 0 && holder.is_outside(handle.process)) {
        words.insert(fmt::format("{}: connected to {}{}{}", handle.where, handle.peer,
                                 handle.peer.empty() ? "" : " of ", holder.name_of(handle.process)));
    } else {
        const auto* own = value_of(holder.task.facts.namespaces.at(namespace_row("network")));
        if (own == nullptr || handle.network == *own) return;
        const auto host = bindings.host.find("network");
        const bool is_host = host != bindings.host.end() && host->second == handle.network;
        words.insert(
            fmt::format("{}: made in {} network", handle.where, is_host ? "this machine's" : "another"));
    }
}

// The words of the handles that `add` has one for.
template <class Add>
Known<Grants<std::string>> words_of(const Holder& holder, Add&& add) {
    if (holder.task.details.process == nullptr) return Unknown{};
    return map_known(holder.task.details.process->handles, [&add](const std::vector<Handle>& handles) {
        Grants<std::string> words;
        for (const auto& handle : handles) add(words.all, handle);
        return words;
    });
}

}  // namespace

Handles handles_of(const SeenTask& task, const Frame& frame, const Posture& launched) {
    const Holder holder{task, frame, launched};
    Handles handles;
    handles.files = words_of(holder, [](Words& words, const Handle& handle) {
        if (handle.kind == DescriptorKind::file) add_file(words, handle);
    });
    handles.kernel = words_of(
        holder, [&holder](Words& words, const Handle& handle) { add_kernel(words, handle, holder); });
    handles.sockets = words_of(holder, [&holder](Words& words, const Handle& handle) {
        if (handle.kind == DescriptorKind::socket) add_socket(words, handle, holder);
    });
    return handles;
}

}  // namespace guard::audit
