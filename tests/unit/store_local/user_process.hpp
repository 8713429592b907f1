#pragma once
#include <filesystem>
#include <string>

#include <sys/types.h>

#include "base/file_descriptor.hpp"

namespace weir::testing {

/// A process of its own that joins the private PostgreSQL of a folder. Killed with the object.
class UserProcess {
 public:
  /// As the user `name`; empty: as this process's.
  explicit UserProcess(const std::filesystem::path& folder, const std::string& name = "");
  UserProcess(UserProcess&&) noexcept;
  UserProcess& operator=(UserProcess&&) = delete;
  ~UserProcess();

  /// Its first line: the URL, or "kind: message". Waits for it; fails the test after a minute.
  std::string first_line();

  int leave();  ///< lets it end; its exit status
  void kill();  ///< SIGKILL, and waits for its end

 private:
  int wait();

  pid_t pid_ = -1;
  FileDescriptor input_;
  FileDescriptor output_;
};

}  // namespace weir::testing
