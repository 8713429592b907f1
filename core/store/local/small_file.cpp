#include "store/local/small_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_descriptor.hpp"
#include "store/local/folder_error.hpp"

namespace weir::local {

Result<void> write_small_file(const std::filesystem::path& file, std::string_view text) {
  const auto failed = [&] { return std::unexpected(folder_error("write", file, errno)); };
  std::string draft = file.string() + ".XXXXXX";
  const FileDescriptor out(mkostemp(draft.data(), O_CLOEXEC));
  if (!out) return failed();
  const bool written = ::write(out.fd(), text.data(), text.size()) == std::ssize(text) &&
                       fchmod(out.fd(), 0644) == 0 && fsync(out.fd()) == 0 &&
                       rename(draft.c_str(), file.c_str()) == 0;
  if (!written) {
    const int why = errno;
    unlink(draft.c_str());
    errno = why;
    return failed();
  }
  const FileDescriptor folder(
      ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || fsync(folder.fd()) != 0) return failed();
  return {};
}

std::string read_small_file(const std::filesystem::path& file, std::size_t offset) {
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

}  // namespace weir::local
