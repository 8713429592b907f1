#include "integration/zoo/zoo.hpp"

#include <cstddef>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <elf.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/elf_bytes.hpp"

namespace weir::testing {
namespace fs = std::filesystem;
namespace {

template <class T>
std::string patched(std::string bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

std::string actor(const std::string& name) {
  return bytes_of(fs::path(WEIR_ACTORS) / (name + ".so"));
}
std::string bad(const std::string& name) {
  return bytes_of(fs::path(WEIR_BAD_PLUGINS) / (name + ".so"));
}

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(fmt::format("the zoo cannot have {}", what));
}

void set_mode(const fs::path& path, ::mode_t mode) {
  require(::chmod(path.c_str(), mode) == 0, "a file of that mode");
}

}  // namespace

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file.string());
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> Zoo::good() {
  std::vector<std::string> names;
  for (int i = 1; i <= 20; ++i) names.push_back(fmt::format("good_{:02}", i));
  return names;
}

Zoo::Zoo() {
  put_good();
  put_file_cases();
  put_loader_cases();
  put_constructor_cases();
  put_descriptor_cases();
  put_runtime_cases();
  put_trust_cases();
}

Zoo::Zoo(const std::vector<std::string>& actors) {
  put_good();
  for (const std::string& name : actors) put(name, actor(name), "");
}

void Zoo::put_good() {
  for (const char* folder : {"plugins", "open"}) {
    fs::create_directory(path() / folder);
    set_mode(path() / folder, 0755);
  }
  for (const std::string& name : good()) put(name, actor(name), "");
}

void Zoo::put(const std::string& name, const std::string& bytes, const std::string& kind) {
  const fs::path file = plugins() / (name + ".so");
  std::ofstream(file, std::ios::binary) << bytes;
  set_mode(file, 0644);
  expected_.emplace(file.string(), kind);
}

void Zoo::put_actor(const std::string& built, const std::string& name) {
  const fs::path file = plugins() / (name + ".so");
  const fs::path unfinished = plugins() / (name + ".so.tmp");
  std::ofstream(unfinished, std::ios::binary) << actor(built);
  set_mode(unfinished, 0644);
  fs::rename(unfinished, file);
}

void Zoo::put_file_cases() {
  const std::string sound = bad("good");
  put("case_01_empty", "", "truncated");
  put("case_02_text", "to be built\n", "not_elf");
  put("case_03_first_64_bytes", sound.substr(0, 64), "truncated");
  put("case_04_cut_inside_load", sound.substr(0, loaded_size(sound) - 1), "truncated");
  const std::string tail = actor("tail_cut");
  put("case_05_tail_cut", tail.substr(0, loaded_size(tail)), "");
  put("case_06_other_machine", patched(sound, offsetof(Elf64_Ehdr, e_machine), Elf64_Half{EM_S390}),
      "wrong_machine");
  put("case_07_other_class", patched(sound, EI_CLASS, static_cast<unsigned char>(ELFCLASS32)),
      "wrong_class");
  const std::string program = bytes_of("/bin/true");
  put("case_08_object_file", bytes_of(WEIR_OBJECT_FILE), "not_shared");
  put("case_08_executable", patched(program, offsetof(Elf64_Ehdr, e_type), Elf64_Half{ET_EXEC}),
      "not_shared");
  put("case_08_pie", program, "not_shared");

  const auto special = [&](const std::string& name) {
    const fs::path file = plugins() / (name + ".so");
    expected_.emplace(file.string(), "not_regular");
    return file;
  };
  require(::mkfifo(special("case_09_fifo").c_str(), 0600) == 0, "a FIFO");
  fs::create_directory(special("case_10_folder"));
  fs::create_symlink("nowhere", special("case_11_dangling"));
  fs::create_symlink("case_11_loop.so", special("case_11_loop"));
  fs::create_symlink(WEIR_PROGRAM, special("case_12_host"));
  const std::string stripped = actor("stripped");
  put("case_13_no_sections",
      patched(patched(patched(stripped, offsetof(Elf64_Ehdr, e_shoff), Elf64_Off{0}),
                      offsetof(Elf64_Ehdr, e_shnum), Elf64_Half{0}),
              offsetof(Elf64_Ehdr, e_shstrndx), Elf64_Half{0}),
      "");
}

void Zoo::put_trust_cases() {
  const std::string sound = bad("good");
  put("case_14_file_0666", sound, "untrusted_path");
  set_mode(plugins() / "case_14_file_0666.so", 0666);
  if (::geteuid() == 0) {  // only root can give a file away
    put("case_14_foreign_owner", sound, "untrusted_path");
    require(::chown((plugins() / "case_14_foreign_owner.so").c_str(), 65534, 65534) == 0,
            "a file of somebody else's");
  }
  const fs::path open = path() / "open" / "case_14_in_open_folder.so";
  std::ofstream(open, std::ios::binary) << sound;
  set_mode(open, 0644);
  set_mode(path() / "open", 0777);
  expected_.emplace(open.string(), "untrusted_path");
}

void Zoo::put_loader_cases() {
  put("case_15_missing_library", bad("missing_library"), "missing_dependency");
  put("case_15_missing_version", bad("missing_version"), "missing_dependency");
  put("case_16_undefined_symbol", bad("undefined_symbol"), "undefined_symbol");
  put("case_17_symbol_in_dependency", bad("symbol_in_dependency"), "symbol_not_in_this_object");
  put("case_18_no_symbol", bad("no_symbol"), "missing_symbol");
}

void Zoo::put_descriptor_cases() {
  put("case_26_wrong_magic", bad("wrong_magic"), "bad_magic");
  put("case_26_wrong_major", bad("wrong_major"), "abi_major");
  put("case_26_struct_too_small", bad("struct_too_small"), "bad_descriptor");
  put("case_27_wild_pointer", bad("wild_steps"), "bad_descriptor");
  put("case_27_huge_length", bad("huge_length"), "bad_descriptor");
  put("case_27_zero_steps", bad("zero_steps"), "bad_descriptor");
  put("case_27_four_thousand_steps", bad("four_thousand_steps"), "bad_descriptor");
  put("case_28_run_null", bad("run_null"), "bad_descriptor");
  put("case_28_run_getpid", bad("run_getpid"), "bad_descriptor");
  put("case_29_note_differs", bad("note_differs"), "manifest_mismatch");
  put("case_29_two_notes", bad("two_notes"), "bad_manifest");
  put("case_30_cycle", bad("cycle"), "invalid_definition");
  put("case_30_unknown_dependency", bad("unknown_dependency"), "invalid_definition");
  put("case_30_duplicate_step", bad("duplicate_step"), "invalid_definition");
  put("zz_case_30_flow_of_another_file", actor("good_01"), "duplicate_module");
}

void Zoo::put_constructor_cases() {
  put("case_19_null_write", bad("writes_to_null"), "scan_crashed");
  put("case_20_throw", bad("throws"), "scan_crashed");
  put("case_21_hang", bad("hangs"), "scan_timeout");
  put("case_22_exit", bad("exits"), "scan_exited");
  put("case_23_prints_a_result", bad("prints_results"), "scan_crashed");
  put("case_24_a_forks", bad("forks"), "scan_crashed");
  put("case_24_b_crashes", bad("aborts"), "scan_crashed");
  put("case_24_c_forks_away", bad("forks_away"), "scan_crashed");
  put("case_25_starts_a_thread", bad("starts_a_thread"), "starts_threads");
}

void Zoo::put_runtime_cases() {
  for (const char* name : {"throw_int", "segv", "aborts", "exits", "hang", "no_output",
                           "two_outputs", "bad_utf8", "bad_json", "huge", "overwritten"})
    put(name, actor(name), "");
  put("counts", actor("counts_1"), "");
  put("nodelete", actor("nodelete_1"), "");
}

}  // namespace weir::testing
