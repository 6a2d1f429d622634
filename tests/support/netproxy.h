// A proxy between a client and a server, whose network breaks when a test says so. It listens on 127.0.0.1 and runs in
// a thread of its own.
//
//     netproxy *proxy = netproxy_new(pgserver_shared(), PG_PORT);
//     ... connect to 127.0.0.1, netproxy_port(proxy), and work
//     netproxy_set(proxy, (netproxy_plan){.fault = NETPROXY_RESET, .way = NETPROXY_TO_CLIENT, .after_bytes = 1000});
//     ... work: the connection is reset when the client has been sent 1000 bytes more
//     if (!netproxy_tripped(proxy)) ... it took less than that
//
// Helpers abort the test when something fails. Any thread may call.
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef enum netproxy_fault {
    NETPROXY_PASS,      // all is well; what stalled goes on
    NETPROXY_STALL,     // connections stand, new ones are taken, and not one byte more goes either way
    NETPROXY_RESET,     // both ends of a connection are reset; so are new ones
    NETPROXY_HALF_OPEN, // the server's end is closed; the client is told nothing: no end, no data
    NETPROXY_SLOW,      // each way has bytes_per_second
    NETPROXY_REFUSE,    // nobody listens; connections that stand go on
} netproxy_fault;

typedef enum netproxy_way {
    NETPROXY_EITHER,
    NETPROXY_TO_SERVER,
    NETPROXY_TO_CLIENT,
} netproxy_way;

typedef struct netproxy_plan {
    netproxy_fault fault;
    // STALL, RESET, HALF_OPEN: when so many bytes went this way on the connection since the plan was set; the last of
    // them has gone out.
    netproxy_way way;
    int64_t after_bytes;
    int64_t bytes_per_second; // SLOW; 1 at least
} netproxy_plan;

typedef struct netproxy netproxy;

// host: the directory of a server's socket ("/…"), or an IPv4 address. Don't fork while it works: a child would keep
// its connections open.
netproxy *netproxy_new(const char *host, int port);
void netproxy_free(netproxy *proxy); // takes NULL; ends all connections
int netproxy_port(const netproxy *proxy);
// In force for all connections when it returns.
void netproxy_set(netproxy *proxy, netproxy_plan plan);
// Whether the plan's fault has met a connection since it was set. For STALL, RESET and HALF_OPEN.
bool netproxy_tripped(netproxy *proxy);
// Bytes that went this way since the plan was set, over all connections.
int64_t netproxy_bytes(netproxy *proxy, netproxy_way way);
