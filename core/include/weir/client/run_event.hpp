#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace weir {

/// Something that happened to a run (E1). A hint, sent once and kept nowhere: the tables are the
/// truth.
struct RunEvent {
  std::string run_id{};
  std::string flow{};
  std::string name{};  ///< run:started|completed|failed|cancelled,
                       ///< step:SLUG:started|completed|failed|skipped
  friend bool operator==(const RunEvent&, const RunEvent&) = default;
};

/// Whose events; those of all runs where nothing is set.
struct EventsOf {
  std::optional<std::string> flow{};
  std::optional<std::string> run_id{};
};

/// Who is told. Both are called on a thread of the client's, one call at a time for all that listen
/// to it: whoever has much to do hands it on. They must not throw, nor end the client.
struct Listener {
  std::function<void(const RunEvent&)> on_event{};
  /// The connection was lost and is mended, or something came that could not be read: events may
  /// have been missed. Look at what you need to know.
  std::function<void()> on_gap{};
};

/// Somebody listens for as long as this lives. Once its destructor has returned nobody is called
/// any more; that may be on the client's thread, inside a call. Of no use, but harmless, when its
/// client has ended.  [one thread at a time]
class Listening {
 public:
  Listening() noexcept;  ///< nobody
  Listening(Listening&&) noexcept;
  Listening& operator=(Listening&&) noexcept;
  ~Listening();

 private:
  friend class EventSource;
  class Place;
  explicit Listening(std::unique_ptr<Place> place) noexcept;
  std::unique_ptr<Place> place_;
};

}  // namespace weir
