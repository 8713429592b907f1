#pragma once
#include <cstddef>
#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/xattr.h>

#include "base/file_descriptor.hpp"
#include "plugin/plugin_error.hpp"
#include "plugin/private_group.hpp"

namespace weir {

/// The largest plugin file, unless a policy says otherwise.
inline constexpr std::size_t plugin_bytes_max = std::size_t{256} << 20U;

/// Which plugin files may be loaded.
struct TrustPolicy {
  std::size_t bytes_max = plugin_bytes_max;
  /// 64 lower-case hex digits each; empty: every hash is allowed.
  std::vector<std::string> sha256_allow{};
  /// Whoever may write the file or the folders on the way to it: for what looks at its content and
  /// runs nothing, as after a build.
  bool allow_any_writer = false;
};

/// A plugin file as it was read once. Everything later uses only these bytes, so changes of the
/// file afterwards have no effect.
struct TrustedFile {
  std::filesystem::path path;  ///< as given
  std::string bytes;
  std::string sha256;
};

/// As getxattr(2).
using ReadAttribute =
    std::function<ssize_t(const char* path, const char* name, void* value, std::size_t size)>;

/// Opens files that can be trusted: regular ones (no link), where the file and every folder on the
/// way to it belong to root or to this process's user and can be written by no other user, whom an
/// access control list names either. Writing by a group is allowed if the group belongs to the owner
/// alone (PrivateGroups), and any writing to folders with the sticky bit (docs/decisions/0011). Never
/// blocks on a FIFO.  [one thread]
///
/// A folder is checked and opened once: files of one folder cost little after the first, and those
/// read through one object are from the same folder even if it is renamed meanwhile. For a batch,
/// not for long.
class TrustedFiles {
 public:
  explicit TrustedFiles(PrivateGroups::Lookup private_groups = is_private_group,
                        ReadAttribute read_attribute = ::getxattr)
      : lookups_{PrivateGroups(std::move(private_groups)), std::move(read_attribute)} {}

  /// What tells who may write.
  struct Lookups {
    PrivateGroups groups;
    ReadAttribute read_attribute;
  };

  /// For reading. Errors: not_found, not_regular, unreadable, untrusted_path; stage verify.
  std::expected<FileDescriptor, PluginError> open(const std::filesystem::path& path,
                                                  const TrustPolicy& policy = {});

  /// All its bytes, without a comparison with sha256_allow. Errors: those of open, too_big; stage
  /// verify.
  std::expected<std::string, PluginError> read_bytes(const std::filesystem::path& path,
                                                     const TrustPolicy& policy);

  /// Reads and hashes. Errors: those of open, too_big, hash_not_allowed; stage verify.
  std::expected<TrustedFile, PluginError> read(const std::filesystem::path& path,
                                               const TrustPolicy& policy = {});

 private:
  friend class TrustWalk;
  struct Folder {
    FileDescriptor opened;
    std::filesystem::path at;  // without links
  };

  Lookups lookups_;
  std::map<std::string, std::shared_ptr<const Folder>> folders_;  // by path as given
};

/// Reads one file as TrustedFiles does.  [any thread]
std::expected<TrustedFile, PluginError> read_trusted(const std::filesystem::path& path,
                                                     const TrustPolicy& policy = {});

}  // namespace weir
