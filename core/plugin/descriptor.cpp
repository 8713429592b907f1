#include "plugin/descriptor.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include <fmt/core.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "plugin/elf_image.hpp"

namespace weir {
namespace {

// The structs of ABI 1.0 end with these members; later minor versions only add members.
constexpr std::size_t plugin_bytes_min = offsetof(weir_plugin, build_info) + sizeof(weir_str);
constexpr std::size_t flow_bytes_min = offsetof(weir_flow, reserved) + sizeof(std::uint32_t);
constexpr std::size_t step_bytes_min = offsetof(weir_step, user) + sizeof(void*);
constexpr std::size_t struct_bytes_max = 4096;

std::unexpected<PluginError> bad_descriptor(PluginStage stage, std::string detail) {
  return refusal(stage, PluginFault::bad_descriptor, std::move(detail),
                 "fill weir_plugin_v1 as weir/abi/plugin.h says, or let WEIR_PLUGIN do it");
}

bool possible_size(std::size_t size, std::size_t min) {
  return size >= min && size <= struct_bytes_max;
}
bool possible_stride(std::size_t stride, std::size_t min) {
  return possible_size(stride, min) && stride % alignof(void*) == 0;
}

template <class T>
const T& element(const T* first, std::size_t stride, std::size_t i) noexcept {
  return *reinterpret_cast<const T*>(reinterpret_cast<const std::byte*>(first) + stride * i);
}

// Follows the pointers of one descriptor. Keeps the first fault found.
class DescriptorWalk {
 public:
  DescriptorWalk(const OwnMemory& memory, const Manifest& manifest, std::string_view note)
      : memory_(memory), manifest_(manifest), note_(note) {}

  std::optional<PluginError> fault_of(const weir_plugin& plugin) {
    same("its name", plugin.name, manifest_.plugin);
    same("its version", plugin.version, manifest_.version);
    if (const auto text = string("its manifest", plugin.manifest); text && *text != note_)
      mismatch("the manifest it points to is not the one in the note");
    string("its build_info", plugin.build_info);
    if (plugin.flow_count != manifest_.flows.size())
      mismatch(fmt::format("it has {} flows, its manifest {}", plugin.flow_count,
                           manifest_.flows.size()));
    if (array("its flows", plugin.flows, plugin.flow_stride, plugin.flow_count, flow_bytes_min))
      for (std::size_t i = 0; i < plugin.flow_count && !fault_; ++i)
        check_flow(flow_at(plugin, i), plugin.flow_stride, manifest_.flows[i]);
    return std::move(fault_);
  }

 private:
  void check_flow(const weir_flow& flow, std::size_t room, const FlowDraft& draft) {
    const std::string where = fmt::format("flow {}", in_quotes(draft.slug));
    size(where, flow.struct_size, flow_bytes_min, room);
    same(where + ": its module", flow.module, draft.module);
    same(where + ": its slug", flow.slug, draft.slug);
    if (flow.step_count == 0 || flow.step_count > FlowDefinition::steps_max)
      bad(fmt::format("{}: {} steps; 1 to {} are possible", where, flow.step_count,
                      FlowDefinition::steps_max));
    else if (flow.step_count != draft.steps.size())
      mismatch(fmt::format("{}: it has {} steps, in the manifest {}", where, flow.step_count,
                           draft.steps.size()));
    if (array(where + ": its steps", flow.steps, flow.step_stride, flow.step_count, step_bytes_min))
      for (std::size_t i = 0; i < flow.step_count && !fault_; ++i)
        check_step(where, step_at(flow, i), flow.step_stride, draft.steps[i]);
  }

  void check_step(const std::string& flow, const weir_step& step, std::size_t room,
                  const FlowDraft::Step& draft) {
    const std::string where = fmt::format("{}, step {}", flow, in_quotes(draft.slug));
    size(where, step.struct_size, step_bytes_min, room);
    same(where + ": its slug", step.slug, draft.slug);
    const bool has_no_code =
        draft.kind == name(StepKind::wait) || draft.kind == name(StepKind::flow);
    if (has_no_code && step.run != nullptr)
      bad(fmt::format("{}: run is not null, but a {} step has no code", where, draft.kind));
    else if (has_no_code)
      return;
    else if (step.run == nullptr)
      bad(where + ": run is null");
    else if (!memory_.owns_code(reinterpret_cast<std::uintptr_t>(step.run)))
      bad(where + ": run is not code of this file");
  }

  void size(const std::string& where, std::size_t given, std::size_t min, std::size_t room) {
    if (given < min || given > room)
      bad(fmt::format("{}: struct_size {}; {} to {} are possible", where, given, min, room));
  }

  bool array(const std::string& what, const void* first, std::size_t stride, std::size_t count,
             std::size_t bytes_min) {
    if (!possible_stride(stride, bytes_min))
      bad(fmt::format("{}: a stride of {} bytes", what, stride));
    else if (reinterpret_cast<std::uintptr_t>(first) % alignof(void*) != 0 ||
             !memory_.owns(first, stride * count))
      bad(fmt::format("{} lie outside of this file's memory", what));
    return !fault_;
  }

  std::optional<std::string_view> string(const std::string& what, weir_str text) {
    if (text.size == 0) return std::string_view{};
    if (text.size <= Manifest::bytes_max && memory_.owns(text.data, text.size))
      return std::string_view(text.data, text.size);
    bad(fmt::format("{} lies outside of this file's memory: {} bytes", what, text.size));
    return std::nullopt;
  }

  void same(const std::string& what, weir_str text, std::string_view expected) {
    if (const auto found = string(what, text); found && *found != expected)
      mismatch(fmt::format("{} is {}, in the manifest {}", what, in_quotes(*found),
                           in_quotes(expected)));
  }

  void bad(std::string detail) {
    if (!fault_) fault_ = bad_descriptor(PluginStage::stage, std::move(detail)).error();
  }
  void mismatch(std::string detail) {
    if (!fault_)
      fault_ =
          refusal(PluginStage::stage, PluginFault::manifest_mismatch, std::move(detail),
                  "make weir_plugin_v1 and the note agree, in the same order; WEIR_PLUGIN does")
              .error();
  }

  const OwnMemory& memory_;
  const Manifest& manifest_;
  std::string_view note_;
  std::optional<PluginError> fault_;
};

}  // namespace

std::optional<PluginError> header_fault(std::string_view bytes) {
  const auto refuse = [](PluginFault kind, std::string detail, std::string_view hint) {
    return refusal(PluginStage::manifest, kind, std::move(detail), hint).error();
  };
  if (read_at<std::uint64_t>(bytes, offsetof(weir_plugin, magic)) != WEIR_ABI_MAGIC)
    return refuse(PluginFault::bad_magic,
                  "the object at weir_plugin_v1 does not begin with WEIR_ABI_MAGIC",
                  "define it with WEIR_PLUGIN, or fill a weir_plugin as weir/abi/plugin.h says");
  const auto major = read_at<std::uint16_t>(bytes, offsetof(weir_plugin, abi_major));
  if (major && *major != WEIR_ABI_MAJOR)
    return refuse(PluginFault::abi_major,
                  fmt::format("built for ABI {}, this host uses {}", *major, WEIR_ABI_MAJOR),
                  "rebuild it with the headers of this Weir");
  const auto size = read_at<std::uint32_t>(bytes, offsetof(weir_plugin, struct_size));
  if (!size || !possible_size(*size, plugin_bytes_min) || *size > bytes.size())
    return bad_descriptor(PluginStage::manifest,
                          fmt::format("struct_size {}; a weir_plugin has at least {} bytes",
                                      size.value_or(0), plugin_bytes_min))
        .error();
  const auto plugin = read_at<weir_plugin>(bytes, 0);
  if (plugin->flow_count == 0 || plugin->flow_count > Manifest::flows_max)
    return bad_descriptor(PluginStage::manifest,
                          fmt::format("{} flows; 1 to {} are possible", plugin->flow_count,
                                      Manifest::flows_max))
        .error();
  if (!possible_stride(plugin->flow_stride, flow_bytes_min))
    return bad_descriptor(PluginStage::manifest,
                          fmt::format("its flows: a stride of {} bytes", plugin->flow_stride))
        .error();
  return std::nullopt;
}

std::expected<const weir_plugin*, PluginError> checked_descriptor(const void* symbol,
                                                                  const OwnMemory& memory,
                                                                  const Manifest& manifest,
                                                                  std::string_view note) {
  if (!memory.owns(symbol, plugin_bytes_min) ||
      reinterpret_cast<std::uintptr_t>(symbol) % alignof(weir_plugin) != 0)
    return refusal(PluginStage::stage, PluginFault::symbol_not_in_this_object,
                   "weir_plugin_v1 is not an object in this file's memory",
                   "define it in the plugin itself: WEIR_PLUGIN does");
  const auto& plugin = *static_cast<const weir_plugin*>(symbol);
  const std::string_view header(
      static_cast<const char*>(symbol),
      memory.owns(symbol, plugin.struct_size) ? plugin.struct_size : plugin_bytes_min);
  if (auto fault = header_fault(header)) {
    fault->stage = PluginStage::stage;
    return std::unexpected(*std::move(fault));
  }
  if (auto fault = DescriptorWalk(memory, manifest, note).fault_of(plugin))
    return std::unexpected(*std::move(fault));
  return &plugin;
}

const weir_flow& flow_at(const weir_plugin& plugin, std::size_t i) noexcept {
  WEIR_ASSERT(i < plugin.flow_count);
  return element(plugin.flows, plugin.flow_stride, i);
}

const weir_step& step_at(const weir_flow& flow, std::size_t i) noexcept {
  WEIR_ASSERT(i < flow.step_count);
  return element(flow.steps, flow.step_stride, i);
}

}  // namespace weir
