/* How much a client may ask for that leads to nothing: pings, settings, empty frames, streams that it resets.
 *
 * A purse. Frames that do no work and streams that end without a request are paid from it; time fills it
 * slowly, and so does every request that was answered, because real clients ping and open windows in step
 * with their requests (gRPC's bandwidth estimate pings once a round trip). When it is empty the connection is
 * abused. The libraries' own counters, where they have any, end a connection without saying why.
 */
#ifndef CCTM_BRIDGE_SERVE_FLOOD_H
#define CCTM_BRIDGE_SERVE_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#define FLOOD_PURSE    1000 /* full */
#define FLOOD_PER_S    100  /* comes back in time */
#define FLOOD_FRAME    1    /* price of a frame that does no work */
#define FLOOD_STREAM   10   /* price of a stream that ends without a request */
#define FLOOD_ANSWERED 8    /* earned by a request */

struct flood {
	int32_t purse;
	int64_t at_ms;
};

static inline struct flood flood_init(int64_t now_ms)
{
	return (struct flood){ FLOOD_PURSE, now_ms };
}

bool flood_pay(struct flood *f, int32_t price, int64_t now_ms); /* false: the purse is empty */
void flood_earn(struct flood *f, int32_t amount);

#endif
