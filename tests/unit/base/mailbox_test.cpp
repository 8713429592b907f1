#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <weir/mailbox.hpp>
#include <weir/supervisor.hpp>
#include <weir/supervisor/mailbox_child.hpp>

namespace weir {

using namespace std::chrono_literals;

TEST_SUITE("mailbox") {
  TEST_CASE("messages are received in the order in which they were sent") {
    Mailbox<int> inbox;
    const Mailbox<int>::Address to = inbox.address();
    for (int i = 0; i < 3; ++i) CHECK(to.send(i));
    CHECK(inbox.size() == 3);
    for (int i = 0; i < 3; ++i) CHECK(inbox.receive() == i);
    CHECK(inbox.try_receive() == std::nullopt);
  }

  TEST_CASE("a closed mailbox takes nothing and gives what it had taken") {
    Mailbox<std::string> inbox;
    REQUIRE(inbox.address().send("before"));
    CHECK(!inbox.closed());
    inbox.close();
    inbox.close();
    CHECK(inbox.closed());
    CHECK(!inbox.address().send("after"));
    CHECK(inbox.receive() == "before");
    CHECK(inbox.receive() == std::nullopt);
    CHECK(inbox.receive_for(1h) == std::nullopt);
  }

  TEST_CASE("a full mailbox refuses until something was received") {
    Mailbox<int> inbox(2);
    CHECK(inbox.address().send(1));
    CHECK(inbox.address().send(2));
    CHECK(!inbox.address().send(3));
    CHECK(inbox.receive() == 1);
    CHECK(inbox.address().send(4));
    CHECK(inbox.receive() == 2);
    CHECK(inbox.receive() == 4);
  }

  TEST_CASE("a capacity of zero is one") {
    Mailbox<int> inbox(0);
    CHECK(inbox.address().send(1));
    CHECK(!inbox.address().send(2));
  }

  TEST_CASE("a wait ends with its time") {
    Mailbox<int> inbox;
    CHECK(inbox.receive_for(1ms) == std::nullopt);
    CHECK(!inbox.closed());
    CHECK(inbox.address().send(5));
    CHECK(inbox.receive_for(0ms) == 5);
  }

  TEST_CASE("a message that cannot be copied is moved") {
    Mailbox<std::unique_ptr<int>> inbox;
    CHECK(inbox.address().send(std::make_unique<int>(3)));
    const auto received = inbox.receive();
    REQUIRE(received.has_value());
    CHECK(**received == 3);
  }

  TEST_CASE("addresses are equal when they are of one mailbox") {
    const Mailbox<int> one, other;
    CHECK(one.address() == one.address());
    CHECK(one.address() != other.address());
  }

  TEST_CASE("an address that outlives its mailbox sends nothing") {
    std::optional<Mailbox<int>> inbox(std::in_place);
    const Mailbox<int>::Address to = inbox->address();
    inbox.reset();
    CHECK(!to.send(1));
  }

  TEST_CASE("a message whose end sends to its mailbox again does so without harm") {
    struct SendsAtItsEnd {
      Mailbox<std::shared_ptr<SendsAtItsEnd>>::Address to;
      bool* sent;
      ~SendsAtItsEnd() { *sent = to.send(nullptr); }
    };
    bool sent = true;
    {
      Mailbox<std::shared_ptr<SendsAtItsEnd>> inbox;
      CHECK(inbox.address().send(std::make_shared<SendsAtItsEnd>(inbox.address(), &sent)));
    }
    CHECK(!sent);
  }

  TEST_CASE("a child of a mailbox is found and started by its key and sent to") {
    Mailbox<std::string> heard;
    const auto supervisor = Supervisor::start(
        {.template_spec =
             [tell = heard.address()](const std::string& key) {
               return mailbox_child<std::string>(key, [tell, key](Mailbox<std::string>& inbox) {
                 while (const std::optional<std::string> said = inbox.receive())
                   (void)tell.send(key + " hears " + *said);
               });
             }},
        {});
    REQUIRE(supervisor.has_value());
    const auto found = (*supervisor)->resolve("ada");
    REQUIRE(found.has_value());
    const auto ada = std::dynamic_pointer_cast<MailboxChild<std::string>>(*found);
    REQUIRE(ada != nullptr);
    CHECK(ada->address().send("hello"));
    CHECK(heard.receive_for(60s) == "ada hears hello");
    CHECK((*supervisor)->resolve("ada") == found);
    CHECK((*supervisor)->stop().has_value());
    CHECK(!ada->address().send("too late"));
  }

  TEST_CASE("a child of a mailbox that fails is started again with a new one") {
    std::vector<std::string> received;
    Mailbox<Mailbox<std::string>::Address> addresses;  // of each life
    const auto supervisor = Supervisor::start(
        {.backoff = {.first = 0ms}},
        {mailbox_child<std::string>(
            "inbox", [&, tell = addresses.address()](Mailbox<std::string>& inbox) -> Result<void> {
              CHECK(tell.send(inbox.address()));
              while (const std::optional<std::string> message = inbox.receive()) {
                if (*message == "fail")
                  return std::unexpected(Error{
                      .code = ErrorCode::internal, .kind = "asked", .message = "it was asked to"});
                received.push_back(*message);
              }
              return {};
            })});
    REQUIRE(supervisor.has_value());
    const auto first = addresses.receive_for(60s);
    REQUIRE(first.has_value());
    CHECK(first->send("one"));
    CHECK(first->send("fail"));
    const auto second = addresses.receive_for(60s);
    REQUIRE(second.has_value());
    CHECK(!first->send("to a life that is over"));
    CHECK(second->send("two"));
    CHECK((*supervisor)->stop().has_value());  // what waits is received before it ends
    CHECK(received == std::vector<std::string>{"one", "two"});
    CHECK(!second->send("to a life that is over"));
  }
}

}  // namespace weir
