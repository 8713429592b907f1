/// A name of a child: one of its supervisor's (child_names.hpp), or a key of a registry (via.hpp).
///
/// Threads: the supervising thread alone makes claims, shows, hides and destroys them; the table of
/// names behind them is read by any thread.
///
/// Invariants: the supervisor holds one claim of a name for each life of the child, from before its
/// start until it has ended or was abandoned, and gives it up before the next start. So the name
/// does not depend on who still holds the object of an earlier life.
#pragma once
#include <memory>
#include <string>

#include <weir/result.hpp>

namespace weir {

class Child;

class ChildName {
 public:
  /// The name in the hands of one life; its destructor gives the name up.
  class Claim {
   public:
    Claim() = default;
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    virtual ~Claim() = default;

    /// The child runs now.
    virtual void show(const std::shared_ptr<Child>&) {}
    /// It is about to be asked to stop.
    virtual void hide() {}
  };

  ChildName() = default;
  ChildName(const ChildName&) = delete;
  ChildName& operator=(const ChildName&) = delete;
  virtual ~ChildName() = default;

  /// Takes the name; `holder` is the child in messages: "shop/orders". Errors: conflict when it is
  /// taken, naming its holder; then the child does not start.
  virtual Result<std::unique_ptr<Claim>> claim(const std::string& holder) = 0;
};

}  // namespace weir
