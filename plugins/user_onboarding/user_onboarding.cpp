#include <optional>
#include <string>

#include <weir/flow.hpp>

#include "outbox.hpp"

namespace user_onboarding {
namespace {

struct User {
  std::string name;
  std::string email;
  std::string outbox;
};
WEIR_JSON(User, name, email, outbox)

struct Sent {
  std::string mail;
};
WEIR_JSON(Sent, mail)

struct FirstLogin {
  weir::Waited<boost::json::value> first_login;
};
WEIR_JSON(FirstLogin, first_login)

Sent mail(const weir::Context& context, std::string subject, std::string text) {
  const User user = context.flow_input<User>();
  const std::string name = std::string(context.run_id()) + "-" + std::string(context.step());
  return {send(user.outbox, name, {user.email, std::move(subject), std::move(text)})};
}

Sent welcome(weir::Context& context, const User& user) {
  if (!user.email.contains('@'))
    throw weir::permanent("bad_email", "\"" + user.email + "\" is no mail address");
  return mail(context, "Welcome, " + user.name, "Your account is ready. Log in when you like.");
}

Sent tips(weir::Context& context, const FirstLogin&) {
  return mail(context, "Three things to try first", "You are in. Here is where to begin.");
}

Sent reminder(weir::Context& context, const FirstLogin&) {
  return mail(context, "Your account waits for you", "You have not logged in yet.");
}

Sent survey(weir::Context& context) {
  return mail(context, "How was it?", "Two weeks have passed. Tell us what to do better.");
}

}  // namespace

WEIR_FLOW(
    user_onboarding, "examples.UserOnboarding", step<welcome>("welcome"),
    wait("first_login", 72h).after("welcome"),
    step<tips>("tips").after("first_login").only_if(R"({"first_login": {"signalled": true}})"),
    step<reminder>("reminder")
        .after("first_login")
        .unless(R"({"first_login": {"signalled": true}})"),
    wait("trial", 336h).after("tips", "reminder"), step<survey>("survey").after("trial"))
WEIR_PLUGIN(user_onboarding)

}  // namespace user_onboarding
