#include "cli/internal.hpp"

#include <array>
#include <string_view>

#include "cli/serve_worker.hpp"
#include "isolated/child_main.hpp"
#include "plugin/scan_child.hpp"

namespace weir::cli {
namespace {

struct Face {
  std::string_view name;
  int (*run)(const std::vector<std::string>& arguments);  // those after the name
};

int isolate(const std::vector<std::string>&) { run_isolated_child(); }
int scan(const std::vector<std::string>& arguments) { scan_as_child(arguments); }

constexpr std::array<Face, 3> faces = {
    {{"isolate", isolate}, {"scan", scan}, {"work", run_serve_worker}}};

}  // namespace

std::optional<int> run_internal(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments.front() != "internal") return std::nullopt;
  for (const Face& face : faces)
    if (face.name == arguments[1]) return face.run({arguments.begin() + 2, arguments.end()});
  return std::nullopt;
}

}  // namespace weir::cli
