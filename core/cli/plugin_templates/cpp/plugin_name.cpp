// A first flow of two steps.
//   run it:  weir serve &
//            weir start plugin_name --input '{"name": "Ada"}' --wait
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

WEIR_FLOW(plugin_name, "first.PluginName", step<greet>("greet"),
          step<shout>("shout").after("greet").max_attempts(5))
WEIR_PLUGIN(plugin_name)
