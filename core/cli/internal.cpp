#include "cli/internal.hpp"

#include <array>
#include <string_view>

namespace weir::cli {
namespace {

struct Face {
  std::string_view name;
  int (*run)(const std::vector<std::string>& arguments);  // those after the name
};

constexpr std::array<Face, 0> faces = {};

}  // namespace

std::optional<int> run_internal(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments.front() != "internal") return std::nullopt;
  for (const Face& face : faces)
    if (face.name == arguments[1]) return face.run({arguments.begin() + 2, arguments.end()});
  return std::nullopt;
}

}  // namespace weir::cli
