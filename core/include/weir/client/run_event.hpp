#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace weir {

/// Something that happened to a run (E1). A hint, sent once and not stored: only the tables are
/// certain.
struct RunEvent {
  std::string run_id{};
  std::string flow{};
  std::string name{};  ///< run:started|completed|failed|cancelled,
                       ///< step:SLUG:started|completed|failed|skipped
  friend bool operator==(const RunEvent&, const RunEvent&) = default;
};

/// Which events: those of all runs where nothing is set.
struct EventsOf {
  std::optional<std::string> flow{};
  std::optional<std::string> run_id{};
};

/// The callbacks of a listener. Both are called on a thread of the client, one call at a time for
/// all of its listeners: hand over longer work to another thread. They must not throw, nor destroy
/// the client.
struct Listener {
  std::function<void(const RunEvent&)> on_event{};
  /// The connection was lost and opened again, or a message could not be read: events may have been
  /// missed. Read the state that you need.
  std::function<void()> on_gap{};
};

/// The listener is called for as long as this lives. Once its destructor has returned there are no
/// more calls; the destructor may run on the client's thread, inside a call. Has no effect, but
/// does no harm, when its client has been destroyed.  [one thread at a time]
class Listening {
 public:
  Listening() noexcept;  ///< without a listener
  Listening(Listening&&) noexcept;
  Listening& operator=(Listening&&) noexcept;
  ~Listening();

 private:
  friend class EventSource;
  class Subscription;
  explicit Listening(std::unique_ptr<Subscription> subscription) noexcept;
  std::unique_ptr<Subscription> subscription_;
};

}  // namespace weir
