#pragma once

namespace weir::cli {

struct Migrate {};

}  // namespace weir::cli
