#include "base/nearest.hpp"

#include <algorithm>
#include <vector>

#include "base/assert.hpp"
#include "base/slug.hpp"

namespace weir {
namespace {

// Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours. At most
// `limit` of them, else limit + 1: so only cells within `limit` of the diagonal are computed, and
// no row after one that exceeds the limit. The lengths must not differ by more than the limit, or
// those cells would be outside the table.
std::size_t edits(std::string_view a, std::string_view b, std::size_t limit) {
  WEIR_ASSERT(a.size() <= b.size() + limit && b.size() <= a.size() + limit);
  const std::size_t too_many = limit + 1;
  std::vector<std::size_t> before(b.size() + 2), above(b.size() + 2), row(b.size() + 2);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const std::size_t from = i > limit ? i - limit : 1;
    const std::size_t to = std::min(b.size(), i + limit);
    row[from - 1] = i;  // above the limit, except in the first column
    std::size_t least = row[from - 1];
    for (std::size_t j = from; j <= to; ++j) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
      least = std::min(least, row[j]);
    }
    row[to + 1] = too_many;
    if (least > limit) return too_many;
    std::swap(before, above);
    std::swap(above, row);
  }
  return std::min(above[b.size()], too_many);
}

}  // namespace

std::optional<std::string> nearest(std::string_view wanted,
                                   std::span<const std::string> candidates) {
  constexpr std::size_t compared_bytes_max = 256;
  constexpr std::size_t edits_max = 8;
  constexpr std::size_t unfinished_bytes_min = 3;
  if (wanted.size() > compared_bytes_max) return std::nullopt;
  const std::string folded_wanted = folded(wanted);
  std::size_t limit = std::clamp<std::size_t>(wanted.size() / 3, 1, edits_max);
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > wanted.size() + limit || wanted.size() > candidate.size() + limit)
      continue;
    const std::size_t distance = edits(folded_wanted, folded(candidate), limit);
    if (distance > limit) continue;
    found = candidate;
    if (distance == 0) return found;
    limit = distance - 1;
  }
  if (found || wanted.size() < unfinished_bytes_min) return found;
  const auto goes_on = [&](const std::string& candidate) {
    return candidate.size() <= compared_bytes_max && folded(candidate).starts_with(folded_wanted);
  };
  const auto longer = std::ranges::find_if(candidates, goes_on);
  return longer == candidates.end() ? std::nullopt : std::optional(*longer);
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string> candidates,
                         std::string_view otherwise) {
  const auto guess = nearest(wanted, candidates);
  return guess ? "did you mean \"" + *guess + "\"?" : std::string(otherwise);
}

}  // namespace weir
