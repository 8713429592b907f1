// The calls of other threads to a supervisor.
#pragma once
#include <weir/supervisor/impl/core.hpp>

namespace weir {

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::wait_for_begin() {
  Lock lock(mailbox_->mutex);
  answered_.wait(lock, [this] { return begun_.has_value(); });
  return *begun_;
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::wait_for_end() {
  Lock lock(mailbox_->mutex);
  if (end_) return *end_;
  if (auto error = would_deadlock()) return std::unexpected(*std::move(error));
  answered_.wait(lock, [this] { return end_.has_value(); });
  return *end_;
}

template <class Sync>
void BasicSupervisor<Sync>::Core::request_stop() {
  {
    const std::scoped_lock lock(mailbox_->mutex);
    stop_requested_ = true;
  }
  mailbox_->changed.notify_one();
}

template <class Sync>
template <class T>
Result<T> BasicSupervisor<Sync>::Core::ask(const std::function<Result<T>()>& work) {
  std::optional<Result<T>> answer;
  Call call{.work = [&] { answer = work(); }};
  Lock lock(mailbox_->mutex);
  if (stop_requested_ || end_) return std::unexpected(ended_error());
  if (auto error = would_deadlock()) return std::unexpected(*std::move(error));
  calls_.push_back(&call);
  mailbox_->changed.notify_one();
  answered_.wait(lock, [&] { return call.done; });
  if (!answer) return std::unexpected(ended_error());
  return *std::move(answer);
}

// Call it under the mutex.
template <class Sync>
void BasicSupervisor<Sync>::Core::refuse_calls() {
  for (Call* const call : calls_) call->done = true;
  calls_.clear();
  answered_.notify_all();
}

template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::Core::start_child(ChildSpec spec) {
  if (auto checked = check(spec); !checked) return std::unexpected(std::move(checked.error()));
  if (children_.size() >= max_children_)
    return std::unexpected(Error{.code = ErrorCode::unavailable,
                                 .kind = "max_children",
                                 .message = "\"" + options_.name + "\" has " +
                                            std::to_string(children_.size()) +
                                            " children, and may have no more (max_children)",
                                 .hint = "wait until one has ended, or set a higher max_children"});
  ChildEntry& entry = add(std::move(spec));
  auto started = start_asked_for(entry);
  if (!started || (!entry.child && is_forgotten(entry))) remove(entry);
  return started;
}

// Because a caller asked for it, not in place of a life that ended.
template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::Core::start_asked_for(ChildEntry& entry) {
  if (auto started = start_life(entry); !started) {
    observe(What::start_failed, entry, started.error());
    return std::unexpected(std::move(started.error()));
  }
  observe(entry.child ? What::started : What::ignored, entry);
  return entry.child;
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::terminate_child(const std::string& id) {
  const auto found = known_child(id);
  if (!found) return std::unexpected(found.error());
  return terminate(**found);
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::terminate_child(const std::shared_ptr<Child>& child) {
  const std::weak_ptr<Child> sought = child;
  if (child)
    for (const auto& entry : children_)
      if (!entry->last.owner_before(sought) && !sought.owner_before(entry->last))
        return terminate(*entry);
  return std::unexpected(Error{.code = ErrorCode::not_found,
                               .kind = "unknown_child",
                               .message = "\"" + options_.name + "\" has no such child",
                               .hint = "it has ended; children() lists those there are, and a "
                                       "child that was restarted is another one"});
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::terminate(ChildEntry& entry) {
  const std::size_t abandoned = entry.info.abandoned;
  if (entry.child) {
    stop_life(entry);
  } else {
    const std::scoped_lock lock(mailbox_->mutex);
    entry.restart_at.reset();
    entry.info.state = State::stopped;
  }
  Result<void> terminated;
  if (entry.info.abandoned > abandoned && entry.spec.shutdown.limit() > Shutdown::Duration::zero())
    terminated = std::unexpected(
        Error{.code = ErrorCode::unavailable,
              .kind = "over_time",
              .message = title(entry.spec) + " did not stop in time and was left behind",
              .hint = "give it a longer shutdown, or make it check its stop signal"});
  if (is_forgotten(entry)) remove(entry);
  return terminated;
}

template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::Core::restart_child(const std::string& id) {
  const auto found = inactive_child(id);
  if (!found) return std::unexpected(found.error());
  return start_asked_for(**found);
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::delete_child(const std::string& id) {
  const auto found = inactive_child(id);
  if (!found) return std::unexpected(found.error());
  remove(**found);
  return {};
}

template <class Sync>
Result<std::shared_ptr<Child>> BasicSupervisor<Sync>::Core::resolve(const std::string& key) {
  if (auto living = names().whereis(key)) return living;
  if (ChildEntry* const entry = dynamic_ ? find_by_name(key) : find(key)) {
    if (entry->child && entry->spec.name == key) return std::shared_ptr<Child>();  // it just ended
    if (entry->child || entry->restart_at)
      return std::unexpected(Error{
          .code = entry->child ? ErrorCode::conflict : ErrorCode::unavailable,
          .kind = entry->child ? "already_started" : "restarting",
          .message = title(entry->spec) +
                     (entry->child ? " runs, but not under this name" : " waits for its restart"),
          .hint = entry->child ? "look for it under its own name" : "try again soon"});
    remove(*entry);
  }
  if (!options_.template_spec)
    return std::unexpected(
        Error{.code = ErrorCode::invalid_input,
              .kind = "no_template",
              .message = "\"" + options_.name + "\" has no template to start \"" + key + "\" from",
              .hint = "set Options::template_spec, or use start_child"});
  ChildSpec spec;
  try {
    spec = options_.template_spec(key);
  } catch (...) {
    return std::unexpected(supervisor::error_of_exception());
  }
  spec.id = key;
  spec.name = key;
  auto started = start_child(std::move(spec));
  if (started && !*started)
    return std::unexpected(Error{.code = ErrorCode::not_found,
                                 .kind = "nothing_to_run",
                                 .message = "the template of \"" + options_.name +
                                            "\" has nothing to run for \"" + key + "\"",
                                 .hint = "ask for another key, or again once there is something"});
  return started;
}

template <class Sync>
std::vector<ChildInfo> BasicSupervisor<Sync>::Core::children() const {
  const std::scoped_lock lock(mailbox_->mutex);
  std::vector<ChildInfo> all;
  all.reserve(children_.size());
  for (const auto& entry : children_) {
    all.push_back(entry->info);
    all.back().child = entry->child;
  }
  return all;
}

template <class Sync>
ChildCounts BasicSupervisor<Sync>::Core::count_children() const {
  const std::scoped_lock lock(mailbox_->mutex);
  ChildCounts counts{.specs = children_.size()};
  for (const auto& entry : children_) {
    if (entry->child) ++counts.active;
    ++(entry->info.type == ChildType::supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::check_options() const {
  const auto bad = [&](const char* kind, const char* what, const char* hint) {
    return std::unexpected(Error{.code = ErrorCode::invalid_input,
                                 .kind = kind,
                                 .message = "the " + std::string(what) + " of supervisor \"" +
                                            options_.name + "\" is out of range",
                                 .hint = hint});
  };
  constexpr std::chrono::hours year{24 * 365};
  const auto& [first, longest] = options_.backoff;
  if (options_.limit.max_seconds < std::chrono::seconds(1) || options_.limit.max_seconds > year)
    return bad("bad_limit", "max_seconds", "from 1 s to a year");
  if (first < first.zero() || first > year || longest < longest.zero() || longest > year)
    return bad("bad_backoff", "backoff", "from 0 ms to a year");
  return {};
}

template <class Sync>
Result<void> BasicSupervisor<Sync>::Core::check(const ChildSpec& spec) const {
  const auto bad = [&](ErrorCode code, const char* kind, const char* what, const char* hint) {
    return std::unexpected(
        Error{.code = code, .kind = kind, .message = title(spec) + " " + what, .hint = hint});
  };
  if (!dynamic_ && spec.id.empty())
    return bad(ErrorCode::invalid_input, "bad_child", "has no id", "give it one");
  if (spec.shutdown.limit() < Shutdown::Duration::zero())
    return bad(ErrorCode::invalid_input, "bad_child", "has a negative time to stop",
               "Shutdown::at_once() gives it none");
  if (!spec.start)
    return bad(ErrorCode::invalid_input, "bad_child", "has nothing to start", "set its start");
  if (spec.significant &&
      (options_.auto_shutdown == AutoShutdown::never || spec.restart == Restart::permanent))
    return bad(ErrorCode::invalid_input, "bad_child", "cannot be significant",
               "that is for a supervisor with auto_shutdown, and for a child that may end: a "
               "transient or a temporary one");
  if (!dynamic_ && find(spec.id) != nullptr)
    return bad(ErrorCode::conflict, "already_started", "exists already",
               "give it another id, or terminate and delete the other first");
  return {};
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::find(const std::string& id) const -> ChildEntry* {
  for (const auto& entry : children_)
    if (entry->spec.id == id) return entry.get();
  return nullptr;
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::find_by_name(const std::string& name) const -> ChildEntry* {
  for (const auto& entry : children_)
    if (entry->spec.name == name) return entry.get();
  return nullptr;
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::known_child(const std::string& id) const -> Result<ChildEntry*> {
  if (ChildEntry* const entry = find(id)) return entry;
  return std::unexpected(
      Error{.code = ErrorCode::not_found,
            .kind = "unknown_child",
            .message = "\"" + options_.name + "\" has no child \"" + id + "\"",
            .hint = "children() lists them; a temporary one is forgotten when it ends"});
}

template <class Sync>
auto BasicSupervisor<Sync>::Core::inactive_child(const std::string& id) const
    -> Result<ChildEntry*> {
  auto found = known_child(id);
  if (!found || !((*found)->child || (*found)->restart_at)) return found;
  const bool runs = (*found)->child != nullptr;
  return std::unexpected(
      Error{.code = ErrorCode::conflict,
            .kind = runs ? "running" : "restarting",
            .message = title((*found)->spec) + (runs ? " runs" : " waits for its restart"),
            .hint = "terminate it first"});
}

template <class Sync>
std::string BasicSupervisor<Sync>::Core::title(const ChildSpec& spec) const {
  return (spec.id.empty() ? "a child" : "child \"" + spec.id + "\"") + " of \"" + options_.name +
         "\"";
}

template <class Sync>
Error BasicSupervisor<Sync>::Core::ended_error() const {
  return {.code = ErrorCode::unavailable,
          .kind = "supervisor_ended",
          .message = "supervisor \"" + options_.name + "\" has ended or is about to",
          .hint = "start another"};
}

// Call it under the mutex.
template <class Sync>
std::optional<Error> BasicSupervisor<Sync>::Core::would_deadlock() const {
  if (!is_supervising()) return std::nullopt;
  return Error{
      .code = ErrorCode::conflict,
      .kind = "would_deadlock",
      .message = "the supervising thread of \"" + options_.name + "\" would wait for itself",
      .hint = "starts, stops and observers must not wait for their supervisor"};
}

}  // namespace weir
