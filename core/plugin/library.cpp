#include "plugin/library.hpp"

#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include <dlfcn.h>
#include <link.h>

#define BOOST_DLL_USE_STD_FS
#include <boost/dll/shared_library.hpp>

#include <weir/registry/shared_handles.hpp>

#include "base/assert.hpp"

namespace weir {

struct Library::Handle {
  boost::dll::shared_library library;
};

namespace {

// dlopen is not free of races as sanitizers see them, and a constructor may not expect another's
// beside it.
std::mutex loading;

using Libraries = SharedHandles<std::string, const Library>;  // by sha256

// Never destroyed: closing at exit would run destructors of code that detached threads may be in.
Libraries& loaded() {
  static auto& libraries = *new Libraries;
  return libraries;
}

Error refused_by_loader(std::string words) {
  const bool noexec = words.contains("failed to map segment");
  return {.code = ErrorCode::unavailable,
          .kind = std::string(name(noexec ? PluginFault::noexec_mount : PluginFault::load_failed)),
          .message = std::move(words),
          .hint = noexec ? "the private copy lies where no code may run: set TMPDIR or "
                           "XDG_RUNTIME_DIR to another file system"
                         : "these are the system loader's words; LD_DEBUG=all shows what it did"};
}

// Of those who waited for one start each gets the same.
PluginError to_plugin_error(const Error& error) {
  const PluginFault fault = error.kind == name(PluginFault::noexec_mount)
                                ? PluginFault::noexec_mount
                                : PluginFault::load_failed;
  return refusal(PluginStage::stage, fault, error.message, error.hint).error();
}

}  // namespace

std::expected<std::shared_ptr<const Library>, PluginError> Library::load(
    const std::filesystem::path& staged, const std::string& sha256) {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  auto library = loaded().get_or_start(
      sha256, [&](const Libraries::Starting&) -> Result<std::shared_ptr<const Library>> {
        const std::scoped_lock one_at_a_time(loading);
        // Boost's own codes say "bad file descriptor" whatever happened; dlerror has the words.
        boost::dll::fs::error_code failed;
        auto handle = std::make_unique<Handle>();
        handle->library.load(staged, failed, rtld_now | rtld_local);
        if (failed) {
          const char* const words = ::dlerror();
          return std::unexpected(refused_by_loader(words != nullptr ? words : failed.message()));
        }
        return std::shared_ptr<const Library>(new Library(std::move(handle)));
      });
  if (!library) return std::unexpected(to_plugin_error(library.error()));
  return *std::move(library);
}

Library::Library(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {
  link_map* map = nullptr;
  WEIR_ASSERT(::dlinfo(handle_->library.native(), RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0);
  struct Search {
    std::uintptr_t base;
    std::vector<OwnMemory::Segment> found;
  } search{map->l_addr, {}};
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* data) {
        auto& wanted = *static_cast<Search*>(data);
        if (object->dlpi_addr != wanted.base) return 0;
        for (const ElfW(Phdr) & part : std::span(object->dlpi_phdr, object->dlpi_phnum))
          if (part.p_type == PT_LOAD)
            wanted.found.push_back({wanted.base + part.p_vaddr,
                                    wanted.base + part.p_vaddr + part.p_memsz,
                                    (part.p_flags & PF_R) != 0, (part.p_flags & PF_X) != 0});
        return 1;
      },
      &search);
  memory_ = OwnMemory(std::move(search.found));
}

Library::~Library() = default;

const void* Library::symbol(const char* name) const {
  const void* const found = ::dlsym(handle_->library.native(), name);
  return memory_.owns(found, 1) ? found : nullptr;
}

}  // namespace weir
