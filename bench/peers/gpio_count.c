// gpio_count LINE: counts the rising edges of a named line through the GPIO character device (uAPI v2), many events at a time, with poll(2); the least that a program can do.
// Prints "ready" when it has the line; for each line on standard input "<counted> <lost> <processor time in ns>" so far.
#include <errno.h>
#include <poll.h>
#include <time.h>
#include "gpio_line.h"

int main(int argc, char **argv) {
  int line = argc == 2 ? request(argv[1]) : -1;
  if (line < 0 || fcntl(line, F_SETFL, O_NONBLOCK) < 0) return 1;
  unsigned long long counted = 0, lost = 0;
  unsigned last = 0;
  static struct gpio_v2_line_event events[64];
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct pollfd both[] = { { line, POLLIN, 0 }, { 0, POLLIN, 0 } };
    if (poll(both, 2, -1) < 0) return 1;
    ssize_t got;
    while ((got = read(line, events, sizeof events)) > 0) {
      for (unsigned i = 0; i < got / sizeof events[0]; i++) {
        lost += events[i].line_seqno - last - 1;
        last = events[i].line_seqno;
        counted++;
      }
    }
    if (got < 0 && errno != EAGAIN) return 1;
    if (both[1].revents) {
      char words[16];
      if (read(0, words, sizeof words) <= 0) return 0;
      struct timespec t;
      clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
      printf("%llu %llu %lld\n", counted, lost, t.tv_sec * 1000000000LL + t.tv_nsec);
      fflush(stdout);
    }
  }
}
