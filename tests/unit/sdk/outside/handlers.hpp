#pragma once
#include <weir/flow.hpp>

struct Basket {
  int articles;
};
WEIR_JSON(Basket, articles)

int price(weir::Context& context, Basket basket);
