#include "cli/views/flow_view.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/printable.hpp"
#include "cli/terminal/table.hpp"
#include "cli/views/dag_drawing.hpp"
#include "config/quantity.hpp"

namespace weir::cli {
namespace {

using Member = std::pair<std::string, Json>;

constexpr std::size_t fingerprint_shown = 12;

std::vector<std::string> dependencies(const StepDefinition& step, const FlowDefinition& flow) {
  std::vector<std::string> slugs;
  for (const std::size_t position : step.depends_on)
    slugs.push_back(flow.steps()[position].slug.string());
  return slugs;
}

Json step_json(const CatalogueFlow& flow, const StepDefinition& step) {
  std::vector<Json> depends_on;
  for (const std::string& slug : dependencies(step, flow.definition))
    depends_on.push_back(Json::string(slug));
  const StepOptions options = flow.effective(step);
  std::vector<Member> members = {
      {"slug", Json::string(step.slug.view())},
      {"kind", Json::string(name(step.kind))},
      {"depends_on", Json::array(depends_on)},
  };
  for (const OptionRule& rule : option_rules)
    if (rule.applies_to(step.kind))
      members.emplace_back(rule.name, Json::number(rule.get(options)));
  const StepConditions& conditions = step.conditions;
  if (step.kind == StepKind::wait) members.emplace_back("signal", Json::string(step.signal));
  if (step.child) members.emplace_back("flow", Json::string(step.child->view()));
  if (conditions.only_if) members.emplace_back("only_if", *conditions.only_if);
  if (conditions.unless) members.emplace_back("unless", *conditions.unless);
  if (conditions.only_if || conditions.unless)
    members.emplace_back("when_unmet", Json::string(name(conditions.when_unmet)));
  if (conditions.when_exhausted != StepConditions{}.when_exhausted)
    members.emplace_back("when_exhausted", Json::string(name(conditions.when_exhausted)));
  return Json::object(members);
}

std::string_view fallback_text(Fallback fallback) {
  switch (fallback) {
    case Fallback::fail:
      return "the run fails";
    case Fallback::skip:
      return "it is skipped";
    case Fallback::skip_cascade:
      return "it and everything after it are skipped";
  }
  return "";
}

// Rules that have no room in the table: "waits for the signal ask; only if {…}, else it is
// skipped".
std::string rules(const StepDefinition& step) {
  std::vector<std::string> parts;
  if (step.kind == StepKind::wait)
    parts.push_back(fmt::format("waits for the signal {}", step.signal));
  if (step.child) parts.push_back(fmt::format("runs the flow {}", step.child->view()));
  const StepConditions& conditions = step.conditions;
  std::vector<std::string> patterns;
  if (conditions.only_if) patterns.push_back(fmt::format("only if {}", conditions.only_if->text()));
  if (conditions.unless) patterns.push_back(fmt::format("unless {}", conditions.unless->text()));
  if (!patterns.empty())
    parts.push_back(fmt::format("{}, else {}", fmt::join(patterns, " and "),
                                fallback_text(conditions.when_unmet)));
  if (conditions.when_exhausted != StepConditions{}.when_exhausted)
    parts.push_back(
        fmt::format("when it has failed for good {}", fallback_text(conditions.when_exhausted)));
  return printable(fmt::format("{}", fmt::join(parts, "; ")));
}

std::string rules_text(const FlowDefinition& flow, const Terminal& terminal) {
  std::string text;
  for (const StepDefinition& step : flow.steps())
    if (const std::string step_rules = rules(step); !step_rules.empty())
      text +=
          fmt::format("{}: {}\n", painted(terminal, Tone::strong, step.slug.view()), step_rules);
  return text.empty() ? text : '\n' + text;
}

std::string drawn_name(const StepDefinition& step) {
  const std::string& slug = step.slug.string();
  const std::string shaped = step.kind == StepKind::map    ? slug + "[]"
                             : step.kind == StepKind::wait ? "(" + slug + ")"
                             : step.kind == StepKind::flow ? slug + "()"
                                                           : slug;
  const bool conditional = step.conditions.only_if || step.conditions.unless;
  return conditional ? shaped + "?" : shaped;
}

std::string_view dot_shape(StepKind kind) {
  switch (kind) {
    case StepKind::single:
      return "";
    case StepKind::map:
      return " [shape=box3d]";
    case StepKind::wait:
      return " [shape=octagon]";
    case StepKind::flow:
      return " [shape=component]";
  }
  return "";
}

std::string step_table(const CatalogueFlow& flow, const Terminal& terminal) {
  Table table({{"STEP"},
               {"KIND", Table::Column::whole},
               {"AFTER"},
               {"ATTEMPTS", Table::Column::right},
               {"BACKOFF", Table::Column::whole},
               {"TIMEOUT", Table::Column::right},
               {"OUTPUT", Table::Column::right}});
  for (const StepDefinition& step : flow.definition.steps()) {
    const StepOptions options = flow.effective(step);
    const bool has_attempts = has_code(step.kind);
    table.add({{step.slug.string()},
               {std::string(name(step.kind))},
               {fmt::format("{}", fmt::join(dependencies(step, flow.definition), ", "))},
               {has_attempts ? fmt::format("{}", options.max_attempts) : ""},
               {has_attempts
                    ? fmt::format("{}..{}", written(options.base_delay), written(options.max_delay))
                    : ""},
               {step.kind == StepKind::flow ? "" : written(options.timeout)},
               {has_attempts ? written_size(options.max_output_bytes) : ""}});
  }
  return table.text(terminal);
}

// "max_attempts, timeout"
std::string overridden_options(const OptionOverrides& overrides) {
  std::vector<std::string_view> names;
  for (const OptionRule& rule : option_rules)
    if (overrides.*rule.member) names.push_back(rule.plain_name());
  return fmt::format("{}", fmt::join(names, ", "));
}

// "max_attempts, timeout; of fetch: timeout"
std::string overridden_options(const FlowOverrides& overrides, const FlowDefinition& flow) {
  std::vector<std::string> parts;
  if (std::string all = overridden_options(overrides.all); !all.empty())
    parts.push_back(std::move(all));
  for (const auto& [step, options] : overrides.steps)
    if (const std::string own = overridden_options(options); !own.empty() && flow.find(step))
      parts.push_back(fmt::format("of {}: {}", step, own));
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

Json flow_json(const CatalogueFlow& flow) {
  std::vector<Json> steps;
  for (const StepDefinition& step : flow.definition.steps()) steps.push_back(step_json(flow, step));
  return Json::object(std::vector<Member>{
      {"module", Json::string(flow.definition.module().view())},
      {"slug", Json::string(flow.definition.slug().view())},
      {"fingerprint", Json::string(flow.definition.fingerprint())},
      {"plugin", Json::object(std::vector<Member>{{"path", Json::string(flow.file.path)},
                                                  {"sha256", Json::string(flow.file.sha256)}})},
      {"steps", Json::array(steps)},
  });
}

std::string flows_text(const Catalogue& catalogue, const Terminal& terminal) {
  Table table({{"SLUG"},
               {"MODULE"},
               {"STEPS", Table::Column::right},
               {"PLUGIN"},
               {"FINGERPRINT", Table::Column::whole}});
  for (const CatalogueFlow& flow : catalogue.flows)
    table.add({{flow.definition.slug().string(), Tone::strong},
               {flow.definition.module().string()},
               {fmt::format("{}", flow.definition.steps().size())},
               {shown_path(flow.file.path)},
               {flow.definition.fingerprint().substr(0, fingerprint_shown), Tone::faint}});
  return table.text(terminal);
}

std::string flow_text(const CatalogueFlow& flow, const Terminal& terminal) {
  const FlowDefinition& definition = flow.definition;
  std::string text =
      fmt::format("{}  {}\n", painted(terminal, Tone::strong, definition.slug().view()),
                  definition.module().view());
  const auto fact = [&](std::string_view what, std::string_view value) {
    text += fmt::format("{}  {}\n", painted(terminal, Tone::faint, fmt::format("{:<11}", what)),
                        printable(value));
  };
  fact("plugin", shown_path(flow.file.path));
  fact("sha256", flow.file.sha256);
  fact("fingerprint", definition.fingerprint());
  if (const std::string set = overridden_options(flow.overrides, definition); !set.empty())
    fact("flows.yaml", "sets " + set);
  if (definition.input_schema()) fact("input", definition.input_schema()->text());

  std::vector<DagNode> nodes;
  for (const StepDefinition& step : definition.steps())
    nodes.push_back({drawn_name(step), step.depends_on});
  const DagDrawing drawing = draw(nodes, terminal.unicode);
  text += '\n';
  if (terminal.columns != 0 && drawing.width > terminal.columns)
    text +=
        fmt::format("(the graph is {} columns wide: widen the terminal, or draw it with --dot)\n",
                    drawing.width);
  else
    for (const std::string& line : drawing.lines) text += line + '\n';
  return text + '\n' + step_table(flow, terminal) + rules_text(definition, terminal);
}

std::string flow_dot(const FlowDefinition& flow) {
  std::string text = fmt::format("digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n",
                                 json_quoted(flow.slug().view()));
  for (const StepDefinition& step : flow.steps())
    text += fmt::format("  {}{};\n", json_quoted(step.slug.view()), dot_shape(step.kind));
  for (const StepDefinition& step : flow.steps())
    for (const std::string& before : dependencies(step, flow))
      text +=
          fmt::format("  {} -> {}{};\n", json_quoted(before), json_quoted(step.slug.view()),
                      step.conditions.only_if || step.conditions.unless ? " [style=dashed]" : "");
  return text + "}\n";
}

std::string shown_path(const std::filesystem::path& path) {
  std::error_code ec;
  const std::filesystem::path here = std::filesystem::current_path(ec);
  if (ec || here == here.root_path()) return path.string();
  const std::filesystem::path relative = path.lexically_relative(here);
  return relative.empty() || *relative.begin() == ".." ? path.string() : relative.string();
}

}  // namespace weir::cli
