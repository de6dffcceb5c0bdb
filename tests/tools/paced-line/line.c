/* A serial line with one unit on it, at the pace of a real wire: a DOUBLE, because there is no UART here. It sits on the master of a
   pseudo-terminal. What the client writes is taken as travelling at the wire's rate from the moment it came; a request whose first
   character comes before the line was silent for 3.5 characters (1.75 ms above 19200 baud: MODBUS over Serial Line V1.02, 2.5.1.1) is
   DROPPED, as a strict unit does. A request that keeps the silence is answered after exactly one such silence, and the answer
   becomes readable at the pace of the wire, in lumps of LUMP characters as a UART's FIFO hands them over.

   Every unit id answers; holding and input registers hold their address plus one. Prints "ready 0"; when its standard input closes, one
   line: requests answered dropped theoretical_us elapsed_us late_us least_silence_us
     theoretical: request + silence + answer + silence of all that was answered; elapsed: from the first request to the end of the last
     silence; late: how much later than the wire would have allowed this program delivered answers (it can be held up by the
     machine like any other); least silence: the shortest before a request, whatever became of it.
   The instant of a delivery is taken before the write, that of a request after the read: held up or not, silence is never
   measured shorter than it was at the other end.

   With "rt" it asks for a real-time priority, since the laws of a wire do not wait for other programs; without the right to it, it runs
   as any other.

   cc -O2 -o line line.c; ./line LINK BAUD BITS_PER_CHARACTER LUMP [rt] */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 256 };

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint16_t crc(const uint8_t *bytes, int count)
{
    uint16_t crc = 0xFFFF;
    for (int i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xA001 : crc >> 1;
    }
    return crc;
}

static int answer(const uint8_t *request, int length, uint8_t *reply)
{
    if (length != 8 || crc(request, 8) != 0)
        return 0;
    int address = request[2] << 8 | request[3], quantity = request[4] << 8 | request[5], at = 3;
    reply[0] = request[0];
    reply[1] = request[1];
    if ((request[1] != 3 && request[1] != 4) || quantity < 1 || quantity > 125) {
        reply[1] |= 0x80;
        reply[2] = request[1] == 3 || request[1] == 4 ? 3 : 1;
    } else {
        reply[2] = (uint8_t)(2 * quantity);
        for (int i = 0; i < quantity; i++) {
            reply[at++] = (uint8_t)((address + i + 1) >> 8);
            reply[at++] = (uint8_t)(address + i + 1);
        }
    }
    uint16_t check = crc(reply, at);
    reply[at++] = (uint8_t)check;
    reply[at++] = (uint8_t)(check >> 8);
    return at;
}

/* The last moment before an instant is spun away; a real-time program wakes up faster. */
static int64_t spin_ns = 80000;

/* Waits until bytes come or the instant is reached (0: without end); -1 when the standard input has closed. */
static int wait_for(int master, int64_t until)
{
    struct pollfd files[2] = { { master, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
    for (;;) {
        int64_t left = until == 0 ? 1000000000 : until - now();
        if (left <= 0)
            return 0;
        int64_t sleep = until == 0 ? left : left <= spin_ns ? 0 : left - spin_ns;
        struct timespec limit = { sleep / 1000000000, sleep % 1000000000 };
        if (ppoll(files, 2, &limit, NULL) > 0) {
            if (files[1].revents)
                return -1;
            return 1;
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    long baud = atol(argv[2]);
    int64_t character = atoi(argv[3]) * 1000000000LL / baud;
    int64_t silence = baud > 19200 ? 1750000 : character * 7 / 2;
    int lump = atoi(argv[4]);
    struct sched_param priority = { .sched_priority = 10 };
    if (argc > 5 && sched_setscheduler(0, SCHED_FIFO, &priority) == 0)
        spin_ns = 15000;
    prctl(PR_SET_TIMERSLACK, 1UL, 0, 0, 0);

    int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        perror("pseudo-terminal");
        return 1;
    }
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    struct termios raw;
    tcgetattr(slave, &raw);
    cfmakeraw(&raw);
    tcsetattr(slave, TCSANOW, &raw);
    unlink(argv[1]);
    if (symlink(ptsname(master), argv[1]) != 0) {
        perror(argv[1]);
        return 1;
    }
    printf("ready 0\n");
    fflush(stdout);

    uint8_t request[LONGEST], reply[LONGEST], late_bytes[LONGEST];
    long requests = 0, answered = 0, dropped = 0;
    int64_t theoretical = 0, first = 0, busy_until = 0, late = 0, least = INT64_MAX;
    for (;;) {
        if (wait_for(master, 0) < 0)
            break;
        int length = (int)read(master, request, sizeof request);
        int64_t came = now();
        if (length <= 0)
            continue;
        requests++;
        if (first == 0)
            first = came;
        else if (came - busy_until < least)
            least = came - busy_until;
        int is_dropped = busy_until != 0 && came - busy_until < silence;
        int64_t end = came + length * character;

        /* The frame ends with silence; more of it may come in pieces. */
        int woken;
        while ((woken = wait_for(master, end + silence)) > 0) {
            int more = (int)read(master, request + length, sizeof request - (size_t)length);
            int64_t at = now();
            if (more > 0) {
                length += more;
                end = (at > end ? at : end) + more * character;
            } else if (length == sizeof request && read(master, late_bytes, sizeof late_bytes) > 0) {
                is_dropped = 1;
            }
        }
        if (woken < 0)
            break;
        busy_until = end;
        if (is_dropped) {
            dropped++;
            continue;
        }
        int total = answer(request, length, reply);
        if (total == 0)
            continue;
        int64_t start = end + silence;
        for (int sent = 0; sent < total;) {
            int count = total - sent < lump ? total - sent : lump;
            int64_t due = start + (sent + count) * character;
            int state;
            while ((state = wait_for(master, due)) > 0) {
                /* Somebody speaks into the answer. */
                if (read(master, late_bytes, sizeof late_bytes) > 0)
                    is_dropped = 1;
            }
            if (state < 0)
                return 0;
            int64_t delivered = now();
            if (write(master, reply + sent, (size_t)count) != count) {
                perror("write");
                return 1;
            }
            sent += count;
            busy_until = delivered > due ? delivered : due;
            if (sent == total)
                late += busy_until - due;
        }
        requests += is_dropped;
        dropped += is_dropped;
        answered++;
        theoretical += (length + total) * character + 2 * silence;
    }
    printf("%ld %ld %ld %ld %ld %ld %ld\n", requests, answered, dropped, (long)(theoretical / 1000), (long)((busy_until + silence - first) / 1000), (long)(late / 1000),
        (long)(least == INT64_MAX ? -1 : least / 1000));
    unlink(argv[1]);
    return 0;
}
