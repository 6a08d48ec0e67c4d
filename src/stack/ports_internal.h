/* The system's listeners as ports.c asks them and listeners.c reads them. */
#ifndef CCTM_STACK_PORTS_INTERNAL_H
#define CCTM_STACK_PORTS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

/* An address as 16 bytes; IPv4 mapped, as RFC 4291, 2.5.5.2 has it. */
struct address {
	unsigned char bytes[16];
};

struct listener {
	struct address address;
	unsigned port;
	unsigned uid; /* of its owner */
	unsigned long inode;
};

struct listeners {
	struct listener *items;
	size_t count, room;
	bool is_known; /* the system told */
};

extern const unsigned char address_mapped_prefix[12];

/* From the kernel's socket diagnosis. False: it does not answer; then nothing was added. */
bool listeners_read_diagnosis(struct listeners *out);

/* From the tables "tcp" and "tcp6" in `folder`, /proc/net. False: there are none. */
bool listeners_read_tables(const char *folder, struct listeners *out);

#endif
