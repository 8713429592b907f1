#include "registry/registration_faults.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

#include "base/in_quotes.hpp"
#include "base/nearest.hpp"

namespace weir {
namespace {

std::string origin(const PluginFile& file) {
  return file.path.empty() ? "built into this program"
                           : fmt::format("{}, sha256 {}", file.path, file.sha256);
}

std::string described(const FlowModule& module) {
  return fmt::format("module \"{}\" ({})", module.definition.module().view(), origin(module.file));
}

}  // namespace

Result<void> check_module(const FlowModule& module) {
  const auto refuse = [&](std::string what) {
    return std::unexpected(
        Error{.code = ErrorCode::invalid_definition,
              .kind = "invalid_flow_module",
              .message = fmt::format("{} {}", described(module), what),
              .hint = "give each step of the definition its code, in the definition's order"});
  };
  const std::vector<StepDefinition>& steps = module.definition.steps();
  if (module.steps.size() != steps.size())
    return refuse(
        fmt::format("has code for {} steps, and defines {}", module.steps.size(), steps.size()));
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (module.steps[i] == nullptr || (has_code(steps[i].kind) && module.steps[i]->run == nullptr))
      return refuse(fmt::format("has no code for step \"{}\"", steps[i].slug.view()));
  return {};
}

bool same_registration(const FlowModule& a, const FlowModule& b) {
  return a.file == b.file && a.definition.fingerprint() == b.definition.fingerprint() &&
         a.definition.input_schema() == b.definition.input_schema() &&
         (!a.file.sha256.empty() || a.steps == b.steps);
}

Error duplicate_module(const FlowModule& newcomer, const FlowModule& holder) {
  return {.code = ErrorCode::conflict,
          .kind = "duplicate_module",
          .message = fmt::format("{} is already registered from another file: {}",
                                 described(newcomer), origin(holder.file)),
          .hint = "remove one of the two, or rename a module"};
}

Error duplicate_slug(const FlowModule& newcomer, const FlowModule& holder) {
  const std::string_view held = holder.definition.slug().view();
  const std::string_view wanted = newcomer.definition.slug().view();
  const std::string spelling = held == wanted ? "" : fmt::format(" as \"{}\"", held);
  return {.code = ErrorCode::conflict,
          .kind = "duplicate_slug",
          .message = fmt::format("slug \"{}\" of {} is already taken{} by {}", wanted,
                                 described(newcomer), spelling, described(holder)),
          .hint =
              "remove one of the two, or give a flow another slug; slugs that differ in case alone "
              "count as the same"};
}

Error unknown_flow(std::string_view what, std::string_view wanted,
                   const std::vector<std::string>& names) {
  return {.code = ErrorCode::not_found,
          .kind = "unknown_flow",
          .message = fmt::format("no flow {} {}", what, in_quotes(wanted)),
          .hint = names.empty() ? "no flow is registered at all" : did_you_mean(wanted, names)};
}

Error unknown_version(std::string_view slug, std::string_view wanted,
                      const std::vector<std::string>& fingerprints) {
  constexpr std::size_t listed_max = 3;
  constexpr std::size_t shown = 12;  // digits of a fingerprint; enough to distinguish two
  std::string registered;
  for (std::size_t i = 0; i < std::min(listed_max, fingerprints.size()); ++i)
    registered += (i == 0 ? "" : ", ") + fingerprints[i].substr(0, shown) + "…";
  if (fingerprints.size() > listed_max) registered += ", and older ones";
  return {.code = ErrorCode::not_found,
          .kind = "unknown_version",
          .message = fmt::format("no version of flow \"{}\" has the fingerprint {}", slug,
                                 in_quotes(wanted)),
          .hint = fmt::format("registered, the newest first: {}", registered)};
}

}  // namespace weir
