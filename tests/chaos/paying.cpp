// A flow whose first step writes into a table of the user's and completes in the same transaction.
#include <string>

#include <pqxx/pqxx>

#include <weir/flow.hpp>

namespace {

struct Bill {
  std::string database;
};
WEIR_JSON(Bill, database)

int pay(weir::Context& context, const Bill& bill) {
  pqxx::connection connection(bill.database);
  pqxx::work work(connection);
  work.exec("insert into payment (run_id) values ('" + std::string(context.run_id()) + "')");
  work.exec(context.settlement(1));
  work.commit();
  return 1;
}

int close(weir::Context&) { return 2; }

WEIR_FLOW(paying, "test.Paying", step<pay>("pay"), step<close>("close").after("pay"));

}  // namespace

WEIR_PLUGIN(paying)
