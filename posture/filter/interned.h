#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace guard {

/// Rows kept once each, numbered from 0 in the order they came: equal rows have equal numbers. `Row` is plain
/// data made of whole 32-bit words without padding. Flat arrays and open addressing, for a filter's diagram
/// is tens of thousands of lookups.
template <class Row>
class Interned {
public:
    Interned() : slots_(kFirstSlots, kFree) {}

    /// The number of `row`, which is new where it is the size before the call.
    std::uint32_t number(const Row& row) {
        if ((rows_.size() + 1) * 4 > slots_.size() * 3) grow();
        std::uint32_t& slot = slot_of(row);
        if (slot == kFree) {
            slot = static_cast<std::uint32_t>(rows_.size());
            rows_.push_back(row);
        }
        return slot;
    }
    [[nodiscard]] const Row& operator[](std::uint32_t number) const { return rows_[number]; }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }

private:
    static constexpr std::size_t kFirstSlots = 64;  // a power of two, as every later size
    static constexpr std::uint32_t kFree = ~0U;
    using Words = std::array<std::uint32_t, sizeof(Row) / 4>;

    static std::size_t hash(const Row& row) {
        std::uint64_t hash = 0;
        for (const auto word : std::bit_cast<Words>(row)) {
            hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15ULL;
            hash ^= hash >> 32U;
        }
        return hash;
    }

    std::uint32_t& slot_of(const Row& row) {
        const std::size_t last = slots_.size() - 1;
        std::size_t at = hash(row) & last;
        while (slots_[at] != kFree && !(rows_[slots_[at]] == row)) at = (at + 1) & last;
        return slots_[at];
    }

    void grow() {
        slots_.assign(slots_.size() * 4, kFree);
        for (std::uint32_t number = 0; number < rows_.size(); ++number) slot_of(rows_[number]) = number;
    }

    std::vector<Row> rows_;
    std::vector<std::uint32_t> slots_;
};

}  // namespace guard
