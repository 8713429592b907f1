#include "client/event_source.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
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

bool matches(const EventsOf& filter, const RunEvent& event) {
  return (!filter.flow || *filter.flow == event.flow) &&
         (!filter.run_id || *filter.run_id == event.run_id);
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

struct EventSource::Subscriber {
  Subscriber(Listener callbacks, EventsOf events)
      : listener(std::move(callbacks)), filter(std::move(events)) {}

  /// Calls `what`, unless it has ended.
  template <class What>
  void call(What&& what) {
    const std::scoped_lock lock(calling);
    if (!ended) what(listener);
  }

  const Listener listener;
  const EventsOf filter;
  bool admitted = false;          // guarded by the source's mutex_, and so is failed
  std::optional<Error> failed{};  // the first connection could not be made
  std::mutex calling;
  bool ended = false;  // guarded by calling
};

class Listening::Subscription {
 public:
  Subscription(std::shared_ptr<EventSource> source,
               std::shared_ptr<EventSource::Subscriber> subscriber)
      : source_(std::move(source)), subscriber_(std::move(subscriber)) {}
  ~Subscription() { source_->unsubscribe(subscriber_); }
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

 private:
  const std::shared_ptr<EventSource> source_;
  const std::shared_ptr<EventSource::Subscriber> subscriber_;
};

Listening::Listening() noexcept = default;
Listening::Listening(std::unique_ptr<Subscription> subscription) noexcept
    : subscription_(std::move(subscription)) {}
Listening::Listening(Listening&&) noexcept = default;
Listening& Listening::operator=(Listening&&) noexcept = default;
Listening::~Listening() = default;

Result<Listening> EventSource::listen(Listener listener, EventsOf which) {
  const auto subscriber = std::make_shared<Subscriber>(std::move(listener), std::move(which));
  std::unique_lock lock(mutex_);
  if (!thread_) {
    auto wakeup = postgres::WakeupEvent::make();
    if (!wakeup) return std::unexpected(wakeup.error());
    wakeup_.emplace(*std::move(wakeup));
    thread_.emplace([this] { run(); });
  }
  subscribers_.push_back(subscriber);
  wakeup_->wake();
  changed_.notify_all();
  changed_.wait(lock, [&] { return subscriber->admitted || subscriber->failed || stopping_; });
  if (subscriber->failed) return std::unexpected(*subscriber->failed);
  lock.unlock();
  return Listening(std::make_unique<Listening::Subscription>(shared_from_this(), subscriber));
}

void EventSource::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (!thread_) return;  // there was never a listener, and there can be none now
  WEIR_ASSERT(thread_->get_id() != std::this_thread::get_id());  // it would wait for itself
  wakeup_->wake();
  if (thread_->joinable()) thread_->join();
}

void EventSource::unsubscribe(const std::shared_ptr<Subscriber>& subscriber) {
  bool on_its_thread = false;
  {
    const std::scoped_lock lock(mutex_);
    std::erase(subscribers_, subscriber);
    WEIR_ASSERT(thread_.has_value());  // listen() made it
    on_its_thread = thread_->get_id() == std::this_thread::get_id();
  }
  if (on_its_thread) {
    // This thread is inside a call, which holds the mutex, or between two calls.
    subscriber->ended = true;
  } else {
    const std::scoped_lock lock(subscriber->calling);
    subscriber->ended = true;
  }
  wakeup_->wake();  // it may have been the last listener: then run() closes the session
}

void EventSource::run() {
  constexpr auto pause_first = 100ms;
  constexpr auto pause_longest = 5'000ms;
  auto pause = pause_first;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (subscribers_.empty()) {
      lock.unlock();
      feed_.reset();
      lock.lock();
      changed_.wait(lock, [&] { return stopping_ || !subscribers_.empty(); });
      continue;
    }
    if (const auto received = receive(lock); received) {
      pause = pause_first;
      continue;
    }
    changed_.wait_for(lock, pause, [&] {
      return stopping_ || std::ranges::any_of(subscribers_, [](const auto& subscriber) {
               return !subscriber->admitted;
             });
    });
    pause = std::min(pause * 2, std::chrono::milliseconds(pause_longest));
  }
  lock.unlock();
  feed_.reset();
}

// One round; opens a session if there is none. Errors: the session cannot be opened.
Result<void> EventSource::receive(std::unique_lock<std::mutex>& lock) {
  std::optional<Error> failed;
  const bool reconnecting = !feed_;
  if (reconnecting) {
    lock.unlock();
    auto opened = open_();
    lock.lock();
    if (opened)
      feed_ = *std::move(opened);
    else
      failed = opened.error();
  }
  std::vector<std::shared_ptr<Subscriber>> missed_some;
  for (const auto& subscriber : subscribers_) {
    if (subscriber->admitted && reconnecting) missed_some.push_back(subscriber);
    if (!subscriber->admitted && failed) subscriber->failed = failed;
    if (!failed) subscriber->admitted = true;
  }
  std::erase_if(subscribers_,
                [](const auto& subscriber) { return subscriber->failed.has_value(); });
  changed_.notify_all();
  if (failed) return std::unexpected(*failed);

  const auto subscribers = subscribers_;
  lock.unlock();
  for (const auto& subscriber : missed_some)
    subscriber->call([](const Listener& listener) {
      if (listener.on_gap) listener.on_gap();
    });
  const auto payloads = feed_->next(1s, *wakeup_);
  if (payloads)
    for (const std::string& payload : *payloads) deliver(subscribers, payload);
  else
    feed_.reset();
  lock.lock();
  return {};
}

void EventSource::deliver(const std::vector<std::shared_ptr<Subscriber>>& subscribers,
                          const std::string& payload) {
  const auto events = read_events(payload);
  for (const auto& subscriber : subscribers) {
    if (!events)
      subscriber->call([](const Listener& listener) {
        if (listener.on_gap) listener.on_gap();
      });
    else
      for (const RunEvent& event : *events)
        if (matches(subscriber->filter, event))
          subscriber->call([&](const Listener& listener) {
            if (listener.on_event) listener.on_event(event);
          });
  }
}

}  // namespace weir
