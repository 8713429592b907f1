#include "source.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "character.hpp"
#include "file.hpp"

namespace article {
namespace {

/// Whether this refusal of the file system is permanent, so that a retry cannot help.
bool stays(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM ||
         error == ELOOP || error == ENAMETOOLONG;
}

}  // namespace

std::expected<std::string, std::string> read_source(const std::filesystem::path& file) {
  const auto refused = [&](const std::error_code& why) {
    if (!stays(why.value())) throw std::system_error(why, file.string());
    return std::unexpected("cannot read the source " + file.string() + ": " + why.message());
  };
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (error) return refused(error);
  if (!std::filesystem::is_regular_file(status)) {  // a pipe would hold fopen up
    return std::unexpected("the source " + file.string() + " is not a regular file");
  }
  const File source(std::fopen(file.c_str(), "re"));
  if (!source) return refused({errno, std::generic_category()});
  std::string bytes(source_bytes_max + 1, '\0');
  bytes.resize(std::fread(bytes.data(), 1, bytes.size(), source.get()));
  if (std::ferror(source.get()) != 0)
    throw std::system_error(errno, std::generic_category(), file.string());
  if (bytes.size() > source_bytes_max) {
    return std::unexpected("the source " + file.string() + " is larger than " +
                           std::to_string(source_bytes_max) +
                           " bytes, the most that an article may have");
  }
  if (const std::size_t at = bytes.find('\0'); at != bytes.npos) {
    const bool utf16 = bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF");
    return std::unexpected("the source " + file.string() + " is not text: byte " +
                           std::to_string(at) + " is NUL" +
                           (utf16 ? " (it looks like UTF-16: save it as UTF-8)" : ""));
  }
  return clean_text(bytes);
}

std::string clean_text(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const bool utf8 = is_utf8(bytes);
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const Character next =
        utf8 ? first_character(bytes.substr(at)) : Character{from_windows_1252(byte), 1};
    at += next.size;
    if (next.code == '\r') {
      if (!bytes.substr(at).starts_with('\n')) text.push_back('\n');
    } else if (next.code == '\f' || next.code == '\v') {
      text.push_back('\n');
    } else if (next.code == 0xA0) {
      text.push_back(' ');  // a non-breaking space: nothing is laid out here
    } else if (is_text(next.code)) {
      append(text, next.code);
    }
  }
  return text;
}

}  // namespace article
