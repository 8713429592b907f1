// The program itself, as far as it needs no database.
#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/temporary_folder.hpp"
#include "unit/cli/weir_in.hpp"

using weir::testing::process_order;
using weir::testing::Ran;
using weir::testing::RunOptions;
using weir::testing::TemporaryFolder;
using weir::testing::weir_in;
namespace fs = std::filesystem;

namespace {

/// A plugin folder with one sound plugin, beside no flows.yaml.
void add_plugin(const TemporaryFolder& folder, const std::string& name = "process_order.so") {
  fs::create_directories(folder.path() / "plugins");
  fs::permissions(folder.path() / "plugins", fs::perms(0755));
  fs::copy_file(process_order, folder.path() / "plugins" / name);
  fs::permissions(folder.path() / "plugins" / name, fs::perms(0644));
}

}  // namespace

TEST_SUITE_BEGIN("cli: the program");

TEST_CASE("results go to stdout and mistakes to stderr with their exit code") {
  const TemporaryFolder folder;
  const Ran version = weir_in(folder, {"--version"});
  CHECK(version.code == 0);
  CHECK(version.out == "weir 0.1.0\n");
  CHECK(version.err == "");
  const Ran mistake = weir_in(folder, {"flow"});
  CHECK(mistake.code == 2);
  CHECK(mistake.out == "");
  CHECK(mistake.err ==
        "weir: unknown command \"flow\"; did you mean \"flows\"?\nTry \"weir --help\".\n");
}

TEST_CASE("init leaves a folder that lists no flow yet and is never written twice") {
  const TemporaryFolder folder;
  const Ran first = weir_in(folder, {"init", "a/shop"});
  CHECK(first.code == 0);
  CHECK(first.out ==
        "wrote a/shop/flows.yaml\nwrote a/shop/.gitignore\nwrote a/shop/src/CMakeLists.txt\n"
        "wrote a/shop/src/hello.cpp\n\nNext:\n  cd a/shop\n  cmake -S src -B build && cmake "
        "--build build\n"
        "  weir flows list\n");
  const Ran list = weir_in(folder, {"flows", "list", "--config", "a/shop/flows.yaml"});
  CHECK(list.code == 0);
  CHECK(list.err == "weir: note: no flows in a/shop/plugins (\"weir init\" writes a first one)\n");

  folder.write("b/flows.yaml", "log: {level: off}\n");
  const Ran second = weir_in(folder, {"init", "b"});
  CHECK(second.code == 1);
  CHECK(second.err ==
        "weir: error: already there: b/flows.yaml; nothing was written (name another folder, or "
        "move them away)\n");
  CHECK_FALSE(fs::exists(folder.path() / "b/src"));
}

TEST_CASE("init makes folders that no one else may write whatever the umask") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(0);
  const Ran made = weir_in(folder, {"init", "shop"});
  ::umask(before);
  REQUIRE(made.code == 0);
  CHECK((fs::status(folder.path() / "shop/plugins").permissions() & fs::perms::mask) ==
        fs::perms(0755));
}

TEST_CASE("flows are listed from the plugin folders and refused plugins only warn") {
  const TemporaryFolder folder;
  add_plugin(folder);
  folder.write("plugins/bad.so", "junk");
  const Ran list = weir_in(folder, {"flows", "list"});
  CHECK(list.code == 0);
  CHECK(list.out.starts_with("SLUG           MODULE"));
  CHECK(list.out.contains("\nprocess_order  "));
  CHECK(list.err.contains("weir: warning: "));
  CHECK(list.err.contains("bad.so: not_elf: "));
  CHECK(weir_in(folder, {"flows", "list", "--json"}).out.starts_with("[{\"module\":\""));
}

TEST_CASE("G4: a second plugin with a name that is taken is refused whole and names the holder") {
  const TemporaryFolder folder;
  add_plugin(folder);
  add_plugin(folder, "twin.so");
  const Ran list = weir_in(folder, {"flows", "list", "--json"});
  CHECK(list.code == 0);
  CHECK(list.err.contains("twin.so: duplicate_module: module "));
  CHECK(list.err.contains(") is already registered from another file: "));
  CHECK(list.out.find("\"slug\":\"process_order\"") ==
        list.out.rfind("\"slug\":\"process_order\""));
}

TEST_CASE("a flow is shown by slug and by module name with what flows.yaml overrides") {
  const TemporaryFolder folder;
  add_plugin(folder);
  folder.write("flows.yaml",
               "flows: {process_order: {max_attempts: 77}, prcess_order: {timeout: 1s}}\n");
  const Ran by_slug = weir_in(folder, {"flows", "show", "process_order"});
  CHECK(by_slug.code == 0);
  CHECK(by_slug.out.contains("\nvalidate --> charge_payment --> send_confirmation\n"));
  CHECK(by_slug.out.contains("\nflows.yaml   sets max_attempts\n"));
  CHECK(by_slug.out.contains("  77  "));
  CHECK(weir_in(folder, {"flows", "show", "examples.ProcessOrder"}).out == by_slug.out);
  CHECK(weir_in(folder, {"flows", "show", "process_order", "--json"})
            .out.contains("\"max_attempts\":77"));
  CHECK(weir_in(folder, {"flows", "show", "process_order", "--dot"})
            .out.starts_with("digraph \"process_order\" {"));

  const Ran unknown = weir_in(folder, {"flows", "show", "proces_order"});
  CHECK(unknown.code == 1);
  CHECK(unknown.err ==
        "flows.yaml:1:44: warning: no flow \"prcess_order\" in the plugin folders; did you mean "
        "\"process_order\"?\n"
        " flows: {process_order: {max_attempts: 77}, prcess_order: {timeout: 1s}}\n"
        "                                            ^~~~~~~~~~~~\n"
        "weir: error: no flow \"proces_order\" in the plugin folders (did you mean "
        "\"process_order\"?)\n");
}

TEST_CASE("lint says ok or what is wrong and exits 1 when a file is refused") {
  const TemporaryFolder folder;
  add_plugin(folder);
  const std::string bad = folder.write("plugins/bad.so", "junk").string();
  const Ran both =
      weir_in(folder, {"plugins", "lint", "plugins/process_order.so", "plugins/bad.so"});
  CHECK(both.code == 1);
  CHECK(both.out.starts_with("plugins/process_order.so: ok\n"));
  CHECK(both.out.contains("\nplugins/bad.so: not_elf: "));
  if (!WEIR_SANITIZED)  // a sanitizer's constructors are warned of
    CHECK(both.out.starts_with("plugins/process_order.so: ok\nplugins/bad.so: "));
  CHECK(weir_in(folder, {"plugins", "lint", "plugins/process_order.so"}).code == 0);

  const Ran json =
      weir_in(folder, {"plugins", "lint", "--json", "plugins/process_order.so", "plugins/bad.so"});
  CHECK(json.code == 1);
  CHECK(json.out.starts_with("{\"path\":\"plugins/process_order.so\",\"ok\":true,\"sha256\":\""));
  CHECK(json.out.contains("\",\"flows\":[\"process_order\"],\"warnings\":["));
  CHECK(json.out.contains("]}\n{\"path\":\"plugins/bad.so\",\"ok\":false,"));
  if (!WEIR_SANITIZED) CHECK(json.out.contains("\"warnings\":[]}\n"));
  CHECK(json.out.contains("\"kind\":\"not_elf\",\"detail\":\""));
}

TEST_CASE("a plugin folder that is not there is an error at its place") {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  const Ran standard = weir_in(folder, {"flows", "list"});
  CHECK(standard.code == 2);
  CHECK(standard.err.starts_with("weir: error: " + path + "/plugins: "));
  folder.write("flows.yaml", "plugins:\n  folders: [flows]\n");
  const Ran named = weir_in(folder, {"flows", "list"});
  CHECK(named.code == 2);
  CHECK(named.err.starts_with("flows.yaml:2:13: error: " + path + "/flows: "));
  CHECK(named.err.ends_with("\n   folders: [flows]\n             ^~~~~\n"));
}

TEST_CASE("mistakes in flows.yaml are all told and exit 2") {
  const TemporaryFolder folder;
  folder.write("flows.yaml", "wroker: 1\nlog: {level: loud}\n");
  const Ran list = weir_in(folder, {"flows", "list"});
  CHECK(list.code == 2);
  CHECK(list.err.contains("flows.yaml:1:1: error: unknown key \"wroker\""));
  CHECK(list.err.contains("flows.yaml:2:14: error: level: "));
  CHECK(weir_in(folder, {"flows", "list", "--config", "other.yaml"}).code == 2);
}

TEST_CASE(
    "the configuration is the one named else that of the environment else the one that is here") {
  const TemporaryFolder folder;
  folder.write("flows.yaml", "here: 1\n");
  folder.write("env.yaml", "env: 1\n");
  folder.write("named.yaml", "named: 1\n");
  const RunOptions environment{.environment = {{"WEIR_CONFIG", "env.yaml"}}};
  CHECK(weir_in(folder, {"flows", "list"}).err.starts_with("flows.yaml:1:1: "));
  CHECK(weir_in(folder, {"flows", "list"}, environment).err.starts_with("env.yaml:1:1: "));
  CHECK(weir_in(folder, {"flows", "list", "--config", "named.yaml"}, environment)
            .err.starts_with("named.yaml:1:1: "));
}

TEST_CASE("input that is no JSON is pointed at before anything is started") {
  const TemporaryFolder folder;
  const Ran argument = weir_in(folder, {"start", "x", "--input", "{\"id\": 12,}"});
  CHECK(argument.code == 2);
  CHECK(argument.err.starts_with("--input:1:11: error: not JSON: "));
  CHECK(argument.err.ends_with("\n {\"id\": 12,}\n           ^\n"));

  folder.write("order.json", "{\n  \"id\": twelve\n}\n");
  const Ran file = weir_in(folder, {"start", "x", "--input", "@order.json"});
  CHECK(file.code == 2);
  CHECK(file.err.starts_with("order.json:2:"));

  const Ran piped = weir_in(folder, {"start", "x", "--input", "-"}, {.input = "nope"});
  CHECK(piped.code == 2);
  CHECK(piped.err.starts_with("stdin:1:"));

  const Ran missing = weir_in(folder, {"start", "x", "--input", "@none.json"});
  CHECK(missing.code == 2);
  CHECK(missing.err ==
        "weir: error: --input: none.json: No such file or directory (name a file that can be "
        "read)\n");
  const Ran delay = weir_in(folder, {"start", "x", "--delay", "5"});
  CHECK(delay.code == 2);
  CHECK(delay.err ==
        "weir: error: --delay: expected a duration such as \"500ms\" or \"2s\", got \"5\"\n");
  CHECK_FALSE(fs::exists(folder.path() / ".weir"));
}

TEST_CASE("looking at runs never makes a database") {
  const TemporaryFolder folder;
  const Ran list = weir_in(folder, {"runs", "list"});
  CHECK(list.code == 1);
  CHECK(list.err == "weir: error: there is no private database in " + folder.path().string() +
                        " yet (\"weir start\" and \"weir serve\" make it; or name one with "
                        "--config or --database)\n");
  CHECK_FALSE(fs::exists(folder.path() / ".weir"));
}

TEST_CASE("a database that is away is said to be unavailable and its password is kept") {
  const TemporaryFolder folder;
  const std::string url = "postgresql://weir:s3cret@/weir?host=" + folder.path().string();
  for (const std::vector<std::string>& command : {std::vector<std::string>{"runs", "list"},
                                                  {"start", "x"},
                                                  {"migrate"},
                                                  {"runs", "show", "x"}}) {
    std::vector<std::string> arguments = command;
    arguments.insert(arguments.end(), {"--database", url});
    const Ran away = weir_in(folder, arguments);
    CHECK(away.code == 3);
    CHECK(away.err.starts_with("weir: error: "));
    CHECK_FALSE(away.err.contains("s3cret"));
  }
}

TEST_CASE("doctor says what is right and what is wrong") {
  const TemporaryFolder folder;
  add_plugin(folder);
  const Ran healthy = weir_in(folder, {"doctor"});
  CHECK(healthy.code == 0);
  CHECK(healthy.out ==
        "ok       configuration: no flows.yaml here, the defaults apply\n"
        "ok       plugins: 1 with 1 flow\n"
        "ok       database: none named; the first start makes a private one in .weir/\n");
  folder.write("plugins/bad.so", "junk");
  const Ran ill = weir_in(folder, {"doctor"});
  CHECK(ill.code == 1);
  CHECK(ill.out.contains("\nwrong    "));
}

TEST_CASE("output that cannot be written is an error") {
  const TemporaryFolder folder;
  const Ran full = weir::testing::run_program(
      "/bin/sh", {"-c", std::string(WEIR_PROGRAM) + " --help > /dev/full"});
  CHECK(full.code == 1);
  CHECK(full.err ==
        "weir: error: not all output could be written: No space left on device (the command itself "
        "was executed)\n");
}
