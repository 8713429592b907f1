int price_in_cents(int articles) { return 25 * articles; }
