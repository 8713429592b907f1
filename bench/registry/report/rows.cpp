#include "rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace weir::bench {
namespace {

using Goal = Row::Goal;
using Of = Row::Of;

constexpr Goal at_most(double bound) { return {Of::value, bound}; }
constexpr Goal at_least(double bound) { return {Of::value, bound, true}; }
constexpr Goal ratio_at_most(double bound) { return {Of::ratio, bound}; }

std::string grouped(std::size_t number) {
  return number < 1'000 ? fmt::format("{}", number)
                        : fmt::format("{},{:03}", number / 1'000, number % 1'000);
}

class Rows {
 public:
  explicit Rows(const Figures& figures) : figures_(figures) {}

  std::vector<Row> all() && {
    lookups();
    readers();
    others();
    writer();
    memory();
    keyed();
    handles();
    plugins();
    lockstep();
    return std::move(rows_);
  }

 private:
  std::optional<double> figure(std::string_view name, double scale = 1) const {
    auto value = figures_.median(name);
    if (value) *value *= scale;
    return value;
  }
  static std::string lookup(std::string_view table, std::string_view how, std::string_view cell,
                            int threads) {
    return fmt::format("lookup/{}/{}/{}/{}", table, how, cell, threads);
  }
  void section(std::string title) { section_ = std::move(title); }
  Row& add(std::string name, std::string unit, std::optional<double> value) {
    rows_.push_back({section_, std::move(name), std::move(unit), value});
    return rows_.back();
  }
  Row& add_ns(std::string name, std::string_view benchmark) {
    return add(std::move(name), "ns", figure(benchmark));
  }

  // Beside whichever unsynchronised map is faster in that cell.
  void lookups() {
    section("A read section, against the best map without any synchronisation");
    double logarithms = 0;
    std::size_t cells = 0;
    std::optional<Row> worst;
    for (const std::size_t flows : {64U, 1'000U, 100'000U})
      for (const std::string_view keys : {"hot", "uniform"})
        for (const int threads : {1, 2})
          for (const std::string_view writer : {"quiet", "writer"}) {
            const std::string cell = fmt::format("{}/{}/{}", flows, keys, writer);
            Row& row =
                add_ns(fmt::format("{} {}, {} thread{}{}", grouped(flows), keys, threads,
                                   threads == 1 ? "" : "s", writer == "writer" ? ", writer" : ""),
                       lookup("registry", "read", cell, threads));
            const auto map = figure(lookup("flat_map", "read", cell, threads));
            const auto index = figure(lookup("flat_index", "read", cell, threads));
            if (map && index) row.against = std::min(*map, *index);
            row.partner = map && index && *index < *map ? "flat index" : "flat map";
            row.goal = ratio_at_most(1.6);
            row.shown = Row::Shown::in_json;
            if (!row.ratio()) continue;
            logarithms += std::log(*row.ratio());
            ++cells;
            if (!worst || *row.ratio() > *worst->ratio()) worst = row;
          }
    const std::string title = fmt::format("geometric mean of {} cells", cells);
    const bool any = cells != 0;
    add(title, "ratio",
        any ? std::optional(std::exp(logarithms / static_cast<double>(cells))) : std::nullopt)
        .goal = at_most(1.2);
    if (!worst) return;
    worst->name = "worst: " + worst->name;
    worst->shown = Row::Shown::always;
    rows_.push_back(*worst);
  }

  void readers() {
    section("One hot flow, 2 threads against 1");
    for (const auto& [how, title] : {std::pair("read", "read section"), {"own", "owning get"}}) {
      Row& row = add_ns(title, lookup("registry", how, "1000/hot/quiet", 2));
      row.partner = "1 thread";
      row.against = figure(lookup("registry", how, "1000/hot/quiet", 1));
      row.goal = ratio_at_most(1.3);
    }
    section("1,000 flows, uniform, against get from Elixir's ETS");
    for (const int threads : {1, 2})
      for (const auto& [how, title, times] :
           {std::tuple("own", "owning get", 8.0), {"read", "read section", 10.0}}) {
        Row& row = add_ns(fmt::format("{}, {} thread{}", title, threads, threads == 1 ? "" : "s"),
                          lookup("registry", how, "1000/uniform/quiet", threads));
        row.partner = "ETS";
        row.against = figure(fmt::format("ets/get/uniform/{}", threads));
        row.goal = ratio_at_most(1 / times);
      }
  }

  void others() {
    section("1,000 flows, uniform, against other ways to share a map");
    for (const auto& [how, title] : {std::pair("read", "read"), {"own", "owning"}})
      for (const int threads : {1, 2})
        for (const auto& [table, partner] : {std::pair("shared_mutex", "shared_mutex"),
                                             {"atomic_shared_ptr", "atomic<shared_ptr>"},
                                             {"tbb", "oneTBB"}}) {
          const auto theirs = figure(lookup(table, how, "1000/uniform/quiet", threads));
          if (!theirs) continue;
          Row& row = add_ns(
              fmt::format("{}, {} thread{}: {}", title, threads, threads == 1 ? "" : "s", partner),
              lookup("registry", how, "1000/uniform/quiet", threads));
          row.partner = partner;
          row.against = theirs;
        }
  }

  void writer() {
    section("A writer beside 2 busy readers");
    for (const auto& [flows, bound] : {std::pair<std::size_t, double>(1'000, 3), {100'000, 10}}) {
      const std::string of = fmt::format("{} flows", grouped(flows));
      add("of 1,000/s kept, " + of, "/s", figure(fmt::format("publish/schedule/{}", flows))).goal =
          at_least(990);
      add("one publication, " + of, "us",
          figure(fmt::format("publish/beside_2_readers/{}", flows), 1e-3))
          .goal = at_most(bound);
      add("the same without readers, " + of, "us",
          figure(fmt::format("publish/alone/{}", flows), 1e-3));
      for (const std::string_view part : {"p50", "p99"})
        add(fmt::format("at 1,000/s by the clock, {}, {}", part, of), "us",
            figure(fmt::format("publish/schedule/{}/{}_ns", flows, part), 1e-3));
    }
    add("1,000 registrations in one transaction", "ms", figure("transaction/1000", 1e-6)).goal =
        at_most(1);
  }

  void memory() {
    section("Memory of a flow beside its module");
    for (const std::size_t flows : {1'000U, 100'000U}) {
      const auto all = figure(fmt::format("memory/registry/{}", flows));
      const auto held = figure(fmt::format("memory/held/{}", flows));
      Row& row = add(fmt::format("all, of {}", grouped(flows)), "B", all);
      row.partner = "ETS";
      row.against = figure("ets/bytes");
      row.goal = at_most(200);
      add(fmt::format("both indexes and counts, of {}", grouped(flows)), "B",
          all && held ? std::optional(*all - *held) : std::nullopt);
    }
  }

  void keyed() {
    section("KeyedRegistry, against Elixir's Registry");
    const auto beside = [&](std::string title, std::string_view ours, std::string_view elixir,
                            std::optional<Goal> goal) {
      Row& row = add_ns(std::move(title), ours);
      row.partner = "Registry";
      row.against = figure(elixir);
      row.goal = goal;
    };
    beside("register and unregister, unique", "keyed/register_unregister/unique",
           "registry/register_unregister/unique", at_most(300));
    beside("register and unregister, duplicate", "keyed/register_unregister/duplicate",
           "registry/register_unregister/duplicate", at_most(300));
    beside("dispatch to 1", "keyed/dispatch/1", "registry/dispatch/1", at_most(40));
    beside("dispatch to 100", "keyed/dispatch/100", "registry/dispatch/100", at_most(100));
    beside("look at 1 of 1,000", "keyed/look", "registry/lookup", std::nullopt);
    beside("leave a key of 2,000 and come again", "keyed/change_hot_key/2000",
           "registry/change_hot_key/2000", std::nullopt);
    beside("leave a key of 16,000 and come again", "keyed/change_hot_key/16000",
           "registry/change_hot_key/16000", std::nullopt);

    section("KeyedRegistry, many against few");
    const auto flat = [&](std::string title, std::string_view benchmark, std::size_t many,
                          std::size_t few, double bound, bool for_each) {
      const auto of = [&](std::size_t count) {
        return figure(fmt::format("keyed/{}/{}", benchmark, count),
                      for_each ? 1 / static_cast<double>(count) : 1);
      };
      Row& row = add(std::move(title), "ns", of(many));
      row.partner = grouped(few);
      row.against = of(few);
      row.goal = ratio_at_most(bound);
    };
    flat("leave a key of 16,000, against 2,000", "change_hot_key", 16'000, 2'000, 2, false);
    flat("an entry of a dispatch, 16,000 and 2,000", "dispatch", 16'000, 2'000, 2, true);
    flat("give up a key of 40,000, against 400", "change_of_many_keys", 40'000, 400, 4, false);
  }

  void handles() {
    section("SharedHandles");
    Row& hit = add_ns("hit", "handles/hit");
    hit.partner = "Registry.lookup";
    hit.against = figure("registry/lookup");
    hit.goal = at_most(60);
    add_ns("miss, without the start itself", "handles/miss").goal = at_most(1'000);
  }

  void plugins() {
    section("1,000 plugins, files in the page cache");
    add("manifests: read, check, build", "ms", figure("plugins/manifests")).goal = at_most(10);
    add("read and hash, one thread", "ms", figure("plugins/read_and_hash"));
    add("of it: sha256", "ms", figure("plugins/hash"));
    add("check and build, one thread", "ms", figure("plugins/parse_and_build"));
    const auto load = [&](std::string title, std::string_view what,
                          std::string_view partner) -> Row& {
      Row& row = add(std::move(title), "ms", figure(fmt::format("plugins/{}", what)));
      row.partner = partner;
      row.against = figure(fmt::format("plugins/{}", partner));
      return row;
    };
    load("load and scan, against dlopen alone", "load_and_scan", "dlopen_alone");
    load("load and scan, against dlopen and scan", "load_and_scan", "dlopen_and_scan").goal =
        ratio_at_most(1.0);
    load("restart, verdicts known, against dlopen", "load_known", "dlopen_alone");
    load("without scanner, against dlopen of copies", "load", "dlopen_of_private_copies");
    add("scan alone", "ms", figure("plugins/scan"));
    add("of it: private copies", "ms", figure("plugins/private_copies"));
  }

  void lockstep() {
    section("Lockstep");
    add("schedules of 3 tasks with 10 steps", "k/s", figure("lockstep/schedules_per_second", 1e-3))
        .goal = at_least(100);
    add("failing seeds that repeat exactly, of 1,000", "%", figure("lockstep/replayed_percent"))
        .goal = at_least(100);
  }

  const Figures& figures_;
  std::string section_;
  std::vector<Row> rows_;
};

}  // namespace

std::optional<double> Row::ratio() const {
  if (!value || !against) return std::nullopt;
  return *value / *against;
}

std::optional<bool> Row::met() const {
  if (!goal) return std::nullopt;
  const std::optional<double> reached = goal->of == Of::ratio ? ratio() : value;
  if (!reached) return std::nullopt;
  return goal->at_least ? *reached >= goal->bound : *reached <= goal->bound;
}

std::vector<Row> rows(const Figures& figures) { return Rows(figures).all(); }

}  // namespace weir::bench
