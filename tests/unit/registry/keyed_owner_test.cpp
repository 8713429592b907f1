#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/registry/keyed_registry.hpp>

namespace weir {
namespace {

using Mailboxes = KeyedRegistry<std::string, std::shared_ptr<std::string>>;

constexpr ::rlimit no_core{0, 0};

// What a process that runs `body` writes to its standard error.
template <class Body>
std::string dying_words(Body&& body) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const ::pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL);
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::dup2(ends[1], STDERR_FILENO);
    body();
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string words;
  std::array<char, 1024> buffer;
  for (::ssize_t size = 0; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;)
    words.append(buffer.data(), static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status) == !words.empty());
  return words;
}

}  // namespace

TEST_SUITE("keyed registry: owners") {
  TEST_CASE("a lookup finds nothing of an owner that has ended") {
    KeyedRegistry<std::string, int> registry({.keys = Keys::duplicate, .partitions = 4});
    auto stays = registry.owner("stays");
    {
      const auto goes = [&] {
        auto owner = registry.owner("goes");
        for (int i = 0; i < 50; ++i) {
          CHECK(registry.register_(owner, std::to_string(i % 30), i));
          CHECK(registry.register_(stays, std::to_string(i % 30), i));
        }
        return owner;
      }();
      CHECK(registry.count() == 100);
    }
    CHECK(registry.count() == 50);
    for (int i = 0; i < 30; ++i)
      for (const auto& entry : registry.lookup(std::to_string(i))) CHECK(entry.owner == stays.id());
  }

  TEST_CASE("an owner that has ended can register nothing and a second end does no harm") {
    KeyedRegistry<std::string, int> registry({.name = "jobs"});
    auto owner = registry.owner("worker 3");
    CHECK(registry.register_(owner, "a", 1));
    owner.end();
    owner.end();
    CHECK(registry.count() == 0);
    CHECK(registry.register_(owner, "b", 1).error() ==
          RegisterError{
              {.code = ErrorCode::conflict,
               .kind = "owner_ended",
               .message = R"(jobs: owner 1 ("worker 3") has ended and can hold nothing more)",
               .hint = "make a new owner"}});
    CHECK(registry.keys(owner).empty());
    CHECK(registry.unregister(owner, "a") == 0);
    CHECK(registry.update_value(owner, "a", [](int) { return 1; }).error().kind ==
          "not_registered");
  }

  TEST_CASE("an owner keeps its entries when it moves and gives them up when it is replaced") {
    KeyedRegistry<std::string, int> registry({.keys = Keys::duplicate});
    auto first = registry.owner("first");
    CHECK(registry.register_(first, "k", 1));
    auto moved = std::move(first);
    CHECK(registry.count("k") == 1);
    CHECK(moved.name() == "first");
    moved = registry.owner("second");
    CHECK(registry.count("k") == 0);
    CHECK(moved.name() == "second");
  }

  TEST_CASE("no two owners of a registry ever have the same id") {
    KeyedRegistry<std::string, int> registry;
    const OwnerId first = registry.owner("a").id();
    const OwnerId second = registry.owner("a").id();
    CHECK(first != second);
    CHECK(first != 0);
  }

  TEST_CASE("an owner that another registry made is refused by name") {
    KeyedRegistry<std::string, int> mine({.name = "mine"});
    KeyedRegistry<std::string, int> other({.name = "other"});
    auto owner = other.owner("stranger");
    CHECK(mine.register_(owner, "k", 1).error() ==
          RegisterError{{.code = ErrorCode::invalid_input,
                         .kind = "foreign_owner",
                         .message = R"(mine: owner "stranger" was made by another registry)",
                         .hint = "use an owner that this registry's owner() made"}});
    CHECK(mine.unregister(owner, "k") == 0);
    CHECK(mine.keys(owner).empty());
    KeyedRegistry<std::string, int>::Owner empty;
    CHECK(mine.register_(empty, "k", 1).error().kind == "foreign_owner");
  }

  TEST_CASE("keys registered without a value get the one their owner has") {
    Mailboxes registry({.name = "mailboxes"});
    const auto box = std::make_shared<std::string>();
    auto owner = registry.owner("server", box);
    auto without = registry.owner("poor");
    CHECK(registry.register_(owner, "shop"));
    CHECK(registry.lookup("shop").front().value == box);
    CHECK(registry.register_(without, "bank").error() ==
          RegisterError{{.code = ErrorCode::invalid_input,
                         .kind = "no_value",
                         .message = R"(mailboxes: owner "poor" has no value of its own)",
                         .hint = "register with a value, or make the owner with one"}});
  }
}

TEST_SUITE("keyed registry: ends of owners") {
  TEST_CASE("the keys of an owner are found by its id until it ends") {
    KeyedRegistry<std::string, int> registry({.keys = Keys::duplicate, .partitions = 4});
    auto owner = registry.owner("owner");
    auto other = registry.owner("other");
    for (const char* key : {"b", "a", "b"}) CHECK(registry.register_(owner, key, 1));
    CHECK(registry.register_(other, "c", 1));
    auto keys = registry.keys(owner.id());
    std::ranges::sort(keys);
    CHECK(keys == std::vector<std::string>{"a", "b", "b"});
    CHECK(registry.keys(registry.lookup("c").front().owner) == std::vector<std::string>{"c"});
    owner.end();
    CHECK(registry.keys(owner.id()).empty());
    CHECK(registry.keys(OwnerId{999}).empty());
  }

  TEST_CASE("an owner that ends in its own listener and in the end of its value ends once") {
    struct Ends {
      std::function<void()> body;
      ~Ends() { body(); }
    };
    int ends = 0;
    std::optional<KeyedRegistry<int, std::shared_ptr<Ends>>::Owner> owner;
    const auto end = [&] {
      ++ends;
      owner->end();
    };
    KeyedRegistry<int, std::shared_ptr<Ends>> registry(
        {}, {[&](const auto& change) {
          if (change.what != std::decay_t<decltype(change)>::What::registered) end();
        }});
    owner.emplace(registry.owner("owner"));
    CHECK(registry.register_(*owner, 1, std::make_shared<Ends>(end)));
    owner->end();
    CHECK(ends == 2);
    CHECK(registry.count() == 0);
  }

  TEST_CASE("an owner may be destroyed after its registry once it has ended") {
    std::optional<KeyedRegistry<int, int>> registry(std::in_place);
    auto owner = registry->owner("owner");
    CHECK(registry->register_(owner, 1, 1));
    owner.end();
    registry.reset();
    owner.end();
    CHECK(owner.name() == "owner");
  }

  TEST_CASE("a registry that is destroyed too early names the owners that live") {
    const auto destroyed_with = [](int owners) {
      return dying_words([&] {
        using Registry = KeyedRegistry<std::string, int>;
        std::vector<Registry::Owner> all;
        Registry registry({.partitions = 4, .name = "jobs"});
        auto gone = registry.owner("gone");
        for (int i = 0; i < owners; ++i)
          all.push_back(registry.owner("worker " + std::to_string(i)));
      });
    };
    CHECK(destroyed_with(0).empty());
    CHECK(
        destroyed_with(1) ==
        "jobs: the registry is destroyed while owner 2 (\"worker 0\") lives: every owner must end "
        "before it\n");
    CHECK(destroyed_with(2) ==
          "jobs: the registry is destroyed while owner 2 (\"worker 0\") and owner 3 (\"worker 1\") "
          "live: every owner must end before it\n");
    const std::string many = destroyed_with(10);
    CHECK(many.find("owner 9 (\"worker 7\") and 2 more live: ") != std::string::npos);
  }
}

TEST_SUITE("keyed registry: via") {
  TEST_CASE("a name leads to who stands under it now or says that nobody does") {
    Mailboxes registry({.name = "mailboxes"});
    const auto shop = registry.via("shop");
    const Error no_owner{.code = ErrorCode::not_found,
                         .kind = "no_owner",
                         .message = R"(mailboxes: no owner is registered under key "shop")",
                         .hint = "its owner has ended, or was not started yet"};
    const auto send = [&](const std::string& text) {
      return shop.tell([&](const Mailboxes::View& view) { *view.value += text; });
    };
    CHECK(send("lost").error() == no_owner);

    const auto first = std::make_shared<std::string>();
    auto owner = registry.owner("first", first);
    CHECK(registry.register_(owner, "shop"));
    CHECK(send("one"));
    CHECK(shop.resolve()->owner == owner.id());

    const auto second = std::make_shared<std::string>();
    owner = registry.owner("second", second);
    CHECK(shop.resolve().error() == no_owner);
    CHECK(registry.register_(owner, "shop"));
    CHECK(send("two"));
    CHECK(*first == "one");
    CHECK(*second == "two");
  }

  TEST_CASE("a registry of duplicate keys has no names") {
    KeyedRegistry<std::string, int> registry({.keys = Keys::duplicate, .name = "topics"});
    CHECK(registry.via("news").resolve().error() ==
          Error{.code = ErrorCode::invalid_input,
                .kind = "duplicate_keys",
                .message = "topics: its keys are not unique: several entries may be under one",
                .hint = "dispatch to all of them, or make the registry with unique keys"});
  }
}

}  // namespace weir
