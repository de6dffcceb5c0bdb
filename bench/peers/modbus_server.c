/* The server of "bench modbus a": holding registers that hold their address, any unit, any number of connections, any number of
   transactions under way. Each reply leaves LATENCY microseconds after its request came, whatever else is under way (a long wire,
   not a slow device). With "object" it closes the connection when a request comes before the last one was answered.
   cc -O2 -o modbus_server modbus_server.c; ./modbus_server LATENCY_US [object]. Prints "ready PORT" and
   serves until it is killed, or until its standard input closes when that is a pipe. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 1024, UNDER_WAY = 256, HEADER = 7, FRAME = 260, REQUEST = 12 };

struct pending {
    int64_t due;
    uint8_t request[REQUEST];
};

struct client {
    uint8_t bytes[4096];
    int length;
    struct pending pending[UNDER_WAY]; /* a ring: the latency is the same for all, so they fall due in order */
    int first, count;
};

static struct client *clients[CLIENTS];
static int64_t latency;
static int objects, timer;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void drop(int fd)
{
    close(fd);
    free(clients[fd]);
    clients[fd] = NULL;
}

static int answer(int fd, const uint8_t *request)
{
    uint8_t reply[FRAME];
    int address = request[8] << 8 | request[9], quantity = request[10] << 8 | request[11], length;
    memcpy(reply, request, HEADER + 1);
    if (request[7] != 3 || quantity < 1 || quantity > 125 || address + quantity > 65536) {
        reply[7] |= 0x80;
        reply[8] = request[7] == 3 ? 3 : 1;
        length = 9;
    } else {
        reply[8] = 2 * quantity;
        for (int i = 0; i < quantity; i++) {
            reply[9 + 2 * i] = (address + i) >> 8;
            reply[10 + 2 * i] = address + i;
        }
        length = 9 + 2 * quantity;
    }
    reply[4] = 0;
    reply[5] = length - 6;
    return send(fd, reply, length, MSG_NOSIGNAL) == length ? 0 : -1;
}

/* Sends what is due, and sets the timer for what is next. */
static void tick(void)
{
    int64_t t = now(), next = INT64_MAX;
    for (int fd = 0; fd < CLIENTS; fd++) {
        struct client *c = clients[fd];
        while (c != NULL && c->count > 0 && c->pending[c->first].due <= t) {
            struct pending *p = &c->pending[c->first];
            c->first = (c->first + 1) % UNDER_WAY;
            c->count--;
            if (answer(fd, p->request) != 0) {
                drop(fd);
                c = NULL;
            }
        }
        if (c != NULL && c->count > 0 && c->pending[c->first].due < next)
            next = c->pending[c->first].due;
    }
    if (next != INT64_MAX) {
        struct itimerspec at = { .it_value = { next / 1000000000, next % 1000000000 } };
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
    }
}

static int receive(int fd)
{
    struct client *c = clients[fd];
    int used = 0, count = recv(fd, c->bytes + c->length, sizeof c->bytes - c->length, 0);
    if (count <= 0)
        return count < 0 && errno == EAGAIN ? 0 : -1;
    c->length += count;
    while (c->length - used >= REQUEST) {
        uint8_t *request = c->bytes + used;
        int length = 6 + (request[4] << 8 | request[5]);
        if (length != REQUEST || (objects && c->count > 0) || c->count == UNDER_WAY)
            return -1;
        used += length;
        if (latency == 0) {
            if (answer(fd, request) != 0)
                return -1;
            continue;
        }
        struct pending *p = &c->pending[(c->first + c->count++) % UNDER_WAY];
        p->due = now() + latency;
        memcpy(p->request, request, REQUEST);
    }
    memmove(c->bytes, c->bytes + used, c->length -= used);
    if (c->count > 0)
        tick();
    return 0;
}

int main(int argc, char **argv)
{
    latency = argc > 1 ? atoll(argv[1]) * 1000 : 0;
    objects = argc > 2 && strcmp(argv[2], "object") == 0;
    int one = 1, epoll = epoll_create1(0), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t size = sizeof at;
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (bind(listener, (struct sockaddr *)&at, size) != 0 || listen(listener, 64) != 0 || getsockname(listener, (struct sockaddr *)&at, &size) != 0) {
        perror("listen");
        return 1;
    }
    int watched[] = { listener, timer };
    for (int i = 0; i < 2; i++) {
        struct epoll_event e = { .events = EPOLLIN, .data.fd = watched[i] };
        epoll_ctl(epoll, EPOLL_CTL_ADD, watched[i], &e);
    }
    struct stat input;
    if (fstat(STDIN_FILENO, &input) == 0 && S_ISFIFO(input.st_mode)) {
        struct epoll_event e = { .events = EPOLLIN, .data.fd = STDIN_FILENO };
        epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e);
    }
    printf("ready %d\n", ntohs(at.sin_port));
    fflush(stdout);
    for (;;) {
        struct epoll_event events[64];
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == STDIN_FILENO) {
                char ignored[64];
                if (read(fd, ignored, sizeof ignored) <= 0)
                    return 0;
            } else if (fd == timer) {
                uint64_t times;
                if (read(timer, &times, sizeof times) == sizeof times)
                    tick();
            } else if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client < 0 || client >= CLIENTS) {
                    if (client >= 0)
                        close(client);
                    continue;
                }
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                clients[client] = calloc(1, sizeof *clients[client]);
                struct epoll_event e = { .events = EPOLLIN, .data.fd = client };
                epoll_ctl(epoll, EPOLL_CTL_ADD, client, &e);
            } else if (clients[fd] != NULL && receive(fd) != 0) {
                drop(fd);
            }
        }
    }
}
