# Writes the bytes of the file `object` into the C++ header `header`, as the function `name`.
file(READ "${object}" bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE "${header}" "#pragma once
#include <span>

namespace guard {
// libbpf wants an object file to begin as an ELF header does: at a multiple of 8.
alignas(8) inline constexpr unsigned char k_${name}[] = {${bytes}};
inline std::span<const unsigned char> ${name}() { return k_${name}; }
}  // namespace guard
")
