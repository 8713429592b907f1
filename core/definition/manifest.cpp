#include "definition/manifest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/core.h>

#include "base/assert.hpp"
#include "base/in_quotes.hpp"
#include "base/json_sorted.hpp"
#include "definition/object_reader.hpp"

namespace weir {
namespace {

namespace bj = boost::json;
using enum ObjectReader::Presence;

constexpr std::int64_t format_read = 1;
constexpr std::size_t line_bytes_max = 255;

OptionOverrides options(ObjectReader& reader) {
  OptionOverrides found;
  for (const OptionRule& rule : option_rules)
    found.*rule.member = reader.whole_number(rule.name, optional);
  return found;
}

FlowDraft::Step step(ObjectReader& reader) {
  FlowDraft::Step step;
  step.slug = reader.string("slug", required).value_or("");
  step.kind = reader.string("kind", optional).value_or(step.kind);
  step.depends_on = reader.strings("depends_on");
  step.options = options(reader);
  if (reader.member("only_if", optional) != nullptr) step.only_if.emplace();
  if (reader.member("unless", optional) != nullptr) step.unless.emplace();
  step.when_unmet = reader.string("when_unmet", optional);
  step.when_exhausted = reader.string("when_exhausted", optional);
  step.signal = reader.string("signal", optional);
  step.flow = reader.string("flow", optional);
  reader.refuse_unknown_keys();
  return step;
}

FlowDraft flow(ObjectReader& reader) {
  FlowDraft flow;
  flow.module = reader.string("module", required).value_or("");
  flow.slug = reader.string("slug", required).value_or("");
  flow.options = options(reader);
  if (const bj::value* schema = reader.member("input_schema", optional))
    flow.input_schema = Json::trusted(bj::serialize(*schema));
  for (ObjectReader& each : reader.objects("steps")) flow.steps.push_back(step(each));
  reader.refuse_unknown_keys();
  return flow;
}

Json last_member(const Json& object, std::string_view key) {
  Json found;
  for (auto& [name, value] : object.members())
    if (name == key) found = std::move(value);
  return found;
}

// A pattern is compared with values that pass unchanged (P8), so it is taken from the text: a
// parsed number may differ from the written one. The manifest must have no faults.
void take_patterns(Manifest& manifest) {
  const auto is_conditional = [](const FlowDraft::Step& step) {
    return step.only_if || step.unless;
  };
  std::vector<Json> flows;
  for (std::size_t i = 0; i < manifest.flows.size(); ++i) {
    std::vector<FlowDraft::Step>& drafts = manifest.flows[i].steps;
    if (std::ranges::none_of(drafts, is_conditional)) continue;
    if (flows.empty()) flows = last_member(manifest.text, "flows").elements();
    WEIR_ASSERT(flows.size() == manifest.flows.size());
    const std::vector<Json> steps = last_member(flows[i], "steps").elements();
    WEIR_ASSERT(steps.size() == drafts.size());
    for (std::size_t j = 0; j < drafts.size(); ++j) {
      if (drafts[j].only_if) drafts[j].only_if = sorted(last_member(steps[j], "only_if"));
      if (drafts[j].unless) drafts[j].unless = sorted(last_member(steps[j], "unless"));
    }
  }
}

// No two flows may have the same `key`: `spelled` is its value in the manifest, `compared` gives
// the form that must be unique.
void refuse_duplicates(const std::vector<FlowDraft>& flows, std::string_view key,
                       std::string FlowDraft::* spelled, std::string (*compared)(std::string_view),
                       FaultList& faults) {
  std::map<std::string, std::size_t> first_by_name;
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const std::string& word = flows[i].*spelled;
    if (word.empty()) continue;  // already reported as missing
    const auto [first, is_new] = first_by_name.emplace(compared(word), i);
    if (is_new) continue;
    const std::string& other = flows[first->second].*spelled;
    faults.add(
        fmt::format("duplicate_{}", key),
        fmt::format("/flows/{}/{}: {} is already the {} of /flows/{}{}", i, key, in_quotes(word),
                    key, first->second,
                    word == other ? "" : fmt::format(", which spells it {}", in_quotes(other))),
        "rename one of them");
  }
}

void read_flows(ObjectReader& reader, Manifest& manifest, FaultList& faults) {
  for (ObjectReader& each : reader.objects("flows", 1, Manifest::flows_max))
    manifest.flows.push_back(flow(each));
  const auto as_it_is = [](std::string_view word) { return std::string(word); };
  refuse_duplicates(manifest.flows, "module", &FlowDraft::module, as_it_is, faults);
  refuse_duplicates(manifest.flows, "slug", &FlowDraft::slug, folded, faults);
}

void read_manifest(const bj::object& object, Manifest& manifest, FaultList& faults) {
  ObjectReader reader(object, "", faults);
  const std::optional<std::int64_t> format = reader.whole_number("weir", required);
  // The rest of a newer manifest cannot be judged: its meaning is unknown.
  if (format > format_read) {
    faults.add(
        "requires_newer_weir",
        fmt::format("/weir: the manifest is of format {}, this version of Weir reads format {}",
                    *format, format_read),
        "use a newer Weir, or build the plugin against this one's headers");
    return;
  }
  if (format && *format < format_read)
    reader.fault("/weir", fmt::format("{} is not a manifest format", *format),
                 fmt::format("this version of Weir reads format {}", format_read));
  manifest.plugin = reader.line("plugin", required, line_bytes_max);
  manifest.version = reader.line("version", optional, line_bytes_max);
  manifest.extensions = reader.strings("requires");
  read_flows(reader, manifest, faults);
  reader.refuse_unknown_keys();
}

Error refused(std::string message, std::string hint) {
  return {.code = ErrorCode::invalid_definition,
          .kind = "bad_manifest",
          .message = std::move(message),
          .hint = std::move(hint)};
}

}  // namespace

std::expected<Manifest, Faults> Manifest::parse(std::string_view text) {
  if (text.size() > bytes_max)
    return std::unexpected(Faults{refused(fmt::format("the manifest is {} bytes long", text.size()),
                                          fmt::format("at most {} are allowed", bytes_max))});
  Result<Json> json = Json::parse(std::string(text));
  if (!json)
    return std::unexpected(
        Faults{refused(fmt::format("the manifest is {}", json.error().message), {})});

  bj::parse_options depth_as_checked;
  depth_as_checked.max_depth = Json::depth_max;
  std::array<unsigned char, std::size_t{8} * 1024> room;  // most manifests need no heap memory
  bj::monotonic_resource memory(room.data(), room.size());
  const bj::value value =
      bj::parse(bj::string_view(text.data(), text.size()), &memory, depth_as_checked);
  const bj::object* object = value.if_object();
  if (object == nullptr)
    return std::unexpected(
        Faults{refused(fmt::format("the manifest is {}, not an object", described(value)), {})});

  FaultList faults;
  Manifest manifest;
  manifest.text = *std::move(json);
  read_manifest(*object, manifest, faults);
  if (!faults.empty()) return std::unexpected(std::move(faults).take());
  take_patterns(manifest);
  return manifest;
}

}  // namespace weir
