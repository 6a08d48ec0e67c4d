/* The driver's side of gRPC: unary calls one after another on a connection, in frames made by hand.
 *
 * Fields are literals that never change, so a request's head is always the same bytes, and an answer is known
 * for a plain success by its DATA: five zero bytes, an empty message that is not compressed. Whether everything
 * counted, the totals tell.
 */
#ifndef CCTM_BENCH_GRPC_H
#define CCTM_BENCH_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GRPC_STAGING = 65536, GRPC_READ = 8192 };

struct grpc_call {
	uint32_t stream;
	int64_t window, stream_window; /* what the server still takes */
	const unsigned char *body;
	size_t body_len, body_at;
	size_t staged, staged_at; /* frames on their way into the socket */
	size_t read_len;
	bool has_message, is_answered, owes_ack;
	unsigned char staging[GRPC_STAGING];
	unsigned char read[GRPC_READ];
};

/* Sends preface and settings on a connected, still blocking socket and waits for the server's. */
void grpc_open(struct grpc_call *c, int fd);

void grpc_begin(struct grpc_call *c, const unsigned char *body, size_t len);

/* Sends what the socket and the windows take. False: the socket is full. */
bool grpc_send(struct grpc_call *c, int fd);

/* Reads what is there. True: the call is answered, with a plain success. */
bool grpc_receive(struct grpc_call *c, int fd);

#endif
