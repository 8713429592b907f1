#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <ranges>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/elf_notes.hpp"
#include "support/elf_bytes.hpp"
#include "unit/plugin/plugin_files.hpp"

using namespace weir;
using namespace weir::testing;
namespace fs = std::filesystem;

namespace {

constexpr std::string_view copy_again =
    "(build it again or copy it again: under a name ending in .tmp, then rename it)";
constexpr std::string_view link_shared =
    "(link it as a shared library: with g++ -shared, or weir_add_plugin())";
constexpr std::string_view copy_itself =
    "(a plugin is a file of its own: copy the library itself into the folder)";

template <class T>
void patch(std::string& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace

TEST_SUITE("plugin: files") {
  TEST_CASE("plugins are good however a compiler and a linker are told to make them") {
    for (const auto each : std::views::split(std::string_view(SOUND_PLUGINS), ',')) {
      const std::string_view name(each);
      CAPTURE(name);
      const PluginFolder folder;
      folder.put(name);
      check_good(folder);
    }
  }

  TEST_CASE("notes are found among whatever notes of others") {
    const auto note = [](const std::string& name, const std::string& content, std::uint32_t type,
                         std::size_t alignment) {
      std::string bytes(12, '\0');
      patch(bytes, 0, static_cast<std::uint32_t>(name.size() + 1));
      patch(bytes, 4, static_cast<std::uint32_t>(content.size()));
      patch(bytes, 8, type);
      for (const std::string& part : {name + '\0', content}) {
        bytes += part;
        bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
      }
      return bytes;
    };
    using Notes = std::vector<std::string_view>;
    std::string bytes = note("GNU", std::string(16, 'p'), 5, 8) + note("Weir", "first", 1, 4) +
                        note("Weird", "other name", 1, 4) + note("Weir", "other type", 2, 4) +
                        note("Other", std::string(9, 'o'), 1, 8) + note("Weir", "second", 1, 4);
    CHECK(elf_notes(bytes, "Weir", 1) == Notes{"first", "second"});
    patch(bytes, 4, std::uint32_t{0xFFFFFFF0});  // what the first one says of its size
    CHECK(elf_notes(bytes, "Weir", 1) == Notes{"first", "second"});
    CHECK(elf_notes(bytes.substr(0, bytes.size() - 4), "Weir", 1) == Notes{"first"});
    CHECK(elf_notes(bytes.substr(0, 30), "Weir", 1).empty());
    CHECK(elf_notes("", "Weir", 1).empty());
  }

  TEST_CASE("headers of notes that name other bytes, or the same ones often, refuse no plugin") {
    std::string bytes = bytes_of(built("good"));
    Elf64_Ehdr header;
    std::memcpy(&header, bytes.data(), sizeof header);
    std::string table = bytes.substr(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr));
    const auto add_note = [&](std::uint64_t offset, std::uint64_t size) {
      Elf64_Phdr part{};
      part.p_type = PT_NOTE;
      part.p_offset = offset;
      part.p_filesz = part.p_memsz = size;
      part.p_align = 1;
      table.append(reinterpret_cast<const char*>(&part), sizeof part);
    };
    add_note(bytes.size() + 4'096, 100);
    add_note(bytes.size() - 8, 100);
    add_note(0xFFFF'FFFF'FFFF'FFF0, 0x20);
    for (int i = 0; i < 2'000; ++i) add_note(0, bytes.size());
    bytes.resize((bytes.size() + 7) / 8 * 8);
    patch(bytes, offsetof(Elf64_Ehdr, e_phoff), Elf64_Off{bytes.size()});
    patch(bytes, offsetof(Elf64_Ehdr, e_phnum),
          static_cast<Elf64_Half>(table.size() / sizeof(Elf64_Phdr)));
    const PluginFolder folder;
    for (std::size_t at = 0; at < table.size(); at += sizeof(Elf64_Phdr)) {
      Elf64_Word type = 0;
      std::memcpy(&type, table.data() + at, sizeof type);
      if (type != PT_PHDR) continue;
      folder.put_bytes(bytes + table);
      CHECK(refusal_in(folder) ==
            fmt::format("not_loaded/damaged at verify: its program headers are not in memory "
                        "where it says {}",
                        copy_again));
      patch(table, at, Elf64_Word{PT_NULL});
    }
    folder.put_bytes(bytes + table);
    check_good(folder);
  }

  TEST_CASE("plugin case 1: an empty file is refused as truncated") {
    const PluginFolder folder;
    folder.put_bytes("");
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/truncated at verify: the file is empty {}", copy_again));
  }

  TEST_CASE("plugin case 2: a text file is refused as not_elf") {
    const PluginFolder folder;
    folder.put_bytes("#!/bin/sh\necho hello, I am a script\n");
    CHECK(refusal_in(folder) ==
          "not_loaded/not_elf at verify: not a library: it begins with \"#!/bin/sh\\necho h\" (put "
          "only shared "
          "libraries into the folder under names that end in .so)");
  }

  TEST_CASE("plugin case 3: the first 64 bytes of a plugin are refused as truncated") {
    const PluginFolder folder;
    folder.put_bytes(bytes_of(built("good")).substr(0, 64));
    CHECK(refusal_in(folder) ==
          fmt::format(
              "not_loaded/truncated at verify: the file ends after 64 bytes, before its program "
              "headers do {}",
              copy_again));
    folder.put_bytes(bytes_of(built("good")).substr(0, 63));
    CHECK(refusal_in(folder) == fmt::format("not_loaded/truncated at verify: the file ends after "
                                            "63 bytes, inside the ELF header {}",
                                            copy_again));
  }

  TEST_CASE("plugin case 4: a file cut inside PT_LOAD is refused as truncated") {
    const PluginFolder folder;
    const std::string good = bytes_of(built("good"));
    folder.put_bytes(good.substr(0, loaded_size(good) - 1));
    const std::string refusal = refusal_in(folder);
    CHECK(refusal.starts_with(fmt::format(
        "not_loaded/truncated at verify: the file ends after {} bytes, but a segment of ",
        loaded_size(good) - 1)));
    CHECK(refusal.ends_with(copy_again));
  }

  TEST_CASE("plugin case 5: a file whose tail is cut after the last segment is fine") {
    const PluginFolder folder;
    const std::string good = bytes_of(built("leaves_marker"));
    REQUIRE(loaded_size(good) < good.size());
    folder.put_bytes(good.substr(0, loaded_size(good)));
    check_good(folder);
  }

  TEST_CASE("plugin case 6: a library for another machine is refused as wrong_machine") {
    const PluginFolder folder;
    std::string bytes = bytes_of(built("good"));
    patch(bytes, offsetof(Elf64_Ehdr, e_machine), Elf64_Half{EM_S390});
    folder.put_bytes(bytes);
    const std::string refusal = refusal_in(folder);
    CHECK(refusal.starts_with(
        "not_loaded/wrong_machine at verify: built for machine 22; this host is "));
    CHECK(refusal.ends_with(" (build it for this host)"));
  }

  TEST_CASE("plugin case 7: a library of another class is refused as wrong_class") {
    const PluginFolder folder;
    std::string bytes = bytes_of(built("good"));
    patch(bytes, EI_CLASS, static_cast<unsigned char>(ELFCLASS32));
    folder.put_bytes(bytes);
    CHECK(refusal_in(folder) ==
          "not_loaded/wrong_class at verify: a 32-bit library; this host runs 64-bit code (build "
          "it for this host)");
    patch(bytes, EI_CLASS, static_cast<unsigned char>(ELFCLASS64));
    patch(bytes, EI_DATA, static_cast<unsigned char>(ELFDATA2MSB));
    folder.put_bytes(bytes);
    CHECK(refusal_in(folder) ==
          "not_loaded/wrong_class at verify: a big-endian library; this host is little-endian "
          "(build it for this host)");
  }

  TEST_CASE("plugin case 8: an object file is refused as not_shared") {
    const PluginFolder folder;
    folder.put_bytes(bytes_of(OBJECT_FILE));
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/not_shared at verify: an object file, not yet linked {}",
                      link_shared));
  }

  TEST_CASE(
      "plugin case 8: a program is refused as not_shared whether it is position-independent or "
      "not") {
    const PluginFolder folder;
    std::string program = bytes_of("/bin/true");
    folder.put_bytes(program);
    const std::string refusal =
        fmt::format("not_loaded/not_shared at verify: a program, not a library {}", link_shared);
    CHECK(refusal_in(folder) == refusal);
    patch(program, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_EXEC});
    folder.put_bytes(program);
    CHECK(refusal_in(folder) == refusal);
  }

  TEST_CASE("plugin case 8: a library that can also be run is a library") {
    const PluginFolder folder;
    Dl_info libc{};
    REQUIRE(::dladdr(reinterpret_cast<void*>(&::gnu_get_libc_version), &libc) != 0);
    folder.put_bytes(bytes_of(libc.dli_fname));
    CHECK(refusal_in(folder).contains("no_manifest"));
  }

  TEST_CASE("plugin case 9: a FIFO is refused as not_regular without waiting for a writer") {
    const PluginFolder folder;
    REQUIRE(::mkfifo(folder.middle().c_str(), 0600) == 0);
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/not_regular at verify: a FIFO, not a file {}", copy_itself));
  }

  TEST_CASE("plugin case 10: a folder is refused as not_regular") {
    const PluginFolder folder;
    fs::create_directory(folder.middle());
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/not_regular at verify: a folder, not a file {}", copy_itself));
  }

  TEST_CASE("plugin case 11: dangling and looping links are refused as not_regular") {
    const PluginFolder folder;
    fs::create_symlink("nowhere", folder.middle());
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/not_regular at verify: a symbolic link to \"nowhere\" {}",
                      copy_itself));
    fs::remove(folder.middle());
    fs::create_symlink("middle.so", folder.middle());
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/not_regular at verify: a symbolic link to \"middle.so\" {}",
                      copy_itself));
  }

  TEST_CASE("plugin case 12: a link to the host binary is refused as not_regular") {
    const PluginFolder folder;
    const fs::path host = fs::read_symlink("/proc/self/exe");
    fs::create_symlink(host, folder.middle());
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/not_regular at verify: a symbolic link to \"{}\" {}",
                      host.string(), copy_itself));
  }

  TEST_CASE("plugin case 13: a stripped plugin and one without section headers are fine") {
    const PluginFolder stripped;
    stripped.put("stripped");
    check_good(stripped);

    const PluginFolder headless;
    std::string bytes = bytes_of(built("stripped"));
    patch(bytes, offsetof(Elf64_Ehdr, e_shoff), Elf64_Off{0});
    patch(bytes, offsetof(Elf64_Ehdr, e_shnum), Elf64_Half{0});
    patch(bytes, offsetof(Elf64_Ehdr, e_shstrndx), Elf64_Half{0});
    headless.put_bytes(bytes);
    check_good(headless);
  }

  TEST_CASE("plugin case 14: a file that others may write is refused as untrusted_path") {
    const PluginFolder folder;
    folder.put("good");
    fs::permissions(folder.middle(), fs::perms{0666});
    CHECK(
        refusal_in(folder) ==
        fmt::format(
            "not_loaded/untrusted_path at verify: \"{0}\" can be written by everybody (mode 0666) "
            "(chmod go-w {0})",
            folder.middle().string()));
    if (::geteuid() != 0) {
      MESSAGE("skipped: only root can give a file to any group");
      return;
    }
    REQUIRE(::chown(folder.middle().c_str(), 0, 65534) == 0);
    fs::permissions(folder.middle(), fs::perms{0660});
    CHECK(
        refusal_in(folder) ==
        fmt::format(
            "not_loaded/untrusted_path at verify: \"{0}\" can be written by its group (mode 0660) "
            "(chmod go-w {0})",
            folder.middle().string()));
  }

  TEST_CASE("plugin case 14: a file of a foreign owner is refused as untrusted_path") {
    if (::geteuid() != 0) {
      MESSAGE("skipped: only root can give a file away");
      return;
    }
    const PluginFolder folder;
    folder.put("good");
    REQUIRE(::chown(folder.middle().c_str(), 65534, 65534) == 0);
    CHECK(refusal_in(folder) ==
          fmt::format("not_loaded/untrusted_path at verify: \"{}\" belongs to user 65534, who is "
                      "neither root nor "
                      "the user Weir runs as (0) (chown it to user 0 or to root)",
                      folder.middle().string()));
  }
}
