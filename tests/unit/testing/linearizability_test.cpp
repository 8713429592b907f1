#include <compare>
#include <deque>
#include <optional>

#include <doctest/doctest.h>

#include <weir/testing/linearizability.hpp>
#include <weir/testing/lockstep.hpp>

namespace weir {
namespace {

using lockstep::History;
using lockstep::Sync;

struct Call {
  enum class Kind { write, read } kind = Kind::read;
  int value = 0;
};

// A variable, for one thread: both calls answer what was there before.
struct Variable {
  int value = 0;
  int operator()(const Call& call) {
    const int before = value;
    if (call.kind == Call::Kind::write) value = call.value;
    return before;
  }
  auto operator<=>(const Variable&) const = default;
};

// The same without an order: judged without remembering what was tried.
struct Unordered {
  Variable variable;
  int operator()(const Call& call) { return variable(call); }
};

constexpr Call read = {};
constexpr Call write(int value) { return {Call::Kind::write, value}; }

}  // namespace

TEST_SUITE("lockstep: linearizability") {
  TEST_CASE("calls one after the other must answer as the model does") {
    History<Call, int> right;
    right.record(write(1), [] { return 0; });
    right.record(read, [] { return 1; });
    CHECK(right.linearizable(Variable{}));
    CHECK(right.linearizable(Unordered{}));

    History<Call, int> wrong;
    wrong.record(write(1), [] { return 0; });
    wrong.record(read, [] { return 0; });
    CHECK(!wrong.linearizable(Variable{}));
    CHECK(!wrong.linearizable(Unordered{}));
  }

  TEST_CASE("a call that is at work beside another may come before or after it") {
    for (const int seen : {0, 1}) {
      History<Call, int> history;
      history.record(write(1), [&] {
        history.record(read, [&] { return seen; });
        return 0;
      });
      CHECK(history.linearizable(Variable{}));
    }
  }

  TEST_CASE("two readers may not see two writes in different orders") {
    History<Call, int> history;
    history.record(write(1), [&] {
      history.record(write(2), [&] {
        history.record(read, [] { return 1; });
        history.record(read, [] { return 2; });
        history.record(read, [] { return 1; });
        return 1;
      });
      return 0;
    });
    CHECK(!history.linearizable(Variable{}));
  }

  TEST_CASE(
      "a history of an atomic is linearizable under every schedule and of a copy kept by hand "
      "not") {
    const auto body = [](bool broken) {
      return [broken] {
        Sync::Atomic<int> value = 0;
        int copy = 0;
        History<Call, int> history;
        const auto exchange = [&](int to) {
          history.record(write(to), [&] {
            if (!broken) return value.exchange(to);
            const int before = copy;
            lockstep::point();
            copy = to;
            return before;
          });
        };
        Sync::Thread a([&] { exchange(1); });
        Sync::Thread b([&] { exchange(2); });
        a.join();
        b.join();
        lockstep::require(history.linearizable(Variable{}), "not linearizable");
      };
    };
    CHECK(!lockstep::explore({.schedules = 500}, body(false)).failure);
    const lockstep::LeaksIgnored ignored;
    CHECK(lockstep::explore({.schedules = 500}, body(true)).failure);
  }
}

}  // namespace weir
