#include <sstream>
#include <string>
#include <vector>

#include <weir/flow.hpp>

struct Person {
  std::string name;
};
WEIR_JSON(Person, name)

struct Greetings {
  std::vector<std::string> greet;  // what the step `greet` returned
};
WEIR_JSON(Greetings, greet)

struct Letter {
  std::string text;
};
WEIR_JSON(Letter, text)

static std::vector<std::string> split(weir::Context& context, Person person) {
  std::vector<std::string> names;
  std::istringstream words(person.name);
  for (std::string name; words >> name;) names.push_back(name);
  if (names.empty())
    throw weir::permanent("no_name", "there is nobody to greet: \"name\" is empty");
  context.log("greeting " + person.name);
  return names;
}

static std::string greet(weir::Context&, std::string name) { return "Hello, " + name + "!"; }

static Letter compose(weir::Context&, Greetings greetings) {
  Letter letter;
  for (const std::string& line : greetings.greet)
    letter.text += letter.text.empty() ? line : " " + line;
  return letter;
}

WEIR_FLOW(hello, "examples.Hello", step<split>("split"), map<greet>("greet").over("split"),
          step<compose>("compose").after("greet"));
WEIR_PLUGIN(hello)
