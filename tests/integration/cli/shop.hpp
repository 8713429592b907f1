#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/eventually.hpp"
#include "support/program.hpp"
#include "support/temporary_folder.hpp"
#include "support/test_database.hpp"

namespace weir::testing {

/// The content of a file.
inline std::string text(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder with the process_order plugin and a flows.yaml that begins with `lines`.
class Shop {
 public:
  explicit Shop(const std::string& lines) {
    folder_.write("flows.yaml", lines + "plugins: {folders: [plugins]}\n");
    std::filesystem::create_directory(folder_.path() / "plugins");
    std::filesystem::permissions(folder_.path() / "plugins", std::filesystem::perms(0755));
    std::filesystem::copy_file(std::filesystem::path(WEIR_PLUGIN_FOLDER) / "process_order.so",
                               folder_.path() / "plugins/process_order.so");
    std::filesystem::permissions(folder_.path() / "plugins/process_order.so",
                                 std::filesystem::perms(0644));
  }

  Ran run(const std::vector<std::string>& arguments) const {
    return run_program(WEIR_PROGRAM, arguments, {.folder = folder_.path()});
  }

  /// A `weir …` in the background, its output in `log`.
  Running begin(const std::vector<std::string>& arguments, const std::string& log) const {
    return {WEIR_PROGRAM, arguments, folder_.path(), folder_.path() / log};
  }

  std::vector<std::string> order(int id, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"start", "process_order", "--input",
                                      "{\"order_id\": " + std::to_string(id) +
                                          ", \"amount\": 9.5, \"ledger\": \"" +
                                          (folder_.path() / "ledger").string() + "\"}"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  const std::filesystem::path& path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

/// What `weir migrate` makes of an empty database.
inline DatabaseTemplate migrated() {
  static const std::string key =
      std::to_string(std::filesystem::last_write_time(WEIR_PROGRAM).time_since_epoch().count());
  return {.key = key, .prepare = [](const std::string& url) {
            const Ran migrated = run_program(WEIR_PROGRAM, {"migrate", "--database", url});
            if (migrated.code != 0) throw std::runtime_error(migrated.err);
          }};
}

/// A shop on a migrated database of its own.
struct ServedShop {
  TestDatabase database{migrated()};
  Shop shop{"database: \"" + database.url() + "\"\n"};
};

}  // namespace weir::testing
