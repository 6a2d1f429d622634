#include "support/netproxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

enum { LANE_BYTES = 64 * 1024, PAIRS_MAX = 256, BACKLOG = 64, SLICES_PER_SECOND = 20 };

// One way of a connection: bytes that were read and not yet passed on.
typedef struct lane {
    char bytes[LANE_BYTES];
    size_t at, n;
    bool ended, closed;   // its source has said all; its target has been told
    int64_t passed;       // since the plan was set
    int64_t resume_at_ms; // SLOW: not before
} lane;

// A connection: fd[0] leads to the client, fd[1] to the server. lanes[i] reads from fd[i] and writes to fd[!i].
typedef struct pair {
    int fd[2];
    lane lanes[2];
    bool stalled;
} pair;

struct netproxy {
    union {
        struct sockaddr any;
        struct sockaddr_un local;
        struct sockaddr_in inet;
    } server;
    socklen_t server_size;
    int port;
    int held; // bound and never listening: keeps the port ours while nobody listens
    int wake;
    pthread_t thread;

    // The thread's own.
    int listener; // -1: refuses
    pair *pairs[PAIRS_MAX];
    size_t count;
    netproxy_plan plan;

    pthread_mutex_t lock; // guards all below
    pthread_cond_t applied;
    netproxy_plan wanted;
    int64_t turn, turn_applied; // counts the plans
    bool stop, tripped;
    int64_t bytes[2];
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int must(int result, const char *what)
{
    if (result < 0)
        BUG("netproxy: %s: %s", what, strerror(errno));
    return result;
}

static int bound_socket(int port)
{
    int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
    must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)), "SO_REUSEADDR");
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(fd, (struct sockaddr *)&address, sizeof address), "bind");
    return fd;
}

static void set_listening(netproxy *p, bool on)
{
    if (on && p->listener < 0) {
        p->listener = bound_socket(p->port);
        must(listen(p->listener, BACKLOG), "listen");
    } else if (!on && p->listener >= 0) {
        close(p->listener);
        p->listener = -1;
    }
}

static void close_reset(int fd)
{
    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
    close(fd);
}

static void pair_reset(pair *c)
{
    close_reset(c->fd[0]);
    close_reset(c->fd[1]);
    c->fd[0] = c->fd[1] = -1;
}

// The client stays connected to nobody.
static bool is_half_open(const pair *c)
{
    return c->fd[0] >= 0 && c->fd[1] < 0;
}

static bool is_quiet(const pair *c)
{
    return c->stalled || is_half_open(c);
}

// Bytes that may still pass on this lane before the plan's fault strikes.
static int64_t bytes_left(const netproxy *p, const pair *c, int way)
{
    const netproxy_plan *plan = &p->plan;
    bool counts = plan->way == NETPROXY_EITHER || (plan->way == NETPROXY_TO_CLIENT) == (way == 1);
    if (plan->fault == NETPROXY_PASS || plan->fault == NETPROXY_SLOW || plan->fault == NETPROXY_REFUSE || !counts)
        return INT64_MAX;
    int64_t other = plan->way == NETPROXY_EITHER ? c->lanes[!way].passed : 0;
    return plan->after_bytes - other - c->lanes[way].passed;
}

static void trip_when_due(netproxy *p, pair *c)
{
    if (is_quiet(c) || (bytes_left(p, c, 0) > 0 && bytes_left(p, c, 1) > 0))
        return;
    // Told first: who sees the fault may ask at once.
    pthread_mutex_lock(&p->lock);
    p->tripped = true;
    pthread_mutex_unlock(&p->lock);
    if (p->plan.fault == NETPROXY_RESET) {
        pair_reset(c);
    } else if (p->plan.fault == NETPROXY_HALF_OPEN) {
        close(c->fd[1]);
        c->fd[1] = -1;
    } else {
        c->stalled = true;
    }
}

static void drop_closed(netproxy *p)
{
    for (size_t i = p->count; i-- > 0;) {
        if (p->pairs[i]->fd[0] >= 0)
            continue;
        free(p->pairs[i]);
        p->pairs[i] = p->pairs[--p->count];
    }
}

static int connect_server(const netproxy *p)
{
    int fd = must(socket(p->server.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    if (connect(fd, &p->server.any, p->server_size) == 0)
        return fd;
    close(fd);
    return -1;
}

static void accept_one(netproxy *p)
{
    int client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    int server = connect_server(p);
    if (server < 0) {
        close_reset(client);
        return;
    }
    ds_assert(p->count < PAIRS_MAX);
    pair *c = calloc(1, sizeof *c);
    ds_assert(c);
    c->fd[0] = client;
    c->fd[1] = server;
    p->pairs[p->count++] = c;
    trip_when_due(p, c);
}

static bool would_block(ssize_t result)
{
    return result < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool lane_fill(lane *l, int from)
{
    if (l->n || l->ended)
        return true;
    ssize_t got = recv(from, l->bytes, sizeof l->bytes, MSG_DONTWAIT);
    if (got < 0)
        return would_block(got);
    l->ended = got == 0;
    l->at = 0;
    l->n = (size_t)got;
    return true;
}

static size_t slice(const netproxy *p, const lane *l, int64_t left)
{
    int64_t n = (int64_t)l->n < left ? (int64_t)l->n : left;
    if (p->plan.fault != NETPROXY_SLOW)
        return (size_t)n;
    if (now_ms() < l->resume_at_ms)
        return 0;
    int64_t most = p->plan.bytes_per_second / SLICES_PER_SECOND;
    return (size_t)(n < most ? n : most > 0 ? most : 1);
}

static bool lane_drain(netproxy *p, pair *c, int way)
{
    lane *l = &c->lanes[way];
    size_t n = l->n ? slice(p, l, bytes_left(p, c, way)) : 0;
    if (n) {
        // Locked, so that who has the bytes finds them counted.
        pthread_mutex_lock(&p->lock);
        ssize_t put = send(c->fd[!way], l->bytes + l->at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        p->bytes[way] += put > 0 ? put : 0;
        pthread_mutex_unlock(&p->lock);
        if (put < 0)
            return would_block(put);
        l->at += (size_t)put;
        l->n -= (size_t)put;
        l->passed += put;
        if (p->plan.fault == NETPROXY_SLOW)
            l->resume_at_ms = now_ms() + put * 1000 / p->plan.bytes_per_second;
    }
    if (l->ended && !l->n && !l->closed) {
        shutdown(c->fd[!way], SHUT_WR);
        l->closed = true;
    }
    return true;
}

static void pair_move(netproxy *p, pair *c)
{
    for (int way = 0; way < 2 && c->fd[0] >= 0 && !is_quiet(c); way++) {
        if (!lane_fill(&c->lanes[way], c->fd[way]) || !lane_drain(p, c, way))
            pair_reset(c);
        else
            trip_when_due(p, c);
    }
    if (c->fd[0] >= 0 && c->lanes[0].closed && c->lanes[1].closed && !is_quiet(c)) {
        close(c->fd[0]);
        close(c->fd[1]);
        c->fd[0] = c->fd[1] = -1;
    }
}

// What to wait for, and how long: a lane that may not write yet is looked at again when it may.
static void pair_wait(const netproxy *p, const pair *c, struct pollfd polls[2], int *timeout_ms)
{
    short events[2] = {0, 0};
    for (int way = 0; way < 2 && !is_quiet(c); way++) {
        const lane *l = &c->lanes[way];
        int64_t pause = p->plan.fault == NETPROXY_SLOW ? l->resume_at_ms - now_ms() : 0;
        if (l->n == 0 && !l->ended)
            events[way] |= POLLIN;
        else if (l->n && pause <= 0)
            events[!way] |= POLLOUT;
        else if (l->n && (*timeout_ms < 0 || pause < *timeout_ms))
            *timeout_ms = (int)pause;
    }
    // poll reports hang-ups even of files that nothing is awaited from: those are left out.
    for (int i = 0; i < 2; i++)
        polls[i] = (struct pollfd){.fd = events[i] ? c->fd[i] : -1, .events = events[i]};
}

static void wait_for_work(netproxy *p)
{
    struct pollfd polls[2 + 2 * PAIRS_MAX] = {{.fd = p->wake, .events = POLLIN}, {.fd = p->listener, .events = POLLIN}};
    int timeout_ms = -1;
    for (size_t i = 0; i < p->count; i++)
        pair_wait(p, p->pairs[i], polls + 2 + 2 * i, &timeout_ms);
    if (poll(polls, 2 + 2 * p->count, timeout_ms) < 0 && errno != EINTR)
        BUG("netproxy: poll: %s", strerror(errno));
    uint64_t ignored;
    if (polls[0].revents && read(p->wake, &ignored, sizeof ignored) < 0 && errno != EAGAIN)
        BUG("netproxy: eventfd: %s", strerror(errno));
    if (polls[1].revents)
        accept_one(p);
}

// Takes a new plan over, when there is one. false: the end.
static bool follow_plan(netproxy *p)
{
    pthread_mutex_lock(&p->lock);
    bool stop = p->stop;
    int64_t turn = p->turn;
    bool fresh = turn != p->turn_applied;
    if (fresh) {
        p->plan = p->wanted;
        p->tripped = false;
        p->bytes[0] = p->bytes[1] = 0;
    }
    pthread_mutex_unlock(&p->lock);
    if (stop || !fresh)
        return !stop;

    set_listening(p, p->plan.fault != NETPROXY_REFUSE);
    for (size_t i = 0; i < p->count; i++) {
        pair *c = p->pairs[i];
        c->stalled = false;
        c->lanes[0].passed = c->lanes[1].passed = 0;
        trip_when_due(p, c);
    }
    pthread_mutex_lock(&p->lock);
    p->turn_applied = turn;
    pthread_cond_broadcast(&p->applied);
    pthread_mutex_unlock(&p->lock);
    return true;
}

static void *work(void *context)
{
    netproxy *p = context;
    while (follow_plan(p)) {
        for (size_t i = 0; i < p->count; i++)
            pair_move(p, p->pairs[i]);
        drop_closed(p);
        wait_for_work(p);
    }
    for (size_t i = 0; i < p->count; i++) {
        pair_reset(p->pairs[i]);
        free(p->pairs[i]);
    }
    set_listening(p, false);
    return NULL;
}

static void aim(netproxy *p, const char *host, int port)
{
    if (*host == '/') {
        struct sockaddr_un *local = &p->server.local;
        local->sun_family = AF_UNIX;
        int n = snprintf(local->sun_path, sizeof local->sun_path, "%s/.s.PGSQL.%d", host, port);
        ds_assert(n > 0 && (size_t)n < sizeof local->sun_path);
        p->server_size = sizeof *local;
    } else {
        struct sockaddr_in *inet = &p->server.inet;
        *inet = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        ds_assert(inet_pton(AF_INET, host, &inet->sin_addr) == 1);
        p->server_size = sizeof *inet;
    }
}

netproxy *netproxy_new(const char *host, int port)
{
    netproxy *p = calloc(1, sizeof *p);
    ds_assert(p);
    aim(p, host, port);
    p->held = bound_socket(0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    must(getsockname(p->held, (struct sockaddr *)&address, &size), "getsockname");
    p->port = ntohs(address.sin_port);
    p->listener = -1;
    set_listening(p, true);
    p->wake = must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->applied, NULL);
    if (pthread_create(&p->thread, NULL, work, p) != 0)
        BUG("netproxy: no thread");
    return p;
}

static void wake(const netproxy *p)
{
    if (write(p->wake, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        BUG("netproxy: eventfd: %s", strerror(errno));
}

void netproxy_free(netproxy *proxy)
{
    if (!proxy)
        return;
    pthread_mutex_lock(&proxy->lock);
    proxy->stop = true;
    pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
    pthread_join(proxy->thread, NULL);
    pthread_cond_destroy(&proxy->applied);
    pthread_mutex_destroy(&proxy->lock);
    close(proxy->wake);
    close(proxy->held);
    free(proxy);
}

int netproxy_port(const netproxy *proxy)
{
    return proxy->port;
}

void netproxy_set(netproxy *proxy, netproxy_plan plan)
{
    ds_assert(plan.fault != NETPROXY_SLOW || plan.bytes_per_second > 0);
    pthread_mutex_lock(&proxy->lock);
    proxy->wanted = plan;
    int64_t turn = ++proxy->turn;
    wake(proxy);
    while (proxy->turn_applied < turn)
        pthread_cond_wait(&proxy->applied, &proxy->lock);
    pthread_mutex_unlock(&proxy->lock);
}

bool netproxy_tripped(netproxy *proxy)
{
    pthread_mutex_lock(&proxy->lock);
    bool tripped = proxy->tripped;
    pthread_mutex_unlock(&proxy->lock);
    return tripped;
}

int64_t netproxy_bytes(netproxy *proxy, netproxy_way way)
{
    pthread_mutex_lock(&proxy->lock);
    int64_t n = way == NETPROXY_TO_SERVER   ? proxy->bytes[0]
                : way == NETPROXY_TO_CLIENT ? proxy->bytes[1]
                                            : proxy->bytes[0] + proxy->bytes[1];
    pthread_mutex_unlock(&proxy->lock);
    return n;
}
