#include "launcher/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

extern "C" const char __executable_start, etext;  // by the linker: ld(1), end(3)

namespace guard::launcher {
namespace {

constexpr std::uintptr_t kPage = 4096;

std::uintptr_t page_after(std::uintptr_t at) { return (at + kPage - 1) & ~(kPage - 1); }

// What lies below was there before main: in a static program also the thread's own data, which stays needed.
const std::uintptr_t kHeapStart = page_after(reinterpret_cast<std::uintptr_t>(::sbrk(0)));

void forget(std::uintptr_t from, std::uintptr_t to) noexcept {
    if (to > from) ::syscall(SYS_madvise, from, to - from, MADV_DONTNEED);
}

}  // namespace

void give_back_memory() noexcept {
    ::malloc_trim(0);
    // Never written to, so that the file has the same.
    forget(page_after(reinterpret_cast<std::uintptr_t>(&__executable_start)),
           reinterpret_cast<std::uintptr_t>(&etext) & ~(kPage - 1));
}

void leave_heap() noexcept {
    // The raw call tells the end where it cannot move it. brk(2)
    forget(kHeapStart, static_cast<std::uintptr_t>(::syscall(SYS_brk, 0)));
}

}  // namespace guard::launcher
