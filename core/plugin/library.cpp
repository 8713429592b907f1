#include "plugin/library.hpp"

#include <fstream>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <link.h>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include "base/assert.hpp"
#include "plugin/library_reaper.hpp"

namespace weir {

struct Library::Handle {
  boost::dll::shared_library library;
};

namespace {

Library::CodeObserver& code_observer() {
  static auto& observer = *new Library::CodeObserver;  // the reaper's thread is never ended
  return observer;
}

// Tells the observer that code of a library runs, while the object lives.
class RunningCode {
 public:
  RunningCode(LibraryCode code, const std::filesystem::path& copy) {
    if (code_observer().begins) code_observer().begins(code, copy);
  }
  ~RunningCode() {
    if (code_observer().ended) code_observer().ended();
  }
  RunningCode(const RunningCode&) = delete;
  RunningCode& operator=(const RunningCode&) = delete;
};

PluginError refused_by_loader(std::string message) {
  const bool noexec = message.contains("failed to map segment");
  return refusal(PluginStage::stage, noexec ? PluginFault::noexec_mount : PluginFault::load_failed,
                 std::move(message),
                 noexec ? "the private copy is on a file system that does not let code run: set "
                          "TMPDIR or XDG_RUNTIME_DIR to another one"
                        : "this is the system loader's message; LD_DEBUG=all shows what it did")
      .error();
}

// Read from the file, which does not change: the loader could only tell by a pass over everything
// that is loaded.
std::vector<OwnMemory::Segment> segments_of(const std::filesystem::path& file,
                                            std::uintptr_t base) {
  std::ifstream in(file, std::ios::binary);
  ElfW(Ehdr) header{};
  in.read(reinterpret_cast<char*>(&header), sizeof header);
  in.seekg(static_cast<std::streamoff>(header.e_phoff));
  std::vector<OwnMemory::Segment> found;
  ElfW(Phdr) part{};
  for (unsigned i = 0; i < header.e_phnum && in.read(reinterpret_cast<char*>(&part), sizeof part);
       ++i)
    if (part.p_type == PT_LOAD)
      found.push_back({base + part.p_vaddr, base + part.p_vaddr + part.p_memsz,
                       (part.p_flags & PF_R) != 0, (part.p_flags & PF_X) != 0});
  return found;
}

}  // namespace

std::expected<std::shared_ptr<const Library>, PluginError> Library::load(
    const StagedCopy& staged, const std::string& sha256) {
  return LibraryReaper::of_process().hold(sha256, [&] { return open(staged); });
}

std::expected<std::unique_ptr<Library>, PluginError> Library::open(const StagedCopy& staged) {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  WEIR_ASSERT(staged.path().is_absolute());  // else the loader would search for it
  // Boost's code is always "bad file descriptor"; dlerror has the message.
  boost::dll::fs::error_code failed;
  auto handle = std::make_unique<Handle>();
  {
    const RunningCode constructors(LibraryCode::constructors, staged.path());
    handle->library.load(staged.path(), failed, rtld_now | rtld_local);
  }
  if (failed) {
    const char* const message = ::dlerror();
    return std::unexpected(refused_by_loader(message != nullptr ? message : failed.message()));
  }
  return std::unique_ptr<Library>(new Library(std::move(handle), staged));
}

void Library::observe_code(CodeObserver observer) {
  WEIR_ASSERT(!code_observer().begins);
  code_observer() = std::move(observer);
}

void Library::close() {
  const RunningCode destructors(LibraryCode::destructors, staged_.path());
  handle_->library.unload();
}

bool Library::is_loaded(const std::filesystem::path& staged) {
  const RunningCode destructors(LibraryCode::destructors, staged);  // if this is its last close
  void* const found = ::dlopen(staged.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (found != nullptr) ::dlclose(found);
  return found != nullptr;
}

void Library::retry_unmap(const std::filesystem::path& staged) {
  static_cast<void>(is_loaded(staged));
}

Library::Library(std::unique_ptr<Handle> handle, StagedCopy staged)
    : handle_(std::move(handle)), staged_(std::move(staged)) {
  link_map* map = nullptr;
  const int found = ::dlinfo(handle_->library.native(), RTLD_DI_LINKMAP, static_cast<void*>(&map));
  WEIR_ASSERT(found == 0);
  base_ = map->l_addr;
  memory_ = OwnMemory(segments_of(staged_.path(), base_));
}

Library::~Library() = default;

const void* Library::symbol(const char* name) const {
  const void* const found = ::dlsym(handle_->library.native(), name);
  return memory_.owns(found, 1) ? found : nullptr;
}

}  // namespace weir
