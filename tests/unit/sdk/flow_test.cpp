#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include <weir/flow.hpp>

#include "fault_words.hpp"
#include "handlers.hpp"

using weir::map;
using weir::options;
using weir::refused;
using weir::step;
using weir::sdk::check_flow;
using weir::sdk::define_flow;
using weir::testing::fault;
using weir::testing::number;
using weir::testing::pass;
using weir::testing::twice;
using namespace std::chrono_literals;

namespace {
struct Both {
  int a;
  std::string b;
};
WEIR_JSON(Both, a, b)

struct MaybeMore {
  int a;
  std::optional<std::string> c;
};
WEIR_JSON(MaybeMore, a, c)

struct Numbers {
  std::vector<int> n;
};
WEIR_JSON(Numbers, n)

void nothing(weir::Context&) {}
std::string text(weir::Context&) { return "a"; }
std::vector<int> numbers(weir::Context&) { return {1}; }
std::optional<std::vector<int>> maybe_numbers(weir::Context&) { return std::nullopt; }
boost::json::value anything(weir::Context&) { return nullptr; }
int both(weir::Context&, Both in) { return in.a; }
int maybe_more(weir::Context&, const MaybeMore& in) { return in.a; }
int all_numbers(weir::Context&, Numbers in) { return in.n.front(); }
int any_names(weir::Context&, std::map<std::string, int> in) { return static_cast<int>(in.size()); }
int length(weir::Context&, std::string in) { return static_cast<int>(in.size()); }

constexpr auto name_of_128 = [] {
  std::array<char, 128> made{};
  made.fill('n');
  return made;
}();
constexpr std::string_view longest_slug(name_of_128.data(), name_of_128.size());
constexpr auto name_of_256 = [] {
  std::array<char, 256> made{};
  made.fill('n');
  return made;
}();
constexpr std::string_view too_long(name_of_256.data(), name_of_256.size());
}  // namespace

TEST_SUITE("sdk: flow checks") {
  TEST_CASE("D1: slugs of flows and steps") {
    CHECK(fault(define_flow("f", "M", step<number>("_A9"))).empty());
    CHECK(fault(define_flow("f", "M", step<number>(longest_slug))).empty());
    CHECK(fault(define_flow("run", "M", step<number>("a"))) == "bad_slug(run, )");
    CHECK(fault(define_flow("f", "M", step<number>("RUN"))) == "bad_slug(RUN, )");
    CHECK(fault(define_flow("f", "M", step<number>(""))) == "bad_slug(, )");
    CHECK(fault(define_flow("f", "M", step<number>("1a"))) == "bad_slug(1a, )");
    CHECK(fault(define_flow("f", "M", step<number>("a-b"))) == "bad_slug(a-b, )");
    CHECK(fault(define_flow("f", "M", step<number>("\u00e4"))) == "bad_slug(\u00e4, )");
    CHECK(fault(define_flow("f", "M", step<number>(too_long.substr(0, 129))))
              .starts_with("bad_slug("));
  }

  TEST_CASE("D2: module names") {
    CHECK(fault(define_flow("f", "shop.Order_2._x", step<number>("a"))).empty());
    CHECK(fault(define_flow("f", too_long.substr(0, 255), step<number>("a"))).empty());
    CHECK(fault(define_flow("f", too_long, step<number>("a"))).starts_with("bad_module_name("));
    CHECK(fault(define_flow("f", "", step<number>("a"))) == "bad_module_name(f, )");
    CHECK(fault(define_flow("f", "a..b", step<number>("a"))) == "bad_module_name(f, a..b)");
    CHECK(fault(define_flow("f", "a.", step<number>("a"))) == "bad_module_name(f, a.)");
    CHECK(fault(define_flow("f", "a.1", step<number>("a"))) == "bad_module_name(f, a.1)");
  }

  TEST_CASE("D3: options at the ends of their ranges and beyond") {
    constexpr auto widest =
        step<number>("a").max_attempts(1000).base_delay(24h).max_delay(8760h).timeout(720h);
    CHECK(fault(define_flow("f", "M", widest.start_delay(8760h).max_output(268'435'456))).empty());
    constexpr auto narrowest =
        step<number>("a").max_attempts(1).base_delay(0s).max_delay(0s).timeout(1ms);
    CHECK(fault(define_flow("f", "M", narrowest.start_delay(0s).max_output(1))).empty());
    CHECK(fault(define_flow("f", "M", step<number>("a").max_attempts(0))) ==
          "option_out_of_range(a, max_attempts)");
    CHECK(fault(define_flow("f", "M", step<number>("a").max_attempts(1001))) ==
          "option_out_of_range(a, max_attempts)");
    CHECK(fault(define_flow("f", "M", step<number>("a").base_delay(-1ms))) ==
          "option_out_of_range(a, base_delay_ms)");
    CHECK(fault(define_flow("f", "M", step<number>("a").timeout(0ms))) ==
          "option_out_of_range(a, timeout_ms)");
    CHECK(fault(define_flow("f", "M", map<number>("a").start_delay(8761h))) ==
          "option_out_of_range(a, start_delay_ms)");
    CHECK(fault(define_flow("f", "M", options().max_output(0), step<number>("a"))) ==
          "option_out_of_range(f, max_output_bytes)");
  }

  TEST_CASE("D5: a flow has one to 1024 steps") {
    CHECK(fault(define_flow("f", "M")) == "no_steps(f, )");
    static constexpr std::array<weir::sdk::Step, 1'025> steps{};
    static constexpr weir::sdk::OptionValues none{};
    CHECK(check_flow({"f", "M", none, steps, {}, {}}).why == refused::too_many_steps);
    CHECK(check_flow({"f", "M", none, std::span(steps).first(1'024), {}, {}}).why ==
          refused::bad_slug);
  }

  TEST_CASE("D5: two steps of one name are refused in any case") {
    CHECK(fault(define_flow("f", "M", step<number>("a"), step<number>("b"), step<number>("a"))) ==
          "duplicate_step(a, a)");
    CHECK(fault(define_flow("f", "M", step<number>("fetch"), map<number>("Fetch"))) ==
          "duplicate_step(Fetch, fetch)");
  }

  TEST_CASE("D5: dependencies are other steps of the flow and each is named once") {
    CHECK(fault(define_flow("f", "M", step<number>("b").after("a"), step<number>("a"))).empty());
    CHECK(fault(define_flow("f", "M", step<number>("a"), step<number>("b").after("c"))) ==
          "unknown_dependency(b, c)");
    CHECK(fault(define_flow("f", "M", step<number>("a"), step<number>("b").after("A"))) ==
          "unknown_dependency(b, A)");
    CHECK(fault(define_flow("f", "M", step<number>("a").after("a"))) == "self_dependency(a, a)");
    CHECK(fault(define_flow("f", "M", step<number>("a"), step<number>("b").after("a", "a"))) ==
          "duplicate_dependency(b, a)");
    CHECK(
        fault(define_flow("f", "M", step<number>("a"), step<number>("b").after("a").after("a"))) ==
        "duplicate_dependency(b, a)");
  }

  TEST_CASE("D5: a cycle is refused and named by a step on it") {
    CHECK(fault(define_flow("f", "M", step<number>("a").after("b"),
                            step<number>("b").after("a"))) == "cycle(b, a)");
    CHECK(fault(define_flow("f", "M", step<number>("root"), step<number>("tail").after("root", "c"),
                            step<number>("a").after("b"), step<number>("b").after("c"),
                            step<number>("c").after("a"))) == "cycle(b, c)");
  }

  TEST_CASE("D5: a map goes over one step") {
    CHECK(fault(define_flow("f", "M", step<numbers>("a"), map<twice>("b").over("a"))).empty());
    CHECK(fault(define_flow("f", "M", step<numbers>("a"), step<numbers>("b"),
                            map<twice>("c").over("a", "b"))) == "map_dependencies(c, b)");
  }

  TEST_CASE("a map goes over what is an array of what its handler takes") {
    CHECK(fault(define_flow("f", "M", map<twice>("a"))).empty());
    CHECK(fault(define_flow("f", "M", step<numbers>("a"), map<number>("b").over("a"))).empty());
    CHECK(fault(define_flow("f", "M", step<anything>("a"), map<length>("b").over("a"))).empty());
    CHECK(fault(define_flow("f", "M", map<twice>("a"), map<twice>("b").over("a"))).empty());
    CHECK(fault(define_flow("f", "M", step<number>("a"), map<twice>("b").over("a"))) ==
          "map_over_non_array(b, a)");
    CHECK(fault(define_flow("f", "M", step<nothing>("a"), map<number>("b").over("a"))) ==
          "map_over_non_array(b, a)");
    CHECK(fault(define_flow("f", "M", step<maybe_numbers>("a"), map<twice>("b").over("a"))) ==
          "map_over_non_array(b, a)");
    CHECK(fault(define_flow("f", "M", step<numbers>("a"), map<length>("b").over("a"))) ==
          "result_does_not_fit_input(b, a)");
    CHECK(fault(define_flow("f", "M", map<twice>("a"), map<length>("b").over("a"))) ==
          "result_does_not_fit_input(b, a)");
  }

  TEST_CASE("a step after others takes an object with their results") {
    constexpr auto a = step<number>("a");
    CHECK(
        fault(define_flow("f", "M", a, step<text>("b"), step<both>("c").after("a", "b"))).empty());
    CHECK(fault(define_flow("f", "M", a, step<text>("b"), step<maybe_more>("c").after("a", "b")))
              .empty());
    CHECK(fault(define_flow("f", "M", a, step<pass>("c").after("a"))).empty());
    CHECK(fault(define_flow("f", "M", a, step<number>("c").after("a"))).empty());
    CHECK(fault(define_flow("f", "M", a, step<any_names>("c").after("a"))).empty());
    CHECK(fault(define_flow("f", "M", map<twice>("n"), step<all_numbers>("c").after("n"))).empty());
    CHECK(fault(define_flow("f", "M", step<pass>("a"), step<text>("b"),
                            step<both>("c").after("a", "b")))
              .empty());

    CHECK(fault(define_flow("f", "M", a, step<number>("b"), step<both>("c").after("a", "b"))) ==
          "result_does_not_fit_input(c, b)");
    CHECK(fault(define_flow("f", "M", step<number>("n"), step<all_numbers>("c").after("n"))) ==
          "result_does_not_fit_input(c, n)");
    CHECK(fault(define_flow("f", "M", step<text>("b"), step<any_names>("c").after("b"))) ==
          "result_does_not_fit_input(c, b)");
    CHECK(fault(define_flow("f", "M", a, step<twice>("c").after("a"))) ==
          "input_is_not_an_object(c, a)");
    CHECK(fault(define_flow("f", "M", a, step<text>("b"), step<both>("c").after("a"))) ==
          "input_member_is_not_a_dependency(c, b)");
  }
}
