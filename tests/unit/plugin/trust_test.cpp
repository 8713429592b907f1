#include "plugin/trust.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/sha256.hpp"
#include "plugin/private_group.hpp"
#include "support/temporary_folder.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

TEST_SUITE("plugin: trust") {
  TEST_CASE("a trusted file is read whole and hashed") {
    const TemporaryFolder folder;
    const std::string text(200'000, 'x');
    const auto file = read_trusted(folder.write("a.so", text));
    REQUIRE(file.has_value());
    CHECK(file->bytes == text);
    CHECK(file->sha256 == sha256_hex(text));
    CHECK(file->path == folder.path() / "a.so");
  }

  TEST_CASE("a file that is not there is refused as not_found") {
    const TemporaryFolder folder;
    const fs::path file = folder.path() / "nowhere" / "a.so";
    CHECK(refusal_text(read_trusted(file).error(), file) ==
          fmt::format("not_loaded/not_found at verify: there is no \"{}/nowhere\" (check the path)",
                      folder.path().string()));
  }

  TEST_CASE(
      "plugin case 14: a file below a folder that others may write is refused as untrusted_path") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("open/deep/a.so", "x");
    const fs::path open = folder.path() / "open";
    fs::permissions(open, fs::perms{0777});
    CHECK(refusal_text(read_trusted(file).error(), file) ==
          fmt::format("not_loaded/untrusted_path at verify: \"{0}\" can be written by everybody "
                      "(mode 0777) (chmod "
                      "go-w {0})",
                      open.string()));
    fs::permissions(open, fs::perms{01777});
    CHECK(read_trusted(file).has_value());  // sticky: nobody can rename another's entries
  }

  TEST_CASE("plugin case 14: a folder of a foreign owner is refused as untrusted_path") {
    if (::geteuid() != 0) {
      MESSAGE("skipped: only root can give a folder away");
      return;
    }
    const TemporaryFolder folder;
    const fs::path file = folder.write("theirs/a.so", "x");
    REQUIRE(::chown((folder.path() / "theirs").c_str(), 65534, 65534) == 0);
    CHECK(read_trusted(file).error().kind == PluginFault::untrusted_path);
  }

  TEST_CASE("a link among the folders is followed and what it leads through is checked") {
    const TemporaryFolder folder;
    folder.write("real/a.so", "x");
    fs::create_directory_symlink("real", folder.path() / "relative");
    fs::create_directory_symlink(folder.path() / "real", folder.path() / "absolute");
    fs::create_directory_symlink("absolute", folder.path() / "twice");
    fs::create_directory_symlink("real//", folder.path() / "slashes");
    fs::create_directory_symlink(folder.path() / "twice" / "", folder.path() / "thrice");
    for (const char* way :
         {"relative", "absolute", "twice", "real/../twice/.", "slashes", "thrice"})
      CHECK_MESSAGE(read_trusted(folder.path() / way / "a.so").has_value(), way);

    fs::create_directory(folder.path() / "open");
    fs::permissions(folder.path() / "open", fs::perms{0777});
    fs::create_directory_symlink("../real", folder.path() / "open" / "link");
    CHECK(read_trusted(folder.path() / "open" / "link" / "a.so").error().kind ==
          PluginFault::untrusted_path);
    fs::create_directory_symlink("open/link", folder.path() / "through");
    CHECK(read_trusted(folder.path() / "through" / "a.so").error().kind ==
          PluginFault::untrusted_path);
  }

  TEST_CASE("folders that link in a circle are refused") {
    const TemporaryFolder folder;
    fs::create_directory_symlink("b", folder.path() / "a");
    fs::create_directory_symlink("a", folder.path() / "b");
    CHECK(read_trusted(folder.path() / "a" / "x.so").error().kind == PluginFault::unreadable);
  }

  TEST_CASE("a path relative to the current folder is trusted like any other") {
    const TemporaryFolder folder;
    folder.write("a.so", "x");
    const fs::path before = fs::current_path();
    fs::current_path(folder.path());
    const auto file = read_trusted("a.so");
    fs::current_path(before);
    CHECK(file.has_value());
  }

  TEST_CASE("a file over the limit is refused as too_big before it is read whole") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("a.so", "12345");
    CHECK(read_trusted(file, {.bytes_max = 5, .sha256_allow = {}}).has_value());
    CHECK(refusal_text(read_trusted(file, {.bytes_max = 4, .sha256_allow = {}}).error(), file) ==
          "not_loaded/too_big at verify: larger than 4 bytes (strip it, or build it without debug "
          "information)");
    fs::resize_file(file, std::uintmax_t{1} << 40U);  // sparse
    CHECK(read_trusted(file).error().kind == PluginFault::too_big);
  }

  TEST_CASE("a file without permission is refused as unreadable") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("a.so", "x");
    fs::permissions(folder.path(), fs::perms{0755});
    fs::permissions(file, fs::perms::none);
    const uid_t self = ::geteuid();
    if (self == 0) REQUIRE(::seteuid(65534) == 0);  // root may read everything
    const auto read = read_trusted(file);
    REQUIRE(::seteuid(self) == 0);
    REQUIRE_FALSE(read.has_value());
    CHECK(refusal_text(read.error(), file) ==
          fmt::format("not_loaded/unreadable at verify: \"{}\" can't be opened: Permission denied "
                      "(allow the user Weir runs as to read it)",
                      file.string()));
  }

  TEST_CASE("a group that is the owner's alone may write and another may not") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("theirs/a.so", "x");
    fs::permissions(folder.path() / "theirs", fs::perms{0775});
    fs::permissions(file, fs::perms{0664});
    std::size_t lookups = 0;
    TrustedFiles own([&](uid_t user, gid_t group) {
      ++lookups;
      return user == ::geteuid() && group == ::getegid();
    });
    CHECK(own.read(file).has_value());
    CHECK(own.read(file).has_value());
    CHECK(lookups == 1);

    TrustedFiles shared([](uid_t, gid_t) { return false; });
    const auto refused = shared.read(file);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refusal_text(refused.error(), file) ==
          fmt::format("not_loaded/untrusted_path at verify: \"{0}\" can be written by its group "
                      "(mode 0775) (chmod go-w {0})",
                      (folder.path() / "theirs").string()));
    fs::permissions(file, fs::perms{0666});
    CHECK(own.read(file).error().kind == PluginFault::untrusted_path);
  }

  TEST_CASE("a file that an access control list lets somebody else write is refused") {
    struct Entry {
      std::uint16_t tag, permissions;
      std::uint32_t id;
    };
    constexpr std::uint16_t user = 0x02, own_group = 0x04, group = 0x08, mask = 0x10;
    constexpr std::uint32_t nobody = 0xFFFFFFFF;
    const auto bytes_of_list = [](const std::vector<Entry>& more) {
      std::vector<Entry> entries{{0x01, 7, nobody}};
      entries.insert(entries.end(), more.begin(), more.end());
      entries.push_back({0x20, 5, nobody});
      constexpr std::uint32_t version = 2;
      std::string bytes(sizeof version + entries.size() * sizeof(Entry), '\0');
      std::memcpy(bytes.data(), &version, sizeof version);
      std::memcpy(bytes.data() + sizeof version, entries.data(), entries.size() * sizeof(Entry));
      return bytes;
    };
    const TemporaryFolder folder;
    const fs::path file = folder.write("mine/a.so", "x");
    bool private_group = true;
    const auto refusal_with = [&](const std::vector<Entry>& list) {
      fs::permissions(file, fs::perms{0674});
      const std::string bytes = bytes_of_list(list);
      TrustedFiles files([&](uid_t, gid_t) { return private_group; },
                         [&](const char*, const char*, void* value, std::size_t) {
                           std::memcpy(value, bytes.data(), bytes.size());
                           return static_cast<ssize_t>(bytes.size());
                         });
      fs::permissions(folder.path() / "mine", fs::perms{0755});
      const auto read = files.read(file);
      return read ? std::string() : to_string(read.error());
    };
    const auto refused = "a.so\" can be written by others whom its access control list names";
    CHECK(refusal_with({{user, 6, 65534}, {own_group, 5, nobody}, {mask, 7, nobody}})
              .contains(refused));
    CHECK(refusal_with({{user, 4, 65534}, {own_group, 5, nobody}, {mask, 7, nobody}}) == "");
    CHECK(refusal_with({{user, 6, ::geteuid()}, {own_group, 5, nobody}, {mask, 7, nobody}}) == "");
    CHECK(refusal_with({{own_group, 7, nobody}, {group, 6, 65534}, {mask, 7, nobody}}) == "");
    private_group = false;
    CHECK(refusal_with({{user, 6, 0}, {own_group, 5, nobody}, {mask, 7, nobody}}) == "");
    CHECK(refusal_with({{own_group, 5, nobody}, {group, 6, 65534}, {mask, 7, nobody}})
              .contains(refused));
    CHECK(refusal_with({{own_group, 7, nobody}, {mask, 7, nobody}}).contains(refused));
  }

  TEST_CASE("an access control list is read where the file system has them") {
    constexpr std::uint16_t list[] = {2,      0,      1,    7, 0xFFFF, 0xFFFF, 2,    6,
                                      65534,  0,      4,    5, 0xFFFF, 0xFFFF, 0x10, 7,
                                      0xFFFF, 0xFFFF, 0x20, 5, 0xFFFF, 0xFFFF};
    const TemporaryFolder folder;
    const fs::path file = folder.write("mine/a.so", "x");
    if (::setxattr(file.c_str(), "system.posix_acl_access", list, sizeof list, 0) != 0) {
      MESSAGE("skipped: this file system has no access control lists");
      return;
    }
    TrustedFiles files([](uid_t, gid_t) { return true; });
    CHECK(files.read(file).error().kind == PluginFault::untrusted_path);
  }

  TEST_CASE("a file whose access control list cannot be read is refused") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("mine/a.so", "x");
    fs::permissions(file, fs::perms{0664});
    int error = EIO;
    const auto reads = [&] {
      TrustedFiles files([](uid_t, gid_t) { return true; },
                         [&](const char*, const char*, void*, std::size_t) {
                           errno = error;
                           return ssize_t{-1};
                         });
      const auto read = files.read(file);
      return read ? std::string() : to_string(read.error());
    };
    CHECK(reads().contains("the access control list of"));
    error = ENODATA;  // no list
    CHECK(reads() == "");
    error = ENOTSUP;  // a file system without lists
    CHECK(reads() == "");
  }

  TEST_CASE("who only looks at the content does not ask who may write it") {
    const TemporaryFolder folder;
    const fs::path file = folder.write("open/a.so", "x");
    fs::permissions(folder.path() / "open", fs::perms{0777});
    fs::permissions(file, fs::perms{0666});
    CHECK(read_trusted(file).error().kind == PluginFault::untrusted_path);
    CHECK(read_trusted(file, {.allow_any_writer = true})->bytes == "x");
    TrustedFiles files;
    CHECK(files.read(file, {.allow_any_writer = true}).has_value());
    CHECK(files.read(file).error().kind == PluginFault::untrusted_path);
    const fs::path gone = folder.path() / "gone" / "a.so";
    CHECK(read_trusted(gone, {.allow_any_writer = true}).error().kind == PluginFault::not_found);
    fs::create_symlink("a.so", folder.path() / "open" / "link.so");
    CHECK(
        read_trusted(folder.path() / "open" / "link.so", {.allow_any_writer = true}).error().kind ==
        PluginFault::not_regular);
  }

  TEST_CASE("a group other than the owner's is not the owner's alone") {
    if (::geteuid() != 0) {
      MESSAGE("skipped: only root can give a file to any group");
      return;
    }
    CHECK(is_private_group(0, 0));
    CHECK_FALSE(is_private_group(0, 65534));
    CHECK_FALSE(is_private_group(0, 4'000'000));          // there is no such group
    CHECK_FALSE(is_private_group(4'000'000, 4'000'000));  // nor user
    const TemporaryFolder folder;
    const fs::path file = folder.write("a.so", "x");
    fs::permissions(file, fs::perms{0664});
    CHECK(read_trusted(file).has_value());
    REQUIRE(::chown(file.c_str(), 0, 65534) == 0);
    CHECK(read_trusted(file).error().kind == PluginFault::untrusted_path);
  }

  TEST_CASE("a folder that was opened stays the one whose files are read") {
    const TemporaryFolder folder;
    folder.write("one/a.so", "1");
    folder.write("two/a.so", "2");
    TrustedFiles files;
    REQUIRE(files.read(folder.path() / "one/a.so").has_value());
    fs::rename(folder.path() / "one", folder.path() / "gone");
    fs::rename(folder.path() / "two", folder.path() / "one");
    CHECK(files.read(folder.path() / "one/a.so")->bytes == "1");
    CHECK(read_trusted(folder.path() / "one/a.so")->bytes == "2");
  }
}
