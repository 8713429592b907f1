#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "config/config.hpp"
#include "support/temporary_folder.hpp"

using namespace weir;
namespace fs = std::filesystem;

namespace {

/// The current folder while it lives.
class Standing {
 public:
  explicit Standing(const fs::path& folder) : before_(fs::current_path()) {
    fs::current_path(folder);
  }
  Standing(const Standing&) = delete;
  Standing& operator=(const Standing&) = delete;
  ~Standing() { fs::current_path(before_); }

 private:
  fs::path before_;
};

}  // namespace

TEST_SUITE_BEGIN("config: the file");

TEST_CASE(
    "without a name and without flows.yaml all is default and plugins stand beside the user") {
  const testing::TemporaryFolder folder;
  const Standing here(folder.path());
  const auto config = load_config(std::nullopt);
  REQUIRE(config);
  CHECK(config->source == nullptr);
  CHECK(config->folder == folder.path());
  REQUIRE(config->plugins.folders.size() == 1);
  CHECK(config->plugins.folders[0].path == folder.path() / "plugins");
}

TEST_CASE("without a name flows.yaml of the current folder is read") {
  const testing::TemporaryFolder folder;
  folder.write("flows.yaml", "\xEF\xBB\xBFworker: {slots: 3}\n");
  const Standing here(folder.path());
  const auto config = load_config(std::nullopt);
  REQUIRE(config);
  CHECK(config->worker.slots == 3);
  CHECK(config->source->name() == "flows.yaml");
}

TEST_CASE("paths in a file are relative to the file whatever the current folder") {
  const testing::TemporaryFolder folder;
  folder.write("etc/shop/flows.yaml", "plugins: {folders: [../flows]}\n");
  const Standing here(folder.path() / "etc");
  const auto config = load_config("shop/flows.yaml");
  REQUIRE(config);
  CHECK(config->folder == folder.path() / "etc/shop");
  CHECK(config->plugins.folders[0].path == folder.path() / "etc/flows");
}

TEST_CASE("a named file must be there") {
  const auto config = load_config("/nowhere/flows.yaml");
  REQUIRE_FALSE(config);
  REQUIRE(config.error().size() == 1);
  CHECK(config.error()[0] ==
        Error{.code = ErrorCode::not_found,
              .kind = "no_config",
              .message = "/nowhere/flows.yaml: no such file",
              .hint = "name another with --config, or make one with \"weir init\""});
}

TEST_CASE("a folder in place of the file is answered with the file that may be meant") {
  const testing::TemporaryFolder folder;
  const auto config = load_config(folder.path());
  REQUIRE_FALSE(config);
  CHECK(to_string(config.error()[0]) ==
        folder.path().string() + ": is a folder (name the file in it: " + folder.path().string() +
            "/flows.yaml)");
}

TEST_CASE("what is no regular file and what is too large is not read") {
  const testing::TemporaryFolder folder;
  const auto device = load_config("/dev/zero");
  REQUIRE_FALSE(device);
  CHECK(device.error()[0].code == ErrorCode::unavailable);
  CHECK(to_string(device.error()[0]) ==
        "/dev/zero: not a regular file (it must be a readable file of at most 1 MiB)");
  const auto large = load_config(folder.write("flows.yaml", std::string(1024 * 1024 + 1, '#')));
  REQUIRE_FALSE(large);
  CHECK(large.error()[0].kind == "unreadable_config");
}

TEST_CASE("mistakes are told under the name the user gave") {
  const testing::TemporaryFolder folder;
  folder.write("my.yaml", "slots: 3\n");
  const Standing here(folder.path());
  const auto config = load_config("./my.yaml");
  REQUIRE_FALSE(config);
  CHECK(config.error()[0].message.starts_with("./my.yaml:1:1: error: unknown key \"slots\""));
}
