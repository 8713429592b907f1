#include "registry/flow_registry.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "registry/flow_table.hpp"

namespace weir {
namespace {

Error unknown_flow(std::string_view what, std::string_view wanted,
                   std::initializer_list<const FlowTable::Index*> searched) {
  std::vector<std::string> names;
  for (const FlowTable::Index* index : searched)
    for (const auto& [name, handle] : *index) names.emplace_back(name);
  return {.code = ErrorCode::not_found,
          .kind = "unknown_flow",
          .message = fmt::format("no flow {} {}", what, in_quotes(wanted)),
          .hint = names.empty() ? "no flow is registered at all" : did_you_mean(wanted, names)};
}

}  // namespace

FlowRegistry::FlowRegistry() : current_(std::make_shared<const FlowTable>()) {}
FlowRegistry::~FlowRegistry() = default;

std::shared_ptr<const FlowTable> FlowRegistry::current() const {
  const std::scoped_lock lock(current_mutex_);
  return current_;
}

void FlowRegistry::publish(std::shared_ptr<const FlowTable> next) {
  const std::scoped_lock lock(current_mutex_);
  current_.swap(next);  // the old table is freed by whoever holds it last, not under this lock
}

Result<FlowRegistry::Change> FlowRegistry::register_(FlowModule module) {
  Transaction transaction = begin();
  transaction.register_(std::move(module));
  Result<std::vector<Change>> changes = transaction.commit();
  if (!changes) return std::unexpected(std::move(changes).error());
  return changes->front();
}

FlowRegistry::Change FlowRegistry::register_or_throw(FlowModule module) {
  Result<Change> change = register_(std::move(module));
  if (!change) throw RegistrationError(std::move(change).error());
  return *change;
}

bool FlowRegistry::unregister(const ModuleName& module) {
  Transaction transaction = begin();
  transaction.unregister(module);
  const Result<std::vector<Change>> changes = transaction.commit();
  WEIR_ASSERT(changes.has_value());  // what only goes cannot collide
  return changes->front() == Change::removed;
}

Result<FlowHandle> FlowRegistry::get(const ModuleName& module) const {
  const std::shared_ptr<const FlowTable> table = current();
  if (const auto found = table->by_module(module.view())) return *found;
  return std::unexpected(
      unknown_flow("is registered as module", module.view(), {&table->modules()}));
}

Result<FlowHandle> FlowRegistry::get(const Slug& slug) const {
  const std::shared_ptr<const FlowTable> table = current();
  if (const auto found = table->by_slug(slug.view())) return *found;
  return std::unexpected(unknown_flow("has the slug", slug.view(), {&table->slugs()}));
}

Result<FlowHandle> FlowRegistry::find(std::string_view name) const {
  const std::shared_ptr<const FlowTable> table = current();
  if (const auto found = table->by_slug(name)) return *found;
  if (const auto found = table->by_module(name)) return *found;
  return std::unexpected(
      unknown_flow("has the slug or module name", name, {&table->slugs(), &table->modules()}));
}

std::vector<FlowHandle> FlowRegistry::list() const {
  const std::shared_ptr<const FlowTable> table = current();
  std::vector<FlowHandle> flows;
  for (const auto& [slug, handle] : table->slugs()) flows.push_back(handle);
  return flows;
}

FlowRegistry::Transaction FlowRegistry::begin() { return Transaction(*this); }

void FlowRegistry::Transaction::register_(FlowModule module) {
  steps_.push_back(Placement{FlowHandle(std::move(module)), false});
}

void FlowRegistry::Transaction::replace(FlowModule module) {
  steps_.push_back(Placement{FlowHandle(std::move(module)), true});
}

void FlowRegistry::Transaction::unregister(ModuleName module) {
  steps_.push_back(std::move(module));
}

Result<std::vector<FlowRegistry::Change>> FlowRegistry::Transaction::commit() {
  const std::vector<Step> steps = std::exchange(steps_, {});
  std::shared_ptr<const FlowTable> before;  // outlives the lock, so that nothing is freed under it
  const std::scoped_lock lock(registry_->writer_mutex_);
  before = registry_->current();
  auto next = std::make_shared<FlowTable>(*before);
  std::vector<Change> changes;
  for (const Step& step : steps) {
    const auto* placement = std::get_if<Placement>(&step);
    const Result<Change> change = placement != nullptr
                                      ? next->place(placement->module, placement->from_any_file)
                                      : next->remove(std::get<ModuleName>(step).view());
    if (!change) return std::unexpected(change.error());
    changes.push_back(*change);
  }
  if (std::ranges::all_of(changes, [](Change change) { return change == Change::unchanged; }))
    return changes;
  if (const Result<void> indexed = next->index_slugs(*before); !indexed)
    return std::unexpected(indexed.error());
  registry_->publish(std::move(next));
  return changes;
}

}  // namespace weir
