#include "registry/unload_ticket.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <doctest/doctest.h>

#include "modules.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

const auto long_ago = StdSync::Clock::now() - 1h;

// Stands for a library: tells whether it is mapped.
struct Library {
  std::shared_ptr<const void> take() { return std::move(mapped_); }
  bool open() const { return !seen_.expired(); }

 private:
  std::shared_ptr<int> mapped_ = std::make_shared<int>(0);
  std::weak_ptr<int> seen_ = mapped_;
};

FlowModule from(Library& library, std::int64_t max_attempts = 3) {
  return module({.max_attempts = max_attempts, .code = library.take()});
}

}  // namespace

TEST_SUITE("registry: unload tickets") {
  TEST_CASE("a commit that takes nothing out is ready at once and so is no ticket") {
    FlowRegistry registry;
    UnloadTicket ticket;
    CHECK(ticket.ready());
    Library library;
    registry.register_or_throw(from(library), &ticket);
    CHECK(ticket.ready());
    CHECK(ticket.wait_until(long_ago));
    CHECK(library.open());
  }

  TEST_CASE("G6: a library is let go exactly with the last handle") {
    FlowRegistry registry;
    Library library;
    registry.register_or_throw(from(library));
    FlowHandle first = *registry.get(slug("a"));
    FlowHandle second = first;
    UnloadTicket ticket;
    CHECK(registry.unregister(module_name("shop.A"), &ticket));
    CHECK_FALSE(ticket.ready());
    CHECK_FALSE(ticket.wait_until(long_ago));
    first = {};
    CHECK_FALSE(ticket.ready());
    CHECK(library.open());
    second = {};
    CHECK_FALSE(library.open());
    CHECK(ticket.ready());
  }

  TEST_CASE("G6: no library is let go inside a read section that may look at it") {
    FlowRegistry registry;
    Library library;
    registry.register_or_throw(from(library));
    UnloadTicket ticket;
    {
      const FlowRegistry::Section section(registry);
      const FlowModule* found = section.flow(slug("a"));
      registry.unregister(module_name("shop.A"), &ticket);
      CHECK_FALSE(ticket.ready());
      CHECK_FALSE(registry.get(slug("a")));
      CHECK(section.flow(slug("a")) == found);
      CHECK(library.open());
      CHECK(found->definition.slug() == slug("a"));
    }
    CHECK(ticket.ready());
    CHECK_FALSE(library.open());
  }

  TEST_CASE("a section that began after the commit does not keep what it took out") {
    FlowRegistry registry;
    Library library;
    registry.register_or_throw(from(library));
    std::optional<FlowRegistry::Section> before(registry);
    UnloadTicket ticket;
    registry.unregister(module_name("shop.A"), &ticket);
    std::jthread([&] {
      const FlowRegistry::Section after(registry);
      before.reset();
      CHECK(ticket.ready());
    }).join();
    CHECK_FALSE(library.open());
  }

  TEST_CASE("asking is enough for a module without code to go") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    UnloadTicket ticket;
    registry.register_or_throw(module({.max_attempts = 4}), &ticket);
    CHECK(ticket.ready());
    CHECK(ticket.ready());
  }

  TEST_CASE("a ticket speaks of its commit alone") {
    FlowRegistry registry;
    Library first;
    Library second;
    registry.register_or_throw(from(first, 1));
    UnloadTicket replaced;
    registry.register_or_throw(from(second, 2), &replaced);
    const FlowHandle held = *registry.get(slug("a"));
    UnloadTicket removed;
    registry.unregister(module_name("shop.A"), &removed);
    CHECK(replaced.ready());
    CHECK_FALSE(removed.ready());
    CHECK_FALSE(first.open());
    CHECK(second.open());
  }

  TEST_CASE("a ticket of a commit that takes out many waits for all of them") {
    FlowRegistry registry;
    registry.register_or_throw(module({}));
    registry.register_or_throw(module({.module = "shop.B", .slug = "b", .path = "b.so"}));
    FlowHandle a = *registry.find("a");
    FlowHandle b = *registry.find("b");
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.unregister(module_name("shop.A"));
    transaction.unregister(module_name("shop.B"));
    const UnloadTicket ticket = transaction.commit()->unload;
    a = {};
    CHECK_FALSE(ticket.ready());
    b = {};
    CHECK(ticket.ready());
  }

  TEST_CASE("waiting ends when another thread lets go") {
    FlowRegistry registry;
    Library library;
    registry.register_or_throw(from(library));
    FlowHandle held = *registry.get(slug("a"));
    UnloadTicket ticket;
    registry.unregister(module_name("shop.A"), &ticket);
    const std::jthread other([moved = std::move(held)]() mutable { moved = {}; });
    CHECK(ticket.wait_until(StdSync::Clock::now() + 10s));
    CHECK_FALSE(library.open());
  }

  TEST_CASE("handles and tickets outlive their registry and work on") {
    UnloadTicket ticket;
    FlowHandle removed;
    FlowHandle left;
    Library gone;
    Library stays;
    {
      FlowRegistry registry;
      registry.register_or_throw(from(gone));
      removed = *registry.get(slug("a"));
      registry.unregister(module_name("shop.A"), &ticket);
      registry.register_or_throw(from(stays));
      left = *registry.get(slug("a"));
    }
    CHECK_FALSE(ticket.ready());
    CHECK(removed->definition.slug() == slug("a"));
    removed = {};
    CHECK(ticket.ready());
    CHECK_FALSE(gone.open());
    CHECK(stays.open());
    const FlowHandle copy = left;
    left = {};
    CHECK(stays.open());
    CHECK(copy->definition.slug() == slug("a"));
  }

  TEST_CASE("a registry that ends takes along what nobody holds") {
    Library library;
    {
      FlowRegistry registry;
      registry.register_or_throw(from(library));
    }
    CHECK_FALSE(library.open());
  }

  TEST_CASE("a handle without registry holds its module and its copies do") {
    Library library;
    FlowHandle first(from(library));
    FlowHandle second = first;
    FlowHandle third = std::move(first);
    CHECK_FALSE(first);
    CHECK(second == third);
    second = {};
    third = FlowHandle(third);
    CHECK(third->definition.slug() == slug("a"));
    CHECK(library.open());
    third = {};
    CHECK_FALSE(library.open());
  }

  TEST_CASE("a library whose end calls the registry back finds no lock held") {
    FlowRegistry registry;
    bool called = false;
    const auto end = [&](const void*) {
      registry.register_or_throw(module({.module = "shop.B", .slug = "b", .path = "b.so"}));
      called = registry.unregister(module_name("shop.B"));
    };
    registry.register_or_throw(module({.code = std::shared_ptr<const void>(&registry, end)}));
    registry.unregister(module_name("shop.A"));
    CHECK(called);
  }
}

}  // namespace weir
