#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

/// The candidate a person most likely meant by `wanted`: the one with the fewest edits (case
/// changes are free, swapped neighbours count once), at most a third of the length of `wanted` and
/// at most 8, but always one; else a candidate that begins with `wanted` ("timeout" for
/// timeout_ms); nullopt when none is that near. Of equally near ones the first.
/// Cost: candidates × length.
std::optional<std::string> nearest(std::string_view wanted,
                                   std::span<const std::string> candidates);

/// "did you mean \"process_order\"?", or `otherwise` when nothing is near.
std::string did_you_mean(std::string_view wanted, std::span<const std::string> candidates,
                         std::string_view otherwise = {});

}  // namespace weir
