#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/temporary_folder.hpp"

namespace weir::testing {

/// Plugin folders with 20 good plugins and everything that should not lie there: each bad plugin
/// that can be recognised by its file, built or broken anew. `plugins` holds all of them but what needs a
/// folder of its own.
class Zoo {
 public:
  Zoo();

  /// One with the 20 good plugins and these actors, each under its own name.
  explicit Zoo(const std::vector<std::string>& actors);

  const std::filesystem::path& path() const noexcept { return folder_.path(); }
  std::filesystem::path plugins() const { return path() / "plugins"; }

  /// The kind of error each file must get, by its path; "" for those that must be live.
  const std::map<std::string, std::string>& expected() const noexcept { return expected_; }

  /// Copies a built plugin of tests/fixtures/actors there, in place of what stood under that name.
  void put_actor(const std::string& built, const std::string& name);

  /// "good_01" … "good_20"
  static std::vector<std::string> good();

 private:
  void put_good();
  void put(const std::string& name, const std::string& bytes, const std::string& kind);
  void put_file_cases();
  void put_loader_cases();
  void put_constructor_cases();
  void put_descriptor_cases();
  void put_runtime_cases();
  void put_trust_cases();

  TemporaryFolder folder_;
  std::map<std::string, std::string> expected_;
};

/// All bytes of a file.
std::string bytes_of(const std::filesystem::path& file);

}  // namespace weir::testing
