#include "run/event_name.hpp"

#include <array>

namespace weir {
namespace {

constexpr std::array<std::string_view, 5> words = {"started", "completed", "failed", "cancelled",
                                                   "skipped"};

}  // namespace

std::string event_name(EventKind kind, std::optional<std::string_view> step) {
  std::string name = "run:";
  if (step) name.assign("step:").append(*step).append(":");
  return name.append(words.at(static_cast<std::size_t>(kind)));
}

}  // namespace weir
