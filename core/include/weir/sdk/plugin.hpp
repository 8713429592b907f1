#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <weir/abi/plugin.h>
#include <weir/sdk/flow_definition.hpp>
#include <weir/sdk/manifest.hpp>
#include <weir/sdk/names.hpp>
#include <weir/sdk/text_sink.hpp>

namespace weir::sdk {

constexpr weir_str as_str(std::string_view text) { return {text.data(), text.size()}; }

/// The steps of a flow in the form of the ABI.
template <const auto& flow>
inline constexpr auto abi_steps = [] {
  std::array<weir_step, std::size(flow.steps)> steps{};
  for (std::size_t i = 0; i < steps.size(); ++i)
    steps[i] = {sizeof(weir_step), 0, as_str(flow.steps[i].slug), flow.steps[i].code.run, nullptr};
  return steps;
}();

/// An ELF note, as `readelf -n` shows it; `description` is padded to four bytes, `description_size`
/// is not.
template <std::size_t description_size_>
struct Note {
  std::uint32_t name_size = sizeof(WEIR_NOTE_NAME);
  std::uint32_t description_size = description_size_;
  std::uint32_t type = WEIR_NOTE_TYPE;
  char name[8] = WEIR_NOTE_NAME;
  std::array<char, (description_size_ + 3) / 4 * 4> description{};
};

constexpr bool are_distinct(std::span<const FlowView> flows) {
  for (std::size_t i = 0; i < flows.size(); ++i)
    for (const FlowView& other : flows.first(i))
      if (same_word(flows[i].slug, other.slug) || flows[i].module == other.module) return false;
  return true;
}

/// All that WEIR_PLUGIN emits, made from its flows; Identity names the plugin.
template <class Identity, const auto&... flow>
  requires(sizeof...(flow) > 0)
struct Plugin {
  static constexpr std::array<FlowView, sizeof...(flow)> views{flow.view()...};
  static_assert(are_distinct(views),
                "two flows of this plugin have the same module name, or the same slug in any case");

  static constexpr std::string_view name =
      Identity::name.empty() ? views.front().slug : Identity::name;
  static constexpr auto manifest = [](TextSink& out) {
    write_manifest(out, name, Identity::version, views);
  };
  static constexpr std::size_t manifest_size = text_size<manifest>;

  static consteval Note<manifest_size> note() {
    Note<manifest_size> made;
    made.description = text<manifest, made.description.size()>();
    return made;
  }

  static constexpr std::array<weir_flow, sizeof...(flow)> flows{weir_flow{
      sizeof(weir_flow), static_cast<std::uint32_t>(flow.steps.size()), as_str(flow.module),
      as_str(flow.slug), abi_steps<flow>.data(), sizeof(weir_step), 0}...};

  static consteval weir_plugin symbol(const Note<manifest_size>& note) {
    return {WEIR_ABI_MAGIC,
            sizeof(weir_plugin),
            WEIR_ABI_MAJOR,
            WEIR_ABI_MINOR,
            as_str(name),
            as_str(Identity::version),
            {note.description.data(), manifest_size},
            flows.data(),
            sizeof...(flow),
            sizeof(weir_flow),
            as_str(__VERSION__)};
  }
};

}  // namespace weir::sdk
