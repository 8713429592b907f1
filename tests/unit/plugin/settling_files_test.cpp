#include "plugin/settling_files.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/temporary_folder.hpp"

using namespace weir;
namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

// A folder by hand, and a clock by hand: 0 is when everything began.
struct SettlingRig {
  FolderSnapshot folder;
  std::set<fs::path> written;
  std::chrono::milliseconds at = 1h;
  SettlingFiles files{{.quiet = 250ms, .writer_patience = 10s},
                      [this](const fs::path& path) { return written.contains(path); }};

  Steady now() const { return Steady(at); }
  // A write, or whatever else changes a file.
  void touch(const fs::path& path) {
    folder[path].changed_ns = std::chrono::nanoseconds(at).count();
  }
  void update() { files.update(folder, now(), std::chrono::system_clock::time_point(at)); }
  std::vector<std::string> taken(bool at_once = false) {
    std::vector<std::string> names;
    const SettlingFiles::Batch batch = files.take(now(), at_once);
    for (const auto& each : batch.settled) names.push_back(each.path.string());
    for (const auto& each : batch.removed) names.push_back("-" + each.string());
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_SUITE("plugin: settling files") {
  TEST_CASE("a file that was quiet long before it is seen arrives at once") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.at += 300ms;
    rig.update();
    CHECK(rig.taken() == Names{"a.so"});
    CHECK(rig.taken().empty());
    CHECK_FALSE(rig.files.next());
  }

  TEST_CASE("a file arrives when it has been quiet since its last change") {
    SettlingRig rig;
    for (int i = 0; i < 10; ++i) {
      rig.at += 100ms;
      rig.touch("a.so");
      rig.update();
      CHECK(rig.taken().empty());
    }
    CHECK(rig.files.next() == rig.now() + 250ms);
    rig.at += 249ms;
    rig.update();
    CHECK(rig.taken().empty());
    rig.at += 1ms;
    CHECK(rig.taken() == Names{"a.so"});
  }

  TEST_CASE("each state of a file arrives once") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken() == Names{"a.so"});
    rig.update();
    CHECK(rig.taken().empty());
    rig.touch("a.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken() == Names{"a.so"});
  }

  TEST_CASE("a file that goes is gone when it did not come back meanwhile") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.touch("b.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken() == Names{"a.so", "b.so"});
    rig.folder.clear();
    rig.update();
    CHECK(rig.taken().empty());
    rig.at += 100ms;
    rig.touch("b.so");
    rig.update();
    rig.at += 250ms;
    CHECK(rig.taken() == Names{"b.so", "-a.so"});
  }

  TEST_CASE("a new file waits for one that is about to be gone but not for long") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken() == Names{"a.so"});
    rig.folder.erase("a.so");
    rig.touch("b.so");
    rig.at += 100ms;
    rig.update();
    rig.at += 160ms;
    CHECK(rig.taken().empty());
    CHECK(rig.files.next() == rig.now() + 90ms);
    rig.at += 90ms;
    CHECK(rig.taken() == Names{"b.so", "-a.so"});
  }

  TEST_CASE("V2: a removal waits for a new file that is still being written but not for long") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken() == Names{"a.so"});
    rig.folder.erase("a.so");
    rig.update();
    rig.at += 100ms;
    rig.touch("b.so");
    rig.written.insert("b.so");
    rig.update();
    SUBCASE("until it is written") {
      rig.at += 200ms;
      rig.touch("b.so");
      rig.update();
      CHECK(rig.taken().empty());
      rig.at += 250ms;
      CHECK(rig.taken().empty());
      CHECK(rig.files.next() > rig.now());
      rig.written.clear();
      rig.at += 250ms;
      CHECK(rig.taken() == Names{"b.so", "-a.so"});
    }
    SUBCASE("for the patience that a writer has") {
      for (int i = 0; i < 39; ++i) {
        rig.at += 250ms;
        rig.touch("b.so");
        rig.update();
        CHECK(rig.taken().empty());
      }
      rig.at += 250ms;
      rig.touch("b.so");
      rig.update();
      CHECK(rig.taken() == Names{"-a.so"});
    }
  }

  TEST_CASE("a file that goes before it arrived was never there") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.update();
    rig.folder.clear();
    rig.update();
    rig.at += 1h;
    CHECK(rig.taken().empty());
    CHECK_FALSE(rig.files.next());
  }

  TEST_CASE("what happens shortly after one another is dealt with together") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.update();
    const Steady first = rig.now() + 250ms;
    rig.at += 40ms;
    rig.touch("b.so");
    rig.update();
    CHECK(rig.files.next() == first + 40ms);
    rig.at += 100ms;
    rig.touch("c.so");
    rig.update();
    CHECK(rig.files.next() == first + 40ms);
    rig.at += 150ms;
    CHECK(rig.taken() == Names{"a.so", "b.so"});
  }

  TEST_CASE("a file that is being written waits until it is closed or long unchanged") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.written.insert("a.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken().empty());
    CHECK(rig.taken(true).empty());
    CHECK(rig.files.next() == rig.now() + 250ms);
    rig.at += 250ms;
    rig.written.clear();
    CHECK(rig.taken() == Names{"a.so"});

    rig.written.insert("a.so");
    rig.touch("a.so");
    rig.update();
    rig.at += 9s;
    CHECK(rig.taken().empty());
    rig.at += 1s;
    CHECK(rig.taken() == Names{"a.so"});
  }

  TEST_CASE("a file dated ahead of the clock is quiet when it has not changed for a while") {
    SettlingRig rig;
    rig.folder["a.so"].changed_ns = std::chrono::nanoseconds(100h).count();
    rig.update();
    CHECK(rig.files.next() == rig.now() + 250ms);
    rig.at += 250ms;
    CHECK(rig.taken() == Names{"a.so"});
  }

  TEST_CASE("at the beginning nothing is waited for but writers") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.update();
    CHECK(rig.taken(true) == Names{"a.so"});
  }

  TEST_CASE("a file can be asked for once more") {
    SettlingRig rig;
    rig.touch("a.so");
    rig.at += 1s;
    rig.update();
    CHECK(rig.taken() == Names{"a.so"});
    rig.files.requeue("a.so", rig.now() + 1s);
    rig.files.requeue("nowhere.so", rig.now());
    CHECK(rig.taken().empty());
    rig.at += 1s;
    CHECK(rig.taken() == Names{"a.so"});
  }

  TEST_CASE("whether a file is being written is seen from outside") {
    const testing::TemporaryFolder folder;
    const fs::path file = folder.write("a.so", "text");
    CHECK_FALSE(is_being_written(file));
    {
      std::ofstream writer(file, std::ios::app);
      CHECK(is_being_written(file));
    }
    CHECK_FALSE(is_being_written(file));
    CHECK_FALSE(is_being_written(folder.path()));
    CHECK_FALSE(is_being_written(folder.path() / "nowhere.so"));
  }

  TEST_CASE("an identity changes with content and place and permissions") {
    const testing::TemporaryFolder folder;
    const fs::path file = folder.write("a.so", "text");
    const auto before = identity_of(file);
    REQUIRE(before);
    CHECK(identity_of(file) == before);
    fs::permissions(file, fs::perms::owner_read);
    CHECK(identity_of(file) != before);
    const fs::path other = folder.write("b.so", "text");
    CHECK(identity_of(other) != identity_of(file));
    CHECK_FALSE(identity_of(folder.path() / "nowhere.so"));
  }
}
