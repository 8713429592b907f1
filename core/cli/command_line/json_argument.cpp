#include "cli/command_line/json_argument.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/source_text.hpp"

namespace weir::cli {
namespace {

Result<SourceText> source_of(std::string_view option, const std::string& argument) {
  if (argument == "-")
    return SourceText("stdin", std::string(std::istreambuf_iterator<char>(std::cin), {}));
  if (!argument.starts_with('@')) return SourceText(std::string(option), argument);
  const std::string file = argument.substr(1);
  std::ifstream in(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (!in || in.bad())
    return std::unexpected(
        Error{.code = ErrorCode::invalid_input,
              .kind = "bad_argument",
              .message = fmt::format("{}: {}: {}", option, file, std::strerror(errno)),
              .hint = "name a file that can be read"});
  return SourceText(file, std::move(text));
}

}  // namespace

std::expected<Json, ExitCode> read_json_argument(std::string_view option,
                                                 const std::string& argument, Console& console) {
  const auto source = source_of(option, argument);
  if (!source) return std::unexpected(console.fail(source.error()));
  auto input = Json::parse_located(std::string(source->text()));
  if (input) return *std::move(input);
  console.print_err(
      source->pointed({input.error().offset, 1}, "error",
                      fmt::format("{}: {}", input.error().verdict(), input.error().what)));
  return std::unexpected(ExitCode::usage);
}

}  // namespace weir::cli
