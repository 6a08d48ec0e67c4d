#include "bridge/serve/flood.h"

void flood_earn(struct flood *f, int32_t amount)
{
	f->purse = amount > FLOOD_PURSE - f->purse ? FLOOD_PURSE : f->purse + amount;
}

static void earn_by_waiting(struct flood *f, int64_t now_ms)
{
	int64_t tokens = (now_ms - f->at_ms) * FLOOD_PER_S / 1000;
	if (tokens <= 0)
		return;
	f->at_ms += tokens * 1000 / FLOOD_PER_S;
	flood_earn(f, tokens > FLOOD_PURSE ? FLOOD_PURSE : (int32_t)tokens);
}

bool flood_pay(struct flood *f, int32_t price, int64_t now_ms)
{
	earn_by_waiting(f, now_ms);
	if (f->purse < price)
		return false;
	f->purse -= price;
	return true;
}
