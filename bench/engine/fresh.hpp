#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/engine/empty_flow.hpp"
#include "bench/engine/serving.hpp"
#include "bench/required.hpp"
#include "store/postgres/postgres_run_store.hpp"

namespace weir::bench {

/// A fresh schema with the flow known, clients for it, and workers that have not begun.
struct Fresh {
  std::unique_ptr<postgres::Session> admin;
  std::unique_ptr<RunStore> store;
  Serving serving;

  Fresh(const std::string& url, FlowModule flow, std::size_t workers = 1)
      : admin(emptied(url)),
        store(required(postgres::open_run_store(url))),
        serving(url, std::move(flow), 8, workers) {
    serving.register_flow();
  }

  /// In batches of 1,000.
  void start(std::size_t count, const Json& input) const {
    constexpr std::size_t batch = 1'000;
    for (std::size_t left = count; left > 0; left -= std::min(left, batch))
      required(store->start(EmptyFlow::slug, std::vector<Json>(std::min(left, batch), input), {}));
  }
};

}  // namespace weir::bench
