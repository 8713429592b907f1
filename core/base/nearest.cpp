#include "base/nearest.hpp"

#include <algorithm>
#include <vector>

#include "base/slug.hpp"

namespace weir {
namespace {

// Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view wanted, std::span<const std::string> candidates) {
  constexpr std::size_t compared_bytes_max = 256;
  if (wanted.size() > compared_bytes_max) return std::nullopt;
  const std::string folded_wanted = folded(wanted);
  std::size_t best = std::max<std::size_t>(1, wanted.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > compared_bytes_max) continue;
    if (const std::size_t distance = edits(folded_wanted, folded(candidate)); distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string> candidates,
                         std::string_view otherwise) {
  const auto guess = nearest(wanted, candidates);
  return guess ? "did you mean \"" + *guess + "\"?" : std::string(otherwise);
}

}  // namespace weir
