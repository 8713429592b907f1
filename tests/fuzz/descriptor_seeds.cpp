// Writes first inputs for descriptor_fuzz into a folder: sound descriptors of one and of several
// flows.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/core.h>

#include <weir/abi/plugin.h>

#include "fuzz/descriptor_image.hpp"

namespace {

using namespace weir::fuzz;

/// Memory that grows at the end; what is put into it gets an address.
class Image {
 public:
  template <class T>
  std::uintptr_t room(std::size_t count) {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    const std::uintptr_t at = image_begin + bytes_.size();
    bytes_.resize(bytes_.size() + sizeof(T) * count);
    return at;
  }
  weir_str text(const std::string& text) {
    const std::uintptr_t at = room<char>(text.size());
    std::memcpy(&bytes_[at - image_begin], text.data(), text.size());
    return {reinterpret_cast<const char*>(at), text.size()};
  }
  template <class T>
  void set(std::uintptr_t at, const T& value) {
    std::memcpy(&bytes_[at - image_begin], &value, sizeof value);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

std::string manifest_of(int flows, int steps) {
  std::string text = R"({"weir":1,"plugin":"p","version":"1","flows":[)";
  for (int f = 0; f < flows; ++f) {
    text += fmt::format(R"({}{{"module":"m.F{}","slug":"f{}","steps":[)", f > 0 ? "," : "", f, f);
    for (int s = 0; s < steps; ++s)
      text += fmt::format(R"({}{{"slug":"s{}"}})", s > 0 ? "," : "", s);
    text += "]}";
  }
  return text + "]}";
}

std::string seed(int flows, int steps) {
  const std::string note = manifest_of(flows, steps);
  Image image;
  const std::uintptr_t plugin_at = image.room<weir_plugin>(1);
  const std::uintptr_t flows_at = image.room<weir_flow>(static_cast<std::size_t>(flows));
  for (int f = 0; f < flows; ++f) {
    const std::uintptr_t steps_at = image.room<weir_step>(static_cast<std::size_t>(steps));
    for (int s = 0; s < steps; ++s) {
      weir_step step{};
      step.struct_size = sizeof step;
      step.slug = image.text(fmt::format("s{}", s));
      step.run = reinterpret_cast<decltype(step.run)>(code_begin + static_cast<std::uintptr_t>(s));
      image.set(steps_at + sizeof step * static_cast<std::size_t>(s), step);
    }
    weir_flow flow{};
    flow.struct_size = sizeof flow;
    flow.step_count = static_cast<std::uint32_t>(steps);
    flow.module = image.text(fmt::format("m.F{}", f));
    flow.slug = image.text(fmt::format("f{}", f));
    flow.steps = reinterpret_cast<const weir_step*>(steps_at);
    flow.step_stride = sizeof(weir_step);
    image.set(flows_at + sizeof flow * static_cast<std::size_t>(f), flow);
  }
  weir_plugin plugin{};
  plugin.magic = WEIR_ABI_MAGIC;
  plugin.struct_size = sizeof plugin;
  plugin.abi_major = WEIR_ABI_MAJOR;
  plugin.name = image.text("p");
  plugin.version = image.text("1");
  plugin.manifest = image.text(note);
  plugin.flows = reinterpret_cast<const weir_flow*>(flows_at);
  plugin.flow_count = static_cast<std::uint32_t>(flows);
  plugin.flow_stride = sizeof(weir_flow);
  plugin.build_info = image.text("seed");
  image.set(plugin_at, plugin);

  const auto note_size = static_cast<std::uint32_t>(note.size());
  std::string input(sizeof note_size, '\0');
  std::memcpy(input.data(), &note_size, sizeof note_size);
  return input + note + image.bytes();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: descriptor_seeds FOLDER\n", stderr);
    return 2;
  }
  for (const auto& [flows, steps] : {std::pair{1, 1}, {1, 4}, {3, 2}}) {
    const std::string bytes = seed(flows, steps);
    std::ofstream(std::filesystem::path(argv[1]) / fmt::format("seed_{}_{}", flows, steps),
                  std::ios::binary)
        << bytes;
  }
  return 0;
}
