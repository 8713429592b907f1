#pragma once

namespace weir {

/// What is wished of a worker; only ever goes down the list.
enum class Wish {
  serve,
  drain,     ///< claim nothing more, finish what runs, give back the rest
  stop_now,  ///< give back everything at once
};

}  // namespace weir
