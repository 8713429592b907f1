#include "step/step_resources.hpp"

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/in_quotes.hpp"
#include "base/json.hpp"

/// Used by the thread that is inside `create`, and by any thread that it passes this to before
/// `create` returns.
struct weir_start {
  std::optional<weir::Error> refusal = {};
};

namespace weir {

std::size_t ResourceKey::Hash::operator()(const ResourceKey& key) const noexcept {
  const std::hash<std::string> of_text;
  return of_text(key.name) ^ (31 * of_text(key.plugin)) ^
         (961 * std::hash<const void*>()(key.type));
}

std::string to_string(const ResourceKey& key) {
  return fmt::format("the resource {}", in_quotes(utf8_or_replaced(key.name)));
}

Result<std::shared_ptr<StepResource>> StepResources::acquire(const FlowHandle& flow,
                                                             std::string_view name,
                                                             const weir_maker& maker,
                                                             Cancellation<>& stop) {
  const ResourceKey key{flow->file.sha256, std::string(name), maker.type};
  const auto make =
      [&](const ResourceTable::Starting& starting) -> Result<std::shared_ptr<StepResource>> {
    weir_start start;
    void* const made = maker.create(&start, maker.user);
    if (made != nullptr)
      return std::make_shared<StepResource>(flow->code, made, maker.destroy, starting.death);
    if (start.refusal) return std::unexpected(*std::move(start.refusal));
    return std::unexpected(Error{.code = ErrorCode::unavailable,
                                 .kind = "failed",
                                 .message = to_string(key) + " was not made; no reason was given",
                                 .hint = {}});
  };
  return table_.get_or_start(key, std::monostate(), make, {.cancellation = &stop});
}

void StepResources::refuse(weir_start* start, weir_str code, weir_str message) {
  const auto text = [](weir_str from) {
    return from.size == 0 ? std::string() : utf8_or_replaced({from.data, from.size});
  };
  if (start->refusal) return;
  start->refusal = Error{
      .code = ErrorCode::unavailable, .kind = text(code), .message = text(message), .hint = {}};
}

std::size_t StepResources::end_unused(const std::set<std::string>& registered) {
  std::vector<ResourceKey> unused;
  {
    const std::vector<ResourceTable::Listed> all = table_.list();
    std::map<std::string, long> holders;  // how many resources hold the code of each plugin
    for (const auto& [key, generation, handle] : all) ++holders[key.plugin];
    for (const auto& [key, generation, handle] : all)
      if (!key.plugin.empty() && !registered.contains(key.plugin) &&
          handle->code().use_count() == holders[key.plugin])
        unused.push_back(key);
  }
  std::size_t ended = 0;
  for (const ResourceKey& key : unused) ended += table_.stop(key);
  return ended;
}

void StepResources::end(Log& log) {
  if (const std::size_t ended = table_.shutdown(); ended > 0)
    log.info("ended {} resource{} that steps shared", ended, ended == 1 ? "" : "s");
}

}  // namespace weir
