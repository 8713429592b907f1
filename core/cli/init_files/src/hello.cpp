// A first flow of two steps.
//   build it:  cmake -S src -B build && cmake --build build
//   run it:    weir serve &
//              weir start hello --input '{"name": "Ada"}' --wait
#include <string>

#include <weir/flow.hpp>

namespace {

struct Person {
  std::string name;
};
WEIR_JSON(Person, name)

struct Greeting {
  std::string text;
};
WEIR_JSON(Greeting, text)

// A step that waits for others is given an object with their outputs.
struct Greeted {
  Greeting greet;
};
WEIR_JSON(Greeted, greet)

Greeting greet(weir::Context&, Person person) { return {"Hello, " + person.name + "!"}; }

Greeting shout(weir::Context& context, Greeted before) {
  context.info("about to get loud");
  for (char& c : before.greet.text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return before.greet;
}

}  // namespace

WEIR_FLOW(hello, "first.Hello", step<greet>("greet"),
          step<shout>("shout").after("greet").max_attempts(5))
WEIR_PLUGIN(hello)
