#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <weir/sdk/names.hpp>
#include <weir/sdk/refused.hpp>
#include <weir/step.hpp>

namespace weir::sdk {

struct Step {
  std::string_view slug;
  Kind kind = Kind::single;
  OptionValues options{};
  Code code{};
  std::size_t first = 0, count = 0;  ///< its dependencies: where they stand in Flow::dependencies
};

struct Dependency {
  std::string_view slug;
  std::size_t position = 0;  ///< of that step in Flow::steps
};

/// A flow whatever its size: a view of Flow.
struct FlowView {
  std::string_view slug, module;
  const OptionValues& options;
  std::span<const Step> steps;
  std::span<const Dependency> dependencies;

  constexpr std::span<const Dependency> of(const Step& step) const {
    return dependencies.subspan(step.first, step.count);
  }
};

/// A flow that was checked: only define_flow makes one.
template <std::size_t step_count, std::size_t dependency_count>
struct Flow {
  std::string_view slug, module;
  OptionValues options;
  std::array<Step, step_count> steps{};
  std::array<Dependency, dependency_count> dependencies{};

  constexpr FlowView view() const { return {slug, module, options, steps, dependencies}; }
};

}  // namespace weir::sdk
