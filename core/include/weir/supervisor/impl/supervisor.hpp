#pragma once
#include <weir/supervisor.hpp>

namespace weir {

template <class Sync>
BasicSupervisor<Sync>::BasicSupervisor(std::shared_ptr<Core> core)
    : core_(std::move(core)), thread_([core = core_] { core->run(); }) {}

template <class Sync>
BasicSupervisor<Sync>::~BasicSupervisor() {
  if (!thread_.joinable()) return;  // abandoned, or joined
  core_->request_stop();
  thread_.join();
}

template <class Sync>
Result<std::unique_ptr<BasicSupervisor<Sync>>> BasicSupervisor<Sync>::start(
    Options options, std::vector<ChildSpec> children, std::optional<ChildEnd> ended) {
  return launch<BasicSupervisor>(
      std::make_shared<Core>(std::move(options), std::move(children), std::move(ended)));
}

template <class Sync>
template <class Kind>
Result<std::unique_ptr<Kind>> BasicSupervisor<Sync>::launch(const std::shared_ptr<Core>& core) {
  if (auto checked = core->check_options(); !checked)
    return std::unexpected(std::move(checked.error()));
  std::unique_ptr<Kind> supervisor;
  try {
    supervisor.reset(new Kind(core));
  } catch (...) {  // no thread could be created
    Error error = supervisor::error_of_exception();
    error.code = ErrorCode::unavailable;
    return std::unexpected(std::move(error));
  }
  if (auto begun = core->wait_for_begin(); !begun) return std::unexpected(std::move(begun.error()));
  return supervisor;
}

template <class Sync>
void BasicSupervisor<Sync>::request_stop() {
  core_->request_stop();
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::wait() {
  return core_->wait_for_end();
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::stop() {
  core_->request_stop();
  return core_->wait_for_end();
}

template <class Sync>
void BasicSupervisor<Sync>::abandon() {
  thread_.detach();
}

template <class Sync>
void BasicSupervisor<Sync>::join() {
  if (thread_.joinable()) thread_.join();
}

template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::start_child(ChildSpec spec) {
  return core_->template ask<std::shared_ptr<Child>>(
      [&] { return core_->start_child(std::move(spec)); });
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::terminate_child(const std::string& id) {
  return core_->template ask<void>([&] { return core_->terminate_child(id); });
}

template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::restart_child(const std::string& id) {
  return core_->template ask<std::shared_ptr<Child>>([&] { return core_->restart_child(id); });
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::delete_child(const std::string& id) {
  return core_->template ask<void>([&] { return core_->delete_child(id); });
}

template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::resolve(const std::string& key) {
  if (auto living = whereis(key)) return living;
  for (;;) {
    auto found = core_->template ask<std::shared_ptr<Child>>([&] { return core_->resolve(key); });
    if (!found || *found) return found;
  }
}

template <class Sync>
std::shared_ptr<Child> BasicSupervisor<Sync>::whereis(const std::string& name) const {
  return core_->names().whereis(name);
}

template <class Sync>
std::vector<ChildInfo> BasicSupervisor<Sync>::children() const {
  return core_->children();
}

template <class Sync>
ChildCounts BasicSupervisor<Sync>::count_children() const {
  return core_->count_children();
}

}  // namespace weir
