#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "modules.hpp"

namespace weir {
namespace {

using Change = FlowRegistry::Change;
using Changes = std::vector<Change>;

ModuleSpec version(std::int64_t number) { return {.max_attempts = number}; }
std::string fingerprint(std::int64_t number) {
  return module(version(number)).definition.fingerprint();
}

Result<Change> succeed(FlowRegistry& registry, const ModuleSpec& spec) {
  FlowRegistry::Transaction transaction = registry.begin();
  transaction.succeed(module(spec));
  const Result<Changes> changes = changes_of(transaction.commit());
  if (!changes) return std::unexpected(changes.error());
  return changes->front();
}

Result<Change> succeed_from(FlowRegistry& registry, const ModuleSpec& spec, std::string path) {
  FlowRegistry::Transaction transaction = registry.begin();
  transaction.succeed(module(spec), std::move(path));
  const Result<Changes> changes = changes_of(transaction.commit());
  if (!changes) return std::unexpected(changes.error());
  return changes->front();
}

Change retire(FlowRegistry& registry, std::string_view of, std::int64_t number) {
  FlowRegistry::Transaction transaction = registry.begin();
  transaction.retire(slug(of), fingerprint(number));
  return transaction.commit()->changes.front();
}

// "3 2 1": the versions of a slug by number, as versions() tells them.
std::string versions(const FlowRegistry& registry, std::string_view of = "a") {
  std::string text;
  for (const FlowHandle& each : registry.versions(slug(of))) {
    CHECK(registry.get(slug(of), each->definition.fingerprint()) == each);
    text += (text.empty() ? "" : " ") +
            std::to_string(each->definition.steps()[0].options.max_attempts);
  }
  return text;
}

}  // namespace

TEST_SUITE("registry: versions") {
  TEST_CASE("V2: a successor may be in another file where that of the version before is gone") {
    FlowRegistry registry;
    CHECK(succeed(registry, version(1)) == Change::added);
    const std::string before = registry.find("a").value()->file.path;
    ModuleSpec moved = version(2);
    moved.path = "/p/other.so";
    CHECK(succeed(registry, moved).error().kind == "duplicate_module");
    CHECK(succeed_from(registry, moved, "/p/third.so").error().kind == "duplicate_module");
    CHECK(succeed_from(registry, moved, before) == Change::succeeded);
    CHECK(versions(registry) == "2 1");
    CHECK(succeed(registry, version(3)).error().kind == "duplicate_module");
  }

  TEST_CASE("V2: a successor is the newest and the version before stays under its fingerprint") {
    FlowRegistry registry;
    CHECK(succeed(registry, version(1)) == Change::added);
    const FlowHandle first = *registry.find("a");
    CHECK(succeed(registry, version(2)) == Change::succeeded);
    CHECK(succeed(registry, version(3)) == Change::succeeded);
    CHECK(versions(registry) == "3 2 1");
    CHECK(registry.get(slug("a"), fingerprint(1)) == first);
    CHECK(registry.get(slug("a")) == registry.get(slug("a"), fingerprint(3)));
    CHECK(registry.get(slug("a")) == registry.get(module_name("shop.A")));
    CHECK(registry.list().size() == 1);
    CHECK(registry.size() == 1);
    CHECK(registry.versions().size() == 3);
  }

  TEST_CASE("D7: register_ and replace keep no version beside the new one") {
    FlowRegistry registry;
    registry.register_or_throw(module(version(1)));
    registry.register_or_throw(module(version(2)));
    CHECK(versions(registry) == "2");
    CHECK_FALSE(registry.get(slug("a"), fingerprint(1)));
  }

  TEST_CASE("a version that was kept is kept also when the newest is replaced") {
    FlowRegistry registry;
    succeed(registry, version(1));
    succeed(registry, version(2));
    registry.register_or_throw(module(version(3)));
    CHECK(versions(registry) == "3 1");
  }

  TEST_CASE("D7: succeeding itself is no change and another build replaces it") {
    FlowRegistry registry;
    succeed(registry, version(1));
    const FlowHandle first = *registry.find("a");
    CHECK(succeed(registry, version(1)) == Change::unchanged);
    CHECK(registry.find("a") == first);
    ModuleSpec rebuilt = version(1);
    rebuilt.sha256 = std::string(64, 'b');
    CHECK(succeed(registry, rebuilt) == Change::replaced);
    CHECK(versions(registry) == "1");
    CHECK((*registry.find("a"))->file.sha256 == rebuilt.sha256);
  }

  TEST_CASE("going back to a former version makes it the newest and it stands there once") {
    FlowRegistry registry;
    succeed(registry, version(1));
    succeed(registry, version(2));
    CHECK(succeed(registry, version(1)) == Change::succeeded);
    CHECK(versions(registry) == "1 2");
  }

  TEST_CASE("retire takes out a former version once and never the newest") {
    FlowRegistry registry;
    succeed(registry, version(1));
    succeed(registry, version(2));
    CHECK(retire(registry, "a", 2) == Change::unchanged);
    CHECK(retire(registry, "b", 1) == Change::unchanged);
    CHECK(retire(registry, "a", 1) == Change::removed);
    CHECK(retire(registry, "a", 1) == Change::unchanged);
    CHECK(versions(registry) == "2");
  }

  TEST_CASE("V2: a retired version goes with its last handle") {
    FlowRegistry registry;
    auto code = std::make_shared<int>(1);
    const std::weak_ptr<int> library = code;
    ModuleSpec first = version(1);
    first.code = std::move(code);
    succeed(registry, first);
    first.code = nullptr;
    succeed(registry, version(2));
    CHECK_FALSE(library.expired());
    FlowHandle held = *registry.get(slug("a"), fingerprint(1));
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.retire(slug("a"), fingerprint(1));
    const UnloadTicket ticket = transaction.commit()->unload;
    CHECK_FALSE(ticket.ready());
    CHECK_FALSE(library.expired());
    held = {};
    CHECK(library.expired());
    CHECK(ticket.ready());
  }

  TEST_CASE("unregister takes out all versions of a module wherever they stand") {
    FlowRegistry registry;
    succeed(registry, version(1));
    ModuleSpec renamed = version(2);
    renamed.slug = "b";
    CHECK(succeed(registry, renamed) == Change::succeeded);
    CHECK(versions(registry) == "1");
    CHECK(versions(registry, "b") == "2");
    CHECK_FALSE(registry.get(slug("a")));
    CHECK(registry.unregister(module_name("shop.A")));
    CHECK(versions(registry) == "");
    CHECK(versions(registry, "b") == "");
    CHECK(registry.versions().empty());
    CHECK_FALSE(registry.unregister(module_name("shop.A")));
  }

  TEST_CASE("another module may take a slug whose former versions are still there") {
    FlowRegistry registry;
    succeed(registry, version(1));
    succeed(registry, {.slug = "b", .max_attempts = 2});
    registry.register_or_throw(module({.module = "shop.B", .path = "b.so", .max_attempts = 3}));
    CHECK(versions(registry) == "3 1");
    registry.unregister(module_name("shop.B"));
    CHECK(versions(registry) == "1");
  }

  TEST_CASE("a module may be unregistered when all it has left is a former version") {
    FlowRegistry registry;
    succeed(registry, version(1));
    FlowRegistry::Transaction transaction = registry.begin();
    transaction.succeed(module(version(2)));
    transaction.unregister(module_name("shop.A"));
    CHECK(changes_of(transaction.commit()) == Changes{Change::succeeded, Change::removed});
    CHECK(registry.versions().empty());
  }

  TEST_CASE("of versions that succeed one another in one transaction all stay") {
    FlowRegistry registry;
    FlowRegistry::Transaction transaction = registry.begin();
    for (std::int64_t i = 1; i <= 4; ++i) transaction.succeed(module(version(i)));
    transaction.retire(slug("a"), fingerprint(2));
    CHECK(transaction.commit());
    CHECK(versions(registry) == "4 3 1");
  }

  TEST_CASE("G4: a succession that collides keeps everything as it was") {
    FlowRegistry registry;
    succeed(registry, version(1));
    registry.register_or_throw(module({.module = "shop.B", .slug = "b", .path = "b.so"}));
    CHECK(succeed(registry, {.slug = "B", .max_attempts = 2}).error().kind == "duplicate_slug");
    CHECK(succeed(registry, {.path = "other.so", .max_attempts = 2}).error().kind ==
          "duplicate_module");
    CHECK(versions(registry) == "1");
  }

  TEST_CASE("an unknown version is not_found and names what there is") {
    FlowRegistry registry;
    CHECK(registry.get(slug("a"), fingerprint(1)).error().kind == "unknown_flow");
    registry.register_or_throw(module(version(1)));
    const Error error = registry.get(slug("a"), "0123").error();
    CHECK(error.code == ErrorCode::not_found);
    CHECK(error.kind == "unknown_version");
    CHECK(to_string(error) ==
          "no version of flow \"a\" has the fingerprint \"0123\" (registered, the newest first: " +
              fingerprint(1).substr(0, 12) + "…)");
  }

  TEST_CASE("former versions of many slugs are told in the order of their slugs") {
    FlowRegistry registry;
    for (const char* each : {"z", "m", "b"})
      for (std::int64_t number = 1; number <= 2; ++number)
        succeed(registry,
                {.module = std::string("shop.") + each, .slug = each, .max_attempts = number});
    std::string all;
    for (const auto& [flow, newest] : registry.versions())
      all += flow->definition.slug().string() +
             std::to_string(flow->definition.steps()[0].options.max_attempts) +
             (newest ? "* " : " ");
    CHECK(all == "b2* b1 m2* m1 z2* z1 ");
    succeed(registry, {.module = "shop.m", .slug = "moved"});  // m has no newest version now
    CHECK(std::ranges::count_if(registry.versions(), &FlowRegistry::Version::newest) == 3);
    for (const auto& [flow, newest] : registry.versions())
      if (flow->definition.slug().view() == "m") CHECK_FALSE(newest);
  }
}

}  // namespace weir
