#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <weir/registry/shared_handles.hpp>

namespace {

using weir::Error;
using weir::ErrorCode;
using weir::Result;
using weir::SharedHandles;

// A handle that writes down its end.
struct Opened {
  Opened(std::string opened, std::vector<std::string>& into)
      : name(std::move(opened)), ends(into) {}
  ~Opened() { ends.push_back(name); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  std::string name;
  std::vector<std::string>& ends;
};

using Handles = SharedHandles<std::string, Opened>;
using Pointer = Handles::Pointer;

struct Rig {
  std::vector<std::string> starts, ends;
  Handles handles;

  explicit Rig(Handles::Observer observer = {}) : handles(std::move(observer)) {}

  auto opening() {
    return [this](const Handles::Starting& starting) -> Result<Pointer> {
      starts.push_back(starting.key);
      return std::make_shared<Opened>(starting.key, ends);
    };
  }
  Result<Pointer> open(const std::string& key) { return handles.get_or_start(key, opening()); }
};

Result<Pointer> refused(const Handles::Starting&) {
  return std::unexpected(
      Error{.code = ErrorCode::not_found, .kind = "no_such", .message = "no such thing"});
}

}  // namespace

TEST_SUITE("registry: shared handles") {
  TEST_CASE("a second caller gets the handle that the first one started") {
    Rig rig;
    const Pointer first = rig.open("a").value();
    CHECK(rig.open("a").value() == first);
    CHECK(rig.open("b").value() != first);
    CHECK(rig.starts == std::vector<std::string>{"a", "b"});
  }

  TEST_CASE("a lookup starts nothing and finds what is ready") {
    Rig rig;
    CHECK(rig.handles.lookup("a") == nullptr);
    const Pointer made = rig.open("a").value();
    CHECK(rig.handles.lookup("a") == made);
    CHECK(rig.starts.size() == 1);
  }

  TEST_CASE("a lookup finds nothing while the factory runs") {
    Rig rig;
    Pointer during;
    (void)rig.handles.get_or_start("a", [&](const Handles::Starting& starting) -> Result<Pointer> {
      during = rig.handles.lookup("a");
      CHECK(rig.handles.count() == 0);
      return rig.opening()(starting);
    });
    CHECK(during == nullptr);
    CHECK(rig.handles.lookup("a") != nullptr);
  }

  TEST_CASE("a handle stays while nobody but the registry holds it") {
    Rig rig;
    (void)rig.open("a");
    CHECK(rig.ends.empty());
    (void)rig.open("a");
    CHECK(rig.starts.size() == 1);
  }

  TEST_CASE("a start that failed is gone and the next caller starts again") {
    Rig rig;
    CHECK(rig.handles.get_or_start("a", refused).error().kind == "no_such");
    CHECK(rig.handles.count() == 0);
    CHECK(rig.open("a").has_value());
  }

  TEST_CASE("a factory that throws is a failed start") {
    Rig rig;
    const auto failed =
        rig.handles.get_or_start("a", [](const Handles::Starting&) -> Result<Pointer> {
          throw std::runtime_error("out of paper");
        });
    CHECK(failed.error() == Error{.code = ErrorCode::unavailable,
                                  .kind = "start_failed",
                                  .message = "\"a\" could not be started: out of paper"});
    const auto odd =
        rig.handles.get_or_start("a", [](const Handles::Starting&) -> Result<Pointer> { throw 7; });
    CHECK(odd.error().message ==
          "\"a\" could not be started: its factory threw something that is not a std::exception");
    CHECK(rig.open("a").has_value());
  }

  TEST_CASE("a factory that makes nothing is a failed start") {
    Rig rig;
    const auto failed = rig.handles.get_or_start(
        "a", [](const Handles::Starting&) -> Result<Pointer> { return Pointer(); });
    CHECK(failed.error().message == "\"a\" could not be started: its factory made nothing");
  }

  TEST_CASE("a stopped handle ends at once when nobody uses it") {
    Rig rig;
    (void)rig.open("a");
    CHECK(rig.handles.stop("a"));
    CHECK(rig.ends == std::vector<std::string>{"a"});
    CHECK(rig.handles.lookup("a") == nullptr);
    CHECK(rig.handles.count() == 0);
  }

  TEST_CASE("a stopped handle lives for as long as its last user and is handed out no more") {
    Rig rig;
    Pointer used = rig.open("a").value();
    CHECK(rig.handles.stop("a"));
    CHECK(rig.ends.empty());
    CHECK(rig.handles.lookup("a") == nullptr);
    CHECK(rig.handles.count() == 0);
    CHECK_FALSE(rig.handles.stop("a"));
    used.reset();
    CHECK(rig.ends == std::vector<std::string>{"a"});
    CHECK(rig.open("a").has_value());
    CHECK(rig.starts.size() == 2);
  }

  TEST_CASE("the key of a stopped handle is taken until its last user has released it") {
    Rig rig;
    Pointer used = rig.open("a").value();
    const Pointer other = rig.open("b").value();
    rig.handles.stop("a");
    const auto early = rig.handles.get_or_start("a", std::monostate(), rig.opening(),
                                                {.deadline = std::chrono::steady_clock::now()});
    CHECK(early.error() ==
          Error{.code = ErrorCode::unavailable,
                .kind = "end_timeout",
                .message = "\"a\" was stopped and had not ended when the deadline passed",
                .hint = "it ends when its last user releases it: ask again, or wait longer"});
    CHECK(rig.starts == std::vector<std::string>{"a", "b"});
    Pointer copy = used;
    used.reset();
    CHECK(rig.ends.empty());
    copy.reset();
    CHECK(rig.open("a").has_value());
    CHECK(rig.open("b").value() == other);
  }

  TEST_CASE("what is open only once is closed before it is opened again") {
    struct Port {
      explicit Port(int& in) : open(in) { CHECK(++open == 1); }
      Port(const Port&) = delete;
      Port& operator=(const Port&) = delete;
      ~Port() {
        if (closing) closing();
        --open;
      }
      int& open;
      std::function<void()> closing;
    };
    using Ports = SharedHandles<int, Port>;
    int open = 0;
    Ports ports;
    const auto opening = [&](const auto&) -> Result<Ports::Pointer> {
      return std::make_shared<Port>(open);
    };
    Error during;
    ports.get_or_start(1, opening).value()->closing = [&] {
      during = ports.get_or_start(1, opening).error();
    };
    CHECK(ports.stop(1));
    CHECK(during == Error{.code = ErrorCode::conflict,
                          .kind = "would_deadlock",
                          .message = "waiting would never end: this thread is ending what it asks "
                                     "for, 1",
                          .hint = "the end of a handle must not need, directly or indirectly, its "
                                  "own key"});
    CHECK(open == 0);
    CHECK(ports.get_or_start(1, opening).has_value());
  }

  TEST_CASE("a handle that was stopped and is still in use may outlive the registry") {
    std::vector<std::string> ends;
    Pointer used;
    {
      Handles handles;
      used = handles
                 .get_or_start("a",
                               [&](const Handles::Starting& starting) -> Result<Pointer> {
                                 return std::make_shared<Opened>(starting.key, ends);
                               })
                 .value();
      CHECK(handles.stop("a"));
      CHECK(handles.shutdown() == 0);
    }
    CHECK(ends.empty());
    used.reset();
    CHECK(ends.size() == 1);
  }

  TEST_CASE("stopping again does no harm and says that nothing was there") {
    Rig rig;
    CHECK_FALSE(rig.handles.stop("a"));
    (void)rig.open("a");
    CHECK(rig.handles.stop("a"));
    CHECK_FALSE(rig.handles.stop("a"));
    CHECK(rig.ends.size() == 1);
  }

  TEST_CASE("a stop during the start ends what that very start makes") {
    std::vector<std::string> notified;
    Rig rig({.stopping = [&](const std::string& key, Opened&) { notified.push_back(key); }});
    const auto stopped =
        rig.handles.get_or_start("a", [&](const Handles::Starting& starting) -> Result<Pointer> {
          CHECK(rig.handles.stop("a"));
          CHECK_FALSE(rig.handles.stop("a"));
          return rig.opening()(starting);
        });
    CHECK(stopped.error() == Error{.code = ErrorCode::unavailable,
                                   .kind = "stopped",
                                   .message = "\"a\" was stopped while it started",
                                   .hint = "ask again to start it again"});
    CHECK(rig.ends == std::vector<std::string>{"a"});
    CHECK(notified == std::vector<std::string>{"a"});
    CHECK(rig.open("a").has_value());
    CHECK(rig.ends.size() == 1);
  }

  TEST_CASE("the observer is told of a stop before the handle ends and of a death not at all") {
    std::vector<std::string> notified;
    Rig rig({.stopping = [&](const std::string& key, Opened& handle) {
      notified.push_back(key + handle.name + std::to_string(handle.ends.size()));
    }});
    (void)rig.open("a");
    std::optional<Handles::Death> death;
    (void)rig.handles.get_or_start("b", [&](const Handles::Starting& starting) {
      death = starting.death;
      return rig.opening()(starting);
    });
    death->announce();
    rig.handles.stop("a");
    CHECK(notified == std::vector<std::string>{"aa1"});
    CHECK(rig.ends == std::vector<std::string>{"b", "a"});
  }

  TEST_CASE("a handle that died is handed out no more though it is still in use") {
    Rig rig;
    std::optional<Handles::Death> death;
    const Pointer dead = rig.handles
                             .get_or_start("a",
                                           [&](const Handles::Starting& starting) {
                                             death = starting.death;
                                             return rig.opening()(starting);
                                           })
                             .value();
    death->announce();
    CHECK(rig.handles.lookup("a") == nullptr);
    const Pointer next = rig.open("a").value();
    CHECK(next != dead);
    death->announce();  // that one died already: it says nothing of the next
    CHECK(rig.handles.lookup("a") == next);
    rig.handles.stop("a");
    death->announce();
    CHECK(rig.handles.lookup("a") == nullptr);
  }

  TEST_CASE("a handle that dies before it is ready is refused") {
    Rig rig;
    const auto died =
        rig.handles.get_or_start("a", [&](const Handles::Starting& starting) -> Result<Pointer> {
          starting.death.announce();
          return rig.opening()(starting);
        });
    CHECK(died.error() == Error{.code = ErrorCode::unavailable,
                                .kind = "died",
                                .message = "\"a\" died while it started",
                                .hint = "ask again to start it again"});
    CHECK(rig.ends == std::vector<std::string>{"a"});
    CHECK(rig.open("a").has_value());
  }

  TEST_CASE("a death may be announced after the registry ended") {
    std::vector<std::string> ends;
    std::optional<Handles::Death> death;
    Pointer used;
    {
      Handles handles;
      used = handles
                 .get_or_start("a",
                               [&](const Handles::Starting& starting) -> Result<Pointer> {
                                 death = starting.death;
                                 return std::make_shared<Opened>(starting.key, ends);
                               })
                 .value();
    }
    CHECK(ends.empty());
    death->announce();
    used.reset();
    CHECK(ends.size() == 1);
  }

  TEST_CASE("what a factory starts for itself is ended after what it is for") {
    Rig rig;
    (void)rig.handles.get_or_start("outer",
                                   [&](const Handles::Starting& starting) -> Result<Pointer> {
                                     CHECK(rig.open("inner").has_value());
                                     return rig.opening()(starting);
                                   });
    (void)rig.open("last");
    CHECK(rig.handles.shutdown() == 3);
    CHECK(rig.ends == std::vector<std::string>{"last", "outer", "inner"});
  }

  TEST_CASE("the end of the registry ends every handle in reverse order") {
    std::vector<std::string> ends;
    {
      Handles handles;
      for (const char* key : {"a", "b", "c"})
        (void)handles.get_or_start(key, [&](const Handles::Starting& starting) -> Result<Pointer> {
          return std::make_shared<Opened>(starting.key, ends);
        });
      handles.stop("b");
    }
    CHECK(ends == std::vector<std::string>{"b", "c", "a"});
  }

  TEST_CASE("after a shutdown nothing is started") {
    Rig rig;
    (void)rig.open("a");
    CHECK(rig.handles.shutdown() == 1);
    CHECK(rig.open("a").error() ==
          Error{.code = ErrorCode::unavailable,
                .kind = "not_started",
                .message = "\"a\" is not started: its registry was shut down"});
    CHECK(rig.handles.lookup("a") == nullptr);
    CHECK(rig.starts.size() == 1);
    CHECK(rig.handles.shutdown() == 0);
  }

  TEST_CASE("a shutdown during a start ends what the start makes") {
    Rig rig;
    const auto late =
        rig.handles.get_or_start("a", [&](const Handles::Starting& starting) -> Result<Pointer> {
          CHECK(rig.handles.shutdown() == 0);
          return rig.opening()(starting);
        });
    CHECK(late.error().kind == "not_started");
    CHECK(rig.ends == std::vector<std::string>{"a"});
  }

  TEST_CASE("a factory that asks for its own key is refused instead of waiting for itself") {
    Rig rig;
    const auto made =
        rig.handles.get_or_start("a", [&](const Handles::Starting& starting) -> Result<Pointer> {
          CHECK(rig.open("a").error() ==
                Error{.code = ErrorCode::conflict,
                      .kind = "would_deadlock",
                      .message = "waiting would never end: this thread is starting what it asks "
                                 "for, \"a\"",
                      .hint =
                          "a factory must not need, directly or indirectly, what it is starting"});
          return rig.opening()(starting);
        });
    CHECK(made.has_value());
  }

  TEST_CASE("a factory that needs its own key by way of another is refused") {
    Rig rig;
    const auto made = rig.handles.get_or_start("a", [&](const Handles::Starting&) {
      return rig.handles.get_or_start("b", [&](const Handles::Starting&) { return rig.open("a"); });
    });
    CHECK(made.error().kind == "would_deadlock");
    CHECK(rig.handles.count() == 0);
  }

  TEST_CASE("the list tells what is ready in the order it came to be") {
    Rig rig;
    for (const char* key : {"b", "a", "c"}) (void)rig.open(key);
    (void)rig.handles.get_or_start("d", refused);
    rig.handles.stop("a");
    (void)rig.open("a");
    std::vector<std::string> keys;
    std::vector<std::uint64_t> generations;
    for (const auto& each : rig.handles.list()) {
      keys.push_back(each.key);
      generations.push_back(each.generation);
      CHECK(each.handle == rig.handles.lookup(each.key));
    }
    CHECK(keys == std::vector<std::string>{"b", "c", "a"});
    CHECK(generations == std::vector<std::uint64_t>{1, 3, 5});
    CHECK(rig.handles.count() == 3);
  }

  TEST_CASE("the options of the first caller count and differing ones are reported") {
    using Sized = SharedHandles<std::string, int, int>;
    std::vector<std::string> notified;
    Sized sized({.options_differ = [&](const std::string& key, int first, int asked) {
      notified.push_back(key + " " + std::to_string(first) + " " + std::to_string(asked));
    }});
    const auto make = [](const Sized::Starting& starting) -> Result<std::shared_ptr<int>> {
      return std::make_shared<int>(starting.options);
    };
    CHECK(*sized.get_or_start("a", 1, make).value() == 1);
    CHECK(*sized.get_or_start("a", 2, make).value() == 1);
    CHECK(*sized.get_or_start("a", 1, make).value() == 1);
    CHECK(notified == std::vector<std::string>{"a 1 2"});
    sized.stop("a");
    CHECK(*sized.get_or_start("a", 2, make).value() == 2);
    CHECK(notified.size() == 1);
  }

  TEST_CASE("the observer and the end of a handle may call back into the registry") {
    struct Reopening {
      SharedHandles<int, Reopening>* registry = nullptr;
      ~Reopening() {
        if (registry != nullptr) CHECK(registry->lookup(1) == nullptr);
      }
    };
    using Handles_ = SharedHandles<int, Reopening>;
    Handles_* own = nullptr;
    int notified = 0;
    Handles_ handles({.stopping = [&](const int& key, Reopening&) {
      ++notified;
      CHECK(own->lookup(key) == nullptr);
      CHECK_FALSE(own->stop(key));
    }});
    own = &handles;
    (void)handles.get_or_start(1, [&](const auto&) -> Result<Handles_::Pointer> {
      auto made = std::make_shared<Reopening>();
      made->registry = own;
      return made;
    });
    CHECK(handles.stop(1));
    CHECK(notified == 1);
  }

  TEST_CASE("thousands of keys that come and go are told apart") {
    SharedHandles<int, int> numbers;
    const auto make = [](const auto& starting) -> Result<std::shared_ptr<int>> {
      return std::make_shared<int>(starting.key);
    };
    constexpr int count = 3'000;
    for (int i = 0; i < count; ++i) {
      REQUIRE(**numbers.get_or_start(i, make) == i);
      if (i % 3 != 0) REQUIRE(numbers.stop(i));
    }
    CHECK(numbers.count() == count / 3);
    for (int i = 0; i < count; ++i) REQUIRE((numbers.lookup(i) != nullptr) == (i % 3 == 0));
    for (int i = 0; i < count; i += 3) REQUIRE(*numbers.lookup(i) == i);
  }
}
