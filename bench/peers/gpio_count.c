// gpio_count LINE: counts the rising edges of a named line through the GPIO character device (uAPI v2), many events at a time, with poll(2); the least that a program can do.
// Prints "ready" when it has the line; for each line on standard input "<counted> <lost> <processor time in ns>" so far.
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static int request(const char *name) {
  for (int n = 0; n < 64; n++) {
    char path[32];
    snprintf(path, sizeof path, "/dev/gpiochip%d", n);
    int chip = open(path, O_RDWR | O_CLOEXEC);
    struct gpiochip_info info;
    if (chip < 0 || ioctl(chip, GPIO_GET_CHIPINFO_IOCTL, &info) < 0) continue;
    for (unsigned i = 0; i < info.lines; i++) {
      struct gpio_v2_line_info line = { .offset = i };
      if (ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, &line) < 0 || strcmp(line.name, name) != 0) continue;
      struct gpio_v2_line_request ask = { .offsets = { i }, .num_lines = 1, .event_buffer_size = 1024, .consumer = "gpio_count" };
      ask.config.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING;
      if (ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &ask) < 0) { perror("line"); return -1; }
      close(chip);
      return ask.fd;
    }
    close(chip);
  }
  fprintf(stderr, "no line %s\n", name);
  return -1;
}

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
