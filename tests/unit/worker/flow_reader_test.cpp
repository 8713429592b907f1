#include "worker/flow_reader.hpp"

#include <doctest/doctest.h>

#include "plugin/quarantine.hpp"
#include "unit/worker/parts.hpp"

using namespace weir;
using namespace weir::testing;
using namespace std::chrono_literals;

namespace {

using Versions = std::vector<VersionId>;

// A worker whose registry has the flow `a`, of the plugin "aa".
struct Reading : TestRegistry {
  FlowWorkers workers;
  FlowWorkers::Registration registration =
      workers.register_worker({.worker = 1, .slots = 4}, {}, [] {});
  FlowReader reader{options, flows, registration, store, *log};
  TestFlow a{"a", {{"s", returns("1")}}}, b{"b", {{"s", returns("1")}}};

  Reading() {
    options.quarantine = std::make_shared<Quarantine>(
        Quarantine::Limit{.max_crashes = 0, .first = 30s, .longest = 30s});
    place(a, "aa");
  }
  bool serves(const char* slug) const { return !workers.serving(slug).empty(); }
};

}  // namespace

TEST_SUITE("worker: flow reader") {
  TEST_CASE("the registry is read at first and then when that is requested") {
    Reading reading;
    CHECK(reading.reader.due_at() <= steady_start);
    CHECK_FALSE(reading.serves("a"));
    CHECK(reading.reader.read(1, reading.now) == Versions{1});
    CHECK(reading.store.take_calls() ==
          "register_version a\nregister_plugin aa p.so\nset_limits a 0\n"
          "serve_versions worker 1: 1/1\n");
    CHECK(reading.serves("a"));
    CHECK_FALSE(reading.reader.due_at().has_value());
    CHECK_FALSE(reading.reader.read(1, reading.now + 1h).has_value());

    reading.place(reading.b, "bb");
    reading.reader.request(reading.now + 1s);
    CHECK(reading.reader.due_at() == reading.now + 1s);
    CHECK_FALSE(reading.reader.read(1, reading.now + 1s - 1ns).has_value());
    CHECK(reading.reader.read(1, reading.now + 1s) == Versions{1, 2});
    CHECK(reading.serves("b"));
    CHECK(reading.lines.text() == "worker 1 can now run 2 flow versions\n");
  }

  TEST_CASE("V4: what can be run is reported when it changed and not otherwise") {
    Reading reading;
    CHECK(reading.reader.read(1, reading.now).has_value());
    reading.store.take_calls();
    reading.reader.request(reading.now);
    CHECK(reading.reader.read(1, reading.now) == Versions{1});
    CHECK(reading.store.take_calls() == "");
    CHECK(reading.registry.unregister(reading.a.module().definition.module()));
    reading.reader.request(reading.now);
    CHECK(reading.reader.read(1, reading.now) == Versions{});
    CHECK(reading.store.take_calls() == "serve_versions worker 1:\n");
    CHECK_FALSE(reading.serves("a"));
  }

  TEST_CASE("a worker without any flow reports that too") {
    Reading reading;
    CHECK(reading.registry.unregister(reading.a.module().definition.module()));
    CHECK(reading.reader.read(1, reading.now) == Versions{});
    CHECK(reading.store.take_calls() == "serve_versions worker 1:\n");
  }

  TEST_CASE("L6: a read that fails is repeated after a second and logged once") {
    Reading reading;
    for (int i = 0; i < 2; ++i)
      reading.store.answers.register_version.next(refused(ErrorCode::unavailable, "away"));
    CHECK(reading.reader.read(1, reading.now) == Versions{});
    CHECK(reading.reader.due_at() == reading.now + 1s);
    CHECK_FALSE(reading.reader.read(1, reading.now + 1s - 1ns).has_value());
    CHECK(reading.reader.read(1, reading.now + 1s) == Versions{});
    CHECK(reading.lines.with_levels() == "warning: cannot register flows, retrying: away\n");
    reading.store.take_calls();
    CHECK(reading.reader.read(1, reading.now + 2s) == Versions{1});
    CHECK(reading.store.take_calls().ends_with("serve_versions worker 1: 1/1\n"));
    CHECK_FALSE(reading.reader.due_at().has_value());
  }

  TEST_CASE("L6: flows that are known stay served while the database is away") {
    Reading reading;
    CHECK(reading.reader.read(1, reading.now).has_value());
    reading.place(reading.b, "bb");
    reading.store.answers.register_version.next(refused(ErrorCode::in_doubt));
    reading.reader.request(reading.now);
    CHECK(reading.reader.read(1, reading.now) == Versions{1});
    CHECK(reading.serves("a"));
    CHECK_FALSE(reading.serves("b"));
  }

  TEST_CASE("V4: a report that failed is repeated") {
    Reading reading;
    reading.store.answers.serve_versions.next(refused(ErrorCode::unavailable));
    CHECK(reading.reader.read(1, reading.now) == Versions{1});
    CHECK(reading.reader.due_at() == reading.now + 1s);
    reading.store.take_calls();
    CHECK(reading.reader.read(1, reading.now + 1s) == Versions{1});
    CHECK(reading.store.take_calls() == "serve_versions worker 1: 1/1\n");
  }

  TEST_CASE("L1: a read takes a tenth of a second at most and the rest follows at once") {
    Reading reading;
    reading.now = steady_start + 100ms;  // the clock when the first flow is to be registered
    CHECK(reading.reader.read(1, steady_start) == Versions{});
    CHECK(reading.reader.due_at() == steady_start);
    reading.now = steady_start + 200ms - 1ns;
    CHECK(reading.reader.read(1, steady_start + 100ms) == Versions{1});
    CHECK_FALSE(reading.reader.due_at().has_value());
  }

  TEST_CASE("F1: a plugin in quarantine is barred until the moment at which it leaves it") {
    Reading reading;
    reading.place(reading.b, "bb");
    CHECK(reading.reader.read(1, reading.now).has_value());
    const FlowHandle a = reading.flows.find(1)->module, b = reading.flows.find(2)->module;
    const FlowHandle& of_aa = a->file.sha256 == "aa" ? a : b;
    const FlowHandle& of_bb = a->file.sha256 == "aa" ? b : a;
    CHECK_FALSE(reading.reader.is_barred(of_aa, reading.now));
    reading.options.quarantine->crashed("aa", reading.now);
    reading.reader.request(reading.now);
    CHECK(reading.reader.read(1, reading.now)->size() == 1);
    CHECK(reading.reader.is_barred(of_aa, reading.now));
    CHECK_FALSE(reading.reader.is_barred(of_bb, reading.now));
    CHECK(reading.serves("a"));
    CHECK(reading.reader.due_at() == reading.now + 30s);
    reading.reader.request(reading.now + 40s);
    CHECK(reading.reader.due_at() == reading.now + 30s);
    CHECK(reading.reader.is_barred(of_aa, reading.now + 30s - 1ns));
    CHECK_FALSE(reading.reader.is_barred(of_aa, reading.now + 30s));
    CHECK(reading.reader.read(1, reading.now + 30s)->size() == 2);
    CHECK_FALSE(reading.reader.due_at().has_value());
  }

  TEST_CASE("a worker without quarantine bars nothing") {
    Reading reading;
    reading.options.quarantine = nullptr;
    CHECK(reading.reader.read(1, reading.now) == Versions{1});
    CHECK_FALSE(reading.reader.is_barred(reading.flows.find(1)->module, reading.now));
    CHECK_FALSE(reading.reader.due_at().has_value());
  }
}
