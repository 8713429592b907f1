#include "file_count.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "word_count.hpp"

namespace text_report {
namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int value) noexcept : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int value() const noexcept { return value_; }

 private:
  int value_;
};

/// The reason in words, unless the host lacks resources and the file is not at fault.
std::string reason(int error, const std::filesystem::path& file) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      throw std::system_error(error, std::generic_category(), file.string());
    case ENOENT:
    case ENOTDIR:
      return "it vanished while the report was made";
    case ELOOP:
      return "it became a symbolic link while the report was made";
    default:
      return "cannot be read: " + std::generic_category().message(error);
  }
}

}  // namespace

std::expected<FileCount, std::string> count_file(const std::filesystem::path& file,
                                                 const std::function<void()>& pause) {
  // O_NONBLOCK: a pipe that took the file's place must not hold the step up.
  const Descriptor open_file(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (open_file.value() < 0 || ::fstat(open_file.value(), &status) != 0)
    return std::unexpected(reason(errno, file));
  if (!S_ISREG(status.st_mode)) return std::unexpected("it is no longer a regular file");

  WordCount words;
  TermCount terms;
  std::array<char, piece_bytes> buffer;
  while (!terms.overflowed()) {
    pause();
    const ::ssize_t size = ::read(open_file.value(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(reason(errno, file));
    if (size == 0) break;
    const std::string_view piece(buffer.data(), static_cast<std::size_t>(size));
    if (const std::size_t at = piece.find('\0'); at != piece.npos) {
      return std::unexpected("not text: byte " + std::to_string(words.bytes() + at) + " is NUL");
    }
    words.add(piece);
    terms.add(piece);
  }
  auto top = terms.top(FileCount::terms_shown);
  if (terms.overflowed()) {
    return std::unexpected("not text: more than " + std::to_string(TermCount::terms_max) +
                           " different terms");
  }
  return FileCount{words.words(), words.lines(), words.bytes(), std::move(top)};
}

}  // namespace text_report
