#include "client/event_source.hpp"

#include <algorithm>
#include <utility>

#include "base/json.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

Error bad_event(const std::string& payload) {
  return {.code = ErrorCode::invalid_input,
          .kind = "bad_event",
          .message = "not a list of events: " + payload,
          .hint = "channel weir_events is reserved for Weir"};
}

bool wanted(const EventsOf& which, const RunEvent& event) {
  return (!which.flow || *which.flow == event.flow) &&
         (!which.run_id || *which.run_id == event.run_id);
}

}  // namespace

Result<std::vector<RunEvent>> read_events(const std::string& payload) {
  const auto json = Json::parse(payload);
  if (!json || json->type() != JsonType::array) return std::unexpected(bad_event(payload));
  std::vector<RunEvent> events;
  for (const Json& item : json->elements()) {
    RunEvent event;
    for (const auto& [name, value] : item.members()) {
      if (name == "run_id") event.run_id = value.decoded();
      if (name == "flow") event.flow = value.decoded();
      if (name == "event") event.name = value.decoded();
    }
    if (event.run_id.empty() || event.name.empty()) return std::unexpected(bad_event(payload));
    events.push_back(std::move(event));
  }
  return events;
}

struct EventSource::Ear {
  Ear(Listener told, EventsOf of) : listener(std::move(told)), which(std::move(of)) {}

  /// Calls `what`, unless it has ended.
  template <class What>
  void call(What&& what) {
    const std::scoped_lock lock(calling);
    if (!ended) what(listener);
  }

  const Listener listener;
  const EventsOf which;
  bool admitted = false;          // guarded by the source's mutex_, and so is failed
  std::optional<Error> failed{};  // the first connection could not be made
  std::mutex calling;
  bool ended = false;  // guarded by calling
};

class Listening::Place {
 public:
  Place(std::shared_ptr<EventSource> source, std::shared_ptr<EventSource::Ear> ear)
      : source_(std::move(source)), ear_(std::move(ear)) {}
  ~Place() { source_->leave(ear_); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  const std::shared_ptr<EventSource> source_;
  const std::shared_ptr<EventSource::Ear> ear_;
};

Listening::Listening() noexcept = default;
Listening::Listening(std::unique_ptr<Place> place) noexcept : place_(std::move(place)) {}
Listening::Listening(Listening&&) noexcept = default;
Listening& Listening::operator=(Listening&&) noexcept = default;
Listening::~Listening() = default;

Result<Listening> EventSource::listen(Listener listener, EventsOf which) {
  const auto ear = std::make_shared<Ear>(std::move(listener), std::move(which));
  std::unique_lock lock(mutex_);
  if (!thread_) {
    auto bell = postgres::Doorbell::make();
    if (!bell) return std::unexpected(bell.error());
    bell_.emplace(*std::move(bell));
    thread_.emplace([this] { run(); });
  }
  ears_.push_back(ear);
  bell_->ring();
  changed_.notify_all();
  changed_.wait(lock, [&] { return ear->admitted || ear->failed || stopping_; });
  if (ear->failed) return std::unexpected(*ear->failed);
  lock.unlock();
  return Listening(std::make_unique<Listening::Place>(shared_from_this(), ear));
}

void EventSource::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (!thread_) return;  // there was never a listener, and there can be none now
  bell_->ring();
  if (thread_->joinable()) thread_->join();
}

void EventSource::leave(const std::shared_ptr<Ear>& ear) {
  bool on_its_thread = false;
  {
    const std::scoped_lock lock(mutex_);
    std::erase(ears_, ear);
    on_its_thread = thread_->get_id() == std::this_thread::get_id();
  }
  if (on_its_thread) {
    ear->ended = true;  // this thread is inside a call, which holds the mutex, or between two calls
  } else {
    const std::scoped_lock lock(ear->calling);
    ear->ended = true;
  }
  bell_->ring();  // it may have been the last listener: then run() closes the session
}

void EventSource::run() {
  constexpr auto pause_first = 100ms;
  constexpr auto pause_longest = 5'000ms;
  auto pause = pause_first;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (ears_.empty()) {
      lock.unlock();
      feed_.reset();
      lock.lock();
      changed_.wait(lock, [&] { return stopping_ || !ears_.empty(); });
      continue;
    }
    if (const auto heard = hear(lock); heard) {
      pause = pause_first;
      continue;
    }
    changed_.wait_for(lock, pause, [&] {
      return stopping_ ||
             std::ranges::any_of(ears_, [](const auto& ear) { return !ear->admitted; });
    });
    pause = std::min(pause * 2, std::chrono::milliseconds(pause_longest));
  }
  lock.unlock();
  feed_.reset();
}

// One round; opens a session if there is none. Errors: the session cannot be opened.
Result<void> EventSource::hear(std::unique_lock<std::mutex>& lock) {
  std::optional<Error> failed;
  const bool mending = !feed_;
  if (mending) {
    lock.unlock();
    auto opened = open_();
    lock.lock();
    if (opened)
      feed_ = *std::move(opened);
    else
      failed = opened.error();
  }
  std::vector<std::shared_ptr<Ear>> missed_some;
  for (const auto& ear : ears_) {
    if (ear->admitted && mending) missed_some.push_back(ear);
    if (!ear->admitted && failed) ear->failed = failed;
    if (!failed) ear->admitted = true;
  }
  std::erase_if(ears_, [](const auto& ear) { return ear->failed.has_value(); });
  changed_.notify_all();
  if (failed) return std::unexpected(*failed);

  const auto ears = ears_;
  lock.unlock();
  for (const auto& ear : missed_some)
    ear->call([](const Listener& listener) {
      if (listener.on_gap) listener.on_gap();
    });
  const auto heard = feed_->next(1s, *bell_);
  if (heard)
    for (const std::string& payload : *heard) tell(ears, payload);
  else
    feed_.reset();
  lock.lock();
  return {};
}

void EventSource::tell(const std::vector<std::shared_ptr<Ear>>& ears, const std::string& payload) {
  const auto events = read_events(payload);
  for (const auto& ear : ears) {
    if (!events)
      ear->call([](const Listener& listener) {
        if (listener.on_gap) listener.on_gap();
      });
    else
      for (const RunEvent& event : *events)
        if (wanted(ear->which, event))
          ear->call([&](const Listener& listener) {
            if (listener.on_event) listener.on_event(event);
          });
  }
}

}  // namespace weir
