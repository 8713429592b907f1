#include "cli/views/run_view.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/display_width.hpp"
#include "base/printable.hpp"
#include "cli/terminal/table.hpp"
#include "cli/terminal/times.hpp"

namespace weir::cli {
namespace {

struct StatusStyle {
  std::string_view status;
  Tone tone;
  std::string_view mark, plain_mark;
};
constexpr std::array<StatusStyle, 8> status_styles = {{{"queued", Tone::plain, "·", "."},
                                                       {"waiting", Tone::faint, "·", "."},
                                                       {"ready", Tone::plain, "·", "."},
                                                       {"running", Tone::busy, "▸", ">"},
                                                       {"completed", Tone::good, "✓", "+"},
                                                       {"failed", Tone::bad, "✗", "x"},
                                                       {"skipped", Tone::faint, "↷", "-"},
                                                       {"cancelled", Tone::faint, "■", "-"}}};

const StatusStyle& style_of(std::string_view status) noexcept {
  const auto* const found = std::ranges::find(status_styles, status, &StatusStyle::status);
  return found == status_styles.end() ? status_styles.front() : *found;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

// Adds a line, broken between words so that it fits; all parts have the same indent.
void add_wrapped(std::string& text, std::string_view line, const Terminal& terminal,
                 std::size_t indent = 6) {
  const std::string pad(indent, ' ');
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  while (!line.empty()) {
    std::size_t end = line.size();
    while (terminal.columns > pad.size() + 10 &&
           pad.size() + display_width(line.substr(0, end)) > terminal.columns) {
      const std::size_t blank = line.rfind(' ', end - 1);
      if (blank == std::string_view::npos || blank == 0) break;
      end = blank;
    }
    text += pad + printable(line.substr(0, end)) + '\n';
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

// Adds an error that has more than one line, such as a crash with its frames.
void add_details(std::string& text, const StepReport& step, const Terminal& terminal) {
  if (!step.error || !step.error->contains('\n')) return;
  for (std::string_view rest = *step.error; !rest.empty();) {
    const std::string_view line = first_line(rest);
    add_wrapped(text, line, terminal);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
  }
}

std::string took(const std::optional<Time>& from, const std::optional<Time>& to) {
  return from && to ? shown_duration(*to - *from) : "";
}

// "420/1000" for a map; empty for other steps.
std::string tasks(const StepReport& step) {
  if (step.kind != "map" || !step.tasks) return "";
  return fmt::format("{}/{}", step.tasks_completed, *step.tasks);
}

// What a running wait waits for, and until when.
std::string wait_text(const StepReport& step) {
  std::string text = fmt::format("waits for \"{}\"", printable(step.signal.value_or(step.slug)));
  if (step.until) text += fmt::format(" until {}", shown_time(*step.until));
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

}  // namespace

Tone tone(std::string_view status) noexcept { return style_of(status).tone; }

std::string runs_text(std::span<const RunSummary> runs, Time now, const Terminal& terminal) {
  Table table({{"RUN", Table::Column::whole},
               {"FLOW"},
               {"STATUS", Table::Column::whole},
               {terminal.live ? "STARTED" : "STARTED (UTC)", Table::Column::whole},
               {"TOOK", Table::Column::right}});
  for (const RunSummary& run : runs) {
    const std::string began = !run.started_at ? ""
                              : terminal.live ? shown_age(now - *run.started_at)
                                              : shown_time(*run.started_at);
    table.add({{run.id},
               {run.flow},
               {run.status, tone(run.status)},
               {began},
               {took(run.started_at, run.ended_at)}});
  }
  return table.text(terminal);
}

std::string step_text(const StepReport& step, std::size_t slug_width, const Terminal& terminal) {
  const StatusStyle& style = style_of(step.status);
  const bool waits = step.kind == "wait" && step.status == "running";
  std::string facts = waits ? wait_text(step) : step.status;
  const auto add = [&](std::string_view fact) {
    if (!fact.empty()) facts.append("  ").append(fact);
  };
  add(tasks(step));
  add(took(step.started_at, step.ended_at));
  if (const std::int64_t usual = step.kind == "map" ? step.tasks.value_or(0) : 1;
      step.attempts > usual)
    add(fmt::format("{} attempts", step.attempts));
  if (step.retried > 0) add(fmt::format("{} retried", step.retried));
  if (step.child_run) add("run " + *step.child_run);
  if (step.skip_reason) add(printable(*step.skip_reason));
  if (step.error) add(printable(first_line(*step.error)));
  const std::size_t before = 4 + slug_width + 2;  // "  ✓ ", the slug, two blanks
  const std::size_t room =
      terminal.columns == 0 ? 0 : std::max<std::size_t>(terminal.columns, before + 10) - before;
  const std::string pad(slug_width - std::min(slug_width, display_width(step.slug)), ' ');
  return fmt::format(
      "  {} {}{}  {}",
      painted(terminal, style.tone, terminal.unicode ? style.mark : style.plain_mark), step.slug,
      pad, painted(terminal, style.tone, clipped(terminal, facts, room)));
}

std::string run_text(const RunReport& report, const Terminal& terminal) {
  const RunSummary& run = report.summary;
  std::string text =
      fmt::format("{}  {} version {}  {}\n", painted(terminal, Tone::strong, run.id), run.flow,
                  run.version, painted(terminal, tone(run.status), run.status));
  constexpr std::size_t label_width = 9;
  const auto fact = [&](std::string_view what, std::string_view value, Tone colour = Tone::plain) {
    const std::size_t room =
        terminal.columns == 0 ? 0 : terminal.columns - std::min(terminal.columns - 1, label_width);
    text += fmt::format("{}{}\n",
                        painted(terminal, Tone::faint, fmt::format("{:<{}}", what, label_width)),
                        painted(terminal, colour, clipped(terminal, printable(value), room)));
  };
  fact("input", report.input.text());
  if (report.output) fact("output", report.output->text());
  if (run.note) fact("note", *run.note);
  if (run.error) fact("error", first_line(*run.error), Tone::bad);
  if (run.started_at) {
    const std::string duration = took(run.started_at, run.ended_at);
    fact("started",
         shown_time(*run.started_at) + " UTC" + (duration.empty() ? "" : ", took " + duration));
  } else if (run.wake_at) {
    fact("starts", shown_time(*run.wake_at) + " UTC");
  }
  if (report.waits_for) {
    std::string lines;
    add_wrapped(lines, *report.waits_for, terminal, label_width);
    text += painted(terminal, Tone::faint, fmt::format("{:<{}}", "waits", label_width)) +
            lines.substr(std::min(label_width, lines.size()));
  }
  if (run.priority != 0) fact("priority", fmt::format("{}", run.priority));
  if (!run.tags.empty()) fact("tags", joined(run.tags));
  if (run.parent_run) fact("child of", *run.parent_run);
  std::size_t slug_width = 0;
  for (const StepReport& step : report.steps)
    slug_width = std::max(slug_width, display_width(step.slug));
  if (!report.steps.empty()) text += '\n';
  for (const StepReport& step : report.steps) {
    text += step_text(step, slug_width, terminal) + '\n';
    add_details(text, step, terminal);
  }
  return text;
}

}  // namespace weir::cli
