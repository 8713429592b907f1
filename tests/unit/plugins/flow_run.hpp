#pragma once
#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include <weir/abi/plugin.h>
#include <weir/abi/resources.h>

namespace weir::testing {

/// How one task ended: WEIR_OK with an output, or else with what `fail` was told.
struct TaskEnd {
  std::int32_t code = WEIR_OK;
  std::string output = {};   ///< JSON
  std::string failure = {};  ///< "code: message"
};

/// Runs the one flow of the plugin this program is linked with, task by task, without Weir.
/// Resources that its steps share end with it.
class FlowRun {
 public:
  FlowRun(const FlowRun&) = delete;
  FlowRun& operator=(const FlowRun&) = delete;
  ~FlowRun() {
    for (const auto& [key, resource] : resources_) resource.destroy(resource.made);
  }
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
    FlowRun* run;
    TaskEnd end;
    std::string refusal = {};
  };

  struct Made {
    void* made;
    void (*destroy)(void*);
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

  TaskEnd run_map(std::size_t step, const Outputs& outputs) {
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

  TaskEnd run(std::size_t step, const std::string& input) {
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
        .extension = [](const weir_host*, weir_str) -> const void* { return &resources_v1; }};
    Call call{.run = this, .end = {}};
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

  // The start is the call here: nobody else takes part in it.
  static std::int32_t acquire(weir_call* call, weir_str name, const weir_maker* maker,
                              weir_acquired* acquired) {
    auto& resources = own(call).run->resources_;
    const std::pair key(std::string(name.data, name.size), maker->type);
    if (!resources.contains(key)) {
      void* const made = maker->create(reinterpret_cast<weir_start*>(call), maker->user);
      if (made == nullptr) {
        acquired->code = {"refused", 7};
        acquired->message = {own(call).refusal.data(), own(call).refusal.size()};
        return WEIR_FAILED;
      }
      resources.emplace(key, Made{made, maker->destroy});
    }
    acquired->resource = resources.at(key).made;
    return WEIR_OK;
  }
  static void refuse(weir_start* start, weir_str, weir_str message) {
    own(reinterpret_cast<weir_call*>(start)).refusal.assign(message.data, message.size);
  }
  static constexpr weir_resources resources_v1{.struct_size = sizeof(weir_resources),
                                               .reserved = 0,
                                               .acquire = acquire,
                                               .refuse = refuse,
                                               .discard = [](weir_call*, const void*) {}};

  std::string input_;
  boost::json::array steps_;
  std::map<std::pair<std::string, const void*>, Made> resources_;
};

}  // namespace weir::testing
