#pragma once
#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include <weir/abi/plugin.h>

namespace weir::testing {

/// How one task ended: WEIR_OK with an output, or else with what `fail` was told.
struct TaskEnd {
  std::int32_t code = WEIR_OK;
  std::string output = {};   ///< JSON
  std::string failure = {};  ///< "code: message"
};

/// Runs the one flow of the plugin this program is linked with, task by task, without Weir.
class FlowRun {
 public:
  explicit FlowRun(std::string input) : input_(std::move(input)) {
    const weir_str& manifest = weir_plugin_v1.manifest;
    steps_ =
        boost::json::parse({manifest.data, manifest.size}).at("flows").at(0).at("steps").as_array();
  }

  /// Every step once, dependencies first. Gives the output of the last, or "step: code: message" of
  /// the first task that failed.
  std::string result() {
    std::map<std::string, std::string> outputs;
    std::string last;
    while (outputs.size() < steps_.size()) {
      for (std::size_t i = 0; i < steps_.size(); ++i) {
        const auto& step = steps_[i].as_object();
        const std::string slug(step.at("slug").as_string());
        if (outputs.contains(slug) || !ready(step, outputs)) continue;
        const TaskEnd end = is_map(step) ? run_map(i, outputs) : run(i, input_of(step, outputs));
        if (end.code != WEIR_OK) return slug + ": " + end.failure;
        last = outputs[slug] = end.output;
      }
    }
    return last;
  }

 private:
  using Outputs = std::map<std::string, std::string>;

  struct Call {
    const FlowRun* run;
    TaskEnd end;
  };

  static std::vector<std::string> dependencies(const boost::json::object& step) {
    std::vector<std::string> names;
    if (const auto* found = step.if_contains("depends_on")) {
      for (const auto& name : found->as_array()) names.emplace_back(name.as_string());
    }
    return names;
  }
  static bool ready(const boost::json::object& step, const Outputs& outputs) {
    return std::ranges::all_of(dependencies(step),
                               [&](const auto& name) { return outputs.contains(name); });
  }
  static bool is_map(const boost::json::object& step) {
    const auto* kind = step.if_contains("kind");
    return kind != nullptr && kind->as_string() == "map";
  }
  std::string input_of(const boost::json::object& step, const Outputs& outputs) const {
    std::string input;
    for (const auto& name : dependencies(step)) {
      input += (input.empty() ? "{\"" : ",\"") + name + "\":" + outputs.at(name);
    }
    return input.empty() ? input_ : input + "}";
  }

  TaskEnd run_map(std::size_t step, const Outputs& outputs) const {
    const std::string& over = outputs.at(dependencies(steps_[step].as_object()).at(0));
    const boost::json::value elements = boost::json::parse(over);
    TaskEnd all{.output = "["};
    for (const auto& element : elements.as_array()) {
      const TaskEnd end = run(step, boost::json::serialize(element));
      if (end.code != WEIR_OK) return end;
      all.output += (all.output.size() == 1 ? "" : ",") + end.output;
    }
    all.output += "]";
    return all;
  }

  TaskEnd run(std::size_t step, const std::string& input) const {
    const weir_flow& flow = weir_plugin_v1.flows[0];
    const weir_host host{
        .struct_size = sizeof(weir_host),
        .abi_major = WEIR_ABI_MAJOR,
        .abi_minor = WEIR_ABI_MINOR,
        .output = take_output,
        .fail = take_failure,
        .log = [](weir_call*, std::int32_t, weir_str) {},
        .cancelled = [](weir_call*) { return std::int32_t(0); },
        .get = fact,
        .extension = [](const weir_host*, weir_str) -> const void* { return nullptr; }};
    Call call{this, {}};
    call.end.code =
        flow.steps[step].run(&host, as_host_call(call), {input.data(), input.size()}, nullptr);
    return call.end;
  }

  static weir_call* as_host_call(Call& call) { return reinterpret_cast<weir_call*>(&call); }
  static Call& own(weir_call* call) { return *reinterpret_cast<Call*>(call); }
  static std::int32_t take_output(weir_call* call, weir_str json) {
    own(call).end.output.assign(json.data, json.size);
    return 0;
  }
  static std::int32_t take_failure(weir_call* call, std::int32_t, weir_str code, weir_str message,
                                   std::uint64_t) {
    own(call).end.failure =
        std::string(code.data, code.size) + ": " + std::string(message.data, message.size);
    return 0;
  }
  static weir_str fact(weir_call* call, weir_str key) {
    const std::string& input = own(call).run->input_;
    if (std::string_view(key.data, key.size) == "flow_input") return {input.data(), input.size()};
    return {nullptr, 0};
  }

  std::string input_;
  boost::json::array steps_;
};

}  // namespace weir::testing
