#include "registry/flow_table.hpp"

#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>

namespace weir {
namespace {

using Change = FlowRegistry::Change;

std::string origin(const PluginFile& file) {
  return file.path.empty() ? "built into this program"
                           : fmt::format("{}, sha256 {}", file.path, file.sha256);
}

std::string described(const FlowModule& module) {
  return fmt::format("module \"{}\" ({})", module.definition.module().view(), origin(module.file));
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
              "are one"};
}

// What loading cannot have left out and no worker could do without.
Result<void> check(const FlowModule& module) {
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
    if (module.steps[i] == nullptr || module.steps[i]->run == nullptr)
      return refuse(fmt::format("has no code for step \"{}\"", steps[i].slug.view()));
  return {};
}

// A file's sha256 stands for its code; flows built into a program have none, so their code is
// compared.
bool same(const FlowModule& a, const FlowModule& b) {
  return a.file == b.file && a.definition.fingerprint() == b.definition.fingerprint() &&
         a.definition.input_schema() == b.definition.input_schema() &&
         (!a.file.sha256.empty() || a.steps == b.steps);
}

std::optional<FlowHandle> found_in(const FlowTable::Index& index, std::string_view key) {
  const auto found = index.find(key);
  if (found == index.end()) return std::nullopt;
  return found->second;
}

}  // namespace

Result<Change> FlowTable::place(const FlowHandle& newcomer, bool from_any_file) {
  if (const Result<void> checked = check(*newcomer); !checked)
    return std::unexpected(checked.error());
  const std::string_view module = newcomer->definition.module().view();
  const auto held = by_module_.find(module);
  if (held == by_module_.end()) {
    by_module_.emplace(module, newcomer);
    return Change::added;
  }
  if (same(*held->second, *newcomer)) return Change::unchanged;
  if (!from_any_file && held->second->file.path != newcomer->file.path)
    return std::unexpected(duplicate_module(*newcomer, *held->second));
  by_module_.erase(held);  // its key is a view into the module that goes
  by_module_.emplace(module, newcomer);
  return Change::replaced;
}

Change FlowTable::remove(std::string_view module) {
  return by_module_.erase(module) == 0 ? Change::unchanged : Change::removed;
}

Result<void> FlowTable::index_slugs(const FlowTable& before) {
  std::map<std::string, FlowHandle> taken;
  by_slug_.clear();
  for (const auto& [module, handle] : by_module_) {
    const Slug& slug = handle->definition.slug();
    const auto [other, is_new] = taken.emplace(slug.folded(), handle);
    if (!is_new)
      return std::unexpected(before.by_module(module) == handle
                                 ? duplicate_slug(*other->second, *handle)
                                 : duplicate_slug(*handle, *other->second));
    by_slug_.emplace(slug.view(), handle);
  }
  return {};
}

std::optional<FlowHandle> FlowTable::by_module(std::string_view name) const {
  return found_in(by_module_, name);
}
std::optional<FlowHandle> FlowTable::by_slug(std::string_view slug) const {
  return found_in(by_slug_, slug);
}

}  // namespace weir
