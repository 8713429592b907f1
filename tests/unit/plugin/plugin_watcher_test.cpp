#include "plugin/plugin_watcher.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/sha256.hpp"
#include "plugin/file_mapping.hpp"
#include "plugin/in_process_host.hpp"
#include "support/elf_bytes.hpp"
#include "support/eventually.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

// A plugin folder that is watched, and the events that were reported.
class WatcherRig {
 public:
  static constexpr PluginWatcher::Options brisk{
      .rescan = 200ms, .quiet = 50ms, .refusal_delay = 300ms, .folder_patience = 100ms};

  explicit WatcherRig(PluginWatcher::Options options = brisk) : options_(options) {
    fs::create_directory(path());
  }
  ~WatcherRig() { end(); }

  fs::path path() const { return folder_.path() / "plugins"; }
  fs::path elsewhere(std::string_view name) const { return folder_.path() / name; }

  // As an installer does it: written elsewhere, renamed into the folder.
  void put(std::string_view name, std::string_view bytes) const {
    const fs::path made = folder_.write("made", bytes);
    fs::rename(made, path() / name);
  }
  void put_variant(std::string_view name, std::string_view variant) const {
    put(name, bytes_of(built(variant)));
  }
  void overwrite(std::string_view name, std::string_view bytes) const {
    std::ofstream out(path() / name, std::ios::binary);
    out << bytes;
  }
  void remove(std::string_view name) const { fs::remove(path() / name); }

  void start(std::vector<fs::path> folders = {}) {
    if (folders.empty()) folders.push_back(path());
    PluginObserver observer;
    observer.live = [this](const PluginFile& file, std::string_view slug) {
      record("live", file, slug);
    };
    observer.took_over = [this](const PluginFile& file, std::string_view slug) {
      record("took over", file, slug);
    };
    observer.removed = [this](const PluginFile& file, std::string_view slug) {
      record("removed", file, slug);
    };
    observer.refused = [this](const PluginError& error) {
      record("refused", {.path = error.path}, name(error.kind));
    };
    observer.unloaded = [this](const PluginFile& file) { record("unloaded", file, {}); };
    observer.pinned = [this](const PluginError& error) {
      record("pinned", {.path = error.path}, name(error.kind));
    };
    observer.no_file_events = [this](const std::string& why) { record(why, {}, {}); };
    observer.flows_changed = [this] { ++changes_; };
    watcher_ = std::make_unique<PluginWatcher>(std::move(folders), loader_, registry, board,
                                               std::move(observer), options_);
    watcher_->start();
    thread_ = std::jthread([this] { watcher_->run(); });
  }
  void end() {
    if (watcher_) watcher_->stop();
    if (thread_.joinable()) thread_.join();
    watcher_.reset();
  }
  PluginWatcher& watcher() const { return *watcher_; }

  // As a host does that has flows of its own in the registry.
  ModuleName register_variant(std::string_view variant) {
    auto loaded = loader_.load(built(variant));
    REQUIRE(loaded);
    FlowModule& module = loaded->at(0);
    ModuleName name = module.definition.module();
    REQUIRE(registry.register_(std::move(module)));
    return name;
  }

  std::size_t loads() const { return loads_; }

  Texts events() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  bool has_event(const std::string& text) const {
    return eventually([&] { return std::ranges::count(events(), text) > 0; }) ||
           differs("events", events());
  }
  bool events_are(const Texts& wanted) const {
    return eventually([&] { return events() == wanted; }) || differs("events", events());
  }
  bool has_no_events() const { return events().empty() || differs("events", events()); }
  bool changed(std::size_t times) const {
    return eventually([&] { return changes_ == times; });
  }

  // False, having printed what was found.
  static bool differs(const char* what, const Texts& found) {
    MESSAGE(what << ": " << fmt::format("{}", fmt::join(found, "; ")));
    return false;
  }

  std::string sha256_of(std::string_view slug) const {
    std::string sha256 = "none";
    registry.read(Slug::parse(slug).value(),
                  [&](const FlowModule& module) { sha256 = module.file.sha256; });
    return sha256;
  }
  bool has(std::string_view slug, std::string_view variant) const {
    return has_bytes(slug, bytes_of(built(variant)));
  }
  bool has_bytes(std::string_view slug, std::string_view bytes) const {
    return eventually([&, sha256 = sha256_hex(bytes)] { return sha256_of(slug) == sha256; });
  }
  bool has_none(std::string_view slug) const {
    return eventually([&] { return sha256_of(slug) == "none"; });
  }

  // "middle.so live", "middle.so refused not_elf": what stands on the board.
  Texts shown() const {
    Texts shown;
    for (const PluginStatus& status : board.list())
      shown.push_back(fs::path(status.file.path).filename().string() + " " +
                      std::string(name(status.state)) +
                      (status.error ? " " + std::string(name(status.error->kind)) : ""));
    std::ranges::sort(shown);
    return shown;
  }
  bool shows(const Texts& wanted) const {
    return eventually([&] { return shown() == wanted; }) || differs("on the board", shown());
  }

  FlowRegistry registry;
  PluginBoard board;

 private:
  void record(const std::string& what, const PluginFile& file, std::string_view of) {
    const std::scoped_lock lock(mutex_);
    events_.push_back(what + " " + fs::path(file.path).filename().string() +
                      (of.empty() ? "" : " " + std::string(of)));
  }

  TemporaryFolder folder_;
  std::atomic<std::size_t> loads_ = 0;
  InProcessHost host_;
  PluginLoader loader_{
      StageDirectory::open().value(), {}, {.host = [this](const Manifest&) -> PluginHost& {
        ++loads_;
        return host_;
      }}};
  PluginWatcher::Options options_;
  mutable std::mutex mutex_;
  Texts events_;
  std::atomic<std::size_t> changes_ = 0;
  std::unique_ptr<PluginWatcher> watcher_;
  std::jthread thread_;
};

// Events alone: nothing is found by another scan.
PluginWatcher::Options no_rescan() {
  PluginWatcher::Options options = WatcherRig::brisk;
  options.rescan = 1h;
  return options;
}

// For what a test does in two steps that count as one: the machine may stand still between them.
PluginWatcher::Options patient() {
  PluginWatcher::Options options = WatcherRig::brisk;
  options.quiet = 1s;
  options.folder_patience = 5s;
  return options;
}

// One's own bytes: nothing uses a library's tail.
std::string good(std::string_view tail) { return bytes_of(built("good")) + std::string(tail); }

std::string first_of(const FlowHandle& flow) { return run(*flow->steps[0]); }

// The next version of the plugin "numbered".
std::string next_numbered() {
  std::string bytes = bytes_of(built("numbered"));
  return bytes.replace(bytes.find("1000000"), 7, "2000000");
}

// That version is the newest, and the one before, `old`, is still there.
void check_succeeded(const WatcherRig& rig, const FlowHandle& old) {
  const std::vector<FlowHandle> versions = rig.registry.versions(Slug::parse("good").value());
  REQUIRE(versions.size() == 2);
  CHECK(first_of(versions[0]) == "2000000");
  CHECK(first_of(versions[1]) == "1000000");
  CHECK(versions[1] == old);
}

}  // namespace

TEST_SUITE("plugin: watcher") {
  TEST_CASE("the first round is over when start returns") {
    WatcherRig rig;
    rig.put_variant("good.so", "good");
    rig.put_variant("other.so", "other_flow");
    rig.overwrite("bad.so", "text");
    rig.start();
    CHECK(rig.registry.list().size() == 2);
    CHECK(rig.events_are(Texts{"live good.so good", "live other.so other"}));
    CHECK(rig.changed(1));
    CHECK(rig.shows({"bad.so refused not_elf", "good.so live", "other.so live"}));
    CHECK(rig.events_are(
        Texts{"live good.so good", "live other.so other", "refused bad.so not_elf"}));
  }

  TEST_CASE("a file dropped into the folder is live without a rescan") {
    WatcherRig rig(no_rescan());
    rig.start();
    CHECK(rig.registry.size() == 0);
    const auto begin = std::chrono::steady_clock::now();
    rig.put_variant("good.so", "good");
    CHECK(rig.has("good", "good"));
    CHECK(std::chrono::steady_clock::now() - begin < 5s);      // a machine may stand still
    rig.overwrite("other.so", bytes_of(built("other_flow")));  // created and written in place
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.shows({"good.so live", "other.so live"}));
    CHECK(rig.changed(2));
  }

  TEST_CASE("many files at once are published together") {
    WatcherRig rig(no_rescan());
    rig.put_variant("one.so", "good");
    fs::create_directory(rig.elsewhere("made ready"));
    for (int i = 0; i < 20; ++i)
      fs::copy_file(built("good"), rig.elsewhere("made ready") / ("f" + std::to_string(i) + ".so"));
    fs::copy_file(built("other_flow"), rig.elsewhere("made ready") / "other.so");
    rig.start();
    for (const auto& file : fs::directory_iterator(rig.elsewhere("made ready")))
      fs::rename(file.path(), rig.path() / file.path().filename());
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.changed(2));
    CHECK(eventually([&] { return rig.board.list().size() == 22; }));  // the others collide
    CHECK(rig.changed(2));
    CHECK(std::ranges::count(rig.shown(), "one.so live") == 1);
  }

  TEST_CASE("case 31: a file overwritten in place during calls changes nothing for them") {
    WatcherRig rig;
    rig.put_variant("good.so", "good");
    rig.start();
    const FlowHandle held = rig.registry.find("good").value();
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> wrong = 0;
    {
      const std::jthread caller([&] {
        while (!stop)
          if (first_of(held) != "\"first\"") ++wrong;
      });
      rig.overwrite("good.so", good("in place"));
      CHECK(rig.has_bytes("good", good("in place")));
      fs::resize_file(rig.path() / "good.so", 100);
      CHECK(rig.has_event("refused good.so truncated"));
      stop = true;
    }
    CHECK(wrong == 0);
    CHECK(held->file.sha256 == sha256_hex(good("")));
    CHECK(rig.sha256_of("good") == sha256_hex(good("in place")));  // what was published stays
  }

  TEST_CASE("V2: case 32: a file renamed over is a new version beside the old one") {
    WatcherRig rig;
    rig.put_variant("numbered.so", "numbered");
    rig.start();
    const FlowHandle old = rig.registry.find("good").value();
    const std::string bytes = next_numbered();
    rig.put("numbered.so", bytes);
    REQUIRE(rig.has_bytes("good", bytes));
    CHECK(rig.has_event("took over numbered.so good"));
    check_succeeded(rig, old);
    CHECK(rig.shows({"numbered.so former", "numbered.so live"}));
  }

  TEST_CASE("V2: a plugin in a file of another name that replaces the old one is a new version") {
    WatcherRig rig;
    rig.put_variant("shop-1.0.so", "numbered");
    rig.start();
    const FlowHandle old = rig.registry.find("good").value();
    const std::string bytes = next_numbered();
    SUBCASE("at once") {
      rig.put("shop-1.1.so", bytes);
      rig.remove("shop-1.0.so");
    }
    SUBCASE("once it has collided") {
      rig.put("shop-1.1.so", bytes);
      REQUIRE(rig.has_event("refused shop-1.1.so duplicate_module"));
      rig.remove("shop-1.0.so");
    }
    REQUIRE(rig.has_bytes("good", bytes));
    check_succeeded(rig, old);
    CHECK(rig.has_event("took over shop-1.1.so good"));
    CHECK(std::ranges::count(rig.events(), "removed shop-1.0.so good") == 0);
    CHECK(rig.shows({"shop-1.0.so former", "shop-1.1.so live"}));
  }

  TEST_CASE("V2: a file that collides keeps no other from taking the place of the old one") {
    WatcherRig rig;
    rig.put_variant("shop-1.0.so", "numbered");
    const std::string bytes = next_numbered();
    Texts also;
    SUBCASE("a foreign one") {
      rig.put_variant("other.so", "other_flow");
      rig.put("zz-copy.so", bytes_of(built("other_flow")) + "copy");
      also = {"other.so live", "zz-copy.so refused duplicate_module"};
    }
    SUBCASE("a later one") {
      rig.put("shop-1.2.so", bytes + "later");
      also = {"shop-1.2.so refused duplicate_module"};
    }
    rig.start();
    const FlowHandle old = rig.registry.find("good").value();
    rig.put("shop-1.1.so", bytes);
    REQUIRE(rig.has_event("refused shop-1.1.so duplicate_module"));
    rig.remove("shop-1.0.so");
    REQUIRE(rig.has_bytes("good", bytes));
    check_succeeded(rig, old);
    Texts shown{"shop-1.0.so former", "shop-1.1.so live"};
    shown.insert(also.front().starts_with("other") ? shown.begin() : shown.end(), also.begin(),
                 also.end());
    std::ranges::sort(shown);
    CHECK(rig.shows(shown));
  }

  TEST_CASE("V2: a flow that moves to another file that stays is continued there") {
    WatcherRig rig(patient());
    rig.put_variant("a.so", "numbered");
    rig.put_variant("b.so", "other_flow");
    rig.start();
    const FlowHandle old = rig.registry.find("good").value();
    const std::string bytes = next_numbered();
    SUBCASE("two files exchange their names") {
      rig.put_variant("a.so", "other_flow");
      rig.put("b.so", bytes);
    }
    SUBCASE("each file takes the name of the next") {
      fs::rename(rig.path() / "b.so", rig.path() / "c.so");
      rig.put("b.so", bytes);
      rig.remove("a.so");
    }
    REQUIRE(rig.has_bytes("good", bytes));
    check_succeeded(rig, old);
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.has_event("took over b.so good"));
    CHECK(std::ranges::none_of(
        rig.events(), [](const std::string& each) { return each.starts_with("removed"); }));
  }

  TEST_CASE("V2: a former version leaves the board and the memory when nobody has it any more") {
    WatcherRig rig;
    std::string bytes = bytes_of(built("numbered")) + "leaves";
    rig.put("numbered.so", bytes);
    rig.start();
    std::optional<FlowHandle> old = rig.registry.find("good").value();
    const std::string fingerprint = (*old)->definition.fingerprint();
    const std::string sha256 = (*old)->file.sha256;
    bytes.replace(bytes.find("1000000"), 7, "3000000");
    rig.put("numbered.so", bytes);
    REQUIRE(rig.has_bytes("good", bytes));
    FlowRegistry::Transaction transaction = rig.registry.begin();
    transaction.retire(Slug::parse("good").value(), fingerprint);
    REQUIRE(transaction.commit().has_value());
    CHECK(rig.shows({"numbered.so former", "numbered.so live"}));
    CHECK(first_of(*old) == "1000000");
    old.reset();
    CHECK(rig.shows({"numbered.so live"}));
    CHECK(rig.has_event("unloaded numbered.so"));
    CHECK(std::ranges::none_of(file_mappings().value(), [&](const FileMapping& each) {
      return each.path.contains(sha256);
    }));
  }

  TEST_CASE("case 33: a slow writer's file is never loaded half") {
    WatcherRig rig;
    rig.start();
    const std::string bytes = good("written slowly");
    {
      std::ofstream slow(rig.path() / "good.so", std::ios::binary);
      for (std::size_t at = 0; at < bytes.size(); at += 1'000) {
        slow << bytes.substr(at, 1'000) << std::flush;
        if (at % 4'000 == 0) rig.watcher().rescan();
        std::this_thread::sleep_for(5ms);  // it is what is tried: a writer who takes its time
      }
      std::this_thread::sleep_for(150ms);
      CHECK(rig.has_no_events());  // all of it is there, but the writer may have more
    }
    CHECK(rig.has_bytes("good", bytes));
    CHECK(rig.events_are(Texts{"live good.so good"}));
  }

  TEST_CASE("case 33: a writer who comes back for the second half is waited for") {
    PluginWatcher::Options options = WatcherRig::brisk;
    options.refusal_delay = 1h;  // however late this thread is with the second half
    WatcherRig rig(options);
    rig.start();
    const std::string bytes = good("in two halves");
    const std::size_t half = loaded_size(bytes) / 2;  // what comes after that part may be missing
    rig.overwrite("good.so", bytes.substr(0, half));
    // Quiet for longer than a file has to be, closed, but incomplete: read, and nothing reported.
    std::this_thread::sleep_for(120ms);
    CHECK(rig.has_no_events());
    {
      std::ofstream rest(rig.path() / "good.so", std::ios::binary | std::ios::app);
      rest << bytes.substr(half);
    }
    CHECK(rig.has_bytes("good", bytes));
    CHECK(rig.events_are(Texts{"live good.so good"}));
  }

  TEST_CASE("a file that stays half is refused once") {
    WatcherRig rig;
    rig.start();
    rig.overwrite("half.so", good("").substr(0, loaded_size(good("")) / 2));
    CHECK(rig.shows({"half.so refused truncated"}));
    const std::uint64_t revision = rig.board.revision();
    rig.put_variant("other.so", "other_flow");
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.events_are(Texts{"refused half.so truncated", "live other.so other"}));
    CHECK(rig.board.revision() == revision + 1);
  }

  TEST_CASE("a refused replacement leaves the former content live") {
    WatcherRig rig;
    rig.put_variant("good.so", "good");
    rig.start();
    rig.put_variant("good.so", "wrong_major");
    CHECK(rig.shows({"good.so live", "good.so refused abi_major"}));
    CHECK(rig.has("good", "good"));
    rig.put_variant("good.so", "second_version");
    CHECK(rig.has("good", "second_version"));
    CHECK(rig.has_event("unloaded good.so"));  // the same definition: nothing holds the first
    CHECK(rig.shows({"good.so live"}));
  }

  TEST_CASE("a file put back to what is live is no longer refused and no change") {
    WatcherRig rig;
    rig.put_variant("good.so", "good");
    rig.start();
    const FlowHandle before = rig.registry.find("good").value();
    rig.put_variant("good.so", "wrong_major");
    CHECK(rig.shows({"good.so live", "good.so refused abi_major"}));
    rig.put_variant("good.so", "good");
    CHECK(rig.shows({"good.so live"}));
    CHECK(rig.registry.find("good").value() == before);
    CHECK(rig.events_are(Texts{"live good.so good", "refused good.so abi_major"}));
  }

  TEST_CASE("D7: the same bytes written again are no change") {
    WatcherRig rig;
    rig.put_variant("good.so", "good");
    rig.start();
    const FlowHandle before = rig.registry.find("good").value();
    rig.put_variant("good.so", "good");
    rig.put_variant("other.so", "other_flow");
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.registry.find("good").value() == before);
    CHECK(rig.events_are(Texts{"live good.so good", "live other.so other"}));
  }

  TEST_CASE("a removed file's flows are unregistered and handles to them still run") {
    WatcherRig rig;
    const std::string bytes = good("removed");
    rig.put("good.so", bytes);
    rig.start();
    std::optional<FlowHandle> held = rig.registry.find("good").value();
    rig.remove("good.so");
    CHECK(rig.has_none("good"));
    CHECK(rig.shows({"good.so former"}));
    CHECK(first_of(*held) == "\"first\"");
    held.reset();
    CHECK(rig.shows({}));
    CHECK(rig.events_are(Texts{"live good.so good", "removed good.so good", "unloaded good.so"}));
  }

  TEST_CASE("a file removed and built again at once never leaves the registry") {
    WatcherRig rig(patient());
    rig.put_variant("good.so", "good");
    rig.start();
    rig.remove("good.so");
    rig.overwrite("good.so", good("built again"));
    CHECK(rig.has_bytes("good", good("built again")));
    CHECK(std::ranges::count(rig.events(), "removed good.so good") == 0);
  }

  TEST_CASE("a flow that a new version has no longer is unregistered with it") {
    WatcherRig rig;
    rig.put_variant("plugin.so", "good");
    rig.start();
    rig.put_variant("plugin.so", "other_flow");
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.has_none("good"));
    CHECK(rig.events_are({"live plugin.so good", "live plugin.so other", "removed plugin.so good",
                          "unloaded plugin.so"}));
  }

  TEST_CASE("a file renamed within the folder takes its flows along") {
    WatcherRig rig;
    rig.put_variant("a.so", "good");
    rig.start();
    std::atomic<bool> stop = false;
    std::atomic<std::size_t> missing = 0;
    {
      const std::jthread reader([&] {
        while (!stop)
          if (rig.sha256_of("good") == "none") ++missing;
      });
      fs::rename(rig.path() / "a.so", rig.path() / "b.so");
      CHECK(eventually([&] {
        std::string path;
        rig.registry.read(Slug::parse("good").value(),
                          [&](const FlowModule& module) { path = module.file.path; });
        return path == (rig.path() / "b.so").string();
      }));
      stop = true;
    }
    CHECK(missing == 0);
    CHECK(rig.shows({"b.so live"}));
    CHECK(std::ranges::none_of(
        rig.events(), [](const std::string& each) { return each.starts_with("refused"); }));
  }

  TEST_CASE("a file replaced by a link is refused and what was published stays") {
    WatcherRig rig(patient());
    rig.put_variant("good.so", "good");
    rig.start();
    rig.remove("good.so");
    fs::create_symlink(built("other_flow"), rig.path() / "good.so");
    CHECK(rig.shows({"good.so live", "good.so refused not_regular"}));
    CHECK(rig.has("good", "good"));
  }

  TEST_CASE("G4: a newcomer that collides is refused and tried again when the holder goes") {
    WatcherRig rig;
    rig.put_variant("good.so", "good");
    rig.start();
    rig.put_variant("late.so", "same_slug");
    CHECK(rig.shows({"good.so live", "late.so refused duplicate_slug"}));
    const auto statuses = rig.board.list();
    CHECK(statuses[1].error->detail.contains((rig.path() / "good.so").string()));
    rig.remove("good.so");
    CHECK(rig.has("GOOD", "same_slug"));
    CHECK(rig.has_event("live late.so GOOD"));
    CHECK(std::ranges::count(rig.events(), "refused late.so duplicate_slug") == 1);
    CHECK(rig.shows({"late.so live"}));
  }

  TEST_CASE("G4: a plugin that collides is tried again when somebody else frees the name") {
    WatcherRig rig;
    const auto held = rig.register_variant("good");
    rig.put_variant("late.so", "good");
    rig.start();
    CHECK(rig.shows({"late.so refused duplicate_module"}));
    REQUIRE(rig.registry.unregister(held));
    CHECK(rig.has_event("live late.so good"));
    CHECK(std::ranges::count(rig.events(), "refused late.so duplicate_module") == 1);
  }

  TEST_CASE("G4: an update that collides is refused once and tried again when the name is free") {
    WatcherRig rig(no_rescan());  // whose interval is that of retries, too
    rig.put_variant("a.so", "good");
    rig.put_variant("b.so", "other_flow");
    rig.start();
    rig.put_variant("a.so", "other_flow");
    REQUIRE(rig.has_event("refused a.so duplicate_module"));
    rig.put("c.so", "no library");  // the last of what the watcher does about it
    REQUIRE(rig.has_event("refused c.so not_elf"));
    CHECK(rig.loads() == 4);  // each once, and once more beside the new file
    CHECK(rig.events_are({"live a.so good", "live b.so other", "refused a.so duplicate_module",
                          "refused c.so not_elf"}));
    rig.remove("b.so");
    CHECK(rig.has_event("took over a.so other"));
  }

  TEST_CASE("G4: two files that exchange their names one after the other are both live") {
    WatcherRig rig;
    rig.put_variant("a.so", "good");
    rig.put_variant("b.so", "other_flow");
    rig.start();
    rig.put_variant("a.so", "other_flow");
    REQUIRE(rig.has_event("refused a.so duplicate_module"));
    rig.put_variant("b.so", "good");
    CHECK(rig.has_event("took over a.so other"));
    CHECK(rig.has_event("took over b.so good"));
  }

  TEST_CASE("G4: two files exchange their names though a third collides") {
    WatcherRig rig;
    rig.put_variant("a.so", "good");
    rig.put_variant("b.so", "other_flow");
    rig.put("0.so", bytes_of(built("good")) + "first by name");
    rig.start();
    REQUIRE(rig.shows({"0.so live", "a.so refused duplicate_module", "b.so live"}));
    rig.put_variant("0.so", "other_flow");
    REQUIRE(rig.has_event("refused 0.so duplicate_module"));
    rig.put_variant("b.so", "good");
    CHECK(rig.has_event("took over 0.so other"));
    CHECK(rig.has_event("took over b.so good"));
    CHECK(rig.shows({"0.so live", "a.so refused duplicate_module", "b.so live"}));
  }

  TEST_CASE("of two that collide in one round the first by name is live") {
    WatcherRig rig;
    rig.put_variant("a.so", "good");
    rig.put_variant("b.so", "same_module");
    rig.put_variant("c.so", "other_flow");
    rig.start();
    CHECK(rig.shows({"a.so live", "b.so refused duplicate_module", "c.so live"}));
  }

  TEST_CASE("the folder replaced by another in one step is the new one's plugins") {
    WatcherRig rig(no_rescan());
    rig.put_variant("good.so", "good");
    rig.start();
    fs::create_directory(rig.elsewhere("next"));
    fs::copy_file(built("other_flow"), rig.elsewhere("next") / "other.so");
    REQUIRE(::renameat2(AT_FDCWD, rig.elsewhere("next").c_str(), AT_FDCWD, rig.path().c_str(),
                        RENAME_EXCHANGE) == 0);
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.has_none("good"));
    rig.put_variant("good.so", "good");  // the new folder is watched
    CHECK(rig.has("good", "good"));
  }

  TEST_CASE("a folder that goes and comes back brings its plugins back") {
    WatcherRig rig(no_rescan());
    rig.put_variant("good.so", "good");
    rig.start();
    fs::rename(rig.path(), rig.elsewhere("away"));
    CHECK(rig.has_none("good"));
    CHECK(rig.has_event("refused plugins not_found"));
    fs::rename(rig.elsewhere("away"), rig.path());
    CHECK(rig.has("good", "good"));
    CHECK(rig.shows({"good.so live"}));
  }

  TEST_CASE("each of two missing folders with one parent is noticed when it appears") {
    for (const char* name : {"first", "second"}) {
      CAPTURE(name);
      PluginWatcher::Options options = no_rescan();
      options.folder_patience = 0ms;  // else it would scan again by itself
      WatcherRig rig(options);
      rig.start({rig.elsewhere("first"), rig.elsewhere("second")});
      CHECK(rig.has_event("refused first not_found"));
      CHECK(rig.has_event("refused second not_found"));
      fs::create_directory(rig.elsewhere("made ready"));
      fs::copy_file(built("good"), rig.elsewhere("made ready") / "good.so");
      fs::rename(rig.elsewhere("made ready"), rig.elsewhere(name));
      CHECK(rig.has("good", "good"));
    }
  }

  TEST_CASE("a folder that is missing for a moment loses nothing") {
    WatcherRig rig(patient());
    rig.put_variant("good.so", "good");
    rig.start();
    fs::rename(rig.path(), rig.elsewhere("away"));
    fs::rename(rig.elsewhere("away"), rig.path());
    rig.put_variant("other.so", "other_flow");
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.events_are(Texts{"live good.so good", "live other.so other"}));
  }

  TEST_CASE("a link among the folders above that leads elsewhere is followed by a rescan") {
    WatcherRig rig;
    fs::create_directories(rig.elsewhere("one/plugins"));
    fs::create_directories(rig.elsewhere("two/plugins"));
    fs::copy_file(built("good"), rig.elsewhere("one/plugins/good.so"));
    fs::copy_file(built("other_flow"), rig.elsewhere("two/plugins/other.so"));
    fs::create_symlink("one", rig.elsewhere("current"));
    rig.start({rig.elsewhere("current") / "plugins"});
    CHECK(rig.has("good", "good"));
    fs::create_symlink("two", rig.elsewhere("next"));
    fs::rename(rig.elsewhere("next"), rig.elsewhere("current"));
    CHECK(rig.has("other", "other_flow"));
    CHECK(rig.has_none("good"));
  }

  TEST_CASE("a file whose folder may be written by others is live once that is mended") {
    WatcherRig rig;
    fs::permissions(rig.path(), fs::perms::all);
    rig.put_variant("good.so", "good");
    rig.start();
    CHECK(rig.events_are(Texts{"refused good.so untrusted_path"}));
    fs::permissions(rig.path(), fs::perms::owner_all);
    CHECK(rig.has("good", "good"));
    CHECK(rig.events_are({"refused good.so untrusted_path", "live good.so good"}));
  }

  TEST_CASE("case 35: a nodelete plugin that was removed is shown as unload_pinned") {
    WatcherRig rig;
    rig.put("stays.so", bytes_of(built("nodelete")) + "removed");
    rig.start();
    rig.remove("stays.so");
    CHECK(rig.has_event("pinned stays.so unload_pinned"));
    CHECK(rig.shows({"stays.so unload_pinned unload_pinned"}));
    const PluginStatus status = rig.board.list().front();
    CHECK(status.error->detail ==
          "it is no longer used, but its code is still mapped: it is linked with -z nodelete "
          "(link it without -z nodelete)");
  }

  TEST_CASE("files and folders that come and go at random end as the folder is") {
    WatcherRig rig;
    rig.start();
    for (int i = 0; i < 60; ++i) {
      const std::string name = "f" + std::to_string(i % 3) + ".so";
      switch (i * 7 % 5) {
        case 0:
          fs::remove(rig.path() / name);
          break;
        case 1:
          rig.overwrite(name, "text " + std::to_string(i));
          break;
        case 2:
          rig.put(name, good(std::to_string(i)));
          break;
        case 3:
          rig.put_variant(name, "other_flow");
          break;
        default:
          fs::rename(rig.path(), rig.elsewhere("away"));
          fs::rename(rig.elsewhere("away"), rig.path());
      }
    }
    for (const char* name : {"f0.so", "f1.so", "f2.so"}) fs::remove(rig.path() / name);
    rig.put("last.so", good("last"));
    CHECK(rig.has_bytes("good", good("last")));
    CHECK(rig.shows({"last.so live"}));
    CHECK(rig.registry.versions().size() == 1);
  }
}
