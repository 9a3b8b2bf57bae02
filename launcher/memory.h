#pragma once

/// What stays while a container runs, its supervisor and its PID 1, is kept small.
namespace guard::launcher {

/// Gives back free memory, and the pages of this program, which come back one by one when they are needed.
/// For a supervisor that has nothing to do but wait. malloc_trim(3), madvise(2)
void give_back_memory() noexcept;

/// Gives back the heap: for PID 1, a copy of this process that runs on its stack alone from here on. Nothing
/// that was allocated may be used any more. Async-signal-safe.
void leave_heap() noexcept;

}  // namespace guard::launcher
