#include "flows.hpp"

#include <map>
#include <mutex>
#include <random>
#include <utility>

#include "bench/required.hpp"

namespace weir::bench {
namespace {

std::int32_t do_nothing(const weir_host*, weir_call*, weir_str, void*) { return WEIR_OK; }

FlowModule made(std::size_t number) {
  static constexpr weir_step step = {.struct_size = sizeof(weir_step),
                                     .reserved = 0,
                                     .slug = {"s", 1},
                                     .run = do_nothing,
                                     .user = nullptr};
  FlowDraft draft;
  draft.module = fmt::format("bench.flows.ProcessOrder{:06}", number);
  draft.slug = fmt::format("process_order_{:06}", number);
  draft.steps.push_back({.slug = "s"});
  auto definition = FlowDefinition::build(draft);
  if (!definition) fail(definition.error().front().message);
  return {.definition = *std::move(definition),
          .steps = {&step},
          .file = {.path = "plugins/bench.so", .sha256 = std::string(64, 'a')},
          .code = {}};
}

}  // namespace

const Flows& Flows::of(std::size_t size) {
  static std::mutex mutex;
  static std::map<std::size_t, std::unique_ptr<const Flows>> all;
  const std::scoped_lock lock(mutex);
  auto& flows = all[size];
  if (!flows) flows.reset(new Flows(size));
  return *flows;
}

Flows::Flows(std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    modules_.push_back(std::make_unique<FlowModule>(made(i)));
    slugs_.push_back(modules_.back()->definition.slug());
  }
  std::mt19937_64 random(42);
  for (std::size_t i = 0; i < rounds; ++i)
    order_.push_back(static_cast<std::uint32_t>(random() % size));
}

void Flows::fill(FlowRegistry& registry) const {
  FlowRegistry::Transaction transaction = registry.begin();
  for (const auto& module : modules_) transaction.register_(*module);
  required(transaction.commit());
}

}  // namespace weir::bench
