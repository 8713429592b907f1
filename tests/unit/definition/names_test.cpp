#include <doctest/doctest.h>

#include "drafts.hpp"

namespace weir {

TEST_SUITE("definition: names") {
  TEST_CASE("D1: a flow's bad slug is told with the module it belongs to") {
    FlowDraft draft = flow({step("a")});
    draft.slug = "9lives";
    CHECK(build_faults(draft) ==
          "bad_slug: flow of module \"shop.Totals\": slug \"9lives\" has characters a slug may not "
          "have "
          "(letters, digits and _ only, not beginning with a digit)\n");
  }

  TEST_CASE("D1: a step's bad slug is told with its flow and its place") {
    CHECK(
        build_faults(flow({step("a"), step("send mail"), step("Run"), step("")})) ==
        "bad_slug: flow \"totals\", step 2: slug \"send mail\" has characters a slug may not have "
        "(letters, digits and _ only, not beginning with a digit)\n"
        "bad_slug: flow \"totals\", step 3: slug \"Run\" is reserved (choose another name)\n"
        "bad_slug: flow \"totals\", step 4: slug \"\" is empty (give it a name such as "
        "process_order)\n");
  }

  TEST_CASE("D2: a bad module name is told with its flow") {
    FlowDraft draft = flow({step("a")});
    draft.module = "shop..Totals";
    CHECK(build_faults(draft) ==
          "bad_module_name: flow \"totals\": module name \"shop..Totals\" has a segment that is "
          "not a name "
          "(segments of letters, digits and _ joined by dots: shop.ProcessOrder)\n");
  }

  TEST_CASE("D1: two steps whose slugs differ in case alone are refused") {
    CHECK(build_faults(flow({step("fetch"), step("send"), step("Fetch"), step("fetch")})) ==
          "duplicate_step: step \"Fetch\" of flow \"totals\" is defined twice: as step 3, and as "
          "step 1 \"fetch\" "
          "(rename one; names that differ in case alone count as the same)\n"
          "duplicate_step: step \"fetch\" of flow \"totals\" is defined twice: as step 4, and as "
          "step 1 \"fetch\" "
          "(rename one; names that differ in case alone count as the same)\n");
  }

  TEST_CASE("D1: a name cannot steer the terminal that prints the error") {
    const std::string text = build_faults(flow({step("a"), step("\x1B[2J\n")}));
    CHECK(text.find('\x1B') == std::string::npos);
    CHECK(text.find("\"\\u001b[2J\\n\"") != std::string::npos);
  }
}

}  // namespace weir
