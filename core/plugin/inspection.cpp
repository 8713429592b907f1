#include "plugin/inspection.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <weir/abi/plugin.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/nearest.hpp"
#include "base/printable.hpp"
#include "plugin/descriptor.hpp"
#include "plugin/elf_dynamic.hpp"
#include "plugin/elf_image.hpp"
#include "plugin/host_extensions.hpp"
#include "plugin/link_check.hpp"
#include "plugin/note_probe.hpp"

namespace weir {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view export_hint =
    "define it with WEIR_PLUGIN(…) and let the linker export it; weir_add_plugin() does";

std::unexpected<PluginError> refuse_manifest(PluginFault kind, std::string detail,
                                             std::string_view hint) {
  return refusal(PluginStage::manifest, kind, std::move(detail), hint);
}

std::unexpected<PluginError> refuse_faults(PluginFault kind, Faults faults) {
  std::string detail = faults.front().message, hint = faults.front().hint;
  if (faults.size() > 1) {
    detail = fmt::format("{} faults", faults.size());
    for (const Error& fault : faults) detail += '\n' + printable(to_string(fault));
    hint.clear();
  }
  PluginError error = refuse_manifest(kind, std::move(detail), hint).error();
  error.faults = std::move(faults);
  return std::unexpected(std::move(error));
}

struct Frame {
  ElfImage image;
  ElfDynamic dynamic;
};

std::expected<Frame, PluginError> read_frame(std::string_view bytes) {
  auto image = ElfImage::parse(bytes);
  if (!image) return std::unexpected(image.error());
  auto dynamic = ElfDynamic::parse(*image);
  if (!dynamic) return std::unexpected(dynamic.error());
  // A library that can also be run, as libc.so.6, names a loader too; only the flag tells.
  if (dynamic->program)
    return refusal(PluginStage::verify, PluginFault::not_shared, "a program, not a library",
                   "link it as a shared library: with g++ -shared, or weir_add_plugin()");
  return Frame{*std::move(image), *std::move(dynamic)};
}

std::unexpected<PluginError> refuse_without_note() {
  return refuse_manifest(
      PluginFault::no_manifest, "a library without a note \"Weir\": not a Weir plugin",
      "add WEIR_PLUGIN(…) to one of its sources, or take the library out of the plugin folder");
}

std::expected<std::string_view, PluginError> read_note(const ElfImage& image) {
  const auto notes = image.notes(WEIR_NOTE_NAME, WEIR_NOTE_TYPE);
  if (notes.empty()) return refuse_without_note();
  if (notes.size() > 1)
    return refuse_manifest(PluginFault::bad_manifest,
                           fmt::format("{} notes \"Weir\" where one belongs", notes.size()),
                           "use WEIR_PLUGIN once in a library; it takes any number of flows");
  return notes.front();
}

std::expected<Manifest, PluginError> read_manifest(std::string_view note) {
  auto manifest = Manifest::parse(note);
  if (manifest) return *std::move(manifest);
  const std::string& first = manifest.error().front().kind;
  const PluginFault kind = first == "duplicate_slug"     ? PluginFault::duplicate_slug
                           : first == "duplicate_module" ? PluginFault::duplicate_module
                                                         : PluginFault::bad_manifest;
  return refuse_faults(kind, std::move(manifest.error()));
}

std::expected<std::vector<FlowDefinition>, PluginError> build_flows(const Manifest& manifest) {
  std::vector<FlowDefinition> flows;
  Faults faults;
  for (const FlowDraft& draft : manifest.flows) {
    auto flow = FlowDefinition::build(draft);
    if (flow)
      flows.push_back(*std::move(flow));
    else
      faults.insert(faults.end(), std::make_move_iterator(flow.error().begin()),
                    std::make_move_iterator(flow.error().end()));
  }
  if (!faults.empty()) return refuse_faults(PluginFault::invalid_definition, std::move(faults));
  return flows;
}

std::optional<PluginError> extension_fault(const Manifest& manifest) {
  const std::vector<std::string> known(host_extensions.begin(), host_extensions.end());
  for (const std::string& wanted : manifest.extensions)
    if (std::ranges::find(known, wanted) == known.end())
      return refuse_manifest(
                 PluginFault::requires_extension,
                 fmt::format("it needs the extension {}, which this Weir does not have",
                             in_quotes(wanted)),
                 did_you_mean(wanted, known, "use a newer Weir, or an older build of the plugin"))
          .error();
  return std::nullopt;
}

std::optional<PluginError> symbol_fault(const Frame& frame) {
  const ElfDynamic::Symbol* const symbol = frame.dynamic.definition(WEIR_PLUGIN_SYMBOL);
  if (symbol == nullptr)
    return refuse_manifest(PluginFault::missing_symbol, "it does not export weir_plugin_v1",
                           export_hint)
        .error();
  if (!symbol->data)
    return refuse_manifest(PluginFault::bad_descriptor, "weir_plugin_v1 is not an object",
                           export_hint)
        .error();
  return header_fault(frame.image.from(symbol->address));
}

std::expected<PluginInspection, PluginError> inspected(std::string_view bytes) {
  const auto frame = read_frame(bytes);
  if (!frame) return std::unexpected(frame.error());
  const auto note = read_note(frame->image);
  if (!note) return std::unexpected(note.error());
  auto manifest = read_manifest(*note);
  if (!manifest) return std::unexpected(std::move(manifest.error()));
  if (auto fault = extension_fault(*manifest)) return std::unexpected(*std::move(fault));
  auto flows = build_flows(*manifest);
  if (!flows) return std::unexpected(std::move(flows.error()));
  if (auto fault = symbol_fault(*frame)) return std::unexpected(*std::move(fault));
  return PluginInspection{.file = {},
                          .note = std::string(*note),
                          .manifest = *std::move(manifest),
                          .flows = *std::move(flows),
                          .needed = {frame->dynamic.needed.begin(), frame->dynamic.needed.end()},
                          .runpath = std::string(frame->dynamic.runpath)};
}

PluginFile file_of(const TrustedFile& file) {
  return {.path = file.path.string(), .sha256 = file.sha256};
}

}  // namespace

std::expected<PluginInspection, PluginError> inspect_bytes(const TrustedFile& file) {
  auto inspection = inspected(file.bytes);
  if (!inspection) return std::unexpected(placed(std::move(inspection.error()), file_of(file)));
  inspection->file = file_of(file);
  return inspection;
}

PluginError explained(PluginError error, const TrustedFile& file) {
  const bool about_symbol = error.kind == PluginFault::missing_symbol;
  if (!about_symbol && error.kind != PluginFault::load_failed) return error;
  const auto frame = read_frame(file.bytes);
  if (!frame) return error;
  const LinkCheck check(frame->dynamic, file.path.parent_path());
  if (!about_symbol) return placed(check.fault().value_or(error), file_of(file));
  const std::string elsewhere = check.definer(WEIR_PLUGIN_SYMBOL);
  if (elsewhere.empty()) return error;
  return placed(
      refuse_manifest(
          PluginFault::symbol_not_in_this_object,
          fmt::format("it does not export weir_plugin_v1, but {}, which it needs, does", elsewhere),
          export_hint)
          .error(),
      file_of(file));
}

std::expected<PluginInspection, PluginError> inspect(const fs::path& path,
                                                     const TrustPolicy& policy) {
  TrustedFiles files;
  const auto opened = files.open(path, policy);
  if (!opened) return std::unexpected(opened.error());
  if (policy.sha256_allow.empty() && !may_have_note(opened->fd(), WEIR_NOTE_NAME, WEIR_NOTE_TYPE))
    return std::unexpected(placed(refuse_without_note().error(), {.path = path.string()}));
  const auto file = files.read(path, policy);
  if (!file) return std::unexpected(file.error());
  auto inspection = inspect_bytes(*file);
  if (!inspection) return std::unexpected(explained(std::move(inspection.error()), *file));
  const auto frame = read_frame(file->bytes);
  WEIR_ASSERT(frame.has_value());
  if (const auto fault = LinkCheck(frame->dynamic, file->path.parent_path()).fault())
    return std::unexpected(placed(*fault, file_of(*file)));
  return inspection;
}

}  // namespace weir
