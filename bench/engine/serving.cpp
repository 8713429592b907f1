#include "bench/engine/serving.hpp"

#include <utility>

#include "base/log.hpp"
#include "bench/required.hpp"
#include "store/flow_store.hpp"
#include "store/postgres/migrate.hpp"
#include "store/postgres/postgres_worker_store.hpp"

namespace weir::bench {

double seconds_since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

weir_step step_of(decltype(weir_step::run) handler) {
  weir_step step{};
  step.struct_size = sizeof(weir_step);
  step.run = handler;
  return step;
}

FlowModule flow_of(const FlowDraft& draft, const weir_step& step) {
  auto definition = FlowDefinition::build(draft);
  if (!definition) fail(to_string(definition.error().front()));
  return {.definition = *std::move(definition),
          .steps = std::vector<const weir_step*>(draft.steps.size(), &step),
          .file = {},
          .code = {}};
}

std::unique_ptr<postgres::Session> emptied(const std::string& url) {
  auto session = required(postgres::Session::open(url));
  required(session->transact(
      [](pqxx::work& transaction) { transaction.exec("drop schema if exists weir cascade"); }));
  required(postgres::migrate(url));
  return session;
}

Serving::Serving(const std::string& url, FlowModule flow, std::size_t slots, std::size_t workers) {
  registry_.register_or_throw(std::move(flow));
  for (std::size_t i = 0; i < workers; ++i) add(required(postgres::open_worker_store(url)), slots);
}

Serving::Serving(std::unique_ptr<WorkerStore> store, FlowModule flow, std::size_t slots) {
  registry_.register_or_throw(std::move(flow));
  add(std::move(store), slots);
}

void Serving::add(std::unique_ptr<WorkerStore> store, std::size_t slots) {
  auto worker = std::make_unique<Worker>(WorkerOptions{.slots = slots, .overrides = {}}, registry_,
                                         *store, std::make_shared<Log>());
  workers_.push_back({.store = std::move(store), .worker = std::move(worker), .thread = {}});
}

Serving::~Serving() {
  for (Each& each : workers_) each.worker->drain();
  for (Each& each : workers_)
    if (each.thread.joinable()) each.thread.join();
}

void Serving::register_flow() {
  required(workers_.front().store->flows().register_version(registry_.list().front()->definition));
}

void Serving::begin() {
  for (Each& each : workers_)
    each.thread = std::thread([worker = each.worker.get()] { required(worker->run()); });
}

}  // namespace weir::bench
