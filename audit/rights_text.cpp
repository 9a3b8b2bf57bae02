#include "audit/rights_text.h"

#include <array>

namespace guard::audit {
namespace {

// Stretches of lines in the kernel's order: from one to before the other.
struct Stretch {
    std::string_view from, to;
};
constexpr auto kStretches = std::to_array<Stretch>({{"Name:", "\nState:"},
                                                    {"\nTgid:", "\nNgid:"},
                                                    {"\nPid:", "\nFDSize:"},
                                                    {"\nGroups:", "\nNStgid:"},
                                                    {"\nCapInh:", "\nSpeculation_Store_Bypass:"},
                                                    {"\nCpus_allowed:", "\nMems_allowed:"}});

}  // namespace

std::string rights_in(std::string_view status) {
    std::string rights;
    for (const auto& [from, to] : kStretches) {
        const auto begin = status.find(from);
        if (begin == std::string_view::npos) continue;
        // A kernel without the line that ends a stretch: then all the rest counts.
        const auto end = status.find(to, begin + 1);
        rights += status.substr(begin, end == std::string_view::npos ? end : end - begin);
    }
    return rights;
}

}  // namespace guard::audit
