#pragma once

namespace weir::cli {

struct Doctor {};

}  // namespace weir::cli
