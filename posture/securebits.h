#pragma once
#include <linux/securebits.h>

#include <array>
#include <string_view>

namespace guard {

struct SecureBitRow {
    std::string_view name;
    unsigned bit;  ///< SECBIT_... of capabilities(7)
};
inline constexpr auto kSecureBits = std::to_array<SecureBitRow>({
    {"noroot", SECBIT_NOROOT},
    {"noroot-locked", SECBIT_NOROOT_LOCKED},
    {"no-setuid-fixup", SECBIT_NO_SETUID_FIXUP},
    {"no-setuid-fixup-locked", SECBIT_NO_SETUID_FIXUP_LOCKED},
    {"keep-caps", SECBIT_KEEP_CAPS},
    {"keep-caps-locked", SECBIT_KEEP_CAPS_LOCKED},
    {"no-cap-ambient-raise", SECBIT_NO_CAP_AMBIENT_RAISE},
    {"no-cap-ambient-raise-locked", SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED},
});

}  // namespace guard
