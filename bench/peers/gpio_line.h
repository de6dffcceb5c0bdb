// What the programs in C beside this file have in common: a GPIO line by its name, asked for its rising edges.
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
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
      struct gpio_v2_line_request ask = { .offsets = { i }, .num_lines = 1, .event_buffer_size = 1024, .consumer = "peer" };
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
