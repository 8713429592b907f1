#include "base/json.hpp"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace weir {
namespace {

std::string refusal(std::string text) {
  const Result<Json> parsed = Json::parse(std::move(text));
  if (parsed) return "";
  CHECK(parsed.error().code == ErrorCode::invalid_input);
  CHECK(parsed.error().kind == "bad_json");
  return parsed.error().message;
}

bool taken(std::string text) { return Json::parse(std::move(text)).has_value(); }

std::vector<std::string> elements(std::string text) {
  std::vector<std::string> found;
  const Json array = *Json::parse(std::move(text));
  for (const Json& element : array.elements()) found.emplace_back(element.text());
  return found;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_SUITE("base: json") {
  TEST_CASE("P8: every value passes as the text it came as") {
    for (const char* text :
         {"false", "true", "null", "0", "\"\"", "[]", "{}", "9223372036854775807",
          "-9223372036854775808", "18446744073709551616", "0.1", "0.30000000000000004",
          "1.7976931348623157e308", "5e-324", "1E+2", "\"\xF0\x9F\x98\x80 \xE6\x97\xA5\"",
          "\"\\ud83d\\ude00\\u00e9\\/\"", "{\"b\" : 1 ,\"a\":[1 , 2]}"}) {
      CAPTURE(text);
      const Result<Json> parsed = Json::parse(text);
      REQUIRE(parsed);
      CHECK(parsed->text() == text);
    }
  }

  TEST_CASE("P8: a value is what the database stores also before it is stored") {
    for (const auto& [given, stored] : std::initializer_list<std::pair<const char*, const char*>>{
             {"-0", "0"},
             {"[-0, -0.0, -0e7, -0.5, 0]", "[0,0.0,0e7,-0.5,0]"},
             {R"({"a": 1, "b": 2, "a": [3]})", R"({"a":[3],"b":2})"},
             {R"({"a": 1, "\u0061": 2})", R"({"a":2})"},
             {R"([{"x": {"k": 1, "k": -0}}, "-0"])", R"([{"x":{"k":0}},"-0"])"}})
      CHECK(Json::parse(given)->text() == stored);
    const char* const kept = R"({"a": {"b": 1}, "b": [{"a": 1}, {"a": 2}], "": 0})";
    CHECK(Json::parse(kept)->text() == kept);
  }

  TEST_CASE("P8: white space around a value is no part of it") {
    CHECK(Json::parse(" \t\r\n[1, 2]\n ")->text() == "[1, 2]");
    CHECK(Json::parse("0\n")->text() == "0");
  }

  TEST_CASE("what is no JSON is told with line and column") {
    CHECK(refusal("{\"a\": 1,\n  oops}") == "not JSON: line 2, column 3: syntax error");
    CHECK(refusal("[1, 2") == "not JSON: line 1, column 6: the text ends too early");
    CHECK(refusal("") == "not JSON: line 1, column 1: the text ends too early");
    CHECK(refusal("1 2") == "not JSON: line 1, column 3: something follows after the value");
    CHECK(refusal("{}\n{}") == "not JSON: line 2, column 1: something follows after the value");
    const auto located = Json::parse_located("[\n1,]");
    REQUIRE_FALSE(located);
    CHECK(located.error().offset == 4);
    CHECK(located.error().line == 2);
    CHECK(located.error().column == 3);
  }

  TEST_CASE("what other dialects allow is refused") {
    for (const char* text : {"NaN",      "Infinity",  "+1",  "01",     ".5",
                             "1.",       "1e",        "-",   "[1,]",   "{\"a\":1,}",
                             "{a:1}",    "{1:2}",     "'a'", "//c\n1", "/**/1",
                             "\"a\nb\"", "\"\\x41\"", "tru", "True",   "\xEF\xBB\xBF{}",
                             "\"\t\""}) {
      CAPTURE(text);
      CHECK_FALSE(taken(text));
    }
  }

  TEST_CASE("text that is no UTF-8 is refused wherever it stands") {
    for (const char* bytes : {"\xFF", "\x80", "\xC0\xAF", "\xC3", "\xED\xA0\x80",
                              "\xF4\x90\x80\x80", "\xF0\x80\x80\x80"}) {
      CAPTURE(bytes);
      CHECK_FALSE(taken("\"" + std::string(bytes) + "\""));
      CHECK_FALSE(taken("{\"" + std::string(bytes) + "\":1}"));
    }
  }

  TEST_CASE("half a surrogate pair is refused") {
    for (const char* text : {"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"",
                             "\"\\ude00\\ud83d\""}) {
      CAPTURE(text);
      CHECK_FALSE(taken(text));
    }
  }

  TEST_CASE("a NUL in a string or key is refused as nothing the database can store") {
    const std::string reason = "\\u0000 in a string, which the database cannot store";
    CHECK(refusal("\"a\\u0000\"") == "JSON that cannot be kept: line 1, column 9: " + reason);
    CHECK(refusal("{\"\\u0000\":1}").ends_with(reason));
    CHECK(refusal("[\"" + std::string(10'000, 'x') + "\\u0000" + std::string(10'000, 'y') + "\"]")
              .ends_with(reason));
    CHECK(taken("\"\\\\u0000\""));
    CHECK_FALSE(taken(std::string("\"a\0b\"", 5)));
  }

  TEST_CASE("numbers are taken as far as a double and the database can hold them") {
    CHECK(taken("1e308"));
    CHECK(
        refusal("1e309") ==
        "JSON that cannot be kept: line 1, column 6: the number is out of range: a double holds at "
        "most 1.8e308");
    CHECK(
        refusal("-1e400").ends_with("the number is out of range: a double holds at most 1.8e308"));
    CHECK(taken("1e-400"));
    CHECK(taken("1e-16383"));
    CHECK(taken("12.5E-16382"));
    const std::string decimals = "a number of over 16383 decimals, which the database cannot store";
    CHECK(refusal("1e-16384").ends_with(decimals));
    CHECK(refusal("[1.25e-16382]").ends_with(decimals));
    CHECK(refusal("0e-99999").ends_with(decimals));
    CHECK_FALSE(taken("0e-9223372036854775808"));
    CHECK_FALSE(taken("1e-99999999999999999999"));
    CHECK_FALSE(taken("0e99999999999999999999"));
    CHECK(taken("0." + std::string(1'022, '1')));
    CHECK(refusal("0." + std::string(1'023, '1')).ends_with("a number of over 1024 characters"));
  }

  TEST_CASE("500 levels of nesting are taken and 501 are not") {
    const auto nested = [](std::size_t depth) {
      return std::string(depth, '[') + std::string(depth, ']');
    };
    CHECK(taken(nested(500)));
    CHECK(refusal(nested(501)) ==
          "JSON that cannot be kept: line 1, column 501: nested more than 500 deep");
    CHECK_FALSE(taken(nested(1'000'000)));
    CHECK(taken("[" + nested(499) + "," + nested(499) + "]"));
  }

  TEST_CASE("P4: elements are the texts between the commas of the outermost array alone") {
    CHECK(elements("[]") == Texts{});
    CHECK(elements(" [ \n ] ") == Texts{});
    CHECK(elements("[1]") == Texts{"1"});
    CHECK(elements("[ null ,\t[1,2], {\"a\":[3,4]} , \"x,]\\\"[,\", -0.5e3 ]") ==
          Texts{"null", "[1,2]", "{\"a\":[3,4]}", "\"x,]\\\"[,\"", "-0.5e3"});
    CHECK(elements("[\"\\\\\",\"\\\\\\\"\"]") == Texts{"\"\\\\\"", "\"\\\\\\\"\""});
    CHECK(elements("[[[]],[[],[]]]") == Texts{"[[]]", "[[],[]]"});
    for (const char* text : {"{\"a\":[1]}", "\"[1,2]\"", "null", "12"})
      CHECK(elements(text) == Texts{});
  }

  TEST_CASE("P4: an element outlives its array and has elements of its own") {
    Json inner;
    {
      const Json outer = *Json::parse("[[1, 2], 3]");
      inner = outer.elements()[0];
    }
    CHECK(inner.text() == "[1, 2]");
    CHECK(inner.elements()[1].text() == "2");
  }

  TEST_CASE("types are told as they stand in a sentence") {
    std::string names;
    for (const char* text : {"null", "false", "-1", "\"\"", "[]", " {}"})
      names += std::string(described(Json::parse(text)->type())) + "\n";
    CHECK(names == "null\na boolean\na number\na string\nan array\nan object\n");
    CHECK(Json().text() == "null");
  }

  TEST_CASE("P4: what is put together parses again and has the parts it was made of") {
    const std::array<Json, 3> parts = {*Json::parse(" 1 "), Json::string("a\"\n\\"), Json()};
    const Json array = Json::array(parts);
    CHECK(array.text() == R"([1,"a\"\n\\",null])");
    CHECK(array == *Json::parse(std::string(array.text())));
    CHECK(Json::array({}).text() == "[]");
    const std::array<std::pair<std::string, Json>, 2> members = {
        {{"k\"ey", Json::number(-7)}, {"b", array}}};
    CHECK(Json::object(members).text() == R"({"k\"ey":-7,"b":[1,"a\"\n\\",null]})");
    CHECK(taken(std::string(Json::object(members).text())));
    CHECK(Json::object({}).text() == "{}");
  }

  TEST_CASE("members of an object are as they stand there and their keys decoded") {
    const Json object =
        Json::parse(R"( {"a" : [1, {"b": 2}] , "\u0062\"" :"x,}", "c":null} )").value();
    const auto members = object.members();
    REQUIRE(members.size() == 3);
    CHECK(members[0].first == "a");
    CHECK(members[0].second.text() == R"([1, {"b": 2}])");
    CHECK(members[1].first == "b\"");
    CHECK(members[1].second.decoded() == "x,}");
    CHECK(members[2].second.text() == "null");
    CHECK(Json::parse("{ }")->members().empty());
    CHECK(Json::parse(R"(["a"])")->members().empty());
    CHECK(Json::parse(R"("a\tb")")->decoded() == "a\tb");
    CHECK(Json::parse("1")->decoded().empty());
  }

  TEST_CASE("any bytes become a JSON string that parses") {
    for (int c = 0; c < 256; ++c) {
      const std::string bytes = {'a', static_cast<char>(c), 'z'};
      CAPTURE(c);
      CHECK(taken(json_quoted(bytes)));
      CHECK(utf8_or_replaced(bytes) == (c == 0 || c >= 0x80 ? "a\uFFFDz" : bytes));
    }
    CHECK(utf8_or_replaced("\xF0\x9F\x98\x80") == "\xF0\x9F\x98\x80");
    CHECK(utf8_or_replaced("\xE2\x82") == "\uFFFD\uFFFD");
    CHECK(utf8_or_replaced("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");
    CHECK(utf8_or_replaced("\xF4\x8F\xBF\xBF") == "\xF4\x8F\xBF\xBF");
  }
}

}  // namespace weir
